"""`contactsync drill` breaks things on purpose, so it looks twice at whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml


def write(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "contactsync.toml"
    file.write_text(text)
    monkeypatch.setenv("CONTACTSYNC_CONFIG", str(file))
    monkeypatch.setenv("CONTACTSYNC_HOME", str(folder / "home"))


@pytest.mark.parametrize("address", ["https://acme.recras.example/api2", "http://10.0.0.7:9000/recras/api2"])
def test_a_system_that_is_not_on_this_machine_is_left_alone(
    contactsync: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with SandboxServer() as sandbox:
        systems = sandbox.settings()
        systems["recras"]["base_url"] = address
        write(tmp_path, as_toml(systems), monkeypatch)

        ran = contactsync("drill", "kill-worker")

    assert ran.status == 2
    assert "systems.recras.base_url" in ran.err
    assert "systems.rompslomp" not in ran.err


def test_what_answers_here_but_is_no_sandbox_is_left_alone(
    contactsync: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as sandbox:
        systems = sandbox.settings()
        ended = sandbox.url
    write(tmp_path, as_toml(systems), monkeypatch)

    ran = contactsync("drill", "all")

    assert ran.status == 2
    assert ended in ran.err
    assert "does not answer as a sandbox" in ran.err


def test_servers_that_are_not_bundled_are_not_killed(
    contactsync: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as sandbox:
        write(tmp_path, as_toml(sandbox.settings()), monkeypatch)
        monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")

        ran = contactsync("drill", "flush-redis")

    assert ran.status == 2
    assert "redis.url" in ran.err


def test_where_nothing_runs_it_says_what_to_do(
    contactsync: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as sandbox:
        write(tmp_path, as_toml(sandbox.settings()), monkeypatch)

        ran = contactsync("drill", "flush-redis")

    assert ran.status == 3
    assert "contactsync up" in ran.err


def test_a_drill_that_does_not_exist_is_wrong_use_and_the_others_are_named(contactsync: Command) -> None:
    ran = contactsync("drill", "earthquake")

    assert ran.status == 2
    assert "kill-worker" in ran.err
