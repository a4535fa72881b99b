"""
Contact persons of one record: which of ours is which of theirs, and what must change.

Persons that the source brought are added, changed and removed; all others that a system holds are never touched,
and are carried along where a write replaces the whole list. A person is matched by link, then by e-mail and name
together, by e-mail, by name. The main person is the one that the source marks.

A system that wants at least one person gets a stand-in (`:self`), made from the client itself. The first real person
takes its place, unless somebody there has made a person of their own of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from worker.core.mapping import OurPerson
from worker.core.normalise import NORMALISERS, name_key

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, PersonTable, VendorMapping
    from worker.core.planning import Snapshot

SELF: Final = ":self"


@dataclass(frozen=True)
class TheirPerson:
    """A contact person as a system holds it now."""

    external_id: str
    main: bool
    fields: Mapping[str, Any]


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
    before = entry.get("ours") or {}
    return any(row.key(person.fields.get(row.vendor)) != row.key(before.get(row.vendor)) for row in table.rows)


def plan_persons(
    table: PersonTable,
    ours: Sequence[OurPerson],
    base: Snapshot | None,
    theirs: Sequence[TheirPerson],
    *,
    restore: bool = False,
) -> PersonPlan:
    """Plan the persons of a record that was just read."""
    known: Mapping[str, Mapping[str, Any]] = base.persons if base else {}
    links = _match(table, ours, known, theirs)
    by_id = {person.external_id: person for person in theirs}
    kept: list[PersonChange] = []
    added: list[OurPerson] = []
    absent: list[str] = []
    for person in ours:
        external_id = links.get(person.key)
        if external_id is None:
            stays_out = person.key in known and not restore and not _changed(table, person, known[person.key])
            if stays_out:
                absent.append(person.key)
            else:
                added.append(person)
            continue
        entry = _entry(table, known, person.key, by_id[external_id])
        patch = _person_patch(table, person, entry, by_id[external_id], restore)
        kept.append(PersonChange(person.key, external_id, patch, person, by_id[external_id]))
    taken = set(links.values())
    removed = tuple(
        (key, str(entry["external_id"]))
        for key, entry in known.items()
        if entry.get("external_id") in by_id and entry["external_id"] not in taken
        # A person of theirs that only stood in for the client is not ours to take out.
        if key != SELF or _is_stand_in(table, entry, by_id[entry["external_id"]])
    )
    gone = {external_id for _, external_id in removed}
    others = tuple(person for person in theirs if person.external_id not in taken and person.external_id not in gone)
    main = _choose_main(ours, base, theirs, links, gone, [person.key for person in added])
    listing = _listing(kept, added, others, main)
    before = [(person.external_id, person.main) for person in theirs]
    after = [(external_id, main) for external_id, _, main in listing]
    changes = bool(added or removed) or sorted(map(str, before)) != sorted(map(str, after))
    return PersonPlan(tuple(kept), tuple(added), removed, listing, changes, _main_key(ours), others, tuple(absent))


def _main_key(ours: Sequence[OurPerson]) -> str | None:
    return next((person.key for person in ours if person.main), ours[0].key if ours else None)


def _match(
    table: PersonTable,
    ours: Sequence[OurPerson],
    known: Mapping[str, Mapping[str, Any]],
    theirs: Sequence[TheirPerson],
) -> dict[str, str]:
    """Which of ours is which of theirs, as external id by key."""
    by_id = {person.external_id: person for person in theirs}
    keys = {person.key for person in ours}
    links = {
        person.key: str(known[person.key]["external_id"])
        for person in ours
        if person.key in known and known[person.key].get("external_id") in by_id
    }
    stand_in = _stand_in(table, known, by_id) if SELF not in keys else None
    _link_alike(table, ours, _free(theirs, links, {stand_in}), links, _email_and_name)
    # A person whom the source dropped is found again only by both, as the same human under a new key.
    orphaned = {entry.get("external_id") for key, entry in known.items() if key not in keys and key != SELF}
    _link_alike(table, ours, _free(theirs, links, {stand_in, *orphaned}), links, _email, _name)
    if stand_in is not None:
        heir = next((p for p in sorted(ours, key=lambda p: not p.main) if p.key not in links), None)
        if heir is not None:
            links[heir.key] = stand_in
    return links


def _free(theirs: Sequence[TheirPerson], links: Mapping[str, str], kept: set[str | None]) -> list[TheirPerson]:
    taken = {*links.values(), *kept}
    return [person for person in theirs if person.external_id not in taken]


def _link_alike(
    table: PersonTable,
    ours: Sequence[OurPerson],
    free: list[TheirPerson],
    links: dict[str, str],
    *probes: Callable[[PersonTable, Mapping[str, Any]], str],
) -> None:
    for probe in probes:
        for person in ours:
            wanted = probe(table, person.fields)
            if person.key in links or not wanted:
                continue
            hits = [candidate for candidate in free if probe(table, candidate.fields) == wanted]
            # Equal in name and e-mail: the same person twice, and either serves. In one of them only: nobody knows.
            if len(hits) == 1 or (hits and probe is _email_and_name):
                chosen = next((candidate for candidate in hits if candidate.main), hits[0])
                links[person.key] = chosen.external_id
                free.remove(chosen)


def _email(table: PersonTable, fields: Mapping[str, Any]) -> str:
    return NORMALISERS["email"](table.email(fields) or "")


def _name(table: PersonTable, fields: Mapping[str, Any]) -> str:
    return name_key(table.name(fields) or "")


def _email_and_name(table: PersonTable, fields: Mapping[str, Any]) -> str:
    name = _name(table, fields)
    return f"{_email(table, fields)} {name}" if name else ""


def _stand_in(
    table: PersonTable, known: Mapping[str, Mapping[str, Any]], by_id: Mapping[str, TheirPerson]
) -> str | None:
    """The external id of the person that we made from the client itself, None where there is none any more."""
    entry = known.get(SELF) or {}
    person = by_id.get(str(entry.get("external_id")))
    return person.external_id if person is not None and _is_stand_in(table, entry, person) else None


def _is_stand_in(table: PersonTable, entry: Mapping[str, Any], person: TheirPerson) -> bool:
    """Whether it still has the name that we gave it; with another one it is somebody there."""
    return _name(table, entry.get("ours") or {}) == _name(table, person.fields)


def _entry(
    table: PersonTable, known: Mapping[str, Mapping[str, Any]], key: str, theirs: TheirPerson
) -> Mapping[str, Any] | None:
    """What we last wrote to a person: under its key, else under the key that its place there had before."""
    before = (
        entry
        for other, entry in known.items()
        if entry.get("external_id") == theirs.external_id and (other != SELF or _is_stand_in(table, entry, theirs))
    )
    return known.get(key) or next(before, None)


def _person_patch(
    table: PersonTable,
    person: OurPerson,
    entry: Mapping[str, Any] | None,
    theirs: TheirPerson,
    restore: bool,
) -> dict[str, Any]:
    base_ours: Mapping[str, Any] | None = entry.get("ours") if entry else None
    base_theirs: Mapping[str, Any] = (entry.get("theirs") or {}) if entry else {}
    patch: dict[str, Any] = {}
    for row in table.rows:
        value, held = person.fields.get(row.vendor), theirs.fields.get(row.vendor)
        if row.key(value) == row.key(held):
            continue
        stands_in = row.vendor in person.placeholders
        if stands_in and row.key(held) not in ("", row.key((base_ours or {}).get(row.vendor))):
            continue
        if _writes(row, value, held, base_ours, base_theirs, restore):
            patch[row.vendor] = value
    return patch


def _writes(
    row: FieldRow,
    value: Any,
    held: Any,
    base_ours: Mapping[str, Any] | None,
    base_theirs: Mapping[str, Any],
    restore: bool,
) -> bool:
    if row.key(value) == "" and row.null_rule == "never":
        return False
    if base_ours is None:
        return row.key(held) == ""
    if row.key(value) != row.key(base_ours.get(row.vendor)):
        return row.owner == "robaws" or row.key(held) == ""
    return restore and row.owner == "robaws" and row.key(held) != row.key(base_theirs.get(row.vendor))


def _choose_main(
    ours: Sequence[OurPerson],
    base: Snapshot | None,
    theirs: Sequence[TheirPerson],
    links: Mapping[str, str],
    gone: set[str],
    added: Sequence[str],
) -> tuple[str | None, str | None]:
    """The main person afterwards, as (external id or None for a new one, our key or None)."""
    by_link = {external_id: key for key, external_id in links.items()}
    wanted = _main_key(ours)
    now = next((person.external_id for person in theirs if person.main and person.external_id not in gone), None)
    unchanged = base.main == wanted if base is not None else True
    missing = wanted not in links and wanted not in added
    if now is not None and (unchanged or missing):
        return now, by_link.get(now)
    if missing:
        rest = next((person.external_id for person in theirs if person.external_id not in gone), None)
        return rest, by_link.get(rest) if rest else None
    return links.get(str(wanted)), wanted


def _listing(
    kept: Sequence[PersonChange],
    added: Sequence[OurPerson],
    others: Sequence[TheirPerson],
    main: tuple[str | None, str | None],
) -> tuple[tuple[str | None, str | None, bool], ...]:
    main_id, main_key = main
    entries: list[tuple[str | None, str | None, bool]] = [
        (change.external_id, change.key, change.external_id == main_id) for change in kept
    ]
    entries += [(None, person.key, main_id is None and person.key == main_key) for person in added]
    entries += [(person.external_id, None, person.external_id == main_id) for person in others]
    return tuple(entries)


def sent_persons(persons: Sequence[OurPerson]) -> dict[str, dict[str, Any]]:
    """The persons of a create as a snapshot keeps them, before a read told their ids (external id None)."""
    return {
        person.key: {"external_id": None, "ours": dict(person.fields), "theirs": dict(person.fields)}
        for person in persons
    }


def find_sent(table: PersonTable, base: Snapshot, theirs: Sequence[TheirPerson]) -> dict[str, dict[str, Any]]:
    """The snapshot's persons with the ids of those that a create sent; one that is not there is left out."""
    sent = [OurPerson(key, False, entry["ours"]) for key, entry in base.persons.items() if not entry.get("external_id")]
    found = settle_persons(table, sent, base, theirs)
    known = {key: dict(entry) for key, entry in base.persons.items() if entry.get("external_id")}
    return known | {key: entry for key, entry in found.items() if key not in known}


def settle_persons(
    table: PersonTable,
    ours: Sequence[OurPerson],
    base: Snapshot | None,
    theirs: Sequence[TheirPerson],
    absent: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """
    Which of ours is which of theirs after a write, as the snapshot keeps it: by key, with both sides' members.

    `theirs` is the list as read back. Persons in `absent` keep the entry that they had.
    """
    known: Mapping[str, Mapping[str, Any]] = base.persons if base else {}
    links = _match(table, ours, known, theirs)
    by_id = {person.external_id: person for person in theirs}
    settled = {
        person.key: {
            "external_id": links[person.key],
            "ours": dict(person.fields),
            "theirs": dict(by_id[links[person.key]].fields),
        }
        for person in ours
        if person.key in links
    }
    settled.update({key: dict(known[key]) for key in absent if key in known})
    return settled
