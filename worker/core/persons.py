"""
Contact persons of one record: which of ours is which of theirs, and what must change.

Persons that the source brought are added, changed and removed; all others that a system holds are never touched,
and are carried along where a write replaces the whole list. The main person is the one that the source marks.

Who is who is decided in `person_matching`. One who was written and could not be found again is not written again
before a change here, so that no list grows with every delivery.

A system that wants at least one person gets a stand-in (`:self`), made from the client itself. The first real person
takes its place, unless somebody there has made a person of their own of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from worker.core.mapping import PERSONS, OurPerson
from worker.core.person_matching import SELF, TheirPerson, is_stand_in, match_persons

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, Owner, PersonTable, VendorMapping
    from worker.core.snapshot import Snapshot

__all__ = [
    "LOST",
    "MAIN_PATH",
    "SELF",
    "PersonChange",
    "PersonPlan",
    "TheirPerson",
    "changed_parts",
    "find_sent",
    "person_path",
    "persons_changed",
    "plan_persons",
    "sent_persons",
    "settle_persons",
    "written_parts",
]

_Entries = list[tuple[str, Mapping[str, Any]]]

LOST: Final = ""
"""External id, in a snapshot, of a person that we wrote and could not tell from others when it was read back."""

MAIN_PATH: Final = f"{PERSONS}.main"
"""The path that stands for who the main person is."""


def person_path(key: str, member: str | None = None) -> str:
    """
    The path of a person of ours in a list, or of one member of that person.

    >>> person_path("12"), person_path("12", "email1")
    ('persons.12', 'persons.12.email1')
    """
    return f"{PERSONS}.{key}" if member is None else f"{PERSONS}.{key}.{member}"


@dataclass(frozen=True)
class PersonChange:
    """A person that is there already: `patch` by vendor member, empty where only the link is new."""

    key: str
    external_id: str
    patch: Mapping[str, Any]
    person: OurPerson
    theirs: TheirPerson


@dataclass(frozen=True)
class PersonPlan:
    """
    What must happen to the list of persons.

    `listing` is the whole list as it must stand afterwards, in order, as (external id or None for a new one, key or
    None for a person that is not ours, main). `list_changes` tells whether the list itself must be written: a person
    added, removed, or another main one. `absent` are our persons that somebody took out there, and who did not change
    here since: they stay out until they change.
    """

    kept: tuple[PersonChange, ...]
    added: tuple[OurPerson, ...]
    removed: tuple[tuple[str, str], ...]
    listing: tuple[tuple[str | None, str | None, bool], ...]
    list_changes: bool
    main: str | None
    others: tuple[TheirPerson, ...] = field(default=())
    absent: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything must be written."""
        return self.list_changes or any(change.patch for change in self.kept)


def persons_changed(
    mapping: VendorMapping, ours: Sequence[OurPerson], base: Mapping[str, Mapping[str, Any]], main: str | None
) -> bool:
    """Tell, without a read, whether our persons differ from what we last wrote."""
    table = mapping.persons
    if table is None:
        return False
    if {person.key for person in ours} != set(base) or any(entry.get("external_id") is None for entry in base.values()):
        return True
    if _main_key(ours) != main:
        return True
    return any(_changed(table, person, base[person.key]) for person in ours)


def _changed(table: PersonTable, person: OurPerson, entry: Mapping[str, Any]) -> bool:
    before, held = entry.get("ours") or {}, entry.get("theirs") or {}
    values = ((row, person.fields.get(row.vendor)) for row in table.rows)
    return any(not row.unchanged(value, before.get(row.vendor), held.get(row.vendor)) for row, value in values)


def plan_persons(
    table: PersonTable,
    ours: Sequence[OurPerson],
    base: Snapshot | None,
    theirs: Sequence[TheirPerson],
    *,
    restore: bool = False,
    repair: Collection[str] = (),
    fill: bool = False,
) -> PersonPlan:
    """
    Plan the persons of a record that was just read.

    `restore` also puts back what somebody changed there, and who was taken out; `repair` does so for the parts of the
    list that it names (`written_parts`). With `fill` the system owns the list:
    persons are given only to a record that has none, and only empty members of those that match are filled.
    """
    known: Mapping[str, Mapping[str, Any]] = base.persons if base else {}
    links = match_persons(table, ours, known, theirs)
    by_id = {person.external_id: person for person in theirs}
    agreed = _by_their_id(known)
    kept: list[PersonChange] = []
    added: list[OurPerson] = []
    absent: list[str] = []
    for person in ours:
        external_id = links.get(person.key)
        if external_id is None:
            stays_out = fill and bool(theirs)
            put_back = restore or person_path(person.key) in repair
            if stays_out or _stays_out(table, person, known.get(person.key), restore=put_back):
                absent.append(person.key)
            else:
                added.append(person)
            continue
        entry = _entry(table, agreed, by_id[external_id])
        repaired = {row.vendor for row in table.rows if person_path(person.key, row.vendor) in repair}
        restored = frozenset(row.vendor for row in table.rows) if restore else frozenset(repaired)
        patch = _person_patch(table, person, entry, by_id[external_id], restored, fill=fill)
        kept.append(PersonChange(person.key, external_id, patch, person, by_id[external_id]))
    removed = () if fill else _removed(table, known, by_id, set(links.values()))
    gone = {external_id for _, external_id in removed}
    left = [person for person in theirs if person.external_id not in gone]
    taken = set(links.values())
    others = tuple(person for person in left if person.external_id not in taken)
    put_back = restore or MAIN_PATH in repair
    listing, moved = _listing(kept, added, others, _Main(ours, base, _marked(left), restore=put_back, fill=fill))
    changes = bool(added or removed or moved)
    return PersonPlan(tuple(kept), tuple(added), removed, listing, changes, _main_key(ours), others, tuple(absent))


def written_parts(plan: PersonPlan) -> list[str]:
    """The paths of what a plan writes of persons who are there already; those that it adds are found by their data."""
    parts = [person_path(change.key, member) for change in plan.kept for member in change.patch]
    parts += [person_path(key) for key, _ in plan.removed]
    return [*parts, MAIN_PATH] if plan.list_changes else parts


def changed_parts(
    mapping: VendorMapping, ours: Sequence[OurPerson], base: Mapping[str, Mapping[str, Any]], main: str | None
) -> list[str]:
    """The paths that a plan would write to make these persons of what was last agreed on, whatever is held there."""
    rows = mapping.persons.rows if mapping.persons else ()
    parts = [person_path(key) for key in base if key not in {person.key for person in ours}]
    for person in ours:
        before = (base.get(person.key) or {}).get("ours")
        if before is not None:
            changed = (row for row in rows if not row.same(person.fields.get(row.vendor), before.get(row.vendor)))
            parts += [person_path(person.key, row.vendor) for row in changed]
    return [*parts, MAIN_PATH] if _main_key(ours) != main or parts else parts


def _stays_out(table: PersonTable, person: OurPerson, entry: Mapping[str, Any] | None, *, restore: bool) -> bool:
    """Whether one who is not there is left out: taken out there, or lost there, and unchanged here since."""
    if entry is None or _changed(table, person, entry):
        return False
    return not restore or entry.get("external_id") == LOST


def _removed(
    table: PersonTable, known: Mapping[str, Mapping[str, Any]], by_id: Mapping[str, TheirPerson], taken: set[str]
) -> tuple[tuple[str, str], ...]:
    """Those that we brought and that the source dropped, as (key, external id)."""
    return tuple(
        (key, str(entry["external_id"]))
        for key, entry in known.items()
        if entry.get("external_id") in by_id and entry["external_id"] not in taken
        # A person of theirs that only stood in for the client is not ours to take out.
        if key != SELF or is_stand_in(table, entry, by_id[entry["external_id"]])
    )


def _main_key(ours: Sequence[OurPerson]) -> str | None:
    return next((person.key for person in ours if person.main), ours[0].key if ours else None)


def _by_their_id(known: Mapping[str, Mapping[str, Any]]) -> Mapping[str, _Entries]:
    """The base's persons by their id there: clients have a thousand of them, and each is looked for."""
    found: defaultdict[str, _Entries] = defaultdict(list)
    for key, entry in known.items():
        found[str(entry.get("external_id"))].append((key, entry))
    return found


def _entry(table: PersonTable, agreed: Mapping[str, _Entries], theirs: TheirPerson) -> Mapping[str, Any] | None:
    """What was agreed on about this person there, under whatever key; None for one who was not ours before."""
    found = (
        entry for key, entry in agreed.get(theirs.external_id, ()) if key != SELF or is_stand_in(table, entry, theirs)
    )
    return next(found, None)


def _person_patch(
    table: PersonTable,
    person: OurPerson,
    entry: Mapping[str, Any] | None,
    theirs: TheirPerson,
    restored: frozenset[str],
    *,
    fill: bool,
) -> dict[str, Any]:
    base_ours: Mapping[str, Any] | None = entry.get("ours") if entry else None
    base_theirs: Mapping[str, Any] = (entry.get("theirs") or {}) if entry else {}
    patch: dict[str, Any] = {}
    for row in table.rows:
        value, held = person.fields.get(row.vendor), theirs.fields.get(row.vendor)
        if row.direction == "in" or row.same(value, held):
            continue
        if row.vendor in person.placeholders and not _is_ours(row, held, entry or {}):
            continue
        owner: Owner = "fill" if fill and row.owner == "robaws" else row.owner
        if _writes(row, owner, value, held, base_ours, base_theirs, row.vendor in restored):
            patch[row.vendor] = value
    return patch


def _is_ours(row: FieldRow, held: Any, entry: Mapping[str, Any]) -> bool:
    """Whether a member holds nothing, or a stand-in that we wrote or may have written."""
    given = (entry.get("ours") or {}, *entry.get("sent", ()))
    return row.key(held) in {"", *(row.key(fields.get(row.vendor)) for fields in given)}


def _writes(
    row: FieldRow,
    owner: Owner,
    value: Any,
    held: Any,
    base_ours: Mapping[str, Any] | None,
    base_theirs: Mapping[str, Any],
    restore: bool,
) -> bool:
    if owner in ("system", "ignore") or (row.key(value) == "" and row.null_rule == "never"):
        return False
    if base_ours is None or row.vendor not in base_ours:
        return row.key(held) == ""  # never agreed on: a person who is new to us, or a row that is new in the table
    if not row.unchanged(value, base_ours.get(row.vendor), base_theirs.get(row.vendor)):
        return owner == "robaws" or row.key(held) == ""
    return restore and owner == "robaws" and not row.same(held, base_theirs.get(row.vendor))


@dataclass(frozen=True)
class _Main:
    """What decides on the main person: ours, what was agreed on, and who is marked there now."""

    ours: Sequence[OurPerson]
    base: Snapshot | None
    now: str | None
    restore: bool
    fill: bool

    @property
    def wanted(self) -> str | None:
        """Our main person."""
        return _main_key(self.ours)

    @property
    def may_mark(self) -> bool:
        """Whether one is marked where nobody is there: on a first link, at a change here, at a restore."""
        return not self.fill and (self.restore or self.moves or self._agreed is None)

    @property
    def moves(self) -> bool:
        """Whether ours goes before the one that is marked there: it changed here, or a restore puts it back."""
        if self.fill or self._agreed is None:
            return False
        was_main = bool(self._agreed.persons.get(str(self.wanted), {}).get("main"))
        return self._agreed.main != self.wanted or (self.restore and was_main)

    @property
    def _agreed(self) -> Snapshot | None:
        """The base, if there were persons in it."""
        return self.base if self.base is not None and self.base.persons else None


def _listing(
    kept: Sequence[PersonChange], added: Sequence[OurPerson], others: Sequence[TheirPerson], main: _Main
) -> tuple[tuple[tuple[str | None, str | None, bool], ...], bool]:
    """The list as it must stand, with exactly one main person unless it is empty, and whether that is another one."""
    places: list[tuple[str | None, str | None]] = [(change.external_id, change.key) for change in kept]
    places += [(None, person.key) for person in added]
    places += [(person.external_id, None) for person in others]
    if not places:
        return (), False
    wanted = next((place for place in places if place[1] is not None and place[1] == main.wanted), None)
    now = next((place for place in places if place[0] is not None and place[0] == main.now), None)
    chosen = (wanted if main.moves or now is None else now) or now or places[0]
    # Where nobody is marked there, a live event leaves it so; a list that is written for another reason has one.
    moved = chosen != now and main.may_mark
    return tuple((*place, place == chosen) for place in places), moved


def sent_persons(persons: Sequence[OurPerson]) -> dict[str, dict[str, Any]]:
    """The persons of a create as a snapshot keeps them, before a read told their ids (external id None)."""
    return {
        person.key: {"external_id": None, "ours": dict(person.fields), "theirs": dict(person.fields)}
        for person in persons
    }


def find_sent(table: PersonTable, base: Snapshot, theirs: Sequence[TheirPerson]) -> dict[str, dict[str, Any]]:
    """The snapshot's persons with the ids of those that a create sent; one that is not there is left out."""
    sent = [
        OurPerson(key, False, entry["ours"]) for key, entry in base.persons.items() if entry.get("external_id") is None
    ]
    known = {key: dict(entry) for key, entry in base.persons.items() if entry.get("external_id") is not None}
    by_id = {person.external_id: person for person in theirs}
    links = match_persons(table, sent, base.persons, theirs)
    main = _marked(theirs)
    return known | {
        person.key: _settled(person, by_id[links[person.key]], main) for person in sent if person.key in links
    }


def settle_persons(
    table: PersonTable,
    ours: Sequence[OurPerson],
    base: Snapshot | None,
    theirs: Sequence[TheirPerson],
    absent: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """
    Which of ours is which of theirs after a write, as the snapshot keeps it: by key, with both sides' members.

    `theirs` is the list as read back. Persons in `absent` keep the entry that they had; one who is not found is kept
    as `LOST`.
    """
    known: Mapping[str, Mapping[str, Any]] = base.persons if base else {}
    links = match_persons(table, ours, known, theirs)
    by_id = {person.external_id: person for person in theirs}
    main = _marked(theirs)
    settled = {person.key: _settled(person, by_id.get(links.get(person.key, LOST)), main) for person in ours}
    settled.update({key: dict(known[key]) for key in absent if key in known})
    return settled


def _marked(theirs: Sequence[TheirPerson]) -> str | None:
    """The main person there, by external id: the first that is marked, as a system may show more than one."""
    return next((person.external_id for person in theirs if person.main), None)


def _settled(person: OurPerson, theirs: TheirPerson | None, main: str | None) -> dict[str, Any]:
    return {
        "external_id": theirs.external_id if theirs else LOST,
        "ours": dict(person.fields),
        "theirs": dict(theirs.fields) if theirs else {},
        "main": theirs is not None and theirs.external_id == main,
    }
