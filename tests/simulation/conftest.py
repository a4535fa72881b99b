"""The simulation's own server for its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.database import Databases, server


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Not the server of the other tests: that one runs autovacuum, which no seed guides."""
    with server() as url:
        made = Databases(url)
        yield made
        made.close()
