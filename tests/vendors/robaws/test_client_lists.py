"""All clients of Robaws listed: in replica mode, each once, and never for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.vendors.robaws.client_wire import stored, wire
from worker.errors import RateLimited, VendorBroken, VendorRejected
from worker.vendors.robaws.simulator import RobawsSimulator, Switches

FIXTURES = Path(__file__).parent / "fixtures"


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


def tenant(count: int, **switches: Any) -> tuple[RobawsSimulator, list[str], Clock]:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock, switches=Switches(rate_per_second=None, **switches))
    ids = []
    for number in range(count):
        ids.append(robaws.add_client(name=f"Klant {number}"))
        clock.now += 60
    return robaws, ids, clock


def query_of(call: Any) -> dict[str, str]:
    return dict(call.request.query)


def test_every_client_is_listed_once_from_the_replica() -> None:
    robaws, ids, _ = tenant(250)

    with wire(robaws) as at:
        listed = list(at.client.list_ids(at.session))

    assert [client_id for client_id, _ in listed] == ids
    assert all(changed is not None for _, changed in listed)
    calls = robaws.calls("GET")
    assert all(call.request.headers["database-mode"] == "replica" for call in calls)
    assert [query_of(call) for call in calls] == [
        {"page": str(page), "size": "100", "sort": "id:asc"} for page in range(4)
    ]


def test_the_settings_may_send_sweeps_to_the_live_database() -> None:
    robaws, _, _ = tenant(1)

    with wire(robaws, settings={"database_mode_for_sweeps": "live"}) as at:
        list(at.client.list_ids(at.session))

    assert all("database-mode" not in call.request.headers for call in robaws.calls())
    assert at.budget.asked == ["", ""]


def test_only_what_changed_since_is_listed() -> None:
    robaws, ids, _ = tenant(5)
    since = robaws.client(ids[3])["updatedAt"]

    with wire(robaws) as at:
        listed = list(at.client.list_ids(at.session, since))

    assert [client_id for client_id, _ in listed] == ids[3:]
    assert query_of(robaws.calls()[0])["updatedFrom"] == since


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2025-10-01T02:00:00+02:00", "2025-10-01T00:00:00.000Z"),
        ("2025-10-01T00:00:00", "2025-10-01T00:00:00.000Z"),
        ("2025-10-01T00:00:00.123456Z", "2025-10-01T00:00:00.123Z"),
    ],
)
def test_the_time_is_sent_in_utc_with_milliseconds(given: str, sent: str) -> None:
    robaws, _, _ = tenant(1)

    with wire(robaws) as at:
        list(at.client.list_ids(at.session, given))

    assert query_of(robaws.calls()[0])["updatedFrom"] == sent


def test_a_robaws_that_refuses_the_filter_is_asked_without_it_and_compared_here() -> None:
    robaws, ids, _ = tenant(5, updated_from_refused_on=frozenset({"clients"}))
    since = robaws.client(ids[3])["updatedAt"]

    with wire(robaws) as at:
        first = list(at.client.list_ids(at.session, since))
        again = list(at.client.list_ids(at.session, since))

    assert [client_id for client_id, _ in first] == ids[3:]
    assert again == first
    asked = ["updatedFrom" in query_of(call) for call in robaws.calls()]
    assert asked == [True, False, False, False, False]


def test_a_robaws_that_refuses_to_sort_is_asked_without_it() -> None:
    robaws, ids, _ = tenant(120, sort_refused_on=frozenset({"clients"}))

    with wire(robaws) as at:
        listed = list(at.client.list_ids(at.session))

    assert [client_id for client_id, _ in listed] == ids
    assert "sort" not in query_of(robaws.calls()[-1])


def test_a_robaws_that_refuses_every_list_is_a_refusal() -> None:
    robaws, _, _ = tenant(1)
    robaws.fail("status", times=-1, status=400, body='{"message": "page: no"}')

    with wire(robaws) as at, pytest.raises(VendorRejected, match="page: no"):
        list(at.client.list_ids(at.session, "2025-10-01T00:00:00Z"))

    assert len(robaws.calls()) == 3


def test_one_passing_400_does_not_end_the_filter_for_good_when_no_other_way_worked() -> None:
    robaws, _, _ = tenant(1)
    robaws.fail("status", times=3, status=400, body="{}")

    with wire(robaws) as at:
        with pytest.raises(VendorRejected):
            list(at.client.list_ids(at.session, "2025-10-01T00:00:00Z"))
        list(at.client.list_ids(at.session, "2025-10-01T00:00:00Z"))

    assert "updatedFrom" in query_of(robaws.calls()[3])


def pages(*bodies: Any) -> list[httpx.Response]:
    return [httpx.Response(200, json={"items": body}) for body in bodies]


def test_a_filter_that_is_ignored_in_silence_is_made_good_here() -> None:
    items = [
        {"id": "1", "updatedAt": "2025-10-01T00:00:00.000Z"},
        {"id": "2", "updatedAt": "2025-09-30T23:59:59.999Z"},
        {"id": "3", "updatedAt": "2025-10-01T01:00:00+02:00"},
        {"id": "4"},
        {"id": "5", "updatedAt": "gisteren"},
        {"id": "6", "updatedAt": 1760000000},
        {"id": "7", "updatedAt": "2025-10-02T00:00:00.000Z"},
    ]
    answers = iter(pages(items, []))

    with stored(lambda _: next(answers)) as at:
        listed = list(at.client.list_ids(at.session, "2025-10-01T00:00:00Z"))

    assert [client_id for client_id, _ in listed] == ["1", "4", "5", "6", "7"]


def test_a_page_that_comes_for_ever_ends_the_list() -> None:
    first_page = (FIXTURES / "client_list_page.json").read_bytes()
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=first_page, headers={"content-type": "application/json"})

    with stored(answer) as at:
        listed = list(at.client.list_ids(at.session))

    assert [client_id for client_id, _ in listed] == ["1834", "1840"]
    assert len(seen) == 2


def test_records_that_move_between_pages_are_given_once() -> None:
    answers = iter(pages([{"id": "1"}, {"id": "2"}], [{"id": "2"}, {"id": "3"}], [{"id": "3"}]))

    with stored(lambda _: next(answers)) as at:
        assert list(at.client.list_ids(at.session)) == [("1", None), ("2", None), ("3", None)]


def test_a_short_page_in_the_middle_does_not_end_the_list() -> None:
    answers = iter(pages([{"id": "1"}], [{"id": "2"}, {"id": "3"}], []))

    with stored(lambda _: next(answers)) as at:
        assert [client_id for client_id, _ in at.client.list_ids(at.session)] == ["1", "2", "3"]


@pytest.mark.parametrize("body", [{"items": {}}, {"items": [1]}, {"items": [{}]}, {"items": [{"id": "x"}]}, {}, 7])
def test_a_list_that_is_none_is_vendor_trouble(body: Any) -> None:
    with stored(lambda _: httpx.Response(200, json=body)) as at, pytest.raises(VendorBroken):
        list(at.client.list_ids(at.session))


def test_an_empty_tenant_is_an_empty_list() -> None:
    with wire(RobawsSimulator()) as at:
        assert list(at.client.list_ids(at.session)) == []


def test_a_spent_replica_quota_says_which_quota_and_leaves_the_live_one_alone() -> None:
    robaws, ids, _ = tenant(1)
    robaws.spend_daily_quota("replica")

    with wire(robaws) as at:
        with pytest.raises(RateLimited) as caught:
            list(at.client.list_ids(at.session))
        contact, _ = at.client.fetch(at.session, ids[0])

    assert caught.value.daily
    assert contact["name"] == "Klant 0"
    assert [(kind, remaining) for _, kind, remaining, _ in at.budget.learned] == [("replica", 0), ("", 9_999)]


def test_a_time_that_cannot_be_read_is_a_fault_of_ours() -> None:
    with wire(RobawsSimulator()) as at, pytest.raises(ValueError, match="gisteren"):
        list(at.client.list_ids(at.session, "gisteren"))
