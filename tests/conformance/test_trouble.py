"""A vendor that throttles, fails, or answers what no page of it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place, error_of, errors_of
from worker.errors import (
    OutcomeUnknown,
    RateLimited,
    SyncError,
    TransientError,
    VendorBroken,
    VendorUnavailable,
)

WAIT_SECONDS = 17


def expected(place: Place, told: dict[str, Any], kind: type[SyncError], **others: type[SyncError]) -> dict[str, Any]:
    """This kind of error for each call, but for those that are named."""
    return {name: others.get(name, kind) for name in told}


@check("Errors told apart", simulator_only=FAULT)
def test_a_429_is_told_with_the_wait_that_the_vendor_asks_for(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("throttle", retry_after=WAIT_SECONDS, times=-1)

    errors = [error_of(call) for call in place.operations(prepared).values()]

    waits = [error.retry_after_seconds for error in errors if isinstance(error, RateLimited)]
    assert waits == [WAIT_SECONDS] * len(errors)


@check("Errors told apart", simulator_only=FAULT)
def test_a_429_without_a_wait_is_told_with_the_one_of_the_vendors_sheet(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("throttle", times=-1)

    errors = [error_of(call) for call in place.operations(prepared).values()]

    waits = [error.retry_after_seconds for error in errors if isinstance(error, RateLimited)]
    assert waits == [place.adapter.untold_wait_seconds] * len(errors)


@check("Errors told apart", simulator_only=FAULT)
def test_a_429_is_not_asked_again_within_the_call(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("throttle", retry_after=WAIT_SECONDS, times=-1)
    calls = {}
    for name, call in place.operations(prepared).items():
        before = len(place.wire.left)
        error_of(call)
        calls[name] = len(place.wire.left) - before

    assert calls == dict.fromkeys(calls, 1)


@check("Errors told apart", simulator_only=FAULT)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["json", "html"])
def test_a_failure_of_the_vendor_is_unavailable_and_unknown_at_a_create(place: Place, status: int, kind: str) -> None:
    prepared = place.prepare()
    body = {"kind": "html"} if kind == "html" else {"kind": "status", "body": '{"error": "oops"}'}
    place.simulator.fail(**body, status=status, times=-1)

    told = errors_of(place.operations(prepared))

    assert told == expected(place, told, VendorUnavailable, create=OutcomeUnknown)


@check("Errors told apart", simulator_only=FAULT)
def test_html_under_200_is_a_broken_answer_and_unknown_at_a_create(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("html", status=200, times=-1)

    told = errors_of(place.operations(prepared))

    assert told == expected(place, told, VendorBroken, create=OutcomeUnknown)


@check("Errors told apart", simulator_only=FAULT)
@pytest.mark.parametrize("kind", ["truncate", "wrong_json"])
def test_json_that_is_cut_or_of_another_kind_is_a_broken_answer(place: Place, kind: str) -> None:
    prepared = place.prepare()
    calls = {name: call for name, call in place.operations(prepared).items() if name in ("read", "list")}
    place.simulator.fail(kind, times=-1)

    told = errors_of(calls)

    assert told == dict.fromkeys(told, VendorBroken)


@check("Errors told apart", simulator_only=FAULT)
def test_an_empty_body_is_a_broken_answer_to_whoever_reads(place: Place) -> None:
    prepared = place.prepare()
    calls = {name: call for name, call in place.operations(prepared).items() if name in ("read", "list")}
    place.simulator.fail("empty", times=-1)

    told = errors_of(calls)

    assert told == dict.fromkeys(told, VendorBroken)


@check("Errors told apart", simulator_only=FAULT)
def test_a_broken_answer_keeps_its_beginning_for_people(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("html", status=200, times=-1)

    error = error_of(place.operations(prepared)["list"])

    assert isinstance(error, VendorBroken)
    assert "Something is being repaired" in (error.excerpt or "")
    assert error.status == 200


@check("Errors told apart", simulator_only=FAULT)
def test_an_answer_that_comes_too_late_is_no_answer(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("delay", seconds=3600.0, times=-1)

    told = errors_of(place.operations(prepared))

    assert told == expected(place, told, VendorUnavailable, create=OutcomeUnknown, update=OutcomeUnknown)


@check("Errors told apart", simulator_only=FAULT)
def test_a_vendor_that_cannot_be_reached_is_unavailable_for_every_call(place: Place) -> None:
    prepared = place.prepare()
    with place.cut_off():
        errors = {name: error_of(call) for name, call in place.operations(prepared).items()}

    assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(errors, VendorUnavailable)
    assert {error.word for error in errors.values() if error} == {"unreachable"}


@check("Errors told apart", simulator_only=FAULT)
def test_trouble_that_is_over_leaves_nothing_behind(place: Place) -> None:
    prepared = place.prepare()
    for fault in ("throttle", "html", "truncate", "drop_before"):
        place.simulator.fail(fault, times=-1)
        for call in place.operations(prepared).values():
            error_of(call)
        place.simulator.clear_faults()

    told = {name: error_of(call) for name, call in place.operations(prepared).items() if name != "create"}

    assert told == dict.fromkeys(told)


@check("Errors told apart", simulator_only=FAULT)
def test_every_trouble_of_a_vendor_comes_back_later_by_itself(place: Place) -> None:
    prepared = place.prepare()
    faults: dict[str, dict[str, Any]] = {"throttle": {}, "html": {"status": 503}, "truncate": {}, "drop_before": {}}
    lasting: list[tuple[str, str]] = []
    for fault, settings in faults.items():
        place.simulator.fail(fault, times=-1, **settings)
        errors = {name: error_of(call) for name, call in place.operations(prepared).items()}
        lasting += [(fault, name) for name, error in errors.items() if error and not isinstance(error, TransientError)]
        place.simulator.clear_faults()

    assert lasting == []
