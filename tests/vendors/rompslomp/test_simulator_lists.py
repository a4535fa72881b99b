"""The lists of the simulated Rompslomp: pages, order and filters (Rompslomp sheets 4.1 and 11.11)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.simulation import SimRequest, SimResponse

CONTACTS = f"/api/v1/companies/{RompslompSimulator.SANDBOX_COMPANY_ID}/contacts"


def get(simulator: RompslompSimulator, query: str) -> SimResponse:
    headers = {"authorization": f"Bearer {simulator.SANDBOX_TOKEN}"}
    return simulator.handle(SimRequest("GET", CONTACTS, query, headers, b""))


def listed(simulator: RompslompSimulator, **query: Any) -> list[str]:
    response = get(simulator, urlencode(query))
    assert response.status == 200
    return [contact["company_name"] for contact in json.loads(response.body)["contacts"]]


def test_a_list_is_paged_and_its_headers_say_how() -> None:
    simulator = RompslompSimulator()
    for number in range(45):
        simulator.add_record(company_name=f"Firma {number}")

    pages = [get(simulator, query) for query in ("", "page=2", "per_page=100", "page=9")]

    assert [len(json.loads(page.body)["contacts"]) for page in pages] == [40, 5, 45, 0]
    assert [(p.status, p.headers["x-page"], p.headers["x-per-page"], p.headers["x-total"]) for p in pages] == [
        (200, "1", "40", "45"),
        (200, "2", "40", "45"),
        (200, "1", "100", "45"),
        (200, "9", "40", "45"),
    ]


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=", "per_page=0", "per_page=101", "per_page=-1", "selection=everyone"]
)
def test_a_value_out_of_range_is_refused_in_a_list(query: str) -> None:
    simulator = RompslompSimulator()

    response = get(simulator, query)

    assert response.status == 400
    assert json.loads(response.body)["error"]["type"] == "client.parameters.invalid_parameter_value"


def test_the_order_of_a_list_stays_and_the_newest_is_never_last() -> None:
    simulator = RompslompSimulator(seed=3)

    for number in range(20):
        simulator.add_record(company_name=f"Firma {number}")
        order = listed(simulator, per_page=100)
        assert order == listed(simulator, per_page=100)
        assert number == 0 or order[-1] != f"Firma {number}"

    names = [f"Firma {number}" for number in range(20)]
    assert listed(simulator, per_page=100) not in (names, names[::-1])


def test_a_search_is_a_substring_over_the_listed_members_only() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="One", contact_number="RB-1", free_1="only here")
    simulator.add_record(company_name="Ten", contact_number="RB-10", city="GENT")
    simulator.add_record(company_name="Else", contact_number="X")

    assert sorted(listed(simulator, **{"search[q]": "rb-1"})) == ["One", "Ten"]
    assert listed(simulator, **{"search[q]": "gent"}) == ["Ten"]
    assert listed(simulator, **{"search[q]": "only here"}) == []


@pytest.mark.parametrize(
    "member",
    [
        "company_name",
        "contact_person_name",
        "contact_person_email_address",
        "kvk_number",
        "contact_number",
        "address",
        "phone",
        "vat_number",
        "zipcode",
        "city",
    ],
)
def test_each_of_the_ten_members_is_searched(member: str) -> None:
    simulator = RompslompSimulator()
    values: dict[str, Any] = {"company_name": "A", member: "a needle in it"}
    simulator.add_record(**values)

    assert len(listed(simulator, **{"search[q]": "NEEDLE"})) == 1


def test_a_search_sees_what_was_changed() -> None:
    simulator = RompslompSimulator()
    record_id = simulator.add_record(company_name="A", city="Gent")
    simulator.edit_record(record_id, {"city": "Aalst"})

    assert listed(simulator, **{"search[q]": "Gent"}) == []
    assert listed(simulator, **{"search[q]": "Aalst"}) == ["A"]


@pytest.mark.parametrize(("settings", "found"), [({}, ["A"]), ({"email_any_case": False}, [])])
def test_the_email_filter_is_exact(settings: dict[str, Any], found: list[str]) -> None:
    simulator = RompslompSimulator(**settings)
    simulator.add_record(company_name="A", contact_person_email_address="info@delinde.example")
    simulator.add_record(company_name="B", contact_person_email_address="info@delinde.example.example")
    simulator.add_record(company_name="C")

    assert listed(simulator, **{"search[contact_person_email_address]": "info@delinde.example"}) == ["A"]
    assert listed(simulator, **{"search[contact_person_email_address]": "Info@delinde.example"}) == found


def test_selection_parts_customers_from_suppliers() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="Customer")
    simulator.add_record(company_name="Supplier", is_supplier=True)

    assert listed(simulator, selection="customers") == ["Customer"]
    assert listed(simulator, selection="suppliers") == ["Supplier"]
    assert len(listed(simulator, selection="all")) == 2


def test_a_search_without_its_brackets_is_no_search() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="A")

    assert listed(simulator, search="RB-1", q="RB-1", sort="id") == ["A"]
