"""
What a sheet leaves open may be answered either way: the checks of a client's work hold under each answer.

One test runs all those checks for one vendor and one answer, so that the many of them do not bury the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.conformance.adapter import Adapter
from tests.conformance.declared import DECLARED, Capability
from tests.conformance.page import checks, reading_of
from tests.conformance.place import simulated
from tests.conformance.registry import ADAPTERS, why_not

WORK: set[Capability] = {
    "Reading",
    "Listing",
    "Finding by reference",
    "Searching",
    "Creating",
    "Updating",
    "Contact persons",
    "Creates without an answer",
    "Idempotency keys",
}

READINGS = [
    pytest.param(adapter, reading, id=f"{adapter.name}: {reading_of(reading)}")
    for adapter in ADAPTERS.values()
    for reading in adapter.readings
]


def runs_of(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments of each run of a check, beside its place."""
    marks = [mark.args for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    for values in itertools.product(*(values for _, values in marks)):
        yield dict(zip((name for name, _ in marks), values, strict=True))


@pytest.mark.parametrize(("adapter", "reading"), READINGS)
def test_the_work_is_done_whichever_way_the_vendor_is_read(adapter: Adapter, reading: Mapping[str, Any]) -> None:
    checks()
    excused = {name for switch in reading for name in adapter.excused.get(switch, ())}
    failed: dict[str, str] = {}
    done = 0
    for test, check in list(DECLARED.items()):
        if check.capability not in WORK or check.name in excused or why_not(adapter, check) is not None:
            continue
        for arguments in runs_of(test):
            place = simulated(adapter, **reading)
            done += 1
            try:
                test(place=place, **arguments)
                place.assert_metered()
            except Exception as error:  # noqa: BLE001  whatever a check ends with is told under its name
                failed[f"{check.name} {arguments or ''}"] = f"{type(error).__name__}: {error}"[:300]

    assert failed == {}
    assert done >= 12


def test_a_reading_that_the_client_cannot_live_with_would_be_found() -> None:
    with pytest.raises(AssertionError, match="test_a_change_without_an_answer"):
        test_the_work_is_done_whichever_way_the_vendor_is_read(ADAPTERS["workspace"], {"form_styles": ("model",)})
