"""What every test has: the fixtures of the modules below, and no way to the network."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.network",
    "tests.fixtures.servers",
    "tests.fixtures.hub",  # after the servers, which it imports
]
