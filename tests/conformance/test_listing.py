"""The whole list: complete, each record once, whatever happens while it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx

from tests.conformance.declared import BY_HAND, COUNTED, FAULT, check
from tests.conformance.place import Place, Way, error_of
from tests.conformance.samples import new_tag
from tests.conformance.wire import Answering
from worker.core.matching import decide
from worker.errors import VendorBroken, VendorUnavailable


def crowd(place: Place) -> tuple[list[str], Way]:
    """More records than a page holds, made by hand, and a client that reads them in such pages."""
    simulator = place.simulator
    changes = place.adapter.crowd(simulator)
    made = [place.adapter.by_hand(simulator, new_tag()) for _ in range(place.adapter.crowd_size)]
    return made, place.other_way(**changes)


def ids(place: Place, way: Way) -> Iterator[str]:
    return place.adapter.ids(way.client, way.session())


def pages(way: Way) -> int:
    """How many parts of a list were asked for; what only looks for a token is none."""
    return sum(request.method == "GET" for request in way.wire.left)


@check("Listing", simulator_only=COUNTED)
def test_a_list_holds_every_record_once(place: Place) -> None:
    made, way = crowd(place)

    listed = list(ids(place, way))

    assert Counter(listed) == Counter(made)


@check("Listing", "pages", simulator_only=COUNTED)
def test_a_list_is_read_page_by_page(place: Place) -> None:
    _, way = crowd(place)
    records = ids(place, way)

    first = next(records)
    asked_for_one = pages(way)
    rest = list(records)

    assert len({first, *rest}) == place.adapter.crowd_size
    assert pages(way) >= 3
    assert asked_for_one <= pages(way)


@check("Listing")
def test_a_record_that_is_there_is_in_the_list(place: Place) -> None:
    record = place.there()
    place.wait()

    listed = Counter(place.ids())

    assert listed[record.external_id] == 1
    assert listed.most_common(1)[0][1] == 1


@check("Listing", "target")
def test_a_listed_record_is_recognised_as_the_contact_that_it_was_made_of(place: Place) -> None:
    record = place.make()
    place.make(place.contact(new_tag()))
    place.wait()

    candidates = [place.client.candidate(one) for one in place.client.list_records(place.session())]
    verdict = decide(place.contact(), candidates, reference=None, reference_is_unique=False)

    assert (verdict.action, verdict.external_id) == ("link", record.external_id)


@check("Listing", simulator_only=COUNTED)
def test_a_list_of_nothing_is_empty_and_no_error(place: Place) -> None:
    assert list(place.ids()) == []


@check("Listing", "pages", simulator_only=BY_HAND)
def test_records_made_while_a_list_is_read_hide_none_and_repeat_none(place: Place) -> None:
    made, way = crowd(place)
    for number in (2, 3):
        way.wire.before(number, lambda: place.adapter.by_hand(place.simulator, new_tag()))

    listed = Counter(ids(place, way))

    assert set(made) - set(listed) == set()
    assert set(listed.values()) == {1}


@check("Listing", "pages", simulator_only=FAULT)
def test_a_list_that_gives_one_page_for_ever_comes_to_an_end(place: Place) -> None:
    """Where the answers count more than they bring, it is not believed either."""
    _, way = crowd(place)
    first: list[httpx.Response] = []

    def same_page(request: httpx.Request, ask: Answering) -> httpx.Response:
        answer = ask(request)
        if request.method != "GET" or not answer.is_success:
            return answer
        first.append(answer)
        held = first[0]
        return httpx.Response(held.status_code, headers=held.headers, content=held.content)

    way.wire.interfere = same_page

    listed: Counter[str] = Counter()
    error = error_of(lambda: listed.update(ids(place, way)))

    assert error is None or isinstance(error, VendorBroken)
    assert error is not None or set(listed.values()) == {1}
    assert pages(way) <= 4


@check("Listing", "pages", simulator_only=FAULT)
def test_a_page_that_fails_ends_the_list_with_an_error_and_not_with_fewer_records(place: Place) -> None:
    _, way = crowd(place)
    faults = {"html": {"status": 502}, "status": {"status": 500}, "truncate": {}, "wrong_json": {}, "drop_after": {}}
    told: dict[str, object] = {}
    for kind, settings in faults.items():
        fault = {"method": "GET", **settings}
        way.wire.before(2, lambda kind=kind, fault=fault: place.simulator.fail(kind, **fault))  # type: ignore[misc]
        error = error_of(lambda: list(ids(place, way)))
        told[kind] = isinstance(error, VendorUnavailable | VendorBroken)

    assert told == dict.fromkeys(faults, True)


@check("Listing", "canonical", simulator_only=BY_HAND)
def test_a_list_since_a_time_leaves_out_nothing_that_changed_since(place: Place) -> None:
    record = place.there()
    place.adapter.edit_by_hand(place.simulator, record.external_id)

    listed = [source_id for source_id, _ in place.client.list_ids(place.session(), "2020-01-01T00:00:00Z")]

    assert listed == [record.external_id]
