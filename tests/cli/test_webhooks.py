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

    removed = contactsync("webhooks", "remove", made["id"])
    again = contactsync("webhooks", "remove", made["id"])

    assert (removed.status, again.status) == (0, 1)
    assert "nowhere" in contactsync("webhooks", "list").out


def test_what_is_no_address_is_refused_before_anything_is_sent(robaws: SandboxServer, contactsync: Command) -> None:
    refused = contactsync("webhooks", "register", "sync.example.org")

    assert refused.status == 2
    assert robaws.simulators["robaws"].calls() == []
