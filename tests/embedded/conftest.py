"""Homes for embedded servers, short enough for a unix socket and gone afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.servers import UNSAFE_BUT_FAST, short_folder
from worker.embedded.servers import LocalServers


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that does not exist yet."""
    with short_folder() as folder:
        yield folder / "home"


@pytest.fixture
def used_home(home: Path, _stopped_home: Path) -> Path:
    """A home with an empty database in it, as after an earlier run."""
    shutil.copytree(_stopped_home, home)
    return home


@pytest.fixture(scope="session")
def _stopped_home() -> Iterator[Path]:
    with short_folder() as folder:
        with LocalServers(folder / "home", postgres_settings=UNSAFE_BUT_FAST):
            pass
        yield folder / "home"
