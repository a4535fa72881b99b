"""
Every combination of what was, what is here and what is there, as one table: the action and the rule that says so.

Rows: who owns the field, what the base says (ours, theirs), ours now, theirs now. `A`, `B`, `C` are values, None is no
value. After the table: what holds for each of the combinations that it names only by example.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from tests.core.planning_cases import FIELD, HIDDEN, KINDS, LONG, STAND_IN, TERM, UNREAD, State
from worker.core import field_merge as rule
from worker.core.field_merge import Decision
from worker.core.mapping import OWNERS
from worker.core.planning import Update, plan_update

AGREED = ("A", "A")
DROPPED = ("A", None)
REWRITTEN = ("A", "a!")
NOTHING = (None, None)
LET_STAND = (None, "C")
WE_STOOD_IN = (STAND_IN, STAND_IN)

# kind, owner, base, here, there, restore -> action, rule
TABLE: list[tuple[str, Any, Any, Any, Any, bool, str | None, str]] = [
    # ------------------------------------------------------------------------------ whose it is, before anything else
    ("plain", "system", AGREED, "B", "A", False, "forget", rule.OWNED_THERE),
    ("plain", "system", AGREED, "B", UNREAD, False, "forget", rule.OWNED_THERE),
    ("plain", "system", None, "B", None, False, "keep", rule.OWNED_THERE),
    ("plain", "system", AGREED, "A", "C", True, "forget", rule.OWNED_THERE),
    ("plain", "ignore", AGREED, "B", "A", False, "forget", rule.LEFT_ALONE),
    ("plain", "ignore", None, "B", None, False, "keep", rule.LEFT_ALONE),
    ("short", "system", None, LONG, None, False, "keep", rule.OWNED_THERE),
    ("short", "ignore", AGREED, LONG, "A", False, "forget", rule.LEFT_ALONE),
    ("asked", "system", AGREED, None, "A", False, "forget", rule.OWNED_THERE),
    ("inward", "robaws", AGREED, "B", "A", True, "forget", rule.NO_ROW),
    ("inward", "robaws", None, "B", "A", True, None, ""),
    ("once", "robaws", AGREED, "B", "A", False, "keep", rule.CREATE_ONLY),
    ("once", "robaws", None, "B", None, False, "keep", rule.CREATE_ONLY),
    ("once", "robaws", AGREED, "A", "C", True, "keep", rule.CREATE_ONLY),
    ("once", "system", AGREED, "B", "A", False, "keep", rule.OWNED_THERE),
    # --------------------------------------------------------------------------------------------- no base: first link
    ("plain", "robaws", None, "A", "A", False, "settle", rule.FIRST_EQUAL),
    ("plain", "robaws", None, "A", " A ", False, "settle", rule.FIRST_EQUAL),
    ("plain", "robaws", None, "A", None, False, "write", rule.FIRST_EMPTY),
    ("plain", "robaws", None, "A", "", False, "write", rule.FIRST_EMPTY),
    ("plain", "robaws", None, "A", "C", False, "park", rule.FIRST_DIFFERS),
    ("plain", "robaws", None, "A", "C", True, "park", rule.FIRST_DIFFERS),
    ("plain", "robaws", None, "Delta B.V.", "DELTA bv", False, "settle", rule.FIRST_ALIKE),
    ("plain", "review", None, "Delta B.V.", "DELTA bv", False, "settle", rule.FIRST_ALIKE),
    ("plain", "robaws", None, "Kade 12-14", "Kade 1214", False, "park", rule.FIRST_DIFFERS),
    ("plain", "robaws", None, "Café", "Cafe", False, "park", rule.FIRST_DIFFERS),
    ("plain", "robaws", None, "-", ".", False, "park", rule.FIRST_DIFFERS),
    ("plain", "robaws", None, None, "C", False, "settle", rule.FIRST_THEIRS),
    ("plain", "robaws", None, None, "C", True, "settle", rule.FIRST_THEIRS),
    ("plain", "robaws", None, None, None, False, "settle", rule.FIRST_EQUAL),
    ("plain", "robaws", None, "A", UNREAD, False, "keep", rule.NOT_READ),
    ("plain", "robaws", None, None, UNREAD, False, "keep", rule.FIRST_NOTHING),
    ("plain", "robaws", None, "A", HIDDEN, False, "park", rule.NOT_SHOWN),
    ("plain", "robaws", None, None, HIDDEN, False, "keep", rule.FIRST_NOTHING),
    ("plain", "fill", None, "A", None, False, "write", rule.FIRST_EMPTY),
    ("plain", "fill", None, "A", "C", False, "settle", rule.FILLED_THERE),
    ("plain", "fill", None, "A", UNREAD, False, "keep", rule.NOT_READ),
    ("plain", "fill", None, "A", HIDDEN, False, "park", rule.NOT_SHOWN),
    ("plain", "review", None, "A", None, False, "write", rule.FIRST_EMPTY),
    ("plain", "review", None, "A", "C", False, "park", rule.FIRST_DIFFERS),
    ("plain", "review", None, "A", UNREAD, False, "keep", rule.NOT_READ),
    ("number", "robaws", None, "A", None, False, "settle", rule.FIRST_THEIRS),
    ("number", "robaws", None, "A", "C", False, "settle", rule.FIRST_THEIRS),
    ("number", "robaws", None, "A", "A", False, "settle", rule.FIRST_EQUAL),
    ("number", "robaws", None, "A", UNREAD, False, "keep", rule.FIRST_NOTHING),
    ("stand-in", "robaws", None, None, "C", False, "settle", rule.FIRST_THEIRS),
    ("stand-in", "robaws", None, None, None, False, "settle", rule.FIRST_EQUAL),
    ("stand-in", "robaws", None, None, UNREAD, False, "keep", rule.FIRST_NOTHING),
    ("stand-in", "robaws", None, "A", STAND_IN, False, "write", rule.FIRST_EMPTY),
    ("stand-in", "fill", None, "A", STAND_IN, False, "write", rule.FIRST_EMPTY),
    ("term", "robaws", None, "30", TERM, False, "park", rule.FIRST_DIFFERS),
    ("term", "robaws", None, TERM, TERM, False, "settle", rule.FIRST_EQUAL),
    ("term", "robaws", None, None, "30", False, "settle", rule.FIRST_THEIRS),
    ("asked", "robaws", None, None, "C", False, "settle", rule.FIRST_THEIRS),
    ("asked", "robaws", None, None, None, False, "settle", rule.FIRST_EQUAL),
    ("short", "robaws", None, LONG, "C", False, "park", rule.DOES_NOT_FIT),
    ("short", "robaws", None, LONG, UNREAD, False, "park", rule.DOES_NOT_FIT),
    ("short", "fill", None, LONG, "C", False, "settle", rule.FILLED_THERE),
    ("short", "fill", None, LONG, None, False, "park", rule.DOES_NOT_FIT),
    ("short", "fill", None, LONG, UNREAD, False, "keep", rule.NOT_READ),
    ("short", "fill", None, LONG, HIDDEN, False, "park", rule.DOES_NOT_FIT),
    # ------------------------------------------------------------------------------------ unchanged here since the base
    ("plain", "robaws", AGREED, "A", "A", False, "keep", rule.UNCHANGED),
    ("plain", "robaws", AGREED, "A", UNREAD, False, "keep", rule.UNCHANGED),
    ("plain", "robaws", AGREED, "A", HIDDEN, True, "keep", rule.UNCHANGED),
    ("plain", "robaws", AGREED, "A", "C", False, "keep", rule.EDITED_THERE),
    ("plain", "robaws", AGREED, "A", "C", True, "write", rule.RESTORED),
    ("plain", "robaws", AGREED, "A", None, True, "write", rule.RESTORED),
    ("plain", "fill", AGREED, "A", "C", True, "keep", rule.EDITED_THERE),
    ("plain", "fill", AGREED, "A", None, True, "keep", rule.EDITED_THERE),
    ("plain", "review", AGREED, "A", "C", True, "keep", rule.EDITED_THERE),
    ("plain", "robaws", DROPPED, "A", None, False, "keep", rule.DIFFERS_AS_BEFORE),
    ("plain", "robaws", DROPPED, "A", None, True, "keep", rule.DIFFERS_AS_BEFORE),
    ("plain", "robaws", DROPPED, "A", "A", False, "settle", rule.EQUAL_ALREADY),
    ("plain", "robaws", DROPPED, "A", "C", True, "write", rule.RESTORED),
    ("plain", "robaws", REWRITTEN, "A", "a!", True, "keep", rule.DIFFERS_AS_BEFORE),
    ("plain", "robaws", NOTHING, None, "C", False, "keep", rule.EDITED_THERE),
    ("plain", "robaws", NOTHING, None, "C", True, "write", rule.RESTORED),
    ("sticky", "robaws", NOTHING, None, "C", True, "settle", rule.CANNOT_BE_EMPTIED),
    ("sticky", "robaws", AGREED, "A", "C", True, "write", rule.RESTORED),
    ("plain", "robaws", LET_STAND, None, "C", True, "keep", rule.DIFFERS_AS_BEFORE),
    ("asked", "robaws", NOTHING, None, "C", True, "settle", rule.STANDS_FOR_MISSING),
    ("stand-in", "robaws", WE_STOOD_IN, None, STAND_IN, True, "keep", rule.UNCHANGED),
    ("stand-in", "robaws", WE_STOOD_IN, None, "C", False, "keep", rule.EDITED_THERE),
    ("stand-in", "robaws", WE_STOOD_IN, None, "C", True, "settle", rule.STANDS_FOR_STAND_IN),
    ("stand-in", "robaws", WE_STOOD_IN, None, None, True, "keep", rule.UNCHANGED),
    ("term", "robaws", (TERM, TERM), None, "30", True, "settle", rule.STANDS_FOR_STAND_IN),
    ("short", "robaws", (LONG, "C"), LONG, "C", False, "keep", rule.UNCHANGED),
    ("short", "robaws", AGREED, LONG, LONG, False, "settle", rule.EQUAL_ALREADY),
    ("short", "robaws", AGREED, LONG, "A", False, "park", rule.DOES_NOT_FIT),
    ("short", "review", AGREED, LONG, "A", True, "park", rule.DOES_NOT_FIT),
    # ------------------------------------------------------------------------------------------------- changed here
    ("plain", "robaws", AGREED, "B", "A", False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, "B", "C", False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, "B", HIDDEN, False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, "B", "B", False, "settle", rule.EQUAL_ALREADY),
    ("plain", "robaws", ("A", "B"), "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", DROPPED, "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", LET_STAND, "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("plain", "fill", AGREED, "B", "A", False, "settle", rule.FILLED_THERE),
    ("plain", "fill", AGREED, "B", None, False, "write", rule.EMPTY_THERE),
    ("plain", "fill", AGREED, "B", "B", False, "settle", rule.EQUAL_ALREADY),
    ("plain", "fill", AGREED, "B", UNREAD, False, "keep", rule.NOT_READ),
    ("plain", "fill", AGREED, "B", HIDDEN, False, "park", rule.NOT_SHOWN),
    ("plain", "review", AGREED, "B", "A", False, "park", rule.A_PERSON_DECIDES),
    ("plain", "review", AGREED, "B", "C", True, "park", rule.A_PERSON_DECIDES),
    ("plain", "review", AGREED, "B", "B", False, "settle", rule.EQUAL_ALREADY),
    ("plain", "review", AGREED, "B", None, False, "park", rule.EMPTIED_THERE),
    ("plain", "review", NOTHING, "B", None, False, "write", rule.EMPTY_THERE),
    ("plain", "review", DROPPED, "B", None, False, "write", rule.EMPTY_THERE),
    ("plain", "review", AGREED, "B", UNREAD, False, "keep", rule.NOT_READ),
    ("plain", "review", AGREED, "B", HIDDEN, False, "park", rule.NOT_SHOWN),
    ("number", "robaws", AGREED, "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("stand-in", "robaws", WE_STOOD_IN, "B", UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("stand-in", "fill", WE_STOOD_IN, "B", STAND_IN, False, "write", rule.EMPTY_THERE),
    ("stand-in", "review", WE_STOOD_IN, "B", STAND_IN, False, "write", rule.EMPTY_THERE),
    ("stand-in", "fill", WE_STOOD_IN, "B", "C", False, "settle", rule.FILLED_THERE),
    ("stand-in", "review", WE_STOOD_IN, "B", "C", False, "park", rule.A_PERSON_DECIDES),
    ("term", "fill", (TERM, TERM), "30", TERM, False, "write", rule.EMPTY_THERE),
    # A stand-in that is meant from now on: the text is the same, so nothing changed that would have to be sent.
    ("term", "robaws", (TERM, TERM), TERM, UNREAD, False, "keep", rule.UNCHANGED),
    ("term", "robaws", (TERM, TERM), TERM, TERM, False, "settle", rule.EQUAL_ALREADY),
    ("term", "robaws", (TERM, TERM), TERM, "30", False, "keep", rule.EDITED_THERE),
    ("term", "robaws", (TERM, TERM), TERM, "30", True, "write", rule.RESTORED),
    # ------------------------------------------------------------------------------------------------- emptied here
    ("plain", "robaws", AGREED, None, "A", False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, None, "C", False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, None, UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("plain", "robaws", AGREED, None, None, False, "settle", rule.EQUAL_ALREADY),
    ("plain", "fill", AGREED, None, "A", False, "settle", rule.FILLED_THERE),
    ("plain", "fill", AGREED, None, UNREAD, False, "keep", rule.NOTHING_TO_FILL),
    ("plain", "review", AGREED, None, "A", False, "park", rule.A_PERSON_DECIDES),
    ("plain", "review", AGREED, None, UNREAD, False, "keep", rule.NOT_READ),
    ("plain", "review", AGREED, None, HIDDEN, False, "park", rule.NOT_SHOWN),
    ("plain", "review", AGREED, None, None, False, "settle", rule.EQUAL_ALREADY),
    ("sticky", "robaws", AGREED, None, "A", False, "settle", rule.CANNOT_BE_EMPTIED),
    ("sticky", "robaws", AGREED, None, UNREAD, False, "settle", rule.CANNOT_BE_EMPTIED),
    ("sticky", "review", AGREED, None, "A", False, "settle", rule.CANNOT_BE_EMPTIED),
    ("stand-in", "robaws", AGREED, None, "A", False, "write", rule.ROBAWS_OWNS),
    ("stand-in", "robaws", AGREED, None, UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("sticky stand-in", "robaws", AGREED, None, UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("stand-in", "robaws", AGREED, None, None, False, "settle", rule.EQUAL_ALREADY),
    ("stand-in", "robaws", AGREED, None, STAND_IN, False, "settle", rule.EQUAL_ALREADY),
    ("stand-in", "fill", AGREED, None, "A", False, "settle", rule.FILLED_THERE),
    ("stand-in", "review", AGREED, None, "A", False, "park", rule.A_PERSON_DECIDES),
    ("term", "robaws", ("30", "30"), None, UNREAD, False, "write", rule.ROBAWS_OWNS),
    ("asked", "robaws", AGREED, None, "A", False, "park", rule.REQUIRED_THERE),
    ("asked", "robaws", AGREED, None, UNREAD, False, "keep", rule.NOT_READ),
    ("asked", "robaws", AGREED, None, HIDDEN, False, "park", rule.REQUIRED_THERE),
    ("asked", "robaws", AGREED, None, None, False, "settle", rule.EQUAL_ALREADY),
    ("asked", "review", AGREED, None, "A", False, "park", rule.REQUIRED_THERE),
    ("asked", "fill", AGREED, None, "A", False, "settle", rule.FILLED_THERE),
]  # fmt: skip


def _name(case: tuple[Any, ...]) -> str:
    kind, owner, base, here, there, restore, *_ = case
    was = "no base" if base is None else f"base {base[0]}/{base[1]}"
    return f"{owner} {kind}, {was}, here {here}, there {there}{', restore' if restore else ''}"


@pytest.mark.parametrize(
    ("kind", "owner", "base", "here", "there", "restore", "action", "why"), TABLE, ids=map(_name, TABLE)
)
def test_the_decision_about_a_field(
    kind: str, owner: Any, base: Any, here: Any, there: Any, restore: bool, action: str | None, why: str
) -> None:
    state = State(kind, owner, base, here, there, restore)

    decision = state.decide()

    if action is None:
        assert decision is None
        return
    assert decision is not None
    assert (decision.action, decision.rule) == (action, why)
    if there is UNREAD and not restore:
        assert state.wants_read() is (why == rule.NOT_READ)


def test_no_two_rows_of_the_table_are_about_the_same_case() -> None:
    cases = [_name(case) for case in TABLE]

    assert len(cases) == len(set(cases))


# ----------------------------------------------------------------------- what holds for every combination, named or not
BASES: list[Any] = [None, AGREED, DROPPED, NOTHING, LET_STAND, WE_STOOD_IN, (TERM, TERM)]
HERE = [None, "A", "B", TERM, LONG]
THERE = [None, "A", "B", "C", STAND_IN, TERM]
EMPTY = (None, "", STAND_IN)

Decided = list[tuple[State, Decision]]


@pytest.fixture(scope="module")
def decided() -> Decided:
    """Every state with the decision about it; those about which nothing is decided are left out."""
    states = itertools.starmap(
        State, itertools.product(KINDS, OWNERS, BASES, HERE, [*THERE, UNREAD, HIDDEN], [False, True])
    )
    return [(state, decision) for state in states if (decision := state.decide()) is not None]


@pytest.fixture(scope="module")
def written(decided: Decided) -> Decided:
    """Those in which ours is written."""
    return [(state, decision) for state, decision in decided if decision.action == "write"]


def test_only_a_field_that_may_be_written_is_written(written: Decided) -> None:
    for state, decision in written:
        assert state.owner in ("robaws", "fill", "review"), state
        assert KINDS[state.kind].write == "always", state
        assert decision.ours == state.ours.fields[FIELD], state


def test_a_value_there_is_never_overwritten_in_a_field_that_robaws_does_not_own(written: Decided) -> None:
    for state, _ in written:
        we_stood_in = state.base is not None and state.base[0] == state.there == KINDS[state.kind].stand_in
        assert state.owner == "robaws" or state.there in EMPTY or we_stood_in, state


def test_a_live_event_writes_only_what_changed_here(written: Decided) -> None:
    for state, decision in written:
        assert state.base is None or state.restore or decision.ours != state.base[0], state


def test_a_restore_puts_back_only_what_was_changed_there_and_is_robaws_own(written: Decided) -> None:
    for state, decision in written:
        if decision.rule == rule.RESTORED:
            assert state.restore, state
            assert state.owner == "robaws", state
            assert state.base is not None, state
            assert state.there != state.base[1], state


def test_what_is_not_known_is_neither_settled_nor_written_over_but_where_robaws_owns_it(decided: Decided) -> None:
    for state, decision in decided:
        if state.there not in (UNREAD, HIDDEN):
            continue
        if decision.action == "write":
            assert state.owner == "robaws", state
            assert state.base is not None, state
        if decision.action == "settle":
            assert state.base is not None, state
            assert decision.theirs == state.base[1], state


def test_a_stand_in_is_written_only_where_a_value_of_ours_went_away(written: Decided) -> None:
    for state, _ in written:
        if FIELD in state.ours.placeholders:
            assert state.base is not None, state
            assert state.base[0] not in (None, KINDS[state.kind].stand_in), state


def test_without_a_read_the_plan_is_the_one_that_a_read_would_have_given(decided: Decided) -> None:
    for state, unread in decided:
        if state.there is not UNREAD or state.restore or state.wants_read():
            continue
        for there in THERE:
            read = replace(state, there=there).decide()
            assert read is not None, state
            # All that a read may find out is that ours is there already.
            same = (read.action in ("write", "park")) == (unread.action in ("write", "park"))
            assert same or read.rule == rule.EQUAL_ALREADY, (state, there)


@pytest.mark.parametrize("keeps", [True, False], ids=["the vendor keeps it", "the vendor drops it"])
def test_planning_again_after_a_write_writes_nothing(written: Decided, keeps: bool) -> None:
    for state, decision in written:
        held = {FIELD: decision.ours if keeps else None}
        after = state.after(held)
        for restore in (False, True):
            again = plan_update(state.mapping, state.ours, state.owners, after, held, restore=restore)
            assert not isinstance(again, Update), (state, again)


def test_a_field_that_is_settled_is_neither_written_nor_asked_about_next_time(decided: Decided) -> None:
    for state, decision in decided:
        if decision.action == "settle" and state.record is not None:
            after = state.after(state.record)
            again = plan_update(state.mapping, state.ours, state.owners, after, state.record, restore=state.restore)
            assert all(one.action in ("keep", "settle") for one in again.decisions if one.path == FIELD), state


def test_a_field_that_is_parked_or_kept_has_the_base_that_it_had(decided: Decided) -> None:
    for state, decision in decided:
        if decision.action in ("park", "keep"):
            after, before = state.after(state.record), state.snapshot
            assert after.ours.get(FIELD) == before.ours.get(FIELD), state
            assert after.theirs.get(FIELD) == before.theirs.get(FIELD), state
            assert after.placeholders == before.placeholders, state
