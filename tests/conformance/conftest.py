"""One test of a check for each vendor that has what it needs: at its simulator, or at a tenant where one is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.declared import DECLARED
from tests.conformance.place import Place, simulated
from tests.conformance.registry import ADAPTERS, why_not
from tests.conformance.tenant import Tenants, named, refused


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A check without the feature that it needs is no test: the page of coverage says so, with the reason."""
    declared = DECLARED.get(metafunc.function)
    if declared is None:
        return
    for_vendors = []
    for name, adapter in ADAPTERS.items():
        if why_not(adapter, declared) is not None:
            continue
        reason = f"{name} is a tenant, and {declared.simulator_only}" if declared.simulator_only else refused()
        marks = [pytest.mark.skip(reason=reason)] if reason and named(name) else []
        for_vendors.append(pytest.param(name, marks=marks, id=name))
    metafunc.parametrize("place", for_vendors, indirect=True)


@pytest.fixture(scope="session")
def tenants(request: pytest.FixtureRequest) -> Iterator[Tenants]:
    """The tenants that the environment names, opened when they are first asked for."""
    opened = Tenants()
    yield opened
    opened.close()
    request.config.stash[LEFT] = opened.left


@pytest.fixture
def place(request: pytest.FixtureRequest, tenants: Tenants) -> Iterator[Place]:
    """One vendor made ready. What the check made is removed, and every request must have been metered."""
    adapter = ADAPTERS[request.param]
    made = tenants.place(adapter) if named(adapter.name) else simulated(adapter)
    try:
        yield made
        made.assert_metered()
    finally:
        left = made.tidy()
        tenants.remember(made, left)
    assert made.simulator is None or not adapter.can_delete or left == []


LEFT: pytest.StashKey[dict[str, list[str]]] = pytest.StashKey()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the records that stay in a tenant, as its vendor cannot delete."""
    for name, ids in terminalreporter.config.stash.get(LEFT, {}).items():
        terminalreporter.write_line(f"conformance: remove these records of {name} by hand: {', '.join(ids)}")
