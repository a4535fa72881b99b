"""Contact persons: which of ours is which of theirs, and what a plan does to their list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.core.mapping import FieldRow, OurPerson, PersonTable
from worker.core.persons import (
    SELF,
    PersonPlan,
    TheirPerson,
    find_sent,
    plan_persons,
    sent_persons,
    settle_persons,
)
from worker.core.planning import Snapshot

TABLE = PersonTable(
    (
        FieldRow("first_name", "first"),
        FieldRow("last_name", "last"),
        FieldRow("email", "mail", "email"),
        FieldRow("phone", "tel", "phone"),
    ),
    build=lambda _: (),
    email=lambda fields: fields.get("mail"),
    name=lambda fields: " ".join(str(fields[part]) for part in ("first", "last") if fields.get(part)) or None,
)


def ours(key: str, first: str | None = None, last: str | None = None, *, main: bool = False, **more: Any) -> OurPerson:
    stand_in = ("first", "last") if key == SELF else ()
    return OurPerson(key, main, {"first": first, "last": last, **more}, placeholders=stand_in)


def theirs(
    external_id: str, first: str | None = None, last: str | None = None, *, main: bool = False, **more: Any
) -> TheirPerson:
    return TheirPerson(external_id, main, {"first": first, "last": last, **more})


def agreed(persons: Mapping[str, tuple[str, OurPerson]], main: str | None = None) -> Snapshot:
    entries = {
        key: {"external_id": external_id, "ours": dict(person.fields), "theirs": dict(person.fields)}
        for key, (external_id, person) in persons.items()
    }
    return Snapshot(persons=entries, main=main)


def patches(plan: PersonPlan) -> dict[str, Mapping[str, Any]]:
    return {change.external_id: change.patch for change in plan.kept if change.patch}


# ------------------------------------------------------------------------------------------------------ the stand-in
def test_the_first_real_person_takes_the_whole_place_of_the_stand_in() -> None:
    stand_in = ours(SELF, last="De Linde", main=True, mail="info@delinde.example")
    base = agreed({SELF: ("48", stand_in)}, main=SELF)
    there = [theirs("48", last="De Linde", main=True, mail="info@delinde.example")]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, mail="info@delinde.example")], base, there)

    assert patches(plan) == {"48": {"first": "An", "last": "Peeters"}}
    assert not plan.list_changes
    assert plan.listing == (("48", "7", True),)


def test_a_person_of_theirs_that_stood_in_for_the_client_is_neither_renamed_nor_taken_out() -> None:
    bo = theirs("48", "Bo", "Claes", main=True, mail="info@delinde.example")
    base = Snapshot(
        persons=settle_persons(
            TABLE, [ours(SELF, last="De Linde", main=True, mail="info@delinde.example")], None, [bo]
        ),
        main=SELF,
    )

    renamed = plan_persons(TABLE, [ours(SELF, last="De Els", main=True, mail="info@delinde.example")], base, [bo])
    replaced = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, mail="an@delinde.example")], base, [bo])

    assert not renamed.changes
    assert replaced.removed == ()
    assert {external_id for external_id, _, _ in replaced.listing} == {"48", None}


def test_a_new_name_of_the_client_reaches_its_stand_in() -> None:
    base = agreed({SELF: ("48", ours(SELF, last="De Linde", main=True))}, main=SELF)

    plan = plan_persons(TABLE, [ours(SELF, last="De Els", main=True)], base, [theirs("48", last="De Linde", main=True)])

    assert patches(plan) == {"48": {"last": "De Els"}}


def test_a_person_who_is_there_already_is_taken_before_the_stand_in_is_renamed() -> None:
    base = agreed({SELF: ("48", ours(SELF, last="De Linde", main=True))}, main=SELF)
    there = [theirs("48", last="De Linde", main=True), theirs("49", "An", "Peeters")]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True)], base, there)

    assert plan.listing == (("49", "7", True),)
    assert plan.removed == ((SELF, "48"),)


# ---------------------------------------------------------------------------------------------------------- matching
def test_two_persons_with_one_address_are_told_apart_by_name() -> None:
    there = [theirs("1", "Bo", "Claes", mail="info@x.example"), theirs("2", "An", "Peeters", mail="info@x.example")]

    settled = settle_persons(
        TABLE,
        [ours("7", "An", "Peeters", mail="info@x.example"), ours("8", "Bo", "Claes", mail="info@x.example")],
        None,
        there,
    )

    assert {key: entry["external_id"] for key, entry in settled.items()} == {"7": "2", "8": "1"}


def test_a_person_who_stands_there_twice_is_not_added_a_third_time() -> None:
    twice = [theirs("1", "An", "Peeters"), theirs("2", "An", "Peeters", main=True)]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True)], None, twice)

    assert plan.added == ()
    assert [change.external_id for change in plan.kept] == ["2"]


def test_a_name_that_two_others_share_belongs_to_neither() -> None:
    there = [theirs("1", "An", "Peeters", mail="a@x.example"), theirs("2", "An", "Peeters", mail="b@x.example")]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", mail="c@x.example")], None, there)

    assert [person.key for person in plan.added] == ["7"]


def test_a_person_under_a_new_key_keeps_its_record_and_takes_the_changes_along() -> None:
    base = agreed({"7": ("48", ours("7", "An", "Peeters", main=True, tel="1111111"))}, main="7")
    there = [theirs("48", "An", "Peeters", main=True, tel="1111111")]

    plan = plan_persons(TABLE, [ours("9", "An", "Peeters", main=True, tel="2222222")], base, there)

    assert not plan.list_changes
    assert patches(plan) == {"48": {"tel": "2222222"}}


def test_another_person_with_the_address_of_one_who_left_does_not_take_over_the_record() -> None:
    base = agreed({"7": ("48", ours("7", "An", "Peeters", mail="info@x.example", main=True))}, main="7")
    there = [theirs("48", "An", "Peeters", mail="info@x.example", main=True)]

    plan = plan_persons(TABLE, [ours("8", "Bo", "Claes", mail="info@x.example", main=True)], base, there)

    assert plan.removed == (("7", "48"),)
    assert [person.key for person in plan.added] == ["8"]


# -------------------------------------------------------------------------------------------------------------- main
def test_a_main_person_whom_somebody_took_out_there_leaves_the_main_one_as_it_is() -> None:
    base = agreed({"7": ("1", ours("7", "An", "Peeters")), "8": ("2", ours("8", "Bo", "Claes"))}, main="8")
    persons = [ours("7", "An", "Peeters", main=True), ours("8", "Bo", "Claes")]

    plan = plan_persons(TABLE, persons, base, [theirs("2", "Bo", "Claes", main=True)])

    assert plan.absent == ("7",)
    assert plan.listing == (("2", "8", True),)
    assert not plan.list_changes


# ----------------------------------------------------------------------------- a create without an answer
def test_a_person_who_changed_after_an_unanswered_create_is_written_when_the_record_is_found() -> None:
    sent = [ours("7", "An", "Peeters", main=True, tel="1111111"), ours("8", "Bo", "Claes")]
    base = Snapshot(persons=sent_persons(sent), main="7")
    there = [theirs("48", "An", "Peeters", main=True, tel="1111111"), theirs("49", "Bo", "Claes")]

    found = replace(base, persons=find_sent(TABLE, base, there))
    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, tel="2222222")], found, there)

    assert patches(plan) == {"48": {"tel": "2222222"}}
    assert plan.removed == (("8", "49"),)
