"""
Which of our contact persons is which of those that a system holds.

By link, then by e-mail and name together, by e-mail, by name. An address or a name alone counts only where one person
of either side has it, and an address not between two names that have nothing in common: clerks share mailboxes, and
whoever is taken for ours is renamed and removed with ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rapidfuzz import fuzz

from worker.core.normalise import NORMALISERS, name_key

if TYPE_CHECKING:
    from worker.core.mapping import OurPerson, PersonTable

SELF: Final = ":self"

_SIMILAR_NAMES: Final = 70.0


@dataclass(frozen=True)
class TheirPerson:
    """A contact person as a system holds it now."""

    external_id: str
    main: bool
    fields: Mapping[str, Any]


def match_persons(
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
    _link_equal(table, ours, _free(theirs, links, {stand_in}), links)
    # A person whom the source dropped is found again only by both, as the same human under a new key.
    orphaned = {entry.get("external_id") for key, entry in known.items() if key not in keys and key != SELF}
    for probe in (_email, _name):
        _link_alike(table, ours, theirs, _free(theirs, links, {stand_in, *orphaned}), links, probe)
    if stand_in is not None:
        heir = next((p for p in sorted(ours, key=lambda p: not p.main) if p.key not in links), None)
        if heir is not None:
            links[heir.key] = stand_in
    return links


def _free(theirs: Sequence[TheirPerson], links: Mapping[str, str], kept: set[str | None]) -> list[TheirPerson]:
    taken = {*links.values(), *kept}
    return [person for person in theirs if person.external_id not in taken]


def _link_equal(table: PersonTable, ours: Sequence[OurPerson], free: list[TheirPerson], links: dict[str, str]) -> None:
    """Link those that are equal in name and e-mail: where one stands there twice it is the same, and either serves."""
    alike: defaultdict[str, list[TheirPerson]] = defaultdict(list)
    for candidate in free:
        alike[_email_and_name(table, candidate.fields)].append(candidate)
    for person in ours:
        wanted = _email_and_name(table, person.fields)
        hits = alike.get(wanted)
        if hits and wanted and person.key not in links:
            chosen = max(hits, key=lambda hit: (_likeness(table, person, hit), hit.main))
            links[person.key] = chosen.external_id
            hits.remove(chosen)


def _likeness(table: PersonTable, person: OurPerson, hit: TheirPerson) -> int:
    """How many members are equal."""
    return sum(row.same(person.fields.get(row.vendor), hit.fields.get(row.vendor)) for row in table.rows)


def _link_alike(
    table: PersonTable,
    ours: Sequence[OurPerson],
    theirs: Sequence[TheirPerson],
    free: list[TheirPerson],
    links: dict[str, str],
    probe: Callable[[PersonTable, Mapping[str, Any]], str],
) -> None:
    """Link those that are equal in one of the two, where nobody else on either side has it."""
    mine = Counter(probe(table, person.fields) for person in ours)
    there = Counter(probe(table, person.fields) for person in theirs)
    candidates = {probe(table, candidate.fields): candidate for candidate in free}
    for person in ours:
        wanted = probe(table, person.fields)
        if person.key in links or not wanted or mine[wanted] > 1 or there[wanted] > 1:
            continue
        hit = candidates.get(wanted)
        if hit is not None and _may_be(table, person, hit):
            links[person.key] = hit.external_id


def _may_be(table: PersonTable, person: OurPerson, hit: TheirPerson) -> bool:
    """Whether the names allow that the two are one: alike, or with a word in common; a stand-in is no name."""
    one, other = _name(table, person.fields), _name(table, hit.fields)
    if not one or not other or person.placeholders or set(one.split()) & set(other.split()):
        return True
    return fuzz.token_sort_ratio(one, other) >= _SIMILAR_NAMES


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
    return person.external_id if person is not None and is_stand_in(table, entry, person) else None


def is_stand_in(table: PersonTable, entry: Mapping[str, Any], person: TheirPerson) -> bool:
    """Whether it still has a name that we gave it, or may have; with another one it is somebody there."""
    given = (entry.get("ours") or {}, *entry.get("sent", ()))
    return _name(table, person.fields) in {_name(table, fields) for fields in given}
