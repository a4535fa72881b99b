"""
Which settings a part that runs here goes by, so that `check` can tell whether the files say something else by now.

Each part writes a keyed digest of every value into a file of its own, which only its account can read: never the
value, and the key is another one at each start. Values that stand in the environment are left out, since a command is
started from another shell.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from pydantic import BaseModel, SecretStr

from worker.config.keys import known_keys
from worker.config.secrets import value_at
from worker.config.sources import given_by_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.config import Settings

PARTS: Final = ("up", "receiver", "worker", "scheduler")

_SERVERS: Final = ("database.url", "database.owner_url", "database.admin_url", "redis.url")


class InUse:
    """The settings of one part on this machine."""

    def __init__(self, home: Path | str, part: str) -> None:
        self.part = part
        self._path = Path(home) / "run" / f"{part}-{socket.gethostname()}.settings"
        self._held: TextIO | None = None

    def close(self) -> None:
        """No longer in use."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def write(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        """These are in use from now on. A home that cannot be written to is no reason not to run."""
        key = secrets.token_bytes(32)
        content = {
            "key": key.hex(),
            "variables": sorted(given_by_variables(environ)),
            "values": {name: _digest(key, value) for name, value in _values(settings)},
        }
        whole = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole.unlink(missing_ok=True)
            file = os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
            json.dump(content, file)
            file.flush()
            # Held until this process ends, however it ends: so a file that nobody holds says nothing.
            fcntl.flock(file, fcntl.LOCK_SH)
            whole.replace(self._path)
        except OSError:
            return
        self._held, before = file, self._held
        if before is not None:
            before.close()

    def differing(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[str, ...] | None:
        """The keys whose values are others in these settings; None where the part does not run here."""
        try:
            with self._path.open() as file:
                if not _is_held(file):
                    return None
                content = json.load(file)
            key, known = bytes.fromhex(content["key"]), content["values"]
            aside = {*content["variables"], *given_by_variables(environ)}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return tuple(
            name
            for name, value in _values(settings)
            if not any(f"{name}.".startswith(f"{one}.") for one in aside)
            and not (name in _SERVERS and value is None)
            and known.get(name) != _digest(key, value)
        )


def _is_held(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _values(settings: Settings) -> list[tuple[str, Any]]:
    keys = [key for key in known_keys().values() if key.shape != "section" and key.name != "home"]
    return [(key.name, value_at(settings, key.path)) for key in keys]


def _digest(key: bytes, value: Any) -> str:
    return hmac.digest(key, json.dumps(_plain(value), sort_keys=True, default=str).encode(), hashlib.sha256).hex()


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
