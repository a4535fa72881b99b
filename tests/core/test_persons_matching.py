"""Contact persons: which of ours is which of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.core.person_lists import TABLE, agreed, ours, patches, theirs
from worker.core.mapping import OurPerson
from worker.core.persons import SELF, TheirPerson, plan_persons, settle_persons

AN = ours("7", "An", "Peeters", main=True)


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
    base = agreed(("48", ours("7", "An", "Peeters", main=True, tel="1111111")), main="7")
    there = [theirs("48", "An", "Peeters", main=True, tel="1111111")]

    plan = plan_persons(TABLE, [ours("9", "An", "Peeters", main=True, tel="2222222")], base, there)

    assert not plan.list_changes
    assert patches(plan) == {"48": {"tel": "2222222"}}


def test_another_person_with_the_address_of_one_who_left_does_not_take_over_the_record() -> None:
    base = agreed(("48", ours("7", "An", "Peeters", mail="info@x.example", main=True)), main="7")
    there = [theirs("48", "An", "Peeters", mail="info@x.example", main=True)]

    plan = plan_persons(TABLE, [ours("8", "Bo", "Claes", mail="info@x.example", main=True)], base, there)

    assert plan.removed == (("7", "48"),)
    assert [person.key for person in plan.added] == ["8"]


@pytest.mark.parametrize(
    ("persons", "there", "links"),
    [
        pytest.param([AN], [theirs("1", "Ann", "Peters", mail="x@x.example")], {}, id="neither"),
        pytest.param(
            [ours("7", "An", "Peeters", mail="a@x.example")],
            [theirs("1", "A.", "Peeters", mail="A@X.example")],
            {"7": "1"},
            id="the address",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="a@x.example")],
            [theirs("1", "Peeters An", mail="a@x.example")],
            {"7": "1"},
            id="the address, the name in another order",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="a@x.example")],
            [theirs("1", mail="a@x.example")],
            {"7": "1"},
            id="the address of somebody without a name",
        ),
        pytest.param(
            [ours("7", mail="a@x.example")],
            [theirs("1", "An", "Peeters", mail="a@x.example")],
            {"7": "1"},
            id="the address of one of ours without a name",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="a@x.example")],
            [theirs("1", "Alexandra Wilhelmina", "Peeters", mail="a@x.example")],
            {"7": "1"},
            id="the address, and a word of the name",
        ),
        pytest.param(
            [ours("7", "Ann", "Petersen", mail="a@x.example")],
            [theirs("1", "Anne", "Pettersen", mail="a@x.example")],
            {"7": "1"},
            id="the address, and a name that is written otherwise",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="info@x.example")],
            [theirs("1", "Bo", "Claes", mail="info@x.example")],
            {},
            id="an address between two who have nothing in common",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="info@x.example"), ours("8", "Bo", "Peeters", mail="info@x.example")],
            [theirs("1", "Cas", "Peeters", mail="info@x.example")],
            {},
            id="an address that two of ours share",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="info@x.example")],
            [
                theirs("1", "Bo", "Peeters", mail="info@x.example"),
                theirs("2", "Cas", "Peeters", mail="info@x.example"),
            ],
            {},
            id="an address that two of theirs share",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="new@x.example")],
            [theirs("1", "an", "PEETERS", mail="old@x.example")],
            {"7": "1"},
            id="the name, with another address",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", mail="a@x.example"), ours("8", "An", "Peeters", mail="b@x.example")],
            [theirs("1", "An", "Peeters")],
            {},
            id="a name that two of ours share",
        ),
        pytest.param(
            [ours("7", "An", "Peeters", tel="1111111"), ours("8", "An", "Peeters", tel="2222222")],
            [theirs("1", "An", "Peeters", tel="2222222"), theirs("2", "An", "Peeters", tel="1111111")],
            {"7": "2", "8": "1"},
            id="namesakes are told apart by what else they have",
        ),
        pytest.param([ours("7", tel="1111111")], [theirs("1", tel="1111111")], {}, id="neither name nor address"),
    ],
)
def test_who_is_who_on_a_first_link(persons: list[OurPerson], there: list[TheirPerson], links: dict[str, str]) -> None:
    plan = plan_persons(TABLE, persons, None, there)

    assert {change.key: change.external_id for change in plan.kept} == links
    assert {person.key for person in plan.added} == {person.key for person in persons} - set(links)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(theirs("2", "An", "Peeters", mail="a@x.example"), id="the same"),
        pytest.param(theirs("2", "Bo", "Peeters", mail="a@x.example"), id="the address"),
        pytest.param(theirs("2", "An", "Peeters"), id="the name"),
    ],
)
def test_who_is_linked_stays_linked_whatever_others_there_look_like(other: TheirPerson) -> None:
    person = ours("7", "An", "Peeters", main=True, mail="a@x.example")
    edited = theirs("1", "Anna", "Janssens", main=True, mail="b@x.example")

    plan = plan_persons(TABLE, [person], agreed(("1", person), main="7"), [edited, other])

    assert plan.listing == (("1", "7", True), ("2", None, False))
    assert not plan.changes


def test_a_relative_with_the_address_of_one_who_left_does_not_take_over_the_record() -> None:
    base = agreed(("48", ours("7", "An", "Peeters", mail="info@x.example", main=True)), main="7")
    there = [theirs("48", "An", "Peeters", mail="info@x.example", main=True)]

    plan = plan_persons(TABLE, [ours("8", "Bo", "Peeters", mail="info@x.example", main=True)], base, there)

    assert plan.removed == (("7", "48"),)
    assert [person.key for person in plan.added] == ["8"]


def test_the_main_one_of_several_new_persons_takes_the_place_of_the_stand_in() -> None:
    base = agreed(("48", ours(SELF, last="De Linde", main=True)), main=SELF)
    persons = [ours("7", "An", "Peeters"), ours("8", "Bo", "Claes", main=True)]

    plan = plan_persons(TABLE, persons, base, [theirs("48", last="De Linde", main=True)])

    assert plan.listing == (("48", "8", True), (None, "7", False))


def names_asked(count: int) -> int:
    """How many names are looked at to settle so many persons, and to plan the next change of them."""
    asked = 0

    def name(fields: Mapping[str, Any]) -> str | None:
        nonlocal asked
        asked += 1
        return TABLE.name(fields)

    table = replace(TABLE, name=name)
    here = [ours(str(at), "An", f"Peeters {at}", mail=f"an{at}@x.example") for at in range(count)]
    there = [theirs(f"t{at}", "An", f"Peeters {at}", mail=f"an{at}@x.example") for at in range(count)]
    settled = settle_persons(table, here, None, there)
    plan = plan_persons(table, here, agreed(*((f"t{at}", one) for at, one in enumerate(here))), there)

    assert [entry["external_id"] for entry in settled.values()] == [one.external_id for one in there]
    assert len(plan.kept) == count
    return asked


def test_the_work_grows_with_the_persons_and_not_with_their_square() -> None:
    assert names_asked(200) <= 2.5 * names_asked(100)
