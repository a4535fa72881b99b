"""What every test has: the fixtures of the modules below, and no way to the network."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "tests.fixtures.network",
    "tests.fixtures.servers",
    "tests.fixtures.hub",  # after the servers, which it imports
]

SERVERS = {"postgres_url", "redis_url"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a server of its own is slow: `-m "not slow"` is what can be run after every change."""
    for item in items:
        if SERVERS & set(getattr(item, "fixturenames", ())) or "tests/embedded/" in item.nodeid:
            item.add_marker(pytest.mark.slow)
