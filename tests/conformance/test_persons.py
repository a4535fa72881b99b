"""Contact persons: ours are added, changed and removed; those of somebody else are never touched."""

from __future__ import annotations

from typing import Any

from tests.conformance.declared import BY_HAND, FAULT, check
from tests.conformance.place import Place, error_of
from tests.conformance.samples import an, bo, new_tag
from worker.core.contact import Json
from worker.core.persons import TheirPerson, settle_persons
from worker.core.planning import Nothing, Snapshot, plan_update
from worker.errors import OutcomeUnknown
from worker.vendors.contract import Record


class Held:
    """A record with what both sides agreed on, as a link keeps it."""

    def __init__(self, place: Place, contact: Json) -> None:
        self.place = place
        self.record = place.make(contact)
        self.base = self._agreed(contact, self.record)

    def _agreed(self, contact: Json, record: Record) -> Snapshot:
        ours = self.place.mapping.outward(contact)
        before = getattr(self, "base", None)
        persons = settle_persons(self.place.mapping.persons, ours.persons, before, record.persons or ())
        main = next((person.key for person in ours.persons if person.main), None)
        return Snapshot(dict(ours.fields), dict(record.fields), persons, main)

    def bring(self, contact: Json) -> Record:
        """Bring the record in line with a contact, as flows do: read, plan, write, read."""
        place = self.place
        record = place.read(self.record.external_id)
        mapping = place.mapping
        ours, owners = mapping.outward(contact), mapping.owners(place.way.settings.fields)
        plan = plan_update(mapping, ours, owners, self.base, record.fields, their_persons=record.persons or ())
        if not isinstance(plan, Nothing):
            place.update(record, plan.patch, plan.persons)
        self.record = place.read(record.external_id)
        self.base = self._agreed(contact, self.record)
        return self.record


def emails(record: Record) -> dict[str, bool]:
    """The e-mail of each person, with whether it is the main one."""
    return {_email(person): person.main for person in record.persons or ()}


def _email(person: TheirPerson) -> str:
    return str(person.fields.get("email1") or person.fields.get("email"))


def of(*persons: dict[str, Any]) -> dict[str, bool]:
    """The same of persons of ours; the main one has the client's address first, so it is told apart by its mark."""
    return {str(person["email"]): bool(person["main"]) for person in persons}


def others_of(place: Place, record: Record) -> dict[str, bool]:
    """All but the main person, which carries the client's own address."""
    return {email: main for email, main in emails(record).items() if not main}


def mains(record: Record) -> int:
    return sum(person.main for person in record.persons or ())


@check("Contact persons", "persons", simulator_only=BY_HAND)
def test_the_persons_of_a_record_are_read_with_it(place: Place) -> None:
    record = place.there()

    persons = record.persons or ()

    assert len(persons) == 1
    assert "Cas" in persons[0].fields.values()
    assert all(person.external_id for person in persons)


@check("Contact persons", "persons written")
def test_a_new_record_has_the_persons_of_its_contact_and_one_main_one(place: Place) -> None:
    record = place.make()

    assert len(record.persons or ()) == 2
    assert others_of(place, record) == of(bo(place.tag))
    assert mains(record) == 1


@check("Contact persons", "persons written")
def test_a_person_more_is_added_and_the_others_keep_their_ids(place: Place) -> None:
    held = Held(place, place.contact())
    before = {person.external_id for person in held.record.persons or ()}
    cas = {"key": "9", "main": False, "first_name": "Cas", "last_name": "Maas", "email": f"cas-{place.tag}@x.example"}

    record = held.bring(place.contact(persons=[an(place.tag), bo(place.tag), cas]))

    assert others_of(place, record) == of(bo(place.tag), cas)
    assert before < {person.external_id for person in record.persons or ()}
    assert mains(record) == 1


@check("Contact persons", "persons written")
def test_a_changed_person_is_changed_in_place(place: Place) -> None:
    held = Held(place, place.contact())
    before = {person.external_id for person in held.record.persons or ()}

    record = held.bring(place.contact(persons=[an(place.tag), bo(place.tag, email="bo@new.example")]))

    assert others_of(place, record) == {"bo@new.example": False}
    assert {person.external_id for person in record.persons or ()} == before


@check("Contact persons", "persons written")
def test_a_person_less_is_removed_and_no_other(place: Place) -> None:
    held = Held(place, place.contact())

    record = held.bring(place.contact(persons=[an(place.tag)]))

    assert others_of(place, record) == {}
    assert mains(record) == len(record.persons or ()) == 1


@check("Contact persons", "persons written")
def test_another_person_becomes_the_main_one(place: Place) -> None:
    held = Held(place, place.contact())
    main = next(person.external_id for person in held.record.persons or () if person.main)

    record = held.bring(place.contact(persons=[an(place.tag, main=False), bo(place.tag, main=True)]))

    assert mains(record) == 1
    assert next(person.external_id for person in record.persons or () if person.main) != main
    assert len(record.persons or ()) == 2


@check("Contact persons", "persons written", simulator_only=BY_HAND)
def test_persons_of_somebody_else_survive_every_change(place: Place) -> None:
    held = Held(place, place.contact())
    theirs = place.adapter.person_by_hand(place.simulator, held.record.external_id)
    as_made = _person(place.read(held.record.external_id), theirs)
    changes = [
        place.contact(address__city="Brugge"),
        place.contact(persons=[an(place.tag, email="an@new.example"), bo(place.tag)]),
        place.contact(persons=[bo(place.tag, main=True)]),
        place.contact(persons=[]),
        place.contact(persons=[an(new_tag())]),
    ]

    after = [_person(held.bring(contact), theirs) for contact in changes]

    assert after == [as_made] * len(changes)


def _person(record: Record, external_id: str) -> TheirPerson | None:
    return next((person for person in record.persons or () if person.external_id == external_id), None)


@check("Contact persons", "persons written", simulator_only=FAULT)
def test_a_change_of_persons_without_an_answer_adds_nobody_twice(place: Place) -> None:
    held = Held(place, place.contact())
    cas = {"key": "9", "main": False, "first_name": "Cas", "last_name": "Maas", "email": f"cas-{place.tag}@x.example"}
    after = place.contact(persons=[an(place.tag), bo(place.tag), cas])
    place.simulator.fail("drop_after", method="PUT")

    error = error_of(lambda: held.bring(after))
    record = held.bring(after)

    assert isinstance(error, OutcomeUnknown)
    assert others_of(place, record) == of(bo(place.tag), cas)
    assert len(record.persons or ()) == 3


@check("Contact persons", "persons written")
def test_a_change_of_the_record_alone_leaves_its_persons_as_they_are(place: Place) -> None:
    held = Held(place, place.contact())
    before = held.record.persons

    record = held.bring(place.contact(address__city="Brugge"))

    assert record.persons == before
