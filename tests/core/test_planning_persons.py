"""Contact persons in a plan: who owns their list, and when it is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.person_lists import TABLE as PERSONS
from tests.core.person_lists import agreed, ours, theirs
from worker.core.mapping import FieldRow, OurPerson, Ours, Owner, VendorMapping
from worker.core.persons import TheirPerson
from worker.core.planning import Nothing, Snapshot, Update, agree, needs_read, plan_update

TABLE = VendorMapping("sandbox", "1", (FieldRow("address.city", "place"),), inward=dict, persons=PERSONS)
AN, BO = ours("7", "An", "Peeters", main=True), ours("8", "Bo", "Claes")
AN_THERE = theirs("1", "An", "Peeters", main=True)
CAS_THERE = theirs("3", "Cas", "Devos", main=True)
BASE = replace(agreed(("1", AN), main="7"), ours={"place": "Gent"}, theirs={"place": "Gent"})
HELD = {"place": "Gent"}


def plan(
    persons: list[OurPerson], there: list[TheirPerson] | None, owner: Owner = "robaws", base: Snapshot | None = BASE
) -> Update | Nothing:
    return plan_update(
        TABLE,
        Ours(HELD, tuple(persons)),
        {"place": "robaws", "persons": owner},
        base,
        HELD,
        their_persons=None if there is None else tuple(there),
    )


def wants_read(persons: list[OurPerson], owner: Owner = "robaws", base: Snapshot = BASE) -> bool:
    owners: dict[str, Owner] = {"place": "robaws", "persons": owner}
    return needs_read(TABLE, Ours(HELD, tuple(persons)), owners, base, write_replaces=False)


def asked(made: Update | Nothing) -> list[str]:
    return [decision.path for decision in made.decisions if decision.action == "park"]


@pytest.mark.parametrize(
    ("owner", "added", "questions", "reads"),
    [
        ("robaws", ["8"], [], True),
        ("fill", [], [], True),
        ("review", [], ["persons"], True),
        ("system", [], [], False),
        ("ignore", [], [], False),
    ],
)
def test_a_new_person_goes_where_the_list_is_robaws_own(
    owner: Owner, added: list[str], questions: list[str], reads: bool
) -> None:
    made = plan([AN, BO], [AN_THERE], owner)

    assert [person.key for person in (made.persons.added if made.persons else ())] == added
    assert asked(made) == questions
    assert wants_read([AN, BO], owner) is reads


@pytest.mark.parametrize("owner", ["robaws", "fill", "review"])
def test_an_empty_list_is_filled_whoever_decides_about_it(owner: Owner) -> None:
    made = plan([AN], [], owner, base=None)

    assert isinstance(made, Update)
    assert made.persons is not None
    assert [person.key for person in made.persons.added] == ["7"]
    assert asked(made) == []


def test_a_question_about_persons_shows_both_sides_and_can_be_named() -> None:
    made = plan([AN, BO], [AN_THERE], "review")

    [question] = [decision for decision in made.decisions if decision.action == "park"]
    assert [person["first"] for person in question.ours] == ["An", "Bo"]
    assert [person["first"] for person in question.theirs] == ["An"]
    assert TABLE.row("persons").label == "contact persons"


def test_persons_that_somebody_let_stand_are_asked_about_again_only_when_ours_changed() -> None:
    made = plan([AN, BO], [AN_THERE], "review")
    [question] = [decision for decision in made.decisions if decision.action == "park"]
    settled = agree(Ours(HELD, (AN, BO)), BASE, made.decisions, HELD, None, None)
    let_stand = replace(settled, ours=dict(settled.ours) | {"persons": question.ours})

    again = plan([AN, BO], [AN_THERE], "review", let_stand)
    changed = plan([AN, ours("8", "Bo", "Janssens")], [AN_THERE], "review", let_stand)

    assert asked(again) == []
    assert again.persons is None
    assert not wants_read([AN, BO], "review", let_stand)
    assert not wants_read([AN, BO], "robaws", let_stand)
    assert asked(changed) == ["persons"]
    assert agree(Ours(HELD, (AN, BO)), let_stand, again.decisions, HELD, None, None).ours["persons"] == question.ours


def test_persons_that_a_person_decides_about_and_that_need_nothing_are_not_asked_about() -> None:
    made = plan([AN], [AN_THERE], "review")

    assert isinstance(made, Nothing)
    assert asked(made) == []
    assert made.persons is not None


@pytest.mark.parametrize("there", [None, "not read"], ids=["not shown", "not read"])
def test_persons_who_are_not_seen_are_neither_added_nor_taken_out(there: Any) -> None:
    if there is None:
        made = plan([AN, BO], None)
    else:
        owners = TABLE.owners({})
        made = plan_update(TABLE, Ours(HELD, (AN, BO)), owners, BASE, None, their_persons=(CAS_THERE,))

    assert isinstance(made, Nothing)
    assert made.persons is None


@pytest.mark.parametrize(("owner", "restored"), [("robaws", True), ("fill", False), ("review", False)])
@pytest.mark.parametrize("restore", [True, False])
def test_a_restore_puts_back_persons_where_their_list_is_robaws_own(
    owner: Owner, restored: bool, restore: bool
) -> None:
    phoned = ours("7", "An", "Peeters", main=True, tel="1111111")
    base = replace(agreed(("1", phoned), main="7"), ours=HELD, theirs=HELD)
    edited = theirs("1", "An", "Peeters", main=True, tel="3333333")

    made = plan_update(
        TABLE,
        Ours(HELD, (phoned,)),
        {"place": "robaws", "persons": owner},
        base,
        HELD,
        their_persons=(edited,),
        restore=restore,
    )

    assert isinstance(made, Update) is (restored and restore)
    assert asked(made) == []


def test_persons_who_did_not_change_want_no_read() -> None:
    assert not wants_read([AN])


def test_persons_of_a_first_link_are_asked_about_where_a_person_decides() -> None:
    assert asked(plan([AN], [CAS_THERE], "review", base=None)) == ["persons"]


def test_persons_alone_are_reason_enough_for_an_update() -> None:
    made = plan([AN, BO], [AN_THERE])

    assert isinstance(made, Update)
    assert made.patch == {}


def test_a_system_without_a_list_has_no_plan_for_it() -> None:
    table = replace(TABLE, persons=None)

    made = plan_update(table, Ours(HELD, (AN,)), table.owners({}), BASE, HELD, their_persons=(CAS_THERE,))

    assert made.persons is None
    assert not needs_read(table, Ours(HELD, (BO,)), table.owners({}), BASE, write_replaces=False)
