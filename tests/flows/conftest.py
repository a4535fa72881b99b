"""After every story: what the history tells is what the vendors received."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.wire_log import WireLog


@pytest.fixture(autouse=True)
def history_is_what_the_vendors_received(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the test was about."""
    wire = WireLog(request.getfixturevalue("hub")) if "hub" in request.fixturenames else None
    yield
    if wire is not None:
        assert wire.problems() == []
