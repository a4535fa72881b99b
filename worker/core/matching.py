"""
Tell whether a record that a system already holds is a contact of ours, before anything is created there.

Vendors search loosely (a substring, a cached list), so every result is compared again here, and what comes first in a
list decides nothing. The two mistakes do not weigh the same. A stranger who is linked gets somebody else's address and
invoices; a client who is made twice costs an afternoon. So exactly one *certain* record is linked, a *doubtful* one is
asked about, and a record is made only where all are *apart*. What each pair amounts to is the table of
`worker.core.evidence`; what follows from all of them is decided here:

- several certain records are a question, and so is one beside another record with the client's number;
- a certain one that another client of ours holds is a question, and so is one with the client's number (one without
  check digits that hold, `12345678`, only if no other record has it): two clients look like one record. Another
  doubtful one that another client holds stops nothing, as Robaws says that they are two;
- a record that a person refused is neither linked nor offered again; suppliers and records in the bin are no clients (a
  client who is a supplier too needs a record of its own);
- an e-mail that several records share is somebody's who writes for many (an accountant, a caretaker): by itself it asks
  nothing. One that stands on a single record under another name does: a firm that changed its name looks like that;
- where a search was cut off, nothing is made silently.

Our own reference is a strong sign and no proof: numbers start anew in a new tenant, and a plain number may be the
bookkeeper's. One that the vendor keeps unique needs a name, an e-mail, a phone or a number that agrees; a plain one
needs the name, and no number that contradicts. Of several that carry it none is linked here; those that came of our own
create are the business of `flows.creating`. A record with the reference of another client is never certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from worker.core import evidence
from worker.core.evidence import Row, Strength, names_alike
from worker.core.matching_keys import Candidate, MatchingKeys, keys_of_contact
from worker.core.normalise import NORMALISERS

if TYPE_CHECKING:
    from worker.core.contact import Json

__all__ = ["Candidate", "Match", "Verdict", "compare", "decide", "first_made", "names_alike", "recognise"]


@dataclass(frozen=True)
class Match:
    """One candidate with what it amounts to and the rows of the table that it rests on."""

    candidate: Candidate
    strength: Strength
    evidence: tuple[Row, ...]

    @property
    def same_number(self) -> bool:
        """Whether it has a number of the contact's."""
        return bool(evidence.SAME_NUMBER.intersection(self.evidence))

    @property
    def because(self) -> str:
        """The evidence as one text for people."""
        for_it = [row.says for row in self.evidence if row.speaks_for]
        against = [row.says for row in self.evidence if not row.speaks_for]
        text = ", ".join(for_it) or "nothing in common"
        return f"{text}; but {', '.join(against)}" if against else text


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
    refused: frozenset[str] = frozenset(),
    others: frozenset[str] = frozenset(),
    cut: str = "",
) -> Verdict:
    """
    Decide on a first link from what a search brought, in whatever order.

    `taken` are external ids that other contacts of ours hold, `refused` those that a person said are somebody else,
    `others` those that carry the reference of another contact which nobody holds. With `reference_is_unique` False a
    record that carries our reference must look more like the contact (its number may have been there before). `cut`
    says what the search left out, where it did.
    """
    candidates = [candidate for candidate in candidates if candidate.external_id not in refused]
    referred = [candidate for candidate in candidates if reference and candidate.reference == reference]
    if referred:
        return _by_reference(contact, referred, reference_is_unique, taken)
    matches = _matches(contact, candidates, others)
    certain = [match for match in matches if match.strength == "certain"]
    if certain:
        return _by_certain(certain, matches, taken)
    shared = sum(evidence.is_email_alone(frozenset(match.evidence)) for match in matches) > 1
    doubtful = [
        match
        for match in matches
        if match.candidate.external_id not in taken
        and not (shared and evidence.is_email_alone(frozenset(match.evidence)))
    ]
    if doubtful:
        text = f"a record there looks like this client: {_because(doubtful[0])}"
        return Verdict("review", None, "doubtful_match", text, matches)
    numbered = _numbered(matches)
    if numbered:
        text = f"a record with this client's number belongs to another client: {_because(numbered[0])}"
        return Verdict("review", None, "match_taken", text, matches)
    if cut:
        return Verdict("review", None, "several_matches", cut, matches)
    return Verdict("create")


def _numbered(matches: Sequence[Match]) -> list[Match]:
    """Those with the contact's number; without check digits that hold one that several have is typed in for none."""
    checked = [match for match in matches if evidence.CHECKED_NUMBER.intersection(match.evidence)]
    unchecked = [match for match in matches if match.same_number]
    return checked or (unchecked if len(unchecked) == 1 else [])


def _by_certain(certain: Sequence[Match], matches: tuple[Match, ...], taken: frozenset[str]) -> Verdict:
    if len(certain) > 1:
        text = f"{len(certain)} records there could be this client"
        return Verdict("review", None, "several_matches", text, matches)
    [match] = certain
    if match.candidate.external_id in taken:
        text = "the record that matches belongs to another client"
        return Verdict("review", None, "match_taken", text, matches)
    rivals = [other for other in matches if other.same_number and other.candidate.external_id not in taken]
    if rivals and not match.same_number:
        text = f"two records there could be this client: {_because(match)}; {_because(rivals[0])}"
        return Verdict("review", None, "several_matches", text, matches)
    return Verdict("link", match.candidate.external_id, "matched", _because(match), matches)


def _matches(contact: Json, candidates: Iterable[Candidate], others: frozenset[str]) -> tuple[Match, ...]:
    """All that may be the contact, each record once, the strongest first; the order of the candidates is lost."""
    mine = keys_of_contact(contact)
    compared = (
        compare(contact, one, of_another=one.external_id in others, mine=mine) for one in candidates if one.usable
    )
    found = [match for match in compared if match.strength != "apart"]
    found.sort(key=lambda match: (match.strength, -_for(match), _age(match.candidate.external_id), repr(match)))
    strongest: dict[str, Match] = {}
    for match in found:
        strongest.setdefault(match.candidate.external_id, match)
    return tuple(strongest.values())


def _for(match: Match) -> int:
    return sum(row.speaks_for for row in match.evidence)


def _by_reference(contact: Json, candidates: Sequence[Candidate], unique: bool, taken: frozenset[str]) -> Verdict:
    referred = sorted(candidates, key=lambda one: (_age(one.external_id), repr(one)))
    ids = {one.external_id for one in referred}
    matches = tuple(_with_reference(contact, one, unique) for one in referred)
    if ids & taken:
        text = "the record with our reference belongs to another client"
        return Verdict("review", None, "match_taken", text, matches)
    strangers = [match for match in matches if match.strength != "certain"]
    if strangers:
        text = f"our reference is taken: {_stranger(strangers[0])}"
        return Verdict("review", None, "reference_collision", text, matches)
    if len(ids) > 1:
        return Verdict("review", None, "several_matches", f"{len(ids)} records carry our reference", matches)
    return Verdict("link", referred[0].external_id, "reference", "it carries our reference", matches[:1])


def _with_reference(contact: Json, candidate: Candidate, unique: bool) -> Match:
    """A record with our reference: certain where enough agrees that it cannot be somebody else's by chance."""
    rows = evidence.weigh(contact, candidate) | {evidence.REFERENCE}
    named = bool(rows & {evidence.NAME_SAME, evidence.NAME_SIMILAR})
    contradicted = bool(rows & evidence.OTHER_NUMBER) and not rows & evidence.SAME_NUMBER
    reached = {evidence.EMAIL_SAME, evidence.PHONE_SAME} | evidence.SAME_NUMBER
    sure = named or (bool(rows & reached) and not contradicted) if unique else named and not contradicted
    return Match(candidate, "certain" if sure and candidate.usable else "doubtful", _ordered(rows))


def _stranger(match: Match) -> str:
    """Why a record that carries our reference may be somebody else's."""
    candidate = match.candidate
    if not candidate.usable:
        return candidate.why_not or "the record cannot be linked"
    return f"{candidate.name or candidate.external_id} ({match.because})"


def compare(
    contact: Json, candidate: Candidate, *, of_another: bool = False, mine: MatchingKeys | None = None
) -> Match:
    """
    How far a candidate is this contact; `of_another`: it carries the reference of another contact of ours. `mine` are
    the contact's keys, where they are known.
    """
    rows = evidence.weigh(contact, candidate, mine)
    if of_another:
        rows |= {evidence.REFERENCE_OTHER}
    amounts_to = evidence.strength(rows, person=contact.get("kind") == "person")
    return Match(candidate, amounts_to, _ordered(rows))


def _ordered(rows: frozenset[Row]) -> tuple[Row, ...]:
    return tuple(row for row in evidence.ROWS if row in rows)


def _because(match: Match) -> str:
    return f"{match.candidate.name or match.candidate.external_id} ({match.because})"


def _age(external_id: str) -> tuple[int, int, str]:
    """Sorts ids as numbers where they are numbers, which for most vendors is the order in which they were made."""
    return (0, int(external_id), "") if external_id.isdecimal() else (1, len(external_id), external_id)


def first_made(external_ids: Iterable[str]) -> str:
    """
    The one with the lowest number, of records that came of one create of ours (Workspace sheet 13, step 4).

    >>> first_made(["101", "99", "100"])
    '99'
    """
    return min(external_ids, key=_age)


def recognise(
    sent: Mapping[str, Any], found: Sequence[tuple[str, Mapping[str, Any]]], keys: Mapping[str, str]
) -> list[str]:
    """
    The external ids of records that hold what a lost create sent.

    `found` are (external id, members by vendor path); `keys` names the members that must agree, with the normaliser
    of each. A member that the vendor's list does not show is not held against a record; one at least must be shown,
    hold something and agree, as emptiness is no likeness.
    """
    return [external_id for external_id, members in found if _recognised(sent, members, keys)]


def _recognised(sent: Mapping[str, Any], members: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    shown = [
        (NORMALISERS[normaliser](sent.get(path)), NORMALISERS[normaliser](members[path]))
        for path, normaliser in keys.items()
        if path in members
    ]
    return all(mine == theirs for mine, theirs in shown) and any(mine for mine, _ in shown)
