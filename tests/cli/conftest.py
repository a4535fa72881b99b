"""The command in a folder of its own, with the settings of the hub whose rows it looks at."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import Command
from tests.fixtures.hub import BASES

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

CLIENT = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": "+32 9 200 00 01",
    "gsm": "+32 470 00 00 01",
    "vatIdNumber": "BE0000000196",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; no setting of the test's own environment reaches the command."""
    for name in [name for name in os.environ if name.startswith("CONTACTSYNC_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def contactsync(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in a folder without settings."""
    return Command(capsys)


@pytest.fixture
def operator(contactsync: Command, hub: Hub, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command over the hub's own database."""
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", migrated_url)
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")
    for name, base in BASES.items():
        settings = hub.simulators[name].settings(base)
        if name == "robaws":  # the one of the sandbox is public, and refused where vendors have addresses of their own
            settings["webhook_secrets"] = ["made-up-for-the-tests-of-the-command"]
        monkeypatch.setenv(f"CONTACTSYNC_SYSTEMS__{name.upper()}", json.dumps(settings))
    return contactsync


@pytest.fixture
def client(hub: Hub) -> str:
    """A client that is everywhere."""
    client_id = hub.robaws.add_client(**CLIENT)
    hub.sync(client_id)
    return client_id


@pytest.fixture
def dead(hub: Hub) -> str:
    """A client that Rompslomp refused; in the other systems it is well."""
    body = '{"error": {"type": "invalid_record", "message": "Contact is invalid: Company name is ongeldig."}}'
    hub.rompslomp.fail("status", status=422, body=body, method="POST")
    client_id = hub.robaws.add_client(**{**CLIENT, "name": "Bakkerij Zonnehof", "vatIdNumber": "BE0000000295"})
    hub.sync(client_id)
    assert hub.link(client_id, "rompslomp")["state"] == "dead"
    return client_id


def catch_up(hub: Hub) -> None:
    """What a command made due is due by this machine's clock, which the hub's is turned to."""
    hub.time = datetime.now(UTC) + timedelta(seconds=1)
    hub.settle()
