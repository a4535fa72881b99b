"""`contactsync webhooks`: registered once, listed, ended; at a simulated Robaws on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from worker.config.secret_file import SecretFile
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
    assert "not recorded in the log of actions" in made.err


def without_secret(folder: Path, *, file: str | None = "secrets/robaws_webhook") -> Path:
    """The settings as they are before there is a webhook secret; its file."""
    settings = folder / "contactsync.toml"
    lines = [line for line in settings.read_text().splitlines() if not line.startswith("webhook_secrets")]
    named = [] if file is None else [f'webhook_secrets_file = "{file}"']
    at = lines.index("[systems.robaws]") + 1
    settings.write_text("\n".join([*lines[:at], *named, *lines[at:]]))
    (folder / "secrets").mkdir(exist_ok=True)
    return folder / "secrets" / "robaws_webhook"


@pytest.mark.parametrize("there", [None, "", "\n"], ids=["no file", "an empty file", "an empty line"])
def test_an_address_is_registered_before_there_is_a_secret_and_its_secret_is_written(
    robaws: SandboxServer, contactsync: Command, folder: Path, there: str | None
) -> None:
    secrets = without_secret(folder)
    if there is not None:
        secrets.write_text(there)

    listed = contactsync("webhooks", "list")
    checked = contactsync("check")
    made = contactsync("webhooks", "register", URL, "--write-secret")

    assert (listed.status, made.status) == (0, 0)
    assert checked.status == 1
    assert "webhook secret" in checked.out
    [secret] = secrets.read_text().split()
    assert secret not in made.out + made.err
    assert str(secrets) in made.out
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert "webhook secret" not in contactsync("check").out


@pytest.mark.parametrize(("before_it", "after_it"), [(0o644, 0o600), (0o640, 0o640)])
def test_a_second_secret_is_appended_and_the_file_keeps_its_owner_and_group(
    robaws: SandboxServer, contactsync: Command, folder: Path, before_it: int, after_it: int
) -> None:
    secrets = without_secret(folder)
    secrets.write_text("the-secret-of-before")
    secrets.chmod(before_it)
    before = secrets.stat()

    made = contactsync("webhooks", "register", URL, "--write-secret", "--json")

    held, state = secrets.read_text().splitlines(), secrets.stat()
    assert made.json["secret_file"] == str(secrets)
    assert "secret" not in made.json
    assert (held[0], len(held)) == ("the-secret-of-before", 2)
    assert (state.st_ino, state.st_uid, state.st_gid) == (before.st_ino, before.st_uid, before.st_gid)
    assert state.st_mode & 0o777 == after_it


def test_a_list_in_json_stays_one_and_no_secret_stands_in_it_twice(tmp_path: Path) -> None:
    file = SecretFile(tmp_path / "secrets")
    (tmp_path / "secrets").write_text('["first, and longer than what comes"]\n')

    added = [file.add("second"), file.add("second")]

    assert added == [True, False]
    assert json.loads((tmp_path / "secrets").read_text()) == ["first, and longer than what comes", "second"]


@pytest.mark.parametrize("wrong", ["no file is named", "its folder is missing", "it is a folder"])
def test_nothing_is_registered_where_the_secret_could_not_be_written(
    robaws: SandboxServer, contactsync: Command, folder: Path, wrong: str
) -> None:
    secrets = without_secret(folder, file=None if wrong == "no file is named" else "secrets/robaws_webhook")
    if wrong == "its folder is missing":
        (folder / "secrets").rmdir()
    elif wrong == "it is a folder":
        secrets.mkdir()

    refused = contactsync("webhooks", "register", URL, "--write-secret")

    assert refused.status == 2
    assert "secret" in refused.err
    assert robaws.simulators["robaws"].calls() == []


def test_the_secret_alone_goes_to_a_file_of_the_shell_s(robaws: SandboxServer, contactsync: Command) -> None:
    made = contactsync("webhooks", "register", URL, "--only-secret")

    assert len(made.out.split()) == 1
    assert made.out.endswith("\n")
    assert "registered as" in made.err
