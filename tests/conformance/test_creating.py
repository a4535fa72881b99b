"""A new record: its id is learned, and it holds what was meant, as far as the mapping says that it can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.declared import BY_HAND, COUNTED, check
from tests.conformance.place import Place
from worker.core.contact import Json, build, get
from worker.vendors.contract import Intent, Record

STRANGE = "Café “Ñandú” & Zoon's 50% + 1; a=b? <i>#/\\ €"


def differences(place: Place, intent: Intent, record: Record) -> dict[str, tuple[Any, Any]]:
    """The members that were sent and are not held: (sent, held) by vendor path."""
    found = {}
    for path, sent in intent.body.items():
        row, held = place.mapping.row(path), record.fields.get(path)
        if row.key(sent) != row.key(held):
            found[path] = (sent, held)
    return found


@check("Creating", "create")
def test_a_create_tells_the_id_of_its_record(place: Place) -> None:
    intent = place.intent(place.contact())

    created = place.send(intent)

    external_id = place.settled(intent, created)
    assert not created.matched
    assert place.read(external_id).name == place.contact()["name"]


@check("Creating", "create")
def test_a_record_is_read_back_as_it_was_meant(place: Place) -> None:
    intent = place.intent(place.contact())

    record = place.read(place.settled(intent, place.send(intent)))

    assert differences(place, intent, record) == {}


@check("Creating", "create")
def test_text_arrives_as_it_was_written(place: Place) -> None:
    contact = place.contact(address__line1=STRANGE, address__line2=None)
    intent = place.intent(contact)

    record = place.read(place.settled(intent, place.send(intent)))

    sent = {path: value for path, value in intent.body.items() if value == STRANGE}
    assert sent
    assert {path: record.fields.get(path) for path in sent} == sent


@check("Creating", "create")
def test_what_the_answer_shows_is_what_a_read_shows(place: Place) -> None:
    intent = place.intent(place.contact())

    created = place.send(intent)

    read = place.read(place.settled(intent, created))
    shown = created.record.fields if created.record is not None else {}
    assert {path: value for path, value in shown.items() if read.fields.get(path) != value} == {}


@check("Creating", "create")
def test_a_contact_that_has_only_what_is_needed_can_be_made(place: Place) -> None:
    contact = only_name_and_email(place.contact())
    intent = place.intent(contact)

    record = place.read(place.settled(intent, place.send(intent)))

    assert record.name == contact["name"]
    assert differences(place, intent, record) == {}


def only_name_and_email(contact: Json) -> Json:
    """The contact with nothing but the name, the e-mail and our id."""
    return build({path: get(contact, path) for path in ("kind", "name", "email", "references.robaws_id")})


@check("Creating", "create")
def test_a_private_person_is_made_under_its_own_name(place: Place) -> None:
    contact = place.contact(kind="person", first_name="Conformance", last_name=place.tag, vat_number=None, persons=[])
    intent = place.intent(contact)

    record = place.read(place.settled(intent, place.send(intent)))

    assert record.name == contact["name"]


@check("Creating", "create", simulator_only=COUNTED)
def test_one_create_makes_one_record_and_changes_no_other(place: Place) -> None:
    others = [place.there(), place.make(place.contact("123456789"))]
    names = sorted(place.adapter.names(place.simulator))

    record = place.make(place.contact("987654321"))

    assert sorted(place.adapter.names(place.simulator)) == sorted([*names, str(record.name)])
    assert [place.read(other.external_id).fields for other in others] == [other.fields for other in others]


@check("Creating", "create", simulator_only=BY_HAND)
def test_a_record_that_was_there_before_is_told_apart_from_a_new_one(place: Place) -> None:
    # Same name and e-mail: Recras answers with the record that is there (Recras sheet 14), others make a second one.
    before = place.adapter.by_hand(place.simulator, place.tag)
    contact = place.contact(persons=[], vat_number=None)

    created = place.send(place.intent(contact))

    assert created.matched == (created.external_id == before)


@check("Creating", "create")
def test_a_create_sends_what_was_committed_and_not_what_the_contact_says_now(place: Place) -> None:
    intent = replace(place.intent(place.contact()), posts=1, sent_at=1_700_000_000.0)

    record = place.read(place.settled(intent, place.send(intent)))

    assert differences(place, intent, record) == {}
