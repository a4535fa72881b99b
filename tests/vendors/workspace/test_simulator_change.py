"""The contacts of the simulated Workspace: forms, changes, the bin (Workspace sheets 4, 5 and 11.5 to 11.10)."""

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


# --------------------------------------------------------------------------------------------------------- forms


@pytest.mark.parametrize("path", [COLLECTION, element("514")])
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", None])
def test_a_post_of_another_type_gets_the_400_that_explains_nothing(path: str, content_type: str | None) -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="A")

    answer = answer_of(call(simulator, "POST", path, json.dumps(LINDE).encode(), content_type=content_type))

    assert answer == (400, NOT_SAVED, [])
    assert "content type" in simulator.refusals[-1]


def test_a_form_may_tell_its_charset() -> None:
    assert call(WorkspaceSimulator(), "POST", COLLECTION, LINDE, content_type=f"{FORM}; charset=UTF-8").status == 200


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"Contact": m}, lambda m: {"data": {"Contact": m}}])
def test_json_is_read_where_that_is_switched_on(wrap: Any) -> None:
    body = json.dumps(wrap({**LINDE, "payment_term": 14, "website": None})).encode()
    simulator = WorkspaceSimulator(accept_json=True)

    contact = contact_of(call(simulator, "POST", COLLECTION, body, content_type="application/json"))

    assert (contact["payment_term"], contact["website"]) == ("14", "")
    assert call(simulator, "POST", COLLECTION, b"[", content_type="application/json").status == 400
    assert call(simulator, "POST", COLLECTION, b"[]", content_type="application/json").status == 400


STYLES = {"flat": "{}", "data": "data[Contact][{}]", "model": "Contact[{}]"}


@pytest.mark.parametrize("understood", STYLES)
@pytest.mark.parametrize("sent", STYLES)
def test_a_form_in_a_style_that_is_not_understood_is_as_if_nothing_was_sent(understood: Any, sent: str) -> None:
    simulator = WorkspaceSimulator(form_styles=(understood,))
    record_id = simulator.add_record(name="A")

    made = call(simulator, "POST", COLLECTION, {STYLES[sent].format(name): text for name, text in LINDE.items()})
    changed = call(simulator, "POST", element(record_id), {STYLES[sent].format("name"): "B"})

    assert made.status == (200 if sent == understood else 400)
    assert contact_of(changed)["name"] == ("B" if sent == understood else "A")


@pytest.mark.parametrize("sent", STYLES)
def test_all_three_styles_are_understood_by_default(sent: str) -> None:
    members = {STYLES[sent].format(name): text for name, text in LINDE.items()}

    assert call(WorkspaceSimulator(), "POST", COLLECTION, members).status == 200


def test_of_repeated_keys_the_last_one_counts() -> None:
    simulator = WorkspaceSimulator()
    record_id = simulator.add_record(name="A")

    assert contact_of(call(simulator, "POST", element(record_id), b"name=B&name=C"))["name"] == "C"


def test_text_is_utf_8_and_nothing_else() -> None:
    simulator = WorkspaceSimulator()
    path = element(simulator.add_record(name="A"))

    assert contact_of(call(simulator, "POST", path, {"name": "Café & Zoon +1"}))["name"] == "Café & Zoon +1"
    assert answer_of(call(simulator, "POST", path, b"name=Caf%E9")) == (400, NOT_SAVED, [])
    assert simulator.refusals[-1] == "not UTF-8"


# -------------------------------------------------------------------------------------------------------- change


def test_members_that_were_sent_are_replaced_and_the_others_stay() -> None:
    clock = Clock()
    simulator = WorkspaceSimulator(clock=clock)
    before = contact_of(call(simulator, "POST", COLLECTION, {**LINDE, "website": "https://delinde.example"}))

    clock.now += 60
    after = contact_of(call(simulator, "POST", element("514"), {"location_city": "Gentbrugge", "website": ""}))

    changed = {"location_city": "Gentbrugge", "website": "", "modified": "2025-06-15 17:07:40"}
    assert after == {**before, **changed}


def test_what_cannot_be_changed_is_ignored_silently_or_refused() -> None:
    simulator = WorkspaceSimulator()
    before = contact_of(call(simulator, "POST", COLLECTION, LINDE))
    sent = {"client_reference": "9", "group": "", "type": "2", "trashed": "1", "id": "9", "mobile": "x"}

    ignored = contact_of(call(simulator, "POST", element("514"), sent))
    simulator.refuse_readonly = True
    answer = answer_of(call(simulator, "POST", element("514"), {"type": "2", "mobile": "x"}))

    assert {**ignored, "modified": before["modified"]} == before
    assert answer == (400, NOT_SAVED, [])
    assert simulator.refusals[-1] == "type: read only"


@pytest.mark.parametrize("member", [member for member in REQUIRED if member not in {"client_reference", "group"}])
def test_a_required_member_cannot_be_emptied(member: str) -> None:
    simulator = WorkspaceSimulator()
    call(simulator, "POST", COLLECTION, LINDE)

    answer = answer_of(call(simulator, "POST", element("514"), {member: " ", "fax": "1"}))

    assert answer == (400, NOT_SAVED, [])
    assert simulator.state()["records"][0]["fax"] is None


def test_a_record_that_lacks_what_is_required_can_still_be_changed() -> None:
    simulator = WorkspaceSimulator()
    record_id = simulator.add_record(name="Made by hand")

    contact = contact_of(call(simulator, "POST", element(record_id), {"fax": "1"}))

    assert (contact["fax"], contact["phone"]) == ("1", None)


def test_a_term_that_is_no_number_is_refused_in_a_change_too() -> None:
    simulator = WorkspaceSimulator()

    assert call(simulator, "POST", element(simulator.add_record(name="A")), {"payment_term": "soon"}).status == 400


@pytest.mark.parametrize(("switch", "moves"), [(True, True), (False, False)])
def test_modified_moves_with_every_write_or_only_with_a_change(switch: bool, moves: bool) -> None:
    clock = Clock()
    simulator = WorkspaceSimulator(clock=clock, touch_always=switch)
    path = element(simulator.add_record(name="A"))

    clock.now += 60
    same = contact_of(call(simulator, "POST", path, {"name": "A"}))
    clock.now += 60
    other = contact_of(call(simulator, "POST", path, {"name": "B"}))

    assert (same["modified"] == "2025-06-15 17:07:40") is moves
    assert other["modified"] == "2025-06-15 17:08:40"


def test_the_answer_to_a_change_may_be_empty() -> None:
    simulator = WorkspaceSimulator(change_answer="empty")
    record_id = simulator.add_record(name="A")

    assert answer_of(call(simulator, "POST", element(record_id), {"name": "B"})) == (200, "success", [])
    assert simulator.state()["records"][0]["name"] == "B"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_is_unknown_or_in_the_bin_can_neither_be_changed_nor_deleted(method: str) -> None:
    simulator = WorkspaceSimulator(trashed_get="200")
    trashed = simulator.add_record(name="A")
    simulator.delete_record(trashed)

    answers = [answer_of(call(simulator, method, element(i), {"name": "B"})) for i in (trashed, "1")]

    assert answers == [(404, "Contact not found.", [])] * 2


def test_what_is_in_the_bin_takes_changes_where_that_is_switched_on() -> None:
    simulator = WorkspaceSimulator(trashed_get="200", trashed_change="200")
    trashed = simulator.add_record(name="A")
    simulator.delete_record(trashed)

    changed = contact_of(call(simulator, "POST", element(trashed), {"name": "B"}))

    assert (changed["name"], changed["trashed"]) == ("B", True)
    assert answer_of(call(simulator, "DELETE", element(trashed))) == (404, "Contact not found.", [])


def test_a_delete_throws_into_the_bin_once() -> None:
    simulator = WorkspaceSimulator()
    path = element(simulator.add_record(name="A"))

    first, second = (answer_of(call(simulator, "DELETE", path)) for _ in range(2))

    assert first == (200, "success", [])
    assert second == (404, "Contact not found.", [])
    assert simulator.state()["records"][0]["trashed"] is True


def test_winter_has_another_offset() -> None:
    simulator = WorkspaceSimulator(clock=lambda: 1_700_000_000.0)

    simulator.add_record(name="A")

    assert simulator.state()["records"][0]["created"] == "2023-11-14 23:13:20"


def test_a_record_with_the_same_name_can_be_made_by_hand_and_unknown_members_cannot() -> None:
    simulator = WorkspaceSimulator(records=[{"name": "A"}])

    simulator.add_record(name="A", type="2")

    assert [(r["name"], r["type"]) for r in simulator.state()["records"]] == [("A", "1"), ("A", "2")]
    with pytest.raises(ValueError, match="mobile"):
        simulator.edit_record("514", {"mobile": "x"})
    with pytest.raises(KeyError):
        simulator.edit_record("1", {"name": "B"})
