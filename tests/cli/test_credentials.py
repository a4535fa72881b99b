"""Credentials as the command finds them: copied badly, refused, replaced while something runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_contacts import line_with
from worker.cli import check_running
from worker.config import load_settings
from worker.processes.in_use import InUse
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml
from worker.vendors.rompslomp.simulator import RompslompSimulator

if TYPE_CHECKING:
    from tests.cli.command import Command

TOKEN = "pl4nted-rompslomp-token-8Zs1"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


def settle(folder: Path, sandbox: SandboxServer, *, with_file: str, key: str = "token") -> None:
    """Settings of Robaws and Rompslomp, with the token of the latter in a file."""
    given = sandbox.settings()
    rompslomp = {name: value for name, value in given["rompslomp"].items() if name != key}
    (folder / "contactsync.toml").write_text(
        as_toml({"robaws": given["robaws"], "rompslomp": {**rompslomp, f"{key}_file": "rompslomp"}})
    )
    (folder / "rompslomp").write_text(with_file)
    (folder / "rompslomp").chmod(0o600)


@pytest.mark.parametrize("copied", [f"{TOKEN} \n", f"\u00a0{TOKEN}\n", f"{TOKEN}-caf\u00e9\n", f"{TOKEN}\u200b\n"])
@pytest.mark.parametrize("name", ["check", "up"])
def test_a_token_that_was_copied_badly_is_named_and_not_shown(
    contactsync: Command, folder: Path, sandbox: SandboxServer, copied: str, name: str
) -> None:
    settle(folder, sandbox, with_file=copied)

    ran = contactsync(name)

    assert ran.status == 2
    assert "systems.rompslomp.token " in ran.out + ran.err
    assert "copy the value again" in ran.out + ran.err
    assert TOKEN not in ran.out + ran.err
    assert not (folder / ".contactsync").exists()


def rewrite(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(before, after))


@pytest.fixture
def in_use(contactsync: Command, folder: Path, sandbox: SandboxServer) -> Iterator[InUse]:
    """A worker that runs here, with the settings of the folder."""
    settle(folder, sandbox, with_file=RompslompSimulator.SANDBOX_TOKEN)
    worker = InUse(folder / ".contactsync", "worker")
    with closing(worker):
        worker.write(load_settings())
        yield worker


def test_check_says_that_the_running_parts_go_by_the_files(contactsync: Command, in_use: InUse) -> None:
    assert line_with(
        contactsync("check").out, "✓ running: settings: what runs here goes by what the files hold (worker)"
    )


def test_check_names_a_token_that_is_not_in_use_yet_and_how_it_is(
    contactsync: Command, folder: Path, sandbox: SandboxServer, in_use: InUse
) -> None:
    token = "another-made-up-token"
    sandbox.simulators["rompslomp"].tokens[token] = sandbox.simulators["rompslomp"].tokens[  # type: ignore[attr-defined]
        RompslompSimulator.SANDBOX_TOKEN
    ]
    (folder / "rompslomp").write_text(token)

    ran = contactsync("check")

    assert line_with(ran.out, "! running: worker: systems.rompslomp.token is another one in the files")
    assert line_with(ran.out, "→ at once: contactsync systems resume rompslomp")
    assert token not in ran.out


def test_check_says_what_needs_a_restart(contactsync: Command, folder: Path, in_use: InUse) -> None:
    rewrite(folder, "contactsync.toml", "[systems.rompslomp]", "[systems.rompslomp]\ntimeout_seconds = 7")

    ran = contactsync("check")

    assert line_with(ran.out, "✗ running: worker: runs with older settings", "systems.rompslomp.timeout_seconds")
    assert line_with(ran.out, "→ restart contactsync worker")
    assert ran.status == 1


@pytest.mark.parametrize("key", ["ops.approval_above", "systems.robaws.webhook_secrets"])
def test_what_a_part_does_not_use_needs_no_restart_of_it(in_use: InUse, folder: Path, key: str) -> None:
    rewrite(folder, "contactsync.toml", "webhook_secrets = [", 'webhook_secrets = ["another-made-up-secret", ')
    rewrite(folder, "contactsync.toml", "[systems.robaws]", "[ops]\napproval_above = 3\n[systems.robaws]")

    found = list(check_running.findings(load_settings()))

    assert key in (in_use.differing(load_settings()) or ())
    assert [finding.subject for finding in found if not finding.ok] == []


def test_nothing_is_said_of_parts_that_have_ended(folder: Path, in_use: InUse) -> None:
    in_use.close()
    rewrite(folder, "contactsync.toml", "[systems.rompslomp]", "[systems.rompslomp]\ntimeout_seconds = 7")

    assert list(check_running.findings(load_settings())) == []


def test_what_stands_in_the_environment_is_not_compared(
    folder: Path, in_use: InUse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_LOG__FORMAT", "json")

    assert in_use.differing(load_settings()) == ()


def test_the_file_of_what_is_in_use_holds_no_value_and_is_its_account_s_alone(folder: Path, in_use: InUse) -> None:
    [path] = (folder / ".contactsync" / "run").glob("worker-*.settings")

    first = path.read_text()
    in_use.write(load_settings())

    assert path.stat().st_mode & 0o777 == 0o600
    assert "sandbox" not in first
    assert "systems.rompslomp.token" in first
    assert json.loads(path.read_text())["values"] != json.loads(first)["values"]


def test_a_settings_file_that_is_named_and_missing_is_one_problem(
    contactsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_CONFIG", "nope.toml")

    ran = contactsync("check")

    assert ran.status == 2
    assert ran.out.count("nope.toml") == 1
    assert ran.out.count("✗") == 1


def test_an_address_that_up_handed_to_its_parts_needs_a_restart_of_up(in_use: InUse, folder: Path) -> None:
    rewrite(folder, "contactsync.toml", "[systems.robaws]", "[database]\nurl_file = 'database'\n[systems.robaws]")
    (folder / "database").write_text("postgresql://app:made-up-password@127.0.0.1/hub")
    whole = InUse(folder / ".contactsync", "up")
    with closing(whole):
        whole.write(load_settings())
        in_use.write(load_settings())
        (folder / "database").write_text("postgresql://app:another-password@127.0.0.1/hub")

        [found] = [one for one in check_running.findings(load_settings()) if not one.ok]

    assert (found.subject, found.next_step) == ("up", "restart contactsync up")
    assert "database.url" in found.message
