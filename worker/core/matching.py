"""
Tell whether a record that a system already holds is a contact of ours, before anything is created there.

Vendors search loosely (a substring, a cached list), so every result is compared again here. A match is `certain` on
our reference, on the VAT number, on the registration number, or on e-mail and name together; `doubtful` where a
careful person would look before deciding. Exactly one certain match is linked; anything doubtful waits for a person;
only the absence of both allows a create.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rapidfuzz import fuzz

from worker.core import contact as canonical
from worker.core.normalise import NORMALISERS, name_key

if TYPE_CHECKING:
    from worker.core.contact import Json

Strength = Literal["certain", "doubtful"]

SIMILAR_NAMES = 88.0
"""Share (0-100) of likeness from which two names count as possibly the same firm."""


@dataclass(frozen=True)
class Candidate:
    """
    A record of a system that may be the contact, in canonical terms.

    `values` by canonical path, as the mapping's `inward` gives them; `emails` are all addresses found on it.
    `usable` is False for a record that may never be linked (a supplier, one in the bin), with the reason in `why_not`.
    """

    external_id: str
    name: str | None
    values: Mapping[str, Any]
    emails: tuple[str, ...] = ()
    reference: str | None = None
    usable: bool = True
    why_not: str = ""


@dataclass(frozen=True)
class Match:
    """One candidate with the strength of its likeness and the facts that it rests on."""

    candidate: Candidate
    strength: Strength
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """
    What the search means: `link` this record, `create` one, or `review` because a person must choose.

    `matches` holds all that was found, strongest first, for the explanation.
    """

    action: Literal["link", "create", "review"]
    external_id: str | None = None
    reason: str = ""
    message: str = ""
    matches: tuple[Match, ...] = field(default=())


def decide(
    contact: Json,
    candidates: Sequence[Candidate],
    *,
    reference: str | None,
    reference_is_unique: bool,
    taken: frozenset[str] = frozenset(),
) -> Verdict:
    """
    Decide on a first link from what a search brought.

    `taken` are external ids that other contacts of ours hold: they are never linked a second time, and a certain
    match on one of them is a review, since two clients then look like one record. With `reference_is_unique` False
    a record that carries our reference must also look like the contact (its number may have been there before).
    """
    usable = list({c.external_id: c for c in candidates}.values())
    referred = [c for c in usable if reference and c.reference == reference]
    if referred:
        return _by_reference(contact, referred, reference_is_unique, taken)
    matches = [match for c in usable if c.usable and (match := compare(contact, c)) is not None]
    certain = [match for match in matches if match.strength == "certain"]
    ordered = tuple(certain + [match for match in matches if match.strength == "doubtful"])
    free = [match for match in certain if match.candidate.external_id not in taken]
    if len(certain) == 1 and free:
        return Verdict("link", free[0].candidate.external_id, "matched", _because(free[0]), ordered)
    if len(certain) > 1:
        return Verdict("review", None, "several_matches", f"{len(certain)} records there could be this client", ordered)
    if certain:
        return Verdict("review", None, "match_taken", "the record that matches belongs to another client", ordered)
    doubtful = [match for match in ordered if match.candidate.external_id not in taken]
    if doubtful:
        text = f"a record there looks like this client: {_because(doubtful[0])}"
        return Verdict("review", None, "doubtful_match", text, ordered)
    return Verdict("create")


def _by_reference(contact: Json, referred: Sequence[Candidate], unique: bool, taken: frozenset[str]) -> Verdict:
    matches = tuple(Match(c, "certain", ("our reference",)) for c in referred)
    first = min(referred, key=lambda c: (len(c.external_id), c.external_id))
    if any(c.external_id in taken for c in referred):
        return Verdict(
            "review", None, "match_taken", "the record with our reference belongs to another client", matches
        )
    if not unique:
        if not first.usable:
            return Verdict("review", None, "reference_collision", f"our reference is taken: {first.why_not}", matches)
        if not names_alike(contact.get("name"), first.name):
            text = f"our reference is taken by a record with another name ({first.name})"
            return Verdict("review", None, "reference_collision", text, matches)
    if len(referred) > 1:
        return Verdict("review", None, "several_matches", f"{len(referred)} records carry our reference", matches)
    return Verdict("link", first.external_id, "reference", "it carries our reference", matches)


def compare(contact: Json, candidate: Candidate) -> Match | None:
    """How far a candidate is this contact; None where nothing speaks for it."""
    evidence: list[str] = []
    contradictions = 0
    for path, label in (("vat_number", "VAT number"), ("registration_number", "registration number")):
        row = canonical.BY_PATH[path].normaliser
        mine = NORMALISERS[row](canonical.get(contact, path))
        theirs = NORMALISERS[row](candidate.values.get(path))
        if mine and theirs:
            if mine == theirs:
                evidence.append(label)
            else:
                contradictions += 1
    same_name = bool(name_key(contact.get("name"))) and name_key(contact.get("name")) == name_key(candidate.name)
    same_email = bool(_emails(contact) & {NORMALISERS["email"](email) for email in candidate.emails if email})
    if evidence:
        return Match(candidate, "certain", tuple(evidence))
    if contradictions:
        return None
    if same_name and same_email:
        return Match(candidate, "certain", ("e-mail", "name"))
    alike = names_alike(contact.get("name"), candidate.name)
    if alike and same_email:
        return Match(candidate, "doubtful", ("e-mail", "similar name"))
    place = _same_place(contact, candidate)
    if same_name and place is not False:
        return Match(candidate, "doubtful", ("name", "postcode") if place else ("name",))
    if alike and place:
        return Match(candidate, "doubtful", ("similar name", "postcode"))
    return None


def names_alike(one: Any, other: Any) -> bool:
    """Tell whether two names could be the same firm or person; legal forms, case and accents aside."""
    a, b = name_key(str(one or "")), name_key(str(other or ""))
    return bool(a) and bool(b) and (a == b or fuzz.token_sort_ratio(a, b) >= SIMILAR_NAMES)


def _emails(contact: Json) -> set[str]:
    found = [contact.get("email"), contact.get("invoice_email")]
    found += [person.get("email") for person in contact.get("persons") or []]
    return {NORMALISERS["email"](email) for email in found if email}


def _same_place(contact: Json, candidate: Candidate) -> bool | None:
    """True and False where both sides have a postcode, None where one has none."""
    mine = NORMALISERS["postcode"](canonical.get(contact, "address.postal_code"))
    theirs = NORMALISERS["postcode"](candidate.values.get("address.postal_code"))
    return None if not mine or not theirs else mine == theirs


def _because(match: Match) -> str:
    return f"same {' and '.join(match.evidence)} as {match.candidate.name or match.candidate.external_id}"


def recognise(
    sent: Mapping[str, Any], found: Sequence[tuple[str, Mapping[str, Any]]], keys: Mapping[str, str]
) -> list[str]:
    """
    The external ids of records that hold what a lost create sent.

    `found` are (external id, members by vendor path); `keys` names the members that must agree, with the normaliser
    of each. A member that the vendor's list does not show is not held against a record.
    """
    return [
        external_id
        for external_id, members in found
        if all(
            path not in members or NORMALISERS[normaliser](sent.get(path)) == NORMALISERS[normaliser](members[path])
            for path, normaliser in keys.items()
        )
        and any(path in members for path in keys)
    ]
