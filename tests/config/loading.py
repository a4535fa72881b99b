"""Helpers of the tests of the settings: a folder with a file, an environment, and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from worker.config import Settings, load_settings
from worker.errors import ConfigurationError

# What each system needs before it may be enabled, as TOML.
ENABLED: Mapping[str, str] = {
    "robaws": 'username = "api@example.example"\npassword = "made-up"',
    "rompslomp": 'token = "made-up"\ncompany_id = "440923104"',
    "recras": 'base_url = "https://voorbeeld.recras.nl/api2"\napi_key = "made-up"',
    "workspace": 'token = "made-up"',
    "routix": 'client_id = "7a1e"\nclient_secret = "routix_made-up"\nbranches = ["RS2RDH3B"]',
}

TOKEN = "een-zelfgemaakt-token-voor-deze-tests"
PASSWORD_HASH = f"$argon2id$v=19$m=65536,t=3,p=4${'c2FsdA' * 4}${'aGFzaA' * 7}"


class Given:
    """A folder in which the command would be started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}

    def toml(self, text: str) -> None:
        self.file("contactsync.toml", text)

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self) -> Settings:
        return load_settings(self.environ, self.folder)

    def problems(self) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            self.load()
        return caught.value.problems

    def problem(self) -> str:
        problems = self.problems()
        assert len(problems) == 1, problems
        return problems[0]


def enabled(*systems: str) -> str:
    """A file in which these systems have what they need, and are on."""
    return "\n".join(f"[systems.{name}]\nenabled = true\n{ENABLED[name]}" for name in systems)
