"""Finding a record again: by the reference that it carries, and by what a person knows of it."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.declared import BY_HAND, check
from tests.conformance.place import Place, error_of
from tests.conformance.samples import new_tag
from worker.errors import VendorRejected


@check("Finding by reference", "reference")
def test_a_record_carries_the_reference_that_it_was_made_with(place: Place) -> None:
    contact = place.contact()

    record = place.make(contact)

    assert record.reference == place.client.reference_for(contact) is not None


@check("Finding by reference", "reference")
def test_a_record_is_found_by_its_reference_among_others_like_it(place: Place) -> None:
    # Vendors search by a part of a text: RB-1 brings RB-10 as well (Rompslomp sheet 10.3).
    others = [place.contact(references__robaws_id=f"{place.tag}{digit}") for digit in (0, 1)]
    intent = place.intent(place.contact())
    made = place.settled(intent, place.send(intent))
    for other in others:
        place.make(other)
    place.wait()

    found = place.client.find_created(place.session(), intent)

    assert [record.external_id for record in found] == [made]


@check("Finding by reference", "reference")
def test_a_reference_that_no_record_carries_finds_none(place: Place) -> None:
    place.make(place.contact(references__robaws_id=f"{place.tag}0"))
    place.wait()

    assert place.client.find_created(place.session(), place.intent(place.contact())) == []


@check("Finding by reference", "reference")
def test_a_later_change_leaves_the_reference_as_it_is(place: Place) -> None:
    record = place.make()

    place.update(record, place.new_city())

    assert place.read(record.external_id).reference == record.reference


@check("Finding by reference", "unique reference")
def test_a_second_record_with_the_same_reference_is_refused(place: Place) -> None:
    first = place.make()
    second = replace(place.intent(place.contact()), key="another")

    error = error_of(lambda: place.send(second))

    assert isinstance(error, VendorRejected)
    assert error.word == "validation"
    assert [record.external_id for record in place.client.find_created(place.session(), second)] == [first.external_id]


@check("Searching", "search")
def test_a_record_is_found_by_each_thing_that_is_known_of_it(place: Place) -> None:
    record = place.make()
    place.make(place.contact(new_tag()))
    place.wait()
    whole = place.contact()
    known = {
        "reference": place.contact(new_tag(), name="x", vat_number=None, email=None),
        "VAT number": place.contact(new_tag(), name="x", email=None, vat_number=whole["vat_number"], persons=[]),
        "e-mail": place.contact(new_tag(), name="x", vat_number=None, email=whole["email"], persons=[]),
        "name": place.contact(new_tag(), name=whole["name"], vat_number=None, email=None, persons=[]),
    }

    found = {
        what: record.external_id
        in [one.external_id for one in place.client.search(place.session(), contact, _reference(place, what))]
        for what, contact in known.items()
    }

    assert found == dict.fromkeys(known, True)


def _reference(place: Place, what: str) -> str | None:
    reference: str | None = place.client.reference_for(place.contact()) if what == "reference" else None
    return reference


@check("Searching", "search")
def test_a_search_asks_only_as_far_as_it_is_read(place: Place) -> None:
    record = place.make()
    place.wait()
    before = len(place.wire.left)

    found = next(place.client.search(place.session(), place.contact(), record.reference))

    assert found.external_id == record.external_id
    assert len(place.wire.left) - before == 1


@check("Searching", "search", simulator_only=BY_HAND)
def test_a_stranger_is_not_found(place: Place) -> None:
    stranger = place.contact(new_tag(), website=None, phone=None, mobile=None, persons=[])
    place.adapter.by_hand(place.simulator, place.tag)

    found = list(place.client.search(place.session(), stranger, place.client.reference_for(stranger)))

    assert found == []
