"""How a command finds the database: by url, or at an `up` that runs here; and what it says when there is neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.servers import short_folder
from worker.embedded.servers import LocalServers

if TYPE_CHECKING:
    from tests.cli.command import Command

REPORTS = [
    ["status"],
    ["contacts", "list"],
    ["contacts", "show", "1001"],
    ["retries", "list"],
    ["reviews", "list"],
    ["systems", "list"],
    ["events", "list"],
]


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_without_anything_running_the_next_step_is_said(contactsync: Command, words: list[str]) -> None:
    ran = contactsync(*words, "--json")

    assert ran.status == 3
    assert "start `contactsync up` first" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("words", REPORTS[:2], ids=" ".join)
def test_a_database_that_is_away_is_another_status(
    contactsync: Command, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", "postgresql://somebody:a-password@127.0.0.1:1/contactsync")
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")

    ran = contactsync(*words)

    assert ran.status == 3
    assert "the database does not answer" in ran.err
    assert "a-password" not in ran.err
    assert "Traceback" not in ran.err


def test_an_empty_database_names_the_command(
    contactsync: Command, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", database_url)
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")

    ran = contactsync("status")

    assert ran.status == 2
    assert "run `contactsync migrate` first" in ran.err


def test_wrong_settings_are_told_all_at_once(contactsync: Command, folder: Path) -> None:
    (folder / "contactsync.toml").write_text("[receiver]\nport = 99999\n\n[retyr]\njitter = 2\n")

    ran = contactsync("status")

    assert ran.status == 2
    assert "receiver.port" in ran.err
    assert "retyr" in ran.err


@pytest.mark.slow
def test_the_bundled_servers_of_a_running_up_are_found(contactsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with short_folder() as place, LocalServers(place / "home", keep_alive=False):
        monkeypatch.setenv("CONTACTSYNC_HOME", str(place / "home"))
        migrated = contactsync("migrate")

        ran = contactsync("status", "--json")

    assert migrated.status == 0
    assert ran.status == 0
    assert ran.json["events"]["received"] == 0
