"""One record, read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.declared import AT_ONCE, BY_HAND, FAULT, check
from tests.conformance.place import Place, error_of
from worker.core.contact import get
from worker.errors import MappingError, RecordGone, TransientError, VendorRejected


@check("Reading", simulator_only=BY_HAND)
def test_a_record_is_read_as_a_person_made_it(place: Place) -> None:
    external_id = place.adapter.by_hand(place.simulator, place.tag)

    record = place.read(external_id)

    assert (record.external_id, record.name) == (external_id, place.contact()["name"])
    assert record.usable, record.why_not


@check("Reading")
def test_reading_twice_gives_the_same(place: Place) -> None:
    record = place.there()

    again = place.read(record.external_id)

    assert (again.fields, again.persons, again.reference) == (record.fields, record.persons, record.reference)


@check("Reading", simulator_only=BY_HAND)
def test_an_edit_by_a_person_is_seen_by_the_next_read(place: Place) -> None:
    record = place.there()

    path, value = place.adapter.edit_by_hand(place.simulator, record.external_id)

    assert place.read(record.external_id).fields[path] == value


@check("Reading", "single read")
def test_one_record_costs_one_call(place: Place) -> None:
    record = place.there()
    before = len(place.wire.left)

    place.read(record.external_id)

    assert len(place.wire.left) - before == 1


@check("Reading", simulator_only=AT_ONCE)
def test_one_client_serves_several_threads(place: Place) -> None:
    record = place.there()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(place.read, [record.external_id] * 8))

    assert [one.fields for one in found] == [record.fields] * 8


@check("Reading", "unusable records", simulator_only=BY_HAND)
def test_a_record_that_no_client_may_be_linked_to_says_so_and_why(place: Place) -> None:
    record = place.read(place.adapter.unusable(place.simulator, place.tag))

    assert not record.usable
    assert record.why_not


@check("Reading", "canonical", simulator_only=BY_HAND)
def test_a_source_gives_the_contact_in_canonical_form(place: Place) -> None:
    external_id = place.adapter.by_hand(place.simulator, place.tag)

    contact, raw = place.client.fetch(place.session(), external_id)

    assert contact["name"] == place.contact()["name"]
    assert contact["email"] == place.contact()["email"]
    assert get(contact, "address.city") in ("Genk", "Rotterdam")
    assert raw["id"] == external_id


@check("Reading")
def test_a_record_that_is_not_there_is_gone(place: Place) -> None:
    place.there()

    assert isinstance(error_of(lambda: place.read(place.adapter.unknown_id)), RecordGone)


@check("Reading", simulator_only=FAULT)
@pytest.mark.parametrize("kind", ["truncate", "wrong_json", "empty", "drop_after"])
def test_a_broken_answer_is_no_proof_that_a_record_is_gone(place: Place, kind: str) -> None:
    record = place.there()
    place.simulator.fail(kind, times=-1, method="GET")

    error = error_of(lambda: place.read(record.external_id))

    assert isinstance(error, TransientError)


@check("Reading", "ids in addresses")
def test_what_is_no_id_never_becomes_part_of_an_address(place: Place) -> None:
    texts = ["7/../8", "7?x=1", "..", "", " 7", "7 ", "\u0667", "7%2F8", "-7", "7.0", "nonsense"]
    before = len(place.wire.left)

    errors = [error_of(lambda text=text: place.read(text)) for text in texts]  # type: ignore[misc]

    assert [type(error) for error in errors if not isinstance(error, MappingError | VendorRejected)] == []
    assert len(place.wire.left) == before
