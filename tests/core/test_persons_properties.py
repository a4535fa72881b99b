"""Whatever the lists of persons are: nobody else's person is lost, and no list grows by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.person_lists import TABLE, carry_out, ours, settle, theirs
from worker.core.mapping import OurPerson
from worker.core.persons import SELF, TheirPerson, plan_persons
from worker.core.planning import Snapshot

pytestmark = pytest.mark.slow

# Few names, addresses and numbers, so that lists drawn apart are full of people who look alike.
FIRST = st.sampled_from([None, "An", "Bo"])
LAST = st.sampled_from([None, "Peeters", "Claes", "De Linde"])
MAIL = st.sampled_from([None, "an@x.example", "info@x.example"])
TEL = st.sampled_from([None, "+32 9 000 00 01", "+32 9 000 00 02"])
FIELDS = st.fixed_dictionaries({"first": FIRST, "last": LAST, "mail": MAIL, "tel": TEL})
KEYS = ["1", "2", "3", "4"]
IDS = ["11", "12", "13", "14"]


@st.composite
def our_lists(draw: st.DrawFn) -> list[OurPerson]:
    if draw(st.integers(0, 5)) == 0:
        return [ours(SELF, None, "De Linde", main=True, mail=draw(MAIL), tel=draw(TEL))]
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=4))
    main = draw(st.sampled_from([*keys, None]))
    return [OurPerson(key, key == main, draw(FIELDS)) for key in keys]


@st.composite
def their_lists(draw: st.DrawFn) -> list[TheirPerson]:
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=4))
    marked = draw(st.sampled_from(["one", "one", "none", "all"]))
    main = draw(st.sampled_from([*ids, None]))
    return [TheirPerson(each, marked == "all" or (marked == "one" and each == main), draw(FIELDS)) for each in ids]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]]:
    """
    A base as a first delivery left it, or none; the list there, which people may have edited since; ours now; and
    the external ids of whoever was there before us and was never taken for one of ours.
    """
    there = draw(their_lists())
    if draw(st.booleans()):
        return None, there, draw(our_lists()), [person.external_id for person in there]
    first = draw(our_lists())
    plan = plan_persons(TABLE, first, None, there)
    after = carry_out(plan, there)
    base = settle(first, None, plan, after)
    linked = {entry["external_id"] for entry in base.persons.values()}
    edits: dict[str, dict[str, Any]] = draw(st.dictionaries(st.sampled_from(IDS), FIELDS, max_size=2))
    taken_out = draw(st.sets(st.sampled_from(IDS), max_size=1))
    edited = [
        TheirPerson(person.external_id, person.main, edits.get(person.external_id, person.fields))
        for person in after
        if person.external_id not in taken_out
    ]
    added = [theirs("21", "Cas", "Devos", mail="cas@x.example")] if draw(st.booleans()) else []
    now = draw(st.one_of(st.just(first), our_lists()))
    strangers = [person.external_id for person in [*edited, *added] if person.external_id not in linked]
    return base, [*edited, *added], now, strangers


@given(histories(), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=120)
def test_persons_who_are_not_ours_are_never_taken_out_and_always_in_the_list(
    history: tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]], restore: bool, fill: bool
) -> None:
    base, there, now, strangers = history

    plan = plan_persons(TABLE, now, base, there, restore=restore, fill=fill)

    assert {external_id for _, external_id in plan.removed}.isdisjoint(strangers)
    assert set(strangers) <= {external_id for external_id, _, _ in plan.listing}
    assert {key for key, _ in plan.removed} <= set(base.persons if base else ())


@given(histories(), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=120)
def test_a_list_has_one_main_person_unless_it_is_empty_and_everybody_once(
    history: tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]], restore: bool, fill: bool
) -> None:
    base, there, now, _ = history

    plan = plan_persons(TABLE, now, base, there, restore=restore, fill=fill)

    assert sum(main for _, _, main in plan.listing) == (1 if plan.listing else 0)
    ids = [external_id for external_id, _, _ in plan.listing if external_id is not None]
    removed = [external_id for _, external_id in plan.removed]
    assert sorted([*ids, *removed]) == sorted(person.external_id for person in there)
    keys = [key for _, key, _ in plan.listing if key is not None]
    assert sorted([*keys, *plan.absent]) == sorted(person.key for person in now)
    assert len(plan.added) == sum(external_id is None for external_id, _, _ in plan.listing)


@given(histories(), st.booleans())
@settings(deadline=None, max_examples=120)
def test_planning_again_after_a_plan_was_carried_out_changes_nothing(
    history: tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]], restore: bool
) -> None:
    base, there, now, _ = history
    plan = plan_persons(TABLE, now, base, there, restore=restore)
    after = carry_out(plan, there)
    settled = settle(now, base, plan, after)

    for again in (False, restore):
        second = plan_persons(TABLE, now, settled, after, restore=again)
        assert not second.changes
        assert second.removed == ()


@given(histories())
@settings(deadline=None, max_examples=120)
def test_a_list_of_nobody_leaves_everybody_elses_and_takes_out_what_we_brought(
    history: tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]],
) -> None:
    base, there, _, strangers = history

    plan = plan_persons(TABLE, [], base, there)

    assert plan.added == ()
    left = {external_id for external_id, _, _ in plan.listing}
    brought = {entry["external_id"] for entry in (base.persons.values() if base else ())}
    # One of theirs that only stood in for the client is theirs again.
    assert left >= set(strangers)
    assert {external_id for _, external_id in plan.removed} <= brought


@given(histories())
@settings(deadline=None, max_examples=120)
def test_a_system_that_owns_its_list_is_given_persons_only_where_it_has_none(
    history: tuple[Snapshot | None, list[TheirPerson], list[OurPerson], list[str]],
) -> None:
    base, there, now, _ = history

    plan = plan_persons(TABLE, now, base, there, fill=True)

    assert plan.removed == ()
    assert not there or not plan.list_changes
    for change in plan.kept:
        assert all(TABLE.rows[0].key(change.theirs.fields.get(member)) == "" for member in change.patch)
