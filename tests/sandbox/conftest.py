"""One sandbox for all tests of a module, as new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from worker.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(retry_seconds=(0.05, 0.05, 0.05)) as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    running.world.reset()
    return running


@pytest.fixture
def control(sandbox: SandboxServer) -> Iterator[httpx.Client]:
    """The control API."""
    with httpx.Client(base_url=f"{sandbox.url}/_sandbox", trust_env=False) as client:
        yield client


@pytest.fixture
def robaws(sandbox: SandboxServer) -> Iterator[httpx.Client]:
    """The simulated Robaws, by its own API."""
    settings = sandbox.settings()["robaws"]
    auth = (settings["username"], settings["password"])
    with httpx.Client(base_url=settings["base_url"], auth=auth, trust_env=False) as client:
        yield client
