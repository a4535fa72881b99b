"""`contactsync webhooks`: registered once, listed, ended; at a simulated Robaws on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml

if TYPE_CHECKING:
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


@pytest.mark.parametrize("url", ["sync.example.org", "http://sync.example.org/webhooks/robaws"])
def test_what_is_no_address_or_open_is_refused_before_anything_is_sent(
    robaws: SandboxServer, contactsync: Command, url: str
) -> None:
    refused = contactsync("webhooks", "register", url)

    assert refused.status == 2
    assert "https://" in refused.err
    assert robaws.simulators["robaws"].calls() == []


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
