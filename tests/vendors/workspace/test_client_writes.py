"""What Workspace ends up with after the client wrote: creates, changes, and creates whose answer was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.vendors.workspace.wire import client_of, de_linde, intent_for, make, session_with
from worker.errors import (
    MappingError,
    MaybeRejected,
    OutcomeUnknown,
    RateLimited,
    RecordGone,
    VendorBroken,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.workspace.simulator import WorkspaceSimulator


def records(simulator: WorkspaceSimulator) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = simulator.state()["records"]
    return held


def test_a_new_client_is_a_debtor_with_its_reference_and_all_required_members() -> None:
    simulator = WorkspaceSimulator()

    created = make(client_of(simulator), session_with(simulator), de_linde())

    (held,) = records(simulator)
    stamps = {"created", "modified"}
    assert created.external_id == held["id"]
    assert {name: value for name, value in held.items() if value is not None and name not in stamps} == {
        "id": held["id"],
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
        "website": "https://delinde.example",
        "btw": "BE0000000097",
        "email": "facturen@delinde.example",
        "trashed": False,
        "payment_term": "14",
    }


@pytest.mark.parametrize("style", ["flat", "data", "model"])
def test_a_name_with_accents_and_signs_arrives_in_every_form_style(style: Any) -> None:
    simulator = WorkspaceSimulator(form_styles=(style,))

    make(client_of(simulator, form_style=style), session_with(simulator), de_linde(name="Café & Zoon = één"))

    assert records(simulator)[0]["name"] == "Café & Zoon = één"


def test_a_style_that_is_not_understood_makes_nothing() -> None:
    simulator = WorkspaceSimulator(form_styles=("data",))

    with pytest.raises(MaybeRejected):
        make(client_of(simulator), session_with(simulator), de_linde())

    assert records(simulator) == []


def test_without_a_phone_the_stand_in_is_sent_and_a_missing_term_gets_the_default() -> None:
    simulator = WorkspaceSimulator()

    make(client_of(simulator, payment_term=30), session_with(simulator), de_linde(phone=None))

    assert (records(simulator)[0]["phone"], records(simulator)[0]["payment_term"]) == ("-", "30")


def test_a_required_member_that_a_person_must_give_stops_the_create_before_it_is_sent() -> None:
    simulator = WorkspaceSimulator()
    client = client_of(simulator)
    whole = intent_for(client, de_linde())
    intent = replace(whole, body={name: value for name, value in whole.body.items() if name != "email"})

    with pytest.raises(MappingError, match="email"):
        client.create(session_with(simulator), intent, client.mapping.outward(de_linde()))

    assert simulator.calls() == []


def test_an_empty_stand_in_sends_the_member_empty() -> None:
    simulator = WorkspaceSimulator(empty_ok=True)

    make(client_of(simulator, on_missing={"phone": ""}), session_with(simulator), de_linde(phone=None))

    assert records(simulator)[0]["phone"] == ""


@pytest.mark.parametrize(("answer", "known"), [("200", True), ("201", True), ("id_only", True), ("empty", False)])
def test_an_id_is_taken_from_the_answer_where_it_shows_one(answer: Any, known: bool) -> None:
    simulator = WorkspaceSimulator(create_answer=answer)

    created = make(client_of(simulator), session_with(simulator), de_linde())

    assert created.external_id == (records(simulator)[0]["id"] if known else None)


@pytest.mark.parametrize(("answer", "shown"), [("200", True), ("id_only", False)])
def test_a_record_is_taken_from_the_answer_only_where_it_is_whole(answer: Any, shown: bool) -> None:
    simulator = WorkspaceSimulator(create_answer=answer)
    client, session = client_of(simulator), session_with(simulator)

    created = make(client, session, de_linde())

    assert created.external_id is not None
    assert created.record == (client.read(session, created.external_id) if shown else None)


def test_an_answer_that_shows_somebody_else_is_not_believed() -> None:
    simulator = WorkspaceSimulator()
    other = '{"response": {"code": 200, "data": {"Contact": {"id": "9", "client_reference": "77"}}}}'
    simulator.fail("status", status=200, body=other)

    created = make(client_of(simulator), session_with(simulator), de_linde())

    assert (created.external_id, created.record) == (None, None)


# ---------------------------------------------------------------------------------------------------------- changes
def test_a_change_sends_only_what_changes_and_empties_with_an_empty_value() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.edit_record(external_id, {"fax": "by hand", "bank_nr": "NL00TEST0123456789"})

    shown = client.update(session, external_id, {"location_city": "Gentbrugge", "website": None}, None, None, "key")

    (held,) = records(simulator)
    assert simulator.calls("POST")[-1].request.body == b"location_city=Gentbrugge&website="
    assert (held["location_city"], held["website"], held["fax"]) == ("Gentbrugge", "", "by hand")
    assert held["bank_nr"] == "NL00TEST0123456789"
    assert shown == client.read(session, external_id)


def test_a_change_of_nothing_writes_nothing() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    shown = client.update(session, external_id, {}, None, None, "key")

    assert shown == client.read(session, external_id)
    assert [exchange.request.method for exchange in simulator.calls()] == ["POST", "GET", "GET"]


def test_an_answer_to_a_change_that_shows_nothing_is_to_be_read() -> None:
    simulator = WorkspaceSimulator(change_answer="empty")
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    assert client.update(session, external_id, {"location_city": "Aalst"}, None, None, "key") is None
    assert records(simulator)[0]["location_city"] == "Aalst"


def test_a_change_may_send_all_that_may_be_changed() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator, update_mode="all_editable"), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.edit_record(external_id, {"fax": "by hand", "invoice_city": None, "location_postal": "9001"})

    client.update(session, external_id, {"location_city": "Gentbrugge"}, None, None, "key")

    sent = simulator.calls("POST")[-1].request.body.decode()
    (held,) = records(simulator)
    assert client.capabilities.write_replaces
    assert "fax=by+hand" in sent
    assert "client_reference" not in sent
    assert "invoice_city" not in sent
    assert (held["location_city"], held["location_postal"]) == ("Gentbrugge", "9001")


def test_a_required_member_is_emptied_with_its_stand_in() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    client.update(session, external_id, {"phone": None}, None, None, "key")

    assert records(simulator)[0]["phone"] == "-"


def test_a_required_member_that_a_person_must_give_is_never_emptied() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    with pytest.raises(MappingError):
        client.update(session, external_id, {"email": None}, None, None, "key")

    assert records(simulator)[0]["email"] == "facturen@delinde.example"


def test_a_change_of_a_record_in_the_bin_says_that_it_is_gone() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.delete_record(external_id)

    with pytest.raises(RecordGone):
        client.update(session, external_id, {"location_city": "Aalst"}, None, None, "key")


def test_a_wrong_path_is_never_taken_for_a_record_that_is_gone() -> None:
    simulator = WorkspaceSimulator()
    external_id = make(client_of(simulator), session_with(simulator), de_linde()).external_id or ""
    client = client_of(simulator, element_path="/kontacts/{id}.json")

    with pytest.raises(WrongAddress):
        client.update(session_with(simulator), external_id, {"location_city": "Aalst"}, None, None, "key")


# --------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("kind", ["refused", "code_400"])
def test_a_400_is_unclear_and_the_log_holds_what_was_sent(kind: str) -> None:
    simulator = WorkspaceSimulator(groups=("Algemeen",) if kind == "code_400" else ("Klanten",))
    if kind == "code_400":
        simulator.fail("code_400")
    client, session = client_of(simulator), session_with(simulator)

    with pytest.raises(MaybeRejected) as raised:
        make(client, session, de_linde())

    assert raised.value.message == "Something went wrong while saving the data."
    assert session.exchanges[-1].request.logged["group"] == "Algemeen"
    assert client.repeat_400 == 1


@pytest.mark.parametrize("fault", ["cake_error", "html"])
def test_a_failure_of_the_vendor_leaves_a_create_open_and_a_change_undone(fault: Any) -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.fail(fault, status=500, times=2)

    with pytest.raises(OutcomeUnknown):
        make(client, session, de_linde(**{"references.robaws_id": "1835"}))
    with pytest.raises(VendorUnavailable):
        client.update(session, external_id, {"location_city": "Aalst"}, None, None, "key")

    assert [held["location_city"] for held in records(simulator)] == ["Gent"]


def test_a_login_page_in_place_of_an_answer_is_no_success() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.fail("login_page")

    with pytest.raises(VendorBroken):
        client.update(session, external_id, {"location_city": "Aalst"}, None, None, "key")


@pytest.mark.parametrize(("told", "seconds"), [(17, 17.0), (None, 60.0)])
def test_a_throttled_write_waits_as_told(told: float | None, seconds: float) -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("throttle", retry_after=told)

    with pytest.raises(RateLimited) as raised:
        make(client_of(simulator), session_with(simulator), de_linde())

    assert raised.value.retry_after_seconds == seconds


# ---------------------------------------------------------------------------------------------- the answer was lost
@pytest.mark.parametrize("fault", ["drop_after", "truncate", "wrong_json", "empty"])
def test_a_create_without_a_readable_answer_is_found_by_its_reference(fault: Any) -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    simulator.add_record(name="Other", client_reference="18345")
    intent = intent_for(client, de_linde())
    simulator.fail(fault, method="POST")

    with pytest.raises(OutcomeUnknown):
        client.create(session, intent, client.mapping.outward(de_linde()))
    found = client.find_created(session, intent)

    assert [(record.name, record.reference) for record in found] == [("Dakwerken De Linde", "1834")]


def test_a_create_that_never_arrived_is_not_found() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    simulator.fail("drop_before", method="POST")

    with pytest.raises(OutcomeUnknown):
        make(client, session, de_linde())

    assert client.find_created(session, intent_for(client, de_linde())) == []


def test_a_second_create_makes_a_second_record_and_both_are_shown_the_lowest_id_first() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    simulator.add_record(id="999", name="Other")
    make(client, session, de_linde())
    simulator.add_record(id="100", name="Dakwerken De Linde", client_reference="1834")

    found = client.find_created(session, intent_for(client, de_linde()))

    assert not client.capabilities.reference_is_unique
    assert [record.external_id for record in found] == ["100", "1000"]


def test_what_is_kept_of_an_exchange_has_neither_the_token_nor_bank_data() -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="De Linde", bank_nr="NL00TEST0123456789", bank_name="Voorbeeldbank")
    client, session = client_of(simulator), session_with(simulator)

    (record,) = client.list_records(session)

    kept = repr(session.exchanges) + repr(record)
    assert "De Linde" in kept
    assert "NL00TEST0123456789" not in kept
    assert "Voorbeeldbank" not in kept
    assert simulator.SANDBOX_TOKEN not in kept
