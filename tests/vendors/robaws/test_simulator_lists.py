"""Lists of the simulated Robaws: envelope, both dialects of paging, filters, sorting, including (Robaws sheet 7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.robaws.simulator_wire import Clock, call, read
from worker.vendors.robaws.simulator import RobawsSimulator, Switches


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def robaws(clock: Clock) -> RobawsSimulator:
    """Twelve clients, one a second, the third with a contact person and an extra field."""
    simulator = RobawsSimulator(clock=clock)
    for number in range(12):
        simulator.add_client(name=f"Klant {number:02d}", email=f"info@klant{11 - number:02d}.example")
        clock.now += 1
    simulator.add_person("1003", name="An", email="an@klant.example")
    simulator.set_extra_field("1003", "Klanttype", "School")
    simulator.set_extra_field("1003", "Nieuwsbrief", True)
    simulator.set_extra_field("1004", "Nieuwsbrief", False)
    simulator.set_extra_field("1004", "Kortingspercentage", 2.5)
    return simulator


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


def listed(robaws: RobawsSimulator, query: str, path: str = "/clients") -> dict[str, Any]:
    answer: dict[str, Any] = read(call(robaws, "GET", path, query=query))
    return answer


def test_a_page_says_where_it_stands(robaws: RobawsSimulator) -> None:
    answer = listed(robaws, "page=1&size=5")

    assert ids(answer) == ["1006", "1007", "1008", "1009", "1010"]
    assert {name: value for name, value in answer.items() if name != "items"} == {
        "totalItems": 12,
        "totalPages": 3,
        "currentPage": 1,
        "size": 5,
    }


def test_ten_by_default_and_never_more_than_a_hundred(robaws: RobawsSimulator) -> None:
    for number in range(100):
        robaws.add_client(name=f"Meer {number}")

    assert listed(robaws, "")["size"] == 10
    assert len(ids(listed(robaws, "size=500"))) == 100
    assert listed(robaws, "size=500")["size"] == 100


def test_a_page_beyond_the_end_is_empty(robaws: RobawsSimulator) -> None:
    assert listed(robaws, "page=9&size=5")["items"] == []


def test_limit_and_offset_count_records(robaws: RobawsSimulator) -> None:
    assert ids(listed(robaws, "limit=3&offset=4")) == ["1005", "1006", "1007"]


def test_limit_with_page_gives_the_first_records_for_ever(robaws: RobawsSimulator) -> None:
    pages = [ids(listed(robaws, f"limit=3&page={number}")) for number in range(3)]

    assert pages == [["1001", "1002", "1003"]] * 3


@pytest.mark.parametrize(
    "query", ["page=-1", "size=0", "size=x", "limit=0", "offset=a&limit=1", "updatedFrom=gisteren", "sort=naam:asc"]
)
def test_a_query_that_makes_no_sense_is_400(robaws: RobawsSimulator, query: str) -> None:
    assert call(robaws, "GET", "/clients", query=query).status == 400


@pytest.mark.parametrize(
    ("order", "first"),
    [
        pytest.param("id:desc", "1012", id="id downwards"),
        pytest.param("id:asc", "1001", id="id upwards"),
        pytest.param("name:desc", "1012", id="name downwards"),
        pytest.param("email:asc", "1012", id="email upwards"),
        pytest.param("updatedAt:desc", "1003", id="last changed first; the earlier of two at once"),
        pytest.param("language:asc,createdAt:desc", "1012", id="by two members"),
        pytest.param("name", "1001", id="upwards by default"),
    ],
)
def test_a_list_is_sorted_as_asked(robaws: RobawsSimulator, order: str, first: str) -> None:
    assert ids(listed(robaws, f"sort={order}&size=100"))[0] == first


def test_ids_are_sorted_by_value(clock: Clock) -> None:
    robaws = RobawsSimulator(clock=clock, switches=Switches(rate_per_second=None))
    for number in range(9_001):
        robaws.add_client(name=f"Klant {number}")

    assert ids(listed(robaws, "sort=id:desc&size=3")) == ["10001", "10000", "9999"]


def test_updated_from_takes_what_changed_at_or_after_a_moment(robaws: RobawsSimulator) -> None:
    moment = robaws.client("1012")["updatedAt"]

    assert ids(listed(robaws, f"updatedFrom={moment}")) == ["1003", "1004", "1012"]


def test_updated_from_can_be_refused(robaws: RobawsSimulator) -> None:
    query = "updatedFrom=2025-10-01T00%3A00%3A00.000Z"
    robaws.switches.updated_from_refused_on = frozenset({"clients", "contacts"})
    robaws.switches.sort_refused_on = frozenset({"clients"})

    assert call(robaws, "GET", "/clients", query=query).status == 400
    assert call(robaws, "GET", "/contacts", query=query).status == 400
    assert call(robaws, "GET", "/clients", query="sort=updatedAt:desc").status == 400


@pytest.mark.parametrize("query", ["email=info@klant03.example", "vatIdNumber=BE0000000097", "extraFields%5BX%5D=1"])
def test_a_filter_that_is_not_known_does_nothing(robaws: RobawsSimulator, query: str) -> None:
    assert listed(robaws, query)["totalItems"] == 12


def test_a_known_filter_narrows_the_list(robaws: RobawsSimulator) -> None:
    assert ids(listed(robaws, "name=klant%2007")) == ["1008"]
    assert ids(listed(robaws, "logicId=20002")) == ["1002"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("extraFields%5BKlanttype%5D=School", ["1003"], id="text"),
        pytest.param("extraFields%5BNieuwsbrief%5D=true", ["1003"], id="true"),
        pytest.param("extraFields%5BNieuwsbrief%5D=false", ["1004"], id="false"),
        pytest.param("extraFields%5BKortingspercentage%5D=2.5", ["1004"], id="a number"),
    ],
)
def test_an_extra_field_filters(robaws: RobawsSimulator, query: str, expected: list[str]) -> None:
    assert ids(listed(robaws, query)) == expected


def test_brackets_must_be_percent_encoded(robaws: RobawsSimulator) -> None:
    assert call(robaws, "GET", "/clients", query="extraFields[Klanttype]=School").status == 400


def test_contacts_come_only_when_they_are_included(robaws: RobawsSimulator) -> None:
    plain = read(call(robaws, "GET", "/clients/1003"))
    included = read(call(robaws, "GET", "/clients/1003", query="include=contacts"))

    assert "contacts" not in plain
    assert [person["email"] for person in included["contacts"]] == ["an@klant.example"]
    assert listed(robaws, "include=contacts")["items"][2]["contacts"] == included["contacts"]


def test_a_comma_separated_include_may_not_be_honoured(robaws: RobawsSimulator) -> None:
    robaws.switches.comma_includes = False

    assert "contacts" not in read(call(robaws, "GET", "/clients/1003", query="include=paymentCondition,contacts"))
    assert "contacts" in read(call(robaws, "GET", "/clients/1003", query="include=contacts,paymentCondition"))


def test_list_items_may_be_abbreviated(robaws: RobawsSimulator) -> None:
    robaws.switches.lists_abbreviated = True

    assert listed(robaws, "")["items"][0].keys() == {"id", "name", "email", "updatedAt"}


def test_all_contact_persons_with_their_client_and_a_filter_that_lies(robaws: RobawsSimulator) -> None:
    robaws.add_person("1001", name="Piet", email="piet@klant.example")

    plain = listed(robaws, "email=nobody@klant.example", "/contacts")
    joined = listed(robaws, "include=client&size=1", "/contacts")

    assert [(item["name"], item["clientId"]) for item in plain["items"]] == [("An", "1003"), ("Piet", "1001")]
    assert "client" not in plain["items"][0]
    assert joined["items"][0]["client"]["name"] == "Klant 02"


def test_contact_persons_of_one_client_come_in_pages(robaws: RobawsSimulator) -> None:
    robaws.add_person("1003", name="Piet")

    answer = listed(robaws, "page=1&size=1", "/clients/1003/contacts")

    assert [item["name"] for item in answer["items"]] == ["Piet"]
    assert answer["totalItems"] == 2
    assert call(robaws, "GET", "/clients/4/contacts").status == 404


def test_paging_by_position_skips_a_record_when_the_list_moves(robaws: RobawsSimulator) -> None:
    first = ids(listed(robaws, "page=0&size=6"))
    robaws.delete_client("1001")
    second = ids(listed(robaws, "page=1&size=6"))

    assert "1007" not in first + second
