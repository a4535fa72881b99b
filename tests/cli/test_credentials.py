"""Credentials as the command finds them: copied badly, refused, replaced while something runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml

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
