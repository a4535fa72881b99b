"""Each request takes its turn in the budget and is kept with what came of it; nothing leaves without either."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place, Way, error_of
from tests.conformance.wire import Counting
from worker.core.wire import Exchange
from worker.errors import BudgetExhausted, LeaseLost
from worker.vendors.transport import Session


def all_calls(place: Place, way: Way) -> dict[str, Callable[[], object]]:
    calls = place.operations(place.prepare(), way)
    return {**calls, "check": lambda: way.client.check(way.session())}


@check("Exchanges and budget")
def test_every_request_takes_a_turn_in_the_budget(place: Place) -> None:
    way = place.beside(place.way.settings.model_dump())
    turns: dict[str, bool] = {}
    for name, call in all_calls(place, way).items():
        before = len(way.wire.left), len(way.budget.asked)
        call()
        left, asked = len(way.wire.left) - before[0], len(way.budget.asked) - before[1]
        turns[name] = left == asked > 0

    assert turns == dict.fromkeys(turns, True)
    assert {system for system, _, _ in way.budget.asked} == {place.adapter.name}


@check("Exchanges and budget")
def test_every_request_is_kept_with_its_status_and_its_time(place: Place) -> None:
    for call in all_calls(place, place.way).values():
        call()

    kept = place.way.exchanges
    sent = [(request.method, request.url.path.rstrip("/")) for request in place.wire.left]
    assert [exchange.request.method for exchange in kept] == [method for method, _ in sent]
    assert [path for (_, path), exchange in zip(sent, kept, strict=True) if not _is_of(path, exchange)] == []
    assert [one for one in kept if one.status is None or not one.request.operation or one.duration_seconds < 0] == []


def _is_of(path: str, exchange: Exchange) -> bool:
    """Whether an exchange is of the request to this path; its own is below the base url, or a whole url."""
    return path.endswith(httpx.URL(exchange.request.path).path.rstrip("/"))


@check("Exchanges and budget", simulator_only=FAULT)
def test_a_request_without_an_answer_is_kept_with_what_happened(place: Place) -> None:
    prepared = place.prepare()
    place.simulator.fail("drop_after", times=-1)
    unanswered = {}
    for name, call in place.operations(prepared).items():
        error_of(call)
        last = place.way.exchanges[-1]
        unanswered[name] = (last.status, bool(last.error))

    assert unanswered == dict.fromkeys(unanswered, (None, True))


@check("Exchanges and budget", "create", "update")
def test_what_was_written_stands_in_the_log(place: Place) -> None:
    calls = place.operations(place.prepare())
    logged = {}
    for name in ("create", "update"):
        before = len(place.way.exchanges)
        calls[name]()
        writes = [one.request for one in place.way.exchanges[before:] if one.request.writes]
        logged[name] = [bool(request.logged) for request in writes]

    assert logged == {"create": [True], "update": [True]}


@check("Exchanges and budget", "create", "update")
def test_a_create_is_marked_as_one_and_no_other_request_is(place: Place) -> None:
    marked = {}
    for name, call in all_calls(place, place.way).items():
        before = len(place.way.exchanges)
        call()
        requests = [one.request for one in place.way.exchanges[before:]]
        marked[name] = (any(one.creates for one in requests), any(one.writes for one in requests))

    assert marked.pop("create") == (True, True)
    assert marked.pop("update") == (False, True)
    assert marked == dict.fromkeys(marked, (False, False))


@check("Exchanges and budget")
def test_nothing_leaves_without_a_turn(place: Place) -> None:
    prepared = place.prepare()
    way = place.beside(place.way.settings.model_dump())
    way.budget.empty = True

    told = {name: type(error_of(call)) for name, call in place.operations(prepared, way).items()}

    assert told == dict.fromkeys(told, BudgetExhausted)
    assert way.wire.left == []


class Lost:
    """A lease that another worker has taken over."""

    def hold(self, seconds: float) -> None:
        raise LeaseLost("another worker holds the row")


@check("Exchanges and budget")
def test_nothing_leaves_without_its_lease(place: Place) -> None:
    record = place.there()
    before = len(place.wire.left)
    session = Session(place.adapter.name, place.way.http, Counting(), lease=Lost())

    error = error_of(lambda: place.adapter.read(place.client, session, record.external_id))

    assert isinstance(error, LeaseLost)
    assert len(place.wire.left) == before


@check("Exchanges and budget")
def test_the_lane_of_a_session_is_the_lane_of_its_requests(place: Place) -> None:
    record = place.there()
    before = len(place.way.budget.asked)

    place.adapter.read(place.client, place.session(lane="background"), record.external_id)

    assert {lane for _, lane, _ in place.way.budget.asked[before:]} == {"background"}


@check("Exchanges and budget", "daily quota")
def test_what_the_vendor_says_of_its_quota_is_taken_over(place: Place) -> None:
    record = place.there()

    place.read(record.external_id)

    learned = [remaining for _, remaining in place.way.budget.learned if remaining is not None]
    assert learned == sorted(learned, reverse=True)
    assert len(learned) >= 1
