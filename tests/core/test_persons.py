"""Contact persons: which of ours is which of theirs, and what a plan does to their list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.person_lists import TABLE, agreed, carry_out, ours, patches, settle, theirs
from worker.core.mapping import FieldRow, OurPerson, Owner, VendorMapping
from worker.core.persons import (
    LOST,
    SELF,
    find_sent,
    persons_changed,
    plan_persons,
    sent_persons,
    settle_persons,
)
from worker.core.planning import Snapshot

AN, BO = ours("7", "An", "Peeters", main=True), ours("8", "Bo", "Claes")
AN_THERE, BO_THERE = theirs("1", "An", "Peeters", main=True), theirs("2", "Bo", "Claes")
CAS = theirs("3", "Cas", "Devos")


# ------------------------------------------------------------------------------------------------------ the stand-in
def test_the_first_real_person_takes_the_whole_place_of_the_stand_in() -> None:
    stand_in = ours(SELF, last="De Linde", main=True, mail="info@delinde.example")
    base = agreed(("48", stand_in), main=SELF)
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
    base = agreed(("48", ours(SELF, last="De Linde", main=True)), main=SELF)

    plan = plan_persons(TABLE, [ours(SELF, last="De Els", main=True)], base, [theirs("48", last="De Linde", main=True)])

    assert patches(plan) == {"48": {"last": "De Els"}}


def test_a_person_who_is_there_already_is_taken_before_the_stand_in_is_renamed() -> None:
    base = agreed(("48", ours(SELF, last="De Linde", main=True)), main=SELF)
    there = [theirs("48", last="De Linde", main=True), theirs("49", "An", "Peeters")]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True)], base, there)

    assert plan.listing == (("49", "7", True),)
    assert plan.removed == ((SELF, "48"),)


# ----------------------------------------------------------------------------- a create without an answer
def test_a_person_who_changed_after_an_unanswered_create_is_written_when_the_record_is_found() -> None:
    sent = [ours("7", "An", "Peeters", main=True, tel="1111111"), ours("8", "Bo", "Claes")]
    base = Snapshot(persons=sent_persons(sent), main="7")
    there = [theirs("48", "An", "Peeters", main=True, tel="1111111"), theirs("49", "Bo", "Claes")]

    found = replace(base, persons=find_sent(TABLE, base, there))
    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, tel="2222222")], found, there)

    assert patches(plan) == {"48": {"tel": "2222222"}}
    assert plan.removed == (("8", "49"),)


# ---------------------------------------------------------------------------------------------------- their members
PHONED = ours("7", "An", "Peeters", main=True, tel="1111111")


@pytest.mark.parametrize(
    ("person", "base", "held", "restore", "patch"),
    [
        pytest.param(PHONED, None, {"tel": None}, False, {"tel": "1111111"}, id="first link: a gap is filled"),
        pytest.param(PHONED, None, {"tel": "3333333"}, False, {}, id="first link: a difference stands"),
        pytest.param(PHONED, None, {"tel": "3333333"}, True, {}, id="first link: also at a restore"),
        pytest.param(PHONED, PHONED, {"tel": "3333333"}, False, {}, id="an edit there"),
        pytest.param(PHONED, PHONED, {"tel": "3333333"}, True, {"tel": "1111111"}, id="an edit there is put back"),
        pytest.param(AN, PHONED, {"tel": "1111111"}, False, {"tel": None}, id="emptied here"),
        pytest.param(
            replace(PHONED, fields={**PHONED.fields, "tel": "2222222"}),
            PHONED,
            {"tel": "3333333"},
            False,
            {"tel": "2222222"},
            id="changed here, and edited there",
        ),
        pytest.param(
            replace(PHONED, fields={**PHONED.fields, "tel": "2222222"}),
            PHONED,
            {"tel": "2222222"},
            False,
            {},
            id="equal",
        ),
    ],
)
def test_the_members_of_a_person(
    person: OurPerson, base: OurPerson | None, held: dict[str, Any], restore: bool, patch: dict[str, Any]
) -> None:
    there = [theirs("1", "An", "Peeters", main=True, **held)]
    snapshot = agreed(("1", base), main="7") if base else None

    plan = plan_persons(TABLE, [person], snapshot, there, restore=restore)

    assert patches(plan) == ({"1": patch} if patch else {})


def test_members_that_are_only_read_are_never_written() -> None:
    table = replace(TABLE, rows=(*TABLE.rows, FieldRow("title", "aanhef", direction="in")))
    there = [theirs("1", "An", "Peeters", main=True, aanhef="Mevrouw")]

    plan = plan_persons(table, [AN], agreed(("1", AN), main="7"), there, restore=True)

    assert patches(plan) == {}


@pytest.mark.parametrize(("held", "patch"), [(None, {"1": {"aanhef": "Mevrouw"}}), ("Mejuffrouw", {})])
def test_a_row_that_is_new_in_the_table_fills_what_is_empty(held: str | None, patch: dict[str, Any]) -> None:
    """What was agreed on before says nothing of it: what somebody put there meanwhile is theirs."""
    table = replace(TABLE, rows=(*TABLE.rows, FieldRow("title", "aanhef")))
    there = [theirs("1", "An", "Peeters", main=True, aanhef=held)]
    now = replace(AN, fields={**AN.fields, "aanhef": "Mevrouw"})

    plan = plan_persons(table, [now], agreed(("1", AN), main="7"), there)

    assert patches(plan) == patch


@pytest.mark.parametrize(
    ("row", "writes"),
    [
        pytest.param(FieldRow("last_name", "last"), True, id="a member that can be emptied"),
        pytest.param(FieldRow("last_name", "last", null_rule="never"), False, id="one that cannot"),
        pytest.param(FieldRow("last_name", "last", owner="system"), False, id="one of theirs"),
        pytest.param(FieldRow("last_name", "last", owner="ignore"), False, id="one that is left alone"),
        pytest.param(FieldRow("last_name", "last", owner="fill"), False, id="one that is only filled"),
    ],
)
def test_a_member_that_is_emptied_here(row: FieldRow, writes: bool) -> None:
    table = replace(TABLE, rows=(row,))
    named = ours("7", last="Peeters", main=True)

    plan = plan_persons(table, [ours("7", main=True)], agreed(("1", named), main="7"), [theirs("1", last="Peeters")])

    assert patches(plan) == ({"1": {"last": None}} if writes else {})


@pytest.mark.parametrize("owner", ["robaws", "fill"])
def test_a_restore_puts_back_only_members_that_are_robaws_own_and_were_edited(owner: Owner) -> None:
    table = replace(TABLE, rows=(FieldRow("phone", "tel", owner=owner), FieldRow("email", "mail", owner=owner)))
    sent = ours("7", main=True, tel="1111111", mail="an@x.example")
    base = agreed(("1", sent), main="7")
    base = replace(base, persons={"7": {**base.persons["7"], "theirs": {"tel": None, "mail": "an@x.example"}}})

    plan = plan_persons(table, [sent], base, [theirs("1", tel=None, mail="other@x.example")], restore=True)

    assert patches(plan) == ({"1": {"mail": "an@x.example"}} if owner == "robaws" else {})


def test_a_system_that_owns_its_list_is_not_given_members_that_are_its_own() -> None:
    table = replace(TABLE, rows=(FieldRow("phone", "tel", owner="system"), FieldRow("email", "mail")))
    sent = ours("7", "An", "Peeters", main=True, tel="1111111", mail="an@x.example")

    plan = plan_persons(table, [sent], None, [theirs("1", "An", "Peeters", main=True)], fill=True)

    assert patches(plan) == {"1": {"mail": "an@x.example"}}


def test_one_who_was_renamed_there_is_still_ours() -> None:
    there = [theirs("1", "Anna", "Pieters", main=True, tel="1111111")]
    base = agreed(("1", PHONED), main="7")

    changed = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, tel="2222222")], base, there)
    gone = plan_persons(TABLE, [], base, there)

    assert patches(changed) == {"1": {"tel": "2222222"}}
    assert gone.removed == (("7", "1"),)


def test_a_stand_in_that_somebody_made_a_person_of_is_linked_like_on_a_first_link() -> None:
    base = agreed(("48", ours(SELF, last="De Linde", main=True, mail="info@x.example", tel="1111111")), main=SELF)
    there = [theirs("48", "An", "P.", main=True, mail="info@x.example", tel="3333333")]

    plan = plan_persons(TABLE, [ours("7", "An", "Peeters", main=True, mail="info@x.example", tel="2")], base, there)

    assert plan.listing == (("48", "7", True),)
    assert patches(plan) == {}


def test_one_who_was_made_again_there_is_linked_like_on_a_first_link() -> None:
    base = agreed(("1", PHONED), main="7")

    plan = plan_persons(TABLE, [PHONED], base, [theirs("9", "An", "Peeters", main=True)], restore=True)

    assert patches(plan) == {"9": {"tel": "1111111"}}
    assert not plan.list_changes


# ------------------------------------------------------------------------------------------- taken out, and not found
def test_one_who_was_taken_out_there_stays_out_until_a_change_here_or_a_restore() -> None:
    base = agreed(("1", AN), ("2", BO), main="7")
    changed = ours("8", "Bo", "Claes", tel="2222222")

    live = plan_persons(TABLE, [AN, BO], base, [AN_THERE])
    after_change = plan_persons(TABLE, [AN, changed], base, [AN_THERE])
    restored = plan_persons(TABLE, [AN, BO], base, [AN_THERE], restore=True)

    assert (live.absent, live.changes) == (("8",), False)
    assert [person.key for person in after_change.added] == ["8"]
    assert [person.key for person in restored.added] == ["8"]
    assert settle([AN, BO], base, live, [AN_THERE]).persons["8"] == base.persons["8"]


def test_one_who_cannot_be_told_from_others_is_written_once_and_again_only_when_he_changed() -> None:
    nameless = ours("7", tel="1111111", main=True)
    first = plan_persons(TABLE, [nameless], None, [CAS])
    base = settle([nameless], None, first, carry_out(first, [CAS]))

    again = plan_persons(TABLE, [nameless], base, carry_out(first, [CAS]), restore=True)
    changed = plan_persons(TABLE, [ours("7", tel="2222222", main=True)], base, carry_out(first, [CAS]))

    assert base.persons["7"]["external_id"] == LOST
    assert not persons_changed(VendorMapping("s", "1", (), dict, TABLE), [nameless], base.persons, base.main)
    assert (again.absent, again.changes) == (("7",), False)
    assert [person.key for person in changed.added] == ["7"]


def test_one_who_was_lost_and_is_to_be_told_again_is_linked_like_on_a_first_link() -> None:
    base = Snapshot(persons=settle_persons(TABLE, [AN], None, []), main="7")

    plan = plan_persons(TABLE, [AN], base, [theirs("5", "An", "Peeters", mail="an@x.example", tel="3333333")])

    assert [change.external_id for change in plan.kept] == ["5"]
    assert patches(plan) == {}


# ------------------------------------------------------------------------------------------------ who owns the list
def test_a_list_that_the_system_owns_is_filled_and_never_changed() -> None:
    base = agreed(("1", PHONED), ("2", BO), main="7")
    there = [theirs("1", "An", "Peeters", main=True), theirs("2", "Bo", "Claes", tel="3333333")]
    now = [ours("7", "An", "Janssens", main=True, tel="2222222"), ours("9", "Eva", "Fabre")]

    plan = plan_persons(TABLE, now, base, there, fill=True)

    assert patches(plan) == {"1": {"tel": "2222222"}}
    assert (plan.added, plan.removed, plan.list_changes) == ((), (), False)
    assert plan.absent == ("9",)


def test_an_empty_list_that_the_system_owns_is_filled() -> None:
    plan = plan_persons(TABLE, [AN, BO], None, [], fill=True)

    assert [person.key for person in plan.added] == ["7", "8"]
    assert plan.list_changes


# ---------------------------------------------------------------------------------------------------- without a read
@pytest.mark.parametrize(
    ("persons", "base", "changed"),
    [
        pytest.param([AN, BO], agreed(("1", AN), ("2", BO), main="7"), False, id="nothing"),
        pytest.param([AN, BO], agreed(("1", AN), main="7"), True, id="one more"),
        pytest.param([AN], agreed(("1", AN), ("2", BO), main="7"), True, id="one less"),
        pytest.param([PHONED], agreed(("1", AN), main="7"), True, id="a member"),
        pytest.param(
            [ours("7", "An", "Peeters", main=True, tel=" ")],
            agreed(("1", AN), main="7"),
            False,
            id="the same to the field",
        ),
        pytest.param([AN, BO], agreed(("1", AN), ("2", BO), main="8"), True, id="another main one"),
        pytest.param([AN], Snapshot(persons=sent_persons([AN]), main="7"), True, id="ids are to be learnt"),
    ],
)
def test_whether_our_persons_changed_is_told_without_a_read(
    persons: list[OurPerson], base: Snapshot, changed: bool
) -> None:
    mapping = VendorMapping("sandbox", "1", (), inward=dict, persons=TABLE)

    assert persons_changed(mapping, persons, base.persons, base.main) is changed
    assert not persons_changed(replace(mapping, persons=None), persons, base.persons, base.main)


def test_learning_the_ids_of_a_create_leaves_the_others_as_they_are() -> None:
    known = {**agreed(("1", AN)).persons, "9": {"external_id": LOST, "ours": {}, "theirs": {}}}
    base = Snapshot(persons={**known, **sent_persons([BO, ours("6", "Eva", "Fabre")])}, main="7")

    found = find_sent(TABLE, base, [AN_THERE, BO_THERE])

    assert {key: entry["external_id"] for key, entry in found.items()} == {"7": "1", "8": "2", "9": LOST}
    assert found["7"] == known["7"]


@pytest.mark.parametrize("there", ["+31 475 123456", "+32 475 12 34 56"])
def test_a_persons_number_that_may_mean_the_one_there_is_not_written_again(there: str) -> None:
    before = ours("7", "An", "Peeters", main=True, tel=there)
    bare = ours("7", "An", "Peeters", main=True, tel="0475-123456")
    base = agreed(("48", before), main="7")

    assert not persons_changed(VendorMapping("recras", "1", (), dict, persons=TABLE), [bare], base.persons, "7")
    assert patches(plan_persons(TABLE, [bare], base, [theirs("48", "An", "Peeters", main=True, tel=there)])) == {}
