"""The folder that the embedded servers live in: made, checked for being ours to write, and locked."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import stat
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from worker.embedded.errors import EmbeddedError, HomeInUse

# PostgreSQL keeps paths in 1,024 bytes (MAXPGPATH) and appends names of its own to the data folder's.
_LONGEST_HOME_BYTES: Final = 880
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included (man 7 unix).
LONGEST_SOCKET_BYTES: Final = 100
_OTHER_HOME: Final = "Set `home` to a folder that this user can write to, or set `database.url` and `redis.url`."

_NOT_OURS: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT}


def prepare_home(home: Path) -> Path:
    """The home as an absolute path without links, made when it is missing; EmbeddedError when it cannot be used."""
    home = home.expanduser().resolve()
    if len(os.fsencode(home)) > _LONGEST_HOME_BYTES:
        raise EmbeddedError(
            f"The path of the home is too long for PostgreSQL ({len(os.fsencode(home))} bytes): {home}.",
            f"Set `home` to a path of at most {_LONGEST_HOME_BYTES} bytes.",
        )
    try:
        missing = [folder for folder in (home, *home.parents) if not folder.exists()]
        for folder in reversed(missing):
            make_folder(folder, _home_mode() if folder == home else 0o755)
        _close_to_others(home)
        make_folder(home / "logs")
        probe = home / f".write-test-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise unusable(home, error) from error
    return home


def _home_mode() -> int:
    """Nobody else has anything to look for there. Root's servers run as another account, which must get through."""
    return 0o711 if os.geteuid() == 0 else 0o700


def _close_to_others(home: Path) -> None:
    """A home that an earlier release made, open to be read. One that somebody made or opened in another way is left."""
    found = home.stat()
    ours = (home / "servers.lock").exists() and found.st_uid == os.geteuid()
    if ours and stat.S_IMODE(found.st_mode) == 0o755 and not Path.cwd().is_relative_to(home):
        home.chmod(_home_mode())


def unusable(home: Path, error: OSError) -> EmbeddedError:
    """What the system said of the home, in our words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return EmbeddedError(f"The disk that holds the home {home} is full.", "Make room there and start again.")
    if error.errno in _NOT_OURS:
        return EmbeddedError(f"The home {home} cannot be written to: {error.strerror or error}.", _OTHER_HOME)
    return EmbeddedError(f"The embedded servers of the home {home} cannot be started: {error}.", _OTHER_HOME)


def make_folder(folder: Path, mode: int = 0o700) -> Path:
    """A folder, with the owner of the one that it lies in where root makes it."""
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        give_to_owner_of(folder.parent, folder)
    return folder


def give_to_owner_of(parent: Path, path: Path) -> None:
    """
    What root makes in a user's home belongs to that user, who could not start there again otherwise.

    A file with another name besides is not given: it may be somebody else's, linked there by whoever can write.
    """
    if os.geteuid() != 0:
        return
    owner = parent.stat()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if has_one_name(descriptor, path):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        os.close(descriptor)


def has_one_name(descriptor: int, path: str | Path, folder: int | None = None) -> bool:
    """
    Whether what was opened by this name is a folder, or a file that has no other name.

    Asked by the name once it is open: a link that is taken away in between is missed, and one that is there counts.
    """
    named = os.stat(path, dir_fd=folder, follow_symlinks=False)
    return os.path.samestat(os.fstat(descriptor), named) and (stat.S_ISDIR(named.st_mode) or named.st_nlink == 1)


def write_private(file: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone."""
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        give_to_owner_of(file.parent, partial)
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_state(file: Path, state: Mapping[str, Any]) -> None:
    """A small JSON document, private to its owner."""
    write_private(file, json.dumps(state, indent=2) + "\n")


def read_state(file: Path) -> dict[str, Any] | None:
    """What `write_state` wrote; None when there is nothing, or nothing that can be understood."""
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


class HomeLock:
    """
    One holder at a time, over all processes of the machine that see this home.

    `flock`, because the kernel drops it when the holder dies in whatever way, and because two holders in one process
    exclude each other as well. The file stays: removing it would let a third process lock a new one beside it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Tell whether this object has it; not so in a forked child."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock, or HomeInUse with the pid of who has it."""
        try:
            descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise unusable(self.file.parent, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _pid_in(descriptor)
            os.close(descriptor)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise self._in_use(holder) from error
            raise unusable(self.file.parent, error) from error
        if not has_one_name(descriptor, self.file):
            os.close(descriptor)
            raise EmbeddedError(f"{self.file} has another name besides, so it may not be ours.", "Remove it.")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        give_to_owner_of(self.file.parent, self.file)
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            self.forget()

    def forget(self) -> None:
        """Close our descriptor only; a parent process that has the same one keeps the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            _held.discard(self)

    def _in_use(self, holder: int | None) -> HomeInUse:
        who = f"process {holder}" if holder else "another process"
        return HomeInUse(
            f"The embedded servers of the home {self.file.parent} are already run by {who}.",
            "Stop it first (for example `contactsync up` in another terminal), or set `home` to another folder.",
            pid=holder,
        )


def lock_is_held(file: Path) -> bool:
    """Tell whether some process holds this lock at the moment."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Shared, so that two who ask at the same time do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _pid_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


def _drop_in_forked_child() -> None:
    """A forked child has our descriptors, and would keep a lock alive that its dead parent held."""
    for lock in list(_held):
        lock.forget()


_held: weakref.WeakSet[HomeLock] = weakref.WeakSet()
os.register_at_fork(after_in_child=_drop_in_forked_child)
