"""What Rompslomp ends up with after the client wrote: creates, changes, and creates whose answer was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.vendors.rompslomp.wire import client_of, de_linde, intent_for, make, session_with
from worker.errors import (
    MappingError,
    OutcomeUnknown,
    QuotaReached,
    RateLimited,
    RecordGone,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.rompslomp.simulator import RompslompSimulator


def records(simulator: RompslompSimulator) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = simulator.state()["records"]
    return held


def test_a_new_client_is_a_customer_with_its_reference_as_the_number() -> None:
    simulator = RompslompSimulator()
    client = client_of(simulator)

    created = make(client, session_with(simulator), de_linde())

    (held,) = records(simulator)
    assert created.external_id == str(held["id"])
    assert {member: value for member, value in held.items() if value is not None} == {
        "id": held["id"],
        "is_individual": False,
        "is_supplier": False,
        "name": "Dakwerken De Linde",
        "company_name": "Dakwerken De Linde",
        "contact_person_name": "An Peeters",
        "contact_person_email_address": "facturen@delinde.example",
        "address": "Kerkstraat 12",
        "zipcode": "9000",
        "city": "Gent",
        "country_code": "BE",
        "phone": "+32 9 000 00 00",
        "vat_number": "BE0000000097",
        "contact_number": "RB-1834",
    }


def test_the_answer_to_a_create_shows_what_a_read_shows() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)

    created = make(client, session, de_linde())

    assert created.external_id is not None
    assert created.record == client.read(session, created.external_id)


def test_a_private_person_is_an_individual_under_its_own_name() -> None:
    simulator = RompslompSimulator()

    person = de_linde(kind="person", name="Bo Claes", vat_number=None, persons=[])
    make(client_of(simulator), session_with(simulator), person)

    (held,) = records(simulator)
    assert (held["is_individual"], held["name"], held["company_name"]) == (True, "Bo Claes", None)


def test_a_change_touches_only_what_it_names_and_null_empties() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.edit_record(external_id, {"free_1": "by hand", "zipcode": "9001"})

    shown = client.update(session, external_id, {"city": "Gentbrugge", "phone": None}, None, None, "key")

    (held,) = records(simulator)
    assert (held["city"], held["phone"], held["free_1"], held["zipcode"]) == ("Gentbrugge", None, "by hand", "9001")
    assert shown == client.read(session, external_id)
    assert len(simulator.calls("PATCH")) == 1


def test_a_change_of_nothing_writes_nothing() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    shown = client.update(session, external_id, {}, None, None, "key")

    assert shown == client.read(session, external_id)
    assert [exchange.request.method for exchange in simulator.calls()] == ["POST", "GET", "GET"]


def test_a_change_needs_no_read() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    client.update(session, external_id, {"city": "Gentbrugge"}, None, None, "key")

    assert simulator.calls("GET") == []


def test_an_organisation_that_turns_out_to_be_its_own_main_person_keeps_that_name() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    # The person's name does not change, so a plan does not name it; the vendor wants it all the same (sheet 10.8).
    client.update(session, external_id, {"is_individual": True, "company_name": None}, None, None, "key")

    (sent,) = (exchange.request.json() for exchange in simulator.calls("PATCH"))
    assert sent["contact"]["contact_person_name"] == "An Peeters"
    assert records(simulator)[0]["name"] == "An Peeters"


def test_the_number_of_a_record_is_never_blanked() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    client.update(session, external_id, {"contact_number": None, "city": "Aalst"}, None, None, "key")

    assert records(simulator)[0]["contact_number"] == "RB-1834"


def test_a_change_of_a_record_that_is_gone_says_so() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.delete_record(external_id)

    with pytest.raises(RecordGone):
        client.update(session, external_id, {"city": "Aalst"}, None, None, "key")


def test_a_wrong_path_is_never_taken_for_a_record_that_is_gone() -> None:
    simulator = RompslompSimulator()
    external_id = make(client_of(simulator), session_with(simulator), de_linde()).external_id or ""
    client = client_of(simulator, path_template="/{company_id}/{resource}")

    with pytest.raises(WrongAddress):
        client.update(session_with(simulator), external_id, {"city": "Aalst"}, None, None, "key")


def test_a_full_subscription_stops_creates_and_lets_changes_through() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.max_contacts = 1

    with pytest.raises(QuotaReached):
        make(client, session, de_linde(name="Leien Zonen", **{"references.robaws_id": "1835"}))
    client.update(session, external_id, {"city": "Aalst"}, None, None, "key")

    assert [held["city"] for held in records(simulator)] == ["Aalst"]


def test_a_refusal_names_the_members_as_far_as_the_sentence_does() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    with pytest.raises(VendorRejected) as raised:
        client.update(session, external_id, {"company_name": None, "country_code": "B"}, None, None, "key")

    assert raised.value.word == "validation"
    assert set(raised.value.fields) == {"company_name", "country_code"}


def test_a_throttled_write_waits_as_told() -> None:
    simulator = RompslompSimulator()
    simulator.fail("throttle", retry_after=17)

    with pytest.raises(RateLimited) as raised:
        make(client_of(simulator), session_with(simulator), de_linde())

    assert raised.value.retry_after_seconds == 17
    assert records(simulator) == []


# ---------------------------------------------------------------------------------------------- the answer was lost
@pytest.mark.parametrize("fault", ["drop_after", "truncate", "wrong_json", "empty"])
def test_a_create_without_a_readable_answer_is_found_by_its_reference(fault: Any) -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    # Both hold the reference somewhere, and neither is it.
    simulator.add_record(company_name="Other", contact_number="RB-18345")
    simulator.add_record(company_name="RB-1834")
    intent = intent_for(client, de_linde())
    simulator.fail(fault, method="POST")

    with pytest.raises(OutcomeUnknown):
        client.create(session, intent, client.mapping.outward(de_linde()))
    found = client.find_created(session, intent)

    assert [record.fields["contact_number"] for record in found] == ["RB-1834"]


def test_a_create_that_never_arrived_is_not_found() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    simulator.fail("drop_before", method="POST")

    with pytest.raises(OutcomeUnknown):
        make(client, session, de_linde())

    assert client.find_created(session, intent_for(client, de_linde())) == []


def test_a_second_create_with_the_same_reference_is_refused_and_makes_no_second_record() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    make(client, session, de_linde())

    with pytest.raises(VendorRejected) as raised:
        make(client, session, de_linde())

    assert raised.value.word == "validation"
    assert raised.value.fields == {"contact_number": "is al in gebruik"}
    assert len(client.find_created(session, intent_for(client, de_linde()))) == len(records(simulator)) == 1


@pytest.mark.parametrize("kind", ["html", "server"])
def test_a_failure_of_the_vendor_leaves_a_create_open_and_a_change_undone(kind: Any) -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""
    simulator.fail(kind, status=503, times=2)

    with pytest.raises(OutcomeUnknown):
        make(client, session, de_linde(**{"references.robaws_id": "1835"}))
    with pytest.raises(VendorUnavailable):
        client.update(session, external_id, {"city": "Aalst"}, None, None, "key")

    assert [held["city"] for held in records(simulator)] == ["Gent"]


def test_a_reference_in_a_free_member_is_found_among_the_records_of_the_same_mail_and_name() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator, reference_member="free_2"), session_with(simulator)
    simulator.add_record(
        company_name="Dakwerken De Linde", contact_person_email_address="facturen@delinde.example", free_2="RB-9"
    )
    created = make(client, session, de_linde())

    found = client.find_created(session, intent_for(client, de_linde()))

    assert [record.external_id for record in found] == [created.external_id]
    assert created.record is not None
    assert created.record.fields["contact_number"].startswith("K")
    assert len(simulator.calls("GET")) == 1


def test_a_reference_in_a_free_member_is_found_even_after_a_person_changed_the_mail() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator, reference_member="free_2"), session_with(simulator)
    created = make(client, session, de_linde())
    simulator.edit_record(created.external_id or "", {"contact_person_email_address": "nieuw@delinde.example"})

    found = client.find_created(session, intent_for(client, de_linde()))

    assert [record.external_id for record in found] == [created.external_id]


def test_without_a_reference_a_create_is_found_by_mail_and_name() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator, reference_member="none"), session_with(simulator)
    simulator.add_record(company_name="Other", contact_person_email_address="facturen@delinde.example")
    created = make(client, session, de_linde())

    found = client.find_created(session, intent_for(client, de_linde()))

    assert not client.capabilities.reference
    assert [record.external_id for record in found] == [created.external_id]


def test_without_a_reference_or_a_mail_two_of_one_name_are_both_shown() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator, reference_member="none"), session_with(simulator)
    nameless_mail = de_linde(email=None, invoice_email=None)
    make(client, session, nameless_mail)
    make(client, session, nameless_mail)

    assert len(client.find_created(session, intent_for(client, nameless_mail))) == 2


def test_a_create_of_nothing_that_could_be_found_again_is_not_looked_for_blindly() -> None:
    simulator = RompslompSimulator()
    client = client_of(simulator, reference_member="none")
    nameless = replace(intent_for(client, de_linde()), body={"is_individual": False})

    with pytest.raises(MappingError):
        client.find_created(session_with(simulator), nameless)


def test_what_is_kept_of_a_request_is_its_body_without_the_token() -> None:
    simulator = RompslompSimulator()
    session = session_with(simulator)

    make(client_of(simulator), session, de_linde())

    (exchange,) = session.exchanges
    assert exchange.request.logged["contact"]["company_name"] == "Dakwerken De Linde"
    assert simulator.SANDBOX_TOKEN not in repr(exchange)
