"""Where the demo lives: a home of its own, with settings of its own, so that nobody's real ones are touched."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.config import Settings

DEFAULT_HOME: Final = Path(".contactsync-demo")
SETTINGS_FILE: Final = "contactsync.toml"
ROLES: Final = ("viewer", "operator", "admin")
MARK: Final = "# Written by `contactsync demo`; the folder is emptied when the demo starts again.\n"

# A simulated vendor answers at once and a demonstration should not wait: rates up, waits down. The simulated Robaws
# keeps to its fifteen calls a second, so its rate stays below that.
PACE: Final[Mapping[str, Mapping[str, Any]]] = {
    "robaws": {"rate_per_second": 14.0, "burst": 10, "timeout_seconds": 5},
    "rompslomp": {"rate_per_second": 60.0, "burst": 20, "timeout_seconds": 5, "unknown_settle_seconds": 1.0},
    "recras": {"rate_per_second": 60.0, "burst": 20, "timeout_seconds": 5, "unknown_settle_seconds": 1.0},
    "workspace": {"rate_per_second": 60.0, "burst": 20, "timeout_seconds": 5, "unknown_settle_seconds": 1.0},
}

CHOICES: Final[Mapping[str, Mapping[str, Any]]] = {
    "robaws": {
        "write_back": {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"},
    },
    # The bookkeeper's own e-mail address counts more than the office's: filled where it is empty, else left alone.
    "rompslomp": {"fields": {"email": "fill"}},
}

_GENERAL: Final = """
[receiver]
port = {port}

[ops]
tokens = [
{tokens}]

[worker]
concurrency = 12
lease_seconds = 6

[scheduler]
sweep_seconds = 0.5

[retry]
ladder_seconds = [1, 1, 2, 3, 5, 8, 13, 30]

[breaker]
failures = 3
probe_seconds = 2

"""


def prepare(home: Path) -> Path:
    """
    An empty home. What an earlier demo left there is removed; a folder that holds anything else is refused.
    """
    from worker.embedded.home import lock_is_held, prepare_home

    home = home.expanduser().absolute()
    if home.exists():
        settings = home / SETTINGS_FILE
        ours = settings.is_file() and settings.read_text(encoding="utf-8").startswith(MARK)
        if not ours and any(home.iterdir()):
            raise ConfigurationError(f"{home} holds something that no demo made: choose another --home")
        if lock_is_held(home / "servers.lock"):
            raise ConfigurationError(f"another demo runs in {home}: end it with Ctrl-C, or choose another --home")
        for left in home.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            elif left != settings:
                left.unlink()
    prepare_home(home)
    # Before anything else and kept until the last: a demo that is ended in its first second is known as one too.
    _write(home, MARK)
    # So that a demo in a folder under git does not show there.
    (home / ".gitignore").write_text("*\n", encoding="utf-8")
    return home


def write_settings(home: Path, systems: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Write the settings file that all processes of the demo read; returns a token for each role."""
    from worker.sandbox.settings import as_toml

    tokens = {role: f"demo-{role}-{secrets.token_hex(12)}" for role in ROLES}
    lines = "".join(f'  {{ name = "demo-{one}", role = "{one}", token = "{tokens[one]}" }},\n' for one in ROLES)
    merged = {name: {**given, **PACE.get(name, {}), **CHOICES.get(name, {})} for name, given in systems.items()}
    text = (
        f"{MARK}home = {json.dumps(str(home))}\n" + _GENERAL.format(port=_free_port(), tokens=lines) + as_toml(merged)
    )
    _write(home, text)
    return tokens


def _write(home: Path, text: str) -> None:
    file = home / SETTINGS_FILE
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def load(home: Path) -> Settings:
    """
    The settings of the demo, and nothing but them: variables that the person's shell has set are left out, here and
    in the processes that are started from here.
    """
    from worker.config import load_settings

    for name in [name for name in os.environ if name.startswith("CONTACTSYNC_")]:
        del os.environ[name]
    os.environ["CONTACTSYNC_CONFIG"] = str(home / SETTINGS_FILE)
    return load_settings()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
