"""Routix's accounts read page by page, whether a sweep adds up, and that nothing is ever written."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.vendors.routix.client_wire import ONE, TWO, Clock, answered, organisation, stored, wire
from worker.errors import (
    RecordGone,
    StaleRead,
)
from worker.vendors.contract import Source, Target
from worker.vendors.routix import answers, calls
from worker.vendors.routix.simulator import RoutixSimulator

FIXTURES = Path(__file__).parent / "fixtures"
JSON = {"content-type": "application/json"}
ACCESS = calls.Access("7a1e", "routix_made_up", "https://routix.test/functions/v1/oauth-token")


def filled(count: int, **switches: Any) -> tuple[RoutixSimulator, Clock, list[str]]:
    routix, clock = organisation(**switches)
    return routix, clock, [routix.add_account(company_name=f"Bedrijf {number}") for number in range(count)]


def page_of(ids: list[str], total: int) -> httpx.Response:
    data = [{"id": account_id, "company_name": account_id} for account_id in ids]
    return httpx.Response(200, json={"data": data, "pagination": {"limit": 2, "total": total}, "version": "v2"})


def test_a_branch_is_read_page_by_page_and_adds_up() -> None:
    routix, clock, ids = filled(250)

    with wire(routix, clock, page_size=100) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert list(swept.accounts) == ids
    assert (swept.complete, swept.why_not) == (True, "")
    assert [dict(call.request.query) for call in routix.calls("GET")] == [
        {"limit": "100", "offset": offset} for offset in ("0", "100", "200")
    ]
    assert routix.calls("GET")[0].request.path == f"/functions/v1/api/v2/{ONE}/accounts"


def test_the_last_page_is_known_by_the_total_and_not_by_one_call_more() -> None:
    routix, clock, _ = filled(200)

    with wire(routix, clock, page_size=100) as at:
        at.client.list_accounts(at.session, ONE)

    assert len(routix.calls("GET")) == 2


def test_a_page_that_is_cut_by_the_vendor_skips_nothing() -> None:
    ids = [f"id-{number}" for number in range(5)]

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        return page_of(ids[offset : offset + 2], 5)

    with stored(answer) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert list(swept.accounts) == ids
    assert swept.complete


def test_an_empty_branch_adds_up() -> None:
    routix, clock = organisation()

    with wire(routix, clock) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert (len(swept.accounts), swept.complete) == (0, True)


def test_a_list_that_moves_while_it_is_read_does_not_add_up() -> None:
    routix, clock, _ = filled(10, list_moves=True)

    with wire(routix, clock, page_size=4) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert not swept.complete
    assert ONE in swept.why_not


@pytest.mark.parametrize(
    ("pages", "count", "why"),
    [
        ([(["a", "b"], 3), (["c"], 4), ([], 4)], 3, "went from 3 to 4"),
        ([(["a", "b"], 4), (["b", "c"], 4)], 3, "came twice"),
        ([(["a", "b"], 4), (["c"], 4), ([], 4)], 3, "gave 3 of its 4"),
        ([([], 4)], 0, "gave 0 of its 4"),
        ([(["a", "b", "c"], 2)], 3, "gave 3 of its 2"),
        ([(["a", "a"], 2)], 1, "came twice"),
    ],
)
def test_a_sweep_that_does_not_add_up_says_why(pages: list[tuple[list[str], int]], count: int, why: str) -> None:
    answers_ = iter([page_of(ids, total) for ids, total in pages])

    with stored(lambda _: next(answers_)) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert len(swept.accounts) == count
    assert not swept.complete
    assert why in swept.why_not


def test_a_vendor_that_ignores_the_offset_does_not_loop_for_ever() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return page_of(["a", "b"], 1_000)

    with stored(answer) as at:
        swept = at.client.list_accounts(at.session, ONE)

    assert len(seen) == 2
    assert not swept.complete


def test_an_account_in_two_branches_is_one_account() -> None:
    routix, clock = organisation()
    both = routix.add_account(company_name="Transport De Vaart", branches=[ONE, TWO])
    only = routix.add_account(company_name="Bouwgroep Maas", branches=[TWO])

    with wire(routix, clock) as at:
        swept = at.client.sweep(at.session)

    assert list(swept.accounts) == [both, only]
    assert swept.complete


def test_one_branch_that_does_not_add_up_makes_the_sweep_incomplete() -> None:
    routix, clock = organisation()
    routix.add_account(company_name="Transport De Vaart")
    body = {"data": [], "pagination": {"limit": 500, "offset": 0, "total": 3}, "version": "v2"}
    routix.fail("status", status=200, body=json.dumps(body), path=f"/{TWO}/")

    with wire(routix, clock) as at:
        swept = at.client.sweep(at.session)

    assert not swept.complete
    assert TWO in swept.why_not
    assert ONE not in swept.why_not


def test_only_the_wanted_types_and_statuses_take_part() -> None:
    routix, clock = organisation()
    wanted = routix.add_account(company_name="Klant")
    routix.add_account(company_name="Vervoerder", account_type="carrier")
    routix.add_account(company_name="Oude klant", status="inactive")
    spelt = routix.add_account(company_name="Anders gespeld", status="Active")

    with wire(routix, clock) as at:
        listed = dict(at.client.list_ids(at.session, "2030-01-01T00:00:00Z"))

    assert list(listed) == [wanted, spelt]
    assert listed[wanted] == "2025-10-09T08:53:20+00:00"


def test_a_time_without_a_zone_is_utc_and_v1_tells_none() -> None:
    routix, clock = organisation(naive_times=True)
    routix.add_account(company_name="Klant")

    with wire(routix, clock) as at:
        ((_, naive),) = at.client.list_ids(at.session)
    with wire(routix, clock, api_version="v1") as at:
        ((_, untold),) = at.client.list_ids(at.session)

    assert naive == "2025-10-09T08:53:20+00:00"
    assert untold is None


def test_bank_data_notes_and_unknown_members_stop_at_the_edge() -> None:
    routix, clock = organisation(v2_grows=True)
    routix.add_account(
        company_name="Klant", iban="NL00GEHEIM", bic="GEHEIM", credit_limit=5000, comment="geheim", industry="Bouw"
    )

    with wire(routix, clock) as at:
        (account,) = at.client.sweep(at.session).accounts.values()

    assert account.members["company_name"] == "Klant"
    dropped = {"iban", "bic", "credit_limit", "comment", "industry", "loyalty_tier", "attributes"}
    assert not dropped & account.members.keys()
    kept = str([exchange.answer for exchange in at.session.exchanges])
    assert "GEHEIM" not in kept.upper()
    assert "5000" not in kept


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_sheet_s_pages_are_read(version: Any) -> None:
    body = (FIXTURES / f"page_{version}.json").read_bytes()

    page = answers.page(answered(200, body, JSON), version)

    assert page.total == 1
    assert page.accounts[0].account_id == "3d0c0b52-9f3e-4a86-9a9e-0a5b6f1c2d01"
    assert page.accounts[0].members["company_name"] == "Transport De Vaart B.V."


def test_one_account_is_found_by_reading_the_list() -> None:
    routix, clock = organisation()
    routix.add_account(company_name="Een ander")
    account_id = routix.add_account(company_name="Bouwgroep Maas", branches=[TWO])

    with wire(routix, clock) as at:
        contact, members = at.client.fetch(at.session, account_id)

    assert (contact["name"], members["id"]) == ("Bouwgroep Maas", account_id)


def test_an_account_is_gone_only_where_the_list_adds_up() -> None:
    routix, clock, _ = filled(10)
    moving, moving_clock, _ = filled(10, list_moves=True)

    with wire(routix, clock) as at, pytest.raises(RecordGone):
        at.client.fetch(at.session, "not-there")
    with wire(moving, moving_clock, page_size=4) as at, pytest.raises(StaleRead):
        at.client.fetch(at.session, "not-there")


def test_it_is_a_source_that_can_be_listed_and_nothing_else() -> None:
    routix, clock = organisation()

    with wire(routix, clock) as at:
        built: Any = at.client

    can = built.capabilities
    assert (can.list, can.read, can.create, can.update, can.delete, can.search) == (True, *[False] * 5)
    assert not isinstance(built, Target)
    assert isinstance(built, Source)


def test_no_request_that_can_be_built_writes() -> None:
    builders = [function for name, function in inspect.getmembers(calls, inspect.isfunction) if name != "json_body"]
    requests = [calls.token(ACCESS), calls.accounts(ACCESS, "a.b.c", ONE, 0)]

    assert {function.__name__ for function in builders} - {"dataclass", "field"} == {"token", "accounts"}
    assert [(request.method, request.writes, request.creates) for request in requests] == [
        ("POST", False, False),
        ("GET", False, False),
    ]
