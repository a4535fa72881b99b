"""`contactsync webhooks`: registered once, listed, ended; at a simulated Robaws on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.cli.command import Command

pytestmark = pytest.mark.slow
URL = "https://sync.example.org/webhooks/robaws"


@pytest.fixture
def robaws(folder: Path) -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        (folder / "contactsync.toml").write_text(as_toml({"robaws": server.settings()["robaws"]}))
        yield server


def test_an_address_is_registered_once_and_its_secret_is_told(robaws: SandboxServer, contactsync: Command) -> None:
    first = contactsync("webhooks", "register", URL, "--json")
    second = contactsync("webhooks", "register", URL)
    listed = contactsync("webhooks", "list", "--json")

    assert (first.status, second.status, listed.status) == (0, 2, 0)
    assert first.json["secret"]
    assert "already" in second.err
    assert [(one["id"], one["url"]) for one in listed.json["items"]] == [(first.json["id"], URL)]
    assert "secret" not in listed.json["items"][0]


def test_a_registration_is_ended(robaws: SandboxServer, contactsync: Command) -> None:
    made = contactsync("webhooks", "register", URL, "--json").json

    removed = contactsync("webhooks", "remove", made["id"], "--json")
    again = contactsync("webhooks", "remove", made["id"])

    assert (removed.status, again.status) == (0, 1)
    assert (removed.json["id"], removed.json["outcome"]) == (made["id"], "removed")
    assert "nowhere" in contactsync("webhooks", "list").out


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sync.example.org", "https://HOST/webhooks/robaws"),
        ("http://sync.example.org/webhooks/robaws", "https://"),
        ("https://sync.example.org", f"register {URL}, or add --any-path"),
        ("https://sync.example.org/webhooks/robaw", f"register {URL}, or add --any-path"),
        ("https://sync.example.org/webhooks/robaws/", f"register {URL}, or add --any-path"),
        ("http://127.0.0.1:8123/", "register http://127.0.0.1:8123/webhooks/robaws"),
        (f"{URL}?from=robaws", "write it as https://HOST/webhooks/robaws"),
        ("https://sync.example.org:x/webhooks/robaws", "https://HOST/webhooks/robaws"),
    ],
)
def test_an_address_where_no_event_can_arrive_is_refused_before_anything_is_sent(
    robaws: SandboxServer, contactsync: Command, url: str, said: str
) -> None:
    refused = contactsync("webhooks", "register", url)

    assert refused.status == 2
    assert said in refused.err
    assert robaws.simulators["robaws"].calls() == []


def test_another_path_is_registered_on_demand(robaws: SandboxServer, contactsync: Command) -> None:
    mapped = "https://www.example.org/hooks/erp"

    assert contactsync("webhooks", "register", mapped, "--any-path").status == 0
    assert [one["url"] for one in contactsync("webhooks", "list", "--json").json["items"]] == [mapped]


def test_removing_an_unknown_registration_names_it_and_the_next_step(
    robaws: SandboxServer, contactsync: Command
) -> None:
    refused = contactsync("webhooks", "remove", "nope")

    assert refused.status == 1
    assert refused.err == "Robaws has no registration nope: contactsync webhooks list shows their ids\n"


def test_an_address_of_this_machine_needs_no_tls(robaws: SandboxServer, contactsync: Command) -> None:
    assert contactsync("webhooks", "register", "http://127.0.0.1:8080/webhooks/robaws").status == 0


@pytest.mark.parametrize("part", ["up", "receiver"])
def test_who_takes_webhooks_does_not_start_without_the_secret_that_a_registration_tells(
    robaws: SandboxServer, contactsync: Command, folder: Path, part: str
) -> None:
    settings = folder / "contactsync.toml"
    lines = [line for line in settings.read_text().splitlines() if not line.startswith("webhook_secrets")]
    settings.write_text("\n".join([*lines, "burst = 0"]))

    wrong = contactsync(part)
    settings.write_text("\n".join(lines))
    refused = contactsync(part)
    registered = contactsync("webhooks", "register", URL, "--json")

    assert (wrong.status, refused.status) == (2, 2)
    assert "systems.robaws.webhook_secrets is missing: " in refused.err
    assert "systems.robaws.webhook_secrets" in wrong.err
    assert "burst" in wrong.err
    assert not (folder / ".contactsync").exists()
    assert registered.json["secret"]


def test_who_registered_and_removed_an_address_is_written_down(
    robaws: SandboxServer, contactsync: Command, migrated_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", migrated_url)
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")
    made = contactsync("webhooks", "register", URL, "--json")
    removed = contactsync("webhooks", "remove", made.json["id"])
    refused = contactsync("webhooks", "remove", made.json["id"])

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT actor, role, action, target, filter FROM operator_action ORDER BY id"))
        written = [tuple(row) for row in rows]

    target = f"webhook-{made.json['id']}"
    assert (made.status, made.err, removed.status, refused.status) == (0, "", 0, 1)
    assert [row[1:] for row in written] == [
        ("admin", "register-webhook", target, {"url": URL}),
        ("admin", "remove-webhook", target, None),
    ]
    assert all(row[0].startswith("command line (") for row in written)
    assert made.json["secret"] not in repr(written)


def test_an_address_may_be_registered_before_there_is_a_database(robaws: SandboxServer, contactsync: Command) -> None:
    made = contactsync("webhooks", "register", URL, "--json")

    assert (made.status, bool(made.json["secret"])) == (0, True)
    assert "stands in no log of actions" in made.err
