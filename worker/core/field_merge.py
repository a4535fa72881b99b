"""
What happens to one field of one system: the three-way merge as a decision table.

Three values meet. The base is what both sides agreed on last: what we meant the field to hold (`Snapshot.ours`) and
what it then held (`Snapshot.theirs`); ours is the mapped contact; theirs is what the record holds now. A change here is
ours against the base's ours, an edit there is theirs against the base's theirs. What follows:

| | nobody changed it | changed here | edited there | both |
| --- | --- | --- | --- | --- |
| `robaws` | keep | write | keep; a restore writes | write |
| `fill` | keep | write where it is empty there, else theirs stands | keep | the same |
| `review` | keep | write where it was and is empty there, else park | keep | the same |
| `system`, `ignore` | keep | keep | keep | keep |

Without a base (a first link, a row that is new in the table, a field that was parked or was not ours before) an empty
field is filled, an equal one settled, and one that differs is parked; with `fill` theirs stands. A text that differs in
nothing but case, blanks and punctuation stands as it is there too: no person would want to be asked.

Three rules go before the table. Two values are equal when the row's normaliser says so, and equal values are settled
whoever owns them. A stand-in of ours (`-` in a required field) counts as no value, on either side: it is written where
a value of ours went away, and never over somebody's value. And what is not known is not acted on: without a read
nothing is decided that depends on what the record holds now; the rule is then `NOT_READ`, and `planning.needs_read`
has asked for that read before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from worker.core.normalise import ALIKE

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, Ours, Owner
    from worker.core.snapshot import Snapshot

Action = Literal["write", "park", "settle", "keep", "forget"]

# ------------------------------------------------------------------------------------------------------------- rules
# Sentences for people: they stand beside each written or parked field in the log, and in the questions of a review.
NOT_READ: Final = "depends on what the system holds, and was not read"
ROBAWS_OWNS: Final = "Robaws owns this field"
RESTORED: Final = "restored: Robaws owns this field"
NOT_ARRIVED: Final = "written before, without an answer, and not there"
UNCHANGED: Final = "unchanged here"
EDITED_THERE: Final = "changed there, and not here"
MADE_ANEW: Final = "an upgrade or the settings bring another value, and theirs is not the one that we wrote"
DIFFERS_AS_BEFORE: Final = "differs as it did when it was last settled"
EQUAL_ALREADY: Final = "equal already"
EMPTY_THERE: Final = "empty there"
FILLED_THERE: Final = "filled there already"
NOTHING_TO_FILL: Final = "nothing to fill in"
CANNOT_BE_EMPTIED: Final = "cannot be emptied there"
A_PERSON_DECIDES: Final = "changed in Robaws; you chose to decide on this field yourself"
EMPTIED_THERE: Final = "emptied there; you chose to decide on this field yourself"
STANDS_FOR_STAND_IN: Final = "theirs stands: ours is only a stand-in"
STANDS_FOR_MISSING: Final = "theirs stands: it is required there, and empty here"
REQUIRED_THERE: Final = "required there, empty here"
DOES_NOT_FIT: Final = "does not fit"
REFUSED: Final = "refused there"
NOT_SHOWN: Final = "not shown there, so that nobody can tell whether it may be written"
FIRST_EQUAL: Final = "equal on the first link"
FIRST_ALIKE: Final = "theirs stands on the first link: only case, blanks or punctuation differ"
FIRST_THEIRS: Final = "theirs stands on the first link"
FIRST_EMPTY: Final = "empty there on the first link"
FIRST_DIFFERS: Final = "the record was already there with another value"
FIRST_NOTHING: Final = "nothing here on the first link"
OWNED_THERE: Final = "owned there"
LEFT_ALONE: Final = "left alone, as the settings say"
CREATE_ONLY: Final = "given at the create only"
NO_ROW: Final = "no longer in the table"
NOT_THE_NAME: Final = "not the name of a record of this kind"


@dataclass(frozen=True)
class Decision:
    """
    What happens to one field, and the rule that says so.

    `write` puts ours there; `park` leaves it to a person (`members`: the fields that the one question is about);
    `settle` records that both sides agree (or that theirs stands), without a write; `keep` changes nothing, not even
    the record of agreement; `forget` drops that record, since the field is not ours any more, so that it starts anew
    like a first link if it comes back.
    """

    path: str
    action: Action
    ours: Any
    theirs: Any
    rule: str
    members: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class Judged:
    """
    A field with what was decided about it alone, and what a decision about several together has to know (`units`).

    `conflicts`: the record holds a value that says something other than ours. `goes_along`: ours is a value that was
    settled before, and as far as is known the record may hold another one.
    """

    row: FieldRow
    owner: Owner
    decision: Decision
    conflicts: bool = False
    goes_along: bool = False


@dataclass(frozen=True)
class _Case:
    """
    One field as it stands: values, and their keys with stand-ins as no value.

    `their` is None where it is not known what the record holds: not read (`read` False), or read and not shown.
    `was`, `had` are the base's ours and theirs, `last` is the base's theirs as it is. `equal`: the record holds what
    ours says, `same`: so did the base's ours, both by the row's normaliser alone, stand-ins as they are written.
    """

    row: FieldRow
    owner: Owner
    restore: bool
    repair: bool
    read: bool
    value: Any
    theirs: Any
    mine: str
    their: str | None
    was: str
    had: str
    equal: bool
    same: bool
    last: Any
    stands_in: bool
    missing: bool
    made_anew: bool = False

    def settle(self, rule: str) -> Decision:
        """A stand-in is settled as no value: what is agreed on is that there is none here."""
        theirs = self.theirs if self.their is not None else self.last
        return Decision(self.row.vendor, "settle", None if self.stands_in else self.value, theirs, rule)

    def act(self, action: Action, rule: str) -> Decision:
        return Decision(self.row.vendor, action, self.value, self.theirs, rule)

    def write_over(self) -> Decision:
        """Ours over theirs, in a field that is Robaws's; nobody's value for no more than another way to make ours."""
        if self.made_anew and not self.read:
            return self.act("keep", NOT_READ)
        edited = self.their not in (None, "", self.had) or (self.was != self.had and self.had != "")
        if self.made_anew and edited and self.their is not None:
            return self.act("park", MADE_ANEW)
        return self.act("write", ROBAWS_OWNS)

    def unknown(self) -> Decision:
        """It depends on what nobody knows: a read would tell, or a person has to look."""
        return self.act("park", NOT_SHOWN) if self.read else self.act("keep", NOT_READ)


def decide_field(
    row: FieldRow,
    ours: Ours,
    owner: Owner,
    base: Snapshot | None,
    record: Mapping[str, Any] | None,
    *,
    restore: bool = False,
    repair: bool = False,
    made_anew: bool = False,
) -> Judged | None:
    """
    Decide about one field of a record that is there; None for a row that is never written.

    `record` is what the system holds by vendor path, as it was just read, None where it was not read. A member that an
    answer leaves out counts as not known, never as empty. `restore`: what somebody changed there is put back.
    `repair`: a change of ours that was not answered may have written this field, or may not, whatever the base says.
    `made_anew`: the base's ours was made in another way, so that a change here need not be one at the source.
    """
    path = row.vendor
    agreed = base is not None and path in base.ours
    if path not in ours.fields and path not in ours.problems:
        return None
    case = _case(row, ours, owner, base, record, restore or repair)
    if repair:
        case = replace(case, repair=True)
    if made_anew and not restore:
        case = replace(case, made_anew=True)
    along = agreed and case.mine not in ("", case.their) and path not in ours.problems
    return Judged(row, owner, _decide(case, ours, agreed=agreed), _conflicts(case), along)


def _conflicts(case: _Case) -> bool:
    """A country alone says nothing against an address without one: many a system fills its own in."""
    if not case.their or case.their == case.mine or (case.mine == "" and case.row.normaliser == "country"):
        return False
    return not _alike(case.row.normaliser, case.value, case.theirs)


def _decide(case: _Case, ours: Ours, *, agreed: bool) -> Decision:
    row, owner, path = case.row, case.owner, case.row.vendor
    if owner in ("system", "ignore"):
        rule = OWNED_THERE if owner == "system" else LEFT_ALONE
        return case.act("forget" if agreed and row.write != "create" else "keep", rule)
    if row.write == "create":
        return case.act("keep", CREATE_ONLY)
    if path in ours.problems:
        return _misfit(case, REFUSED if path in ours.refused else DOES_NOT_FIT)
    return _merge(case) if agreed else _first(case)


def _case(
    row: FieldRow, ours: Ours, owner: Owner, base: Snapshot | None, record: Mapping[str, Any] | None, restore: bool
) -> _Case:
    path = row.vendor
    value = ours.misfits.get(path) if path in ours.problems else ours.fields[path]
    was = base.ours.get(path) if base else None
    known = record is not None and path in record
    theirs = record[path] if record is not None and known else None
    last = base.theirs.get(path, was) if base else None
    key = row.key(value)

    def key_of(other: Any) -> str:
        """As a rule all four are the same text, and normalising it once is most of what a plan costs."""
        if type(other) is type(value) and other == value:
            return key
        found = row.key(other)
        return key if found != key and row.same(value, other, ours.country) else found

    was_key, their_key, last_key = key_of(was), key_of(theirs), key_of(last)
    if was_key == key and not row.unchanged(value, was, last, ours.country):
        was_key = last_key
    written = was_key if base is not None and path in base.placeholders else ""
    no_value = ("", written, row.stand_in_key)  # a stand-in that we wrote, or a text that is nothing else
    stands_in = path in ours.placeholders
    return _Case(
        row,
        owner,
        restore,
        False,
        record is not None,
        value,
        theirs,
        "" if stands_in or key == row.stand_in_key else key,
        ("" if their_key in no_value else their_key) if known else None,
        "" if was_key in no_value else was_key,
        "" if last_key in no_value else last_key,
        known and key == their_key,
        key == was_key,
        last,
        stands_in,
        path in ours.missing,
    )


def _first(case: _Case) -> Decision:
    """No base: fill what is empty, settle what is equal, ask about what differs."""
    if case.mine == "" or not case.row.adopt:
        if case.their is None:
            return case.act("keep", FIRST_NOTHING)
        return case.settle(FIRST_EQUAL if case.their == case.mine else FIRST_THEIRS)
    if case.their is None:
        return case.unknown()
    if case.their == case.mine:
        return case.settle(FIRST_EQUAL)
    if case.their == "":
        return case.act("write", FIRST_EMPTY)
    if case.owner == "fill":
        return case.settle(FILLED_THERE)
    if _alike(case.row.normaliser, case.value, case.theirs):
        return case.settle(FIRST_ALIKE)
    return case.act("park", FIRST_DIFFERS)


def _alike(normaliser: str, ours: Any, theirs: Any) -> bool:
    alike = ALIKE.get(normaliser)
    key = alike(ours) if alike is not None else ""
    return alike is not None and bool(key) and key == alike(theirs)


def _merge(case: _Case) -> Decision:
    """With a base: what changed here, what was edited there."""
    if case.mine == case.was or case.same:
        return _unchanged(case)
    if case.their == case.mine:
        return case.settle(EQUAL_ALREADY)
    if case.mine == "":
        return _emptied(case)
    if case.owner == "robaws":
        return case.write_over()
    if case.their is None:
        return case.unknown()
    if case.repair and case.their == "":
        return case.act("write", NOT_ARRIVED)
    if case.their == "" and (case.owner == "fill" or case.had == ""):
        return case.act("write", EMPTY_THERE)
    if case.owner == "fill":
        return case.settle(FILLED_THERE)
    return case.act("park", EMPTIED_THERE if case.their == "" else A_PERSON_DECIDES)


def _emptied(case: _Case) -> Decision:
    """There was a value here and there is none any more; the record holds one, or it is not known."""
    if case.owner == "fill":
        return case.act("keep", NOTHING_TO_FILL) if case.their is None else case.settle(FILLED_THERE)
    if case.missing:
        return case.act("park", REQUIRED_THERE) if case.read else case.unknown()
    if case.row.null_rule == "never" and not case.stands_in:
        return case.settle(CANNOT_BE_EMPTIED)
    if case.owner == "robaws":
        return case.write_over()
    return case.unknown() if case.their is None else case.act("park", A_PERSON_DECIDES)


def _unchanged(case: _Case) -> Decision:
    """Nothing changed here: a live event writes nothing, and a restore puts back what is Robaws's."""
    if case.their is None:
        return case.act("keep", UNCHANGED)
    if case.equal or case.their == case.mine:
        as_before = case.their == case.had and case.mine == case.was
        return case.act("keep", UNCHANGED) if as_before else case.settle(EQUAL_ALREADY)
    if case.their == case.had:
        return case.act("keep", DIFFERS_AS_BEFORE)
    if case.repair and case.their == "" and not case.stands_in:
        return case.act("write", NOT_ARRIVED)
    if not case.restore or case.owner != "robaws":
        return case.act("keep", EDITED_THERE)
    if case.stands_in:
        return case.settle(STANDS_FOR_STAND_IN)
    if case.missing:
        return case.settle(STANDS_FOR_MISSING)
    if case.mine == "" and case.row.null_rule == "never":
        return case.settle(CANNOT_BE_EMPTIED)
    return case.act("write", RESTORED)


def _misfit(case: _Case, rule: str) -> Decision:
    """A value that the field cannot take: a person's matter, unless somebody has let theirs stand already."""
    if case.their == case.mine:
        return case.settle(EQUAL_ALREADY)
    if case.mine == case.was:
        return case.act("keep", UNCHANGED)
    if case.owner == "fill" and not case.read:
        return case.unknown()
    if case.owner == "fill" and case.their:
        return case.settle(FILLED_THERE)
    held = case.theirs if case.their is not None else case.last
    return replace(case.act("park", rule), theirs=held)
