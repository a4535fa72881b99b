"""The contacts of the simulated Workspace: lists, one of them, creates (Workspace sheets 5 and 11)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from worker.vendors.simulation import SimRequest, SimResponse
from worker.vendors.workspace.simulator import WorkspaceSimulator

COLLECTION = "/api/v1/contacts.json"
FORM = "application/x-www-form-urlencoded"
NOT_SAVED = "Something went wrong while saving the data."
LINDE = {
    "client_reference": "1834",
    "group": "Algemeen",
    "type": "1",
    "name": "Dakwerken De Linde",
    "location_address": "Kerkstraat 12",
    "location_postal": "9000",
    "location_city": "Gent",
    "location_country": "BE",
    "invoice_address": "Kerkstraat 12",
    "invoice_postal": "9000",
    "invoice_city": "Gent",
    "invoice_country": "BE",
    "phone": "+32 9 000 00 00",
    "email": "facturen@delinde.example",
    "btw": "BE0000000097",
    "payment_term": "14",
}
REQUIRED = [
    "client_reference",
    "group",
    "name",
    "location_address",
    "location_city",
    "invoice_address",
    "invoice_postal",
    "invoice_city",
    "phone",
    "email",
    "payment_term",
]


class Clock:
    """Time that passes only when a test says so; it begins on a summer's day."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


def call(
    simulator: WorkspaceSimulator,
    method: str,
    path: str,
    body: dict[str, str] | bytes = b"",
    *,
    content_type: str | None = FORM,
    query: str = "",
) -> SimResponse:
    credentials = base64.b64encode(f"token:{simulator.SANDBOX_TOKEN}".encode()).decode()
    headers = {"authorization": f"Basic {credentials}"}
    if content_type is not None:
        headers["content-type"] = content_type
    raw = body if isinstance(body, bytes) else urlencode(body).encode()
    return simulator.handle(SimRequest(method, path, query, headers, raw))


def answer_of(response: SimResponse) -> tuple[int, str, Any]:
    """Status, message and data; that the envelope agrees with the status is checked on the way."""
    envelope = json.loads(response.body)["response"]
    assert set(envelope) == {"message", "exception", "code", "data"}
    assert (envelope["code"], envelope["exception"]) == (response.status, [])
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    return response.status, envelope["message"], envelope["data"]


def contact_of(response: SimResponse) -> dict[str, Any]:
    status, message, data = answer_of(response)
    assert (status, message) == (200, "success")
    contact: dict[str, Any] = data["Contact"]
    return contact


def element(record_id: str) -> str:
    return f"/api/v1/contacts/{record_id}.json"


# ---------------------------------------------------------------------------------------------------------- read


def test_no_contacts_is_a_404_in_an_envelope() -> None:
    assert answer_of(call(WorkspaceSimulator(), "GET", COLLECTION)) == (404, "Contacts not found.", [])


def test_the_list_is_complete_in_order_and_deaf_to_its_query() -> None:
    simulator = WorkspaceSimulator(records=[{"name": name} for name in ("B", "A", "C")])

    status, message, data = answer_of(call(simulator, "GET", COLLECTION, query="page=2&limit=1&name=A"))

    assert (status, message, data["count"]) == (200, "success", 3)
    assert [item["Contact"]["name"] for item in data["Contacts"]] == ["B", "A", "C"]
    assert [item["SubContact"] for item in data["Contacts"]] == [[], [], []]


@pytest.mark.parametrize(("switch", "names"), [(False, ["B"]), (True, ["A", "B"])])
def test_the_bin_is_listed_or_not(switch: bool, names: list[str]) -> None:
    simulator = WorkspaceSimulator(list_trashed=switch)
    simulator.delete_record(simulator.add_record(name="A"))
    simulator.add_record(name="B")

    _, _, data = answer_of(call(simulator, "GET", COLLECTION))

    assert [item["Contact"]["name"] for item in data["Contacts"]] == names
    assert data["count"] == len(names)


def test_a_list_with_all_in_the_bin_is_empty() -> None:
    simulator = WorkspaceSimulator()
    simulator.delete_record(simulator.add_record(name="A"))

    assert answer_of(call(simulator, "GET", COLLECTION))[:2] == (404, "Contacts not found.")


def test_one_contact_comes_with_its_containment() -> None:
    simulator = WorkspaceSimulator()
    record_id = simulator.add_record(name="A", sub_contacts=[{"name": "An"}])

    _, _, data = answer_of(call(simulator, "GET", element(record_id)))

    assert data["Contact"]["name"] == "A"
    assert data["SubContact"] == [{"name": "An"}]


def test_an_unknown_contact_is_not_found() -> None:
    assert answer_of(call(WorkspaceSimulator(), "GET", element("1"))) == (404, "Contact not found.", [])


def test_members_of_a_newer_release_stand_beside_those_of_the_page() -> None:
    simulator = WorkspaceSimulator(extra_members={"tags": []}, list_gaps=True)
    record_id = simulator.add_record(name="De Linde")
    simulator.add_record(name="De Eik")

    listed = answer_of(call(simulator, "GET", "/api/v1/contacts.json"))[2]["Contacts"]

    assert contact_of(call(simulator, "GET", element(record_id)))["tags"] == []
    assert [listed[place]["Contact"]["tags"] for place in ("0", "2")] == [[], []]


def test_a_contact_in_the_bin_is_not_found_or_says_so() -> None:
    simulator = WorkspaceSimulator()
    record_id = simulator.add_record(name="A")
    simulator.delete_record(record_id)

    hidden = answer_of(call(simulator, "GET", element(record_id)))
    simulator.trashed_get = "200"

    assert hidden == (404, "Contact not found.", [])
    assert contact_of(call(simulator, "GET", element(record_id)))["trashed"] is True


# -------------------------------------------------------------------------------------------------------- create


def test_a_create_is_answered_with_every_member() -> None:
    simulator = WorkspaceSimulator(clock=Clock())

    contact = contact_of(call(simulator, "POST", COLLECTION, LINDE))

    assert contact == {
        **LINDE,
        "id": "514",
        "client_code": None,
        "location_long": None,
        "location_lat": None,
        "invoice_long": None,
        "invoice_lat": None,
        "fax": None,
        "website": None,
        "kvk": None,
        "bank_name": None,
        "bank_nr": None,
        "created": "2025-06-15 17:06:40",
        "modified": "2025-06-15 17:06:40",
        "trashed": False,
    }
    assert len(contact) == 30
    assert simulator.state()["records"] == [contact]


def test_a_new_id_is_one_above_the_highest() -> None:
    simulator = WorkspaceSimulator(records=[{"id": "700", "name": "A"}, {"id": "20", "name": "B"}])

    assert contact_of(call(simulator, "POST", COLLECTION, LINDE))["id"] == "701"


def refused(simulator: WorkspaceSimulator, members: dict[str, str]) -> str:
    """The reason that the simulator keeps for a create that it refused, and told nobody."""
    before = simulator.state()
    answer = answer_of(call(simulator, "POST", COLLECTION, members))
    assert answer == (400, NOT_SAVED, [])
    assert simulator.state() == before
    return simulator.refusals[-1]


@pytest.mark.parametrize("member", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_each_of_the_eleven_must_be_there_and_not_blank(member: str, value: str | None) -> None:
    members = {name: text for name, text in LINDE.items() if name != member}
    if value is not None:
        members[member] = value

    assert refused(WorkspaceSimulator(), members).startswith(f"{member}: {'missing' if value is None else 'blank'}")


def test_being_there_is_enough_where_that_is_switched_on() -> None:
    simulator = WorkspaceSimulator(empty_ok=True)

    contact = contact_of(call(simulator, "POST", COLLECTION, {**LINDE, "phone": "", "email": ""}))

    assert (contact["phone"], contact["email"]) == ("", "")
    assert refused(simulator, {name: text for name, text in LINDE.items() if name != "phone"}) == "phone: missing"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("group", "Vrienden"),
        ("type", "3"),
        ("type", ""),
        ("payment_term", "14 dagen"),
        ("payment_term", "-1"),
        ("payment_term", "1.5"),
    ],
)
def test_a_value_that_is_not_known_is_refused_without_a_word(member: str, value: str) -> None:
    assert refused(WorkspaceSimulator(), {**LINDE, member: value}).startswith(f"{member}: ")


def test_every_reason_is_kept() -> None:
    simulator = WorkspaceSimulator()

    assert refused(simulator, {**LINDE, "phone": "", "group": "x", "payment_term": "x"}) == (
        "phone: blank; payment_term: not a whole number; group: not known"
    )
    assert len(simulator.refusals) == 1


def test_groups_are_those_of_the_account() -> None:
    simulator = WorkspaceSimulator(groups=("Algemeen", "Vrienden"))

    assert contact_of(call(simulator, "POST", COLLECTION, {**LINDE, "group": "Vrienden"}))["group"] == "Vrienden"


@pytest.mark.parametrize(("settings", "expected"), [({}, "1"), ({"default_type": "2"}, "2")])
def test_a_missing_type_is_the_default(settings: dict[str, Any], expected: str) -> None:
    members = {name: text for name, text in LINDE.items() if name != "type"}

    assert contact_of(call(WorkspaceSimulator(**settings), "POST", COLLECTION, members))["type"] == expected


def test_members_that_are_unknown_or_the_vendors_own_are_ignored() -> None:
    contact = contact_of(
        call(
            WorkspaceSimulator(clock=Clock()),
            "POST",
            COLLECTION,
            {**LINDE, "id": "9", "created": "x", "trashed": "1", "location_long": "3.7", "mobile": "x"},
        )
    )

    assert (contact["id"], contact["created"][:4], contact["trashed"]) == ("514", "2025", False)
    assert contact["location_long"] is None
    assert "mobile" not in contact


def test_a_second_post_with_one_reference_makes_a_second_record() -> None:
    simulator = WorkspaceSimulator()

    ids = [contact_of(call(simulator, "POST", COLLECTION, LINDE))["id"] for _ in range(2)]

    assert ids == ["514", "515"]


def test_a_reference_in_use_is_refused_where_that_is_switched_on_also_in_the_bin() -> None:
    simulator = WorkspaceSimulator(duplicate_reference="refuse")
    simulator.delete_record(simulator.add_record(name="A", client_reference="1834"))

    assert refused(simulator, LINDE) == "client_reference: in use"
    assert call(simulator, "POST", COLLECTION, {**LINDE, "client_reference": "1835"}).status == 200


@pytest.mark.parametrize(
    ("switch", "status", "members"),
    [("200", 200, 30), ("201", 201, 30), ("id_only", 200, 1), ("empty", 200, None)],
)
def test_the_answer_to_a_create_may_hold_less(switch: Any, status: int, members: int | None) -> None:
    simulator = WorkspaceSimulator(create_answer=switch)

    told, message, data = answer_of(call(simulator, "POST", COLLECTION, LINDE))

    assert (told, message) == (status, "success")
    assert len(simulator.state()["records"]) == 1
    if members is None:
        assert data == []
    else:
        assert data["Contact"]["id"] == "514"
        assert len(data["Contact"]) == members
