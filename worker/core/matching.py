"""
Tell whether a record that a system already holds is a contact of ours, before anything is created there.

Vendors search loosely (a substring, a cached list), so every result is compared again here, and what comes first in a
list decides nothing. The two mistakes do not weigh the same. A stranger who is linked gets somebody else's address and
invoices; a client who is made twice costs an afternoon. So a record is linked only where a careful bookkeeper would not
look twice; where she would, a person is asked; and a record is made only where she would not even wonder.

*Certain*, and linked if exactly one is:
- our own reference (below);
- the VAT number, if its check digits hold: it names one taxable entity, whatever name it trades under. Members of a
  fiscal unity share one; the second of them finds the record taken, and is asked about;
- the registration number, or a VAT number whose check digits do not hold, and one more fact (e-mail, postcode, or a
  name and no other postcode): people type 12345678 into required fields;
- e-mail and name together. Either alone is shared too often: by branches, by the clients of one accountant.

*Doubtful*, and asked about:
- numbers that say both: the same VAT number and another registration number, or the other way round;
- the same name and e-mail with another legal form: a B.V. and an N.V. are two debtors, however alike they are named;
- the same name and nothing that tells the two apart. A postcode tells persons apart, as many are called the same; of
  organisations, which move, it does so only together with another e-mail or phone;
- a similar name with the same e-mail, phone or postcode; another name with the same e-mail and phone or postcode;
- another name with the same e-mail and nothing that tells the two apart, neither phone nor postcode, if it is the only
  record with that address: a firm that changed its name looks like that. An address on several records is somebody's
  who writes for many (an accountant, a caretaker), and asks nothing.

*No match*: a VAT or registration number that both have and that differs, whatever else is alike; suppliers and records
in the bin (a client who is a supplier too needs a record of its own); a doubtful one that another client of ours holds,
as Robaws says then that they are two. A certain one that another client holds is a review: two clients look like one.

A reference that the vendor keeps unique is ours without a second look, unless name and number both say otherwise. One
that it does not (a plain customer number) may have been there before: the record must be a customer, bear our client's
name and not contradict its numbers. Of several that carry it none is linked here; those that came of our own create
are the business of `flows.creating`, which takes the one that was made first (`first_made`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from rapidfuzz import fuzz

from worker.core import contact as canonical
from worker.core.normalise import NORMALISERS, folded, identity_key, name_key, registration_key, vat_key, vat_valid

if TYPE_CHECKING:
    from worker.core.contact import Json

Strength = Literal["certain", "doubtful"]

_EMAIL_ALONE: Final = ("e-mail", "another name")
"""The evidence of a record that shares nothing with the contact but an e-mail, and contradicts it in its name alone."""

SIMILAR_NAMES = 88.0
"""Share (0-100) of likeness from which two names count as possibly the same firm."""

# One form under several names: translated, or renamed by Belgium's company code of 2019.
_ONE_FORM: Final = (
    frozenset({"bv", "bvba", "ebvba", "sbvba", "srl", "sprl", "sprlu"}),
    frozenset({"nv", "sa"}),
    frozenset({"cv", "cvba", "cvoa", "scrl"}),
    frozenset({"vof", "snc"}),
    frozenset({"commv", "gcv", "scs"}),
    frozenset({"vzw", "asbl"}),
    frozenset({"ivzw", "aisbl"}),
)


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
    Decide on a first link from what a search brought, in whatever order.

    `taken` are external ids that other contacts of ours hold: they are never linked a second time, and a certain
    match on one of them is a review, since two clients then look like one record. With `reference_is_unique` False
    a record that carries our reference must also look like the contact (its number may have been there before).
    """
    referred = [candidate for candidate in candidates if reference and candidate.reference == reference]
    if referred:
        return _by_reference(contact, referred, reference_is_unique, taken)
    matches = _matches(contact, candidates)
    certain = [match for match in matches if match.strength == "certain"]
    if len(certain) > 1:
        text = f"{len(certain)} records there could be this client"
        return Verdict("review", None, "several_matches", text, matches)
    if certain and certain[0].candidate.external_id in taken:
        text = "the record that matches belongs to another client"
        return Verdict("review", None, "match_taken", text, matches)
    if certain:
        return Verdict("link", certain[0].candidate.external_id, "matched", _because(certain[0]), matches)
    shared = sum(match.evidence == _EMAIL_ALONE for match in matches) > 1
    doubtful = [
        match
        for match in matches
        if match.candidate.external_id not in taken and not (shared and match.evidence == _EMAIL_ALONE)
    ]
    if doubtful:
        text = f"a record there looks like this client: {_because(doubtful[0])}"
        return Verdict("review", None, "doubtful_match", text, matches)
    return Verdict("create")


def _matches(contact: Json, candidates: Iterable[Candidate]) -> tuple[Match, ...]:
    """All that speaks for a candidate, each record once, the strongest first; the order of the candidates is lost."""
    found = [match for one in candidates if one.usable and (match := compare(contact, one)) is not None]
    found.sort(key=lambda match: (match.strength, -len(match.evidence), _age(match.candidate.external_id), repr(match)))
    strongest: dict[str, Match] = {}
    for match in found:
        strongest.setdefault(match.candidate.external_id, match)
    return tuple(strongest.values())


def _by_reference(contact: Json, candidates: Sequence[Candidate], unique: bool, taken: frozenset[str]) -> Verdict:
    referred = sorted(candidates, key=lambda one: (_age(one.external_id), repr(one)))
    ids = {one.external_id for one in referred}
    matches = tuple(Match(one, "certain", ("our reference",)) for one in referred)
    if ids & taken:
        text = "the record with our reference belongs to another client"
        return Verdict("review", None, "match_taken", text, matches)
    strangers = [why for one in referred if (why := _stranger(contact, one, unique))]
    if strangers:
        text = f"our reference is taken: {strangers[0]}"
        return Verdict("review", None, "reference_collision", text, matches)
    if len(ids) > 1:
        return Verdict("review", None, "several_matches", f"{len(ids)} records carry our reference", matches)
    return Verdict("link", referred[0].external_id, "reference", "it carries our reference", matches[:1])


def _stranger(contact: Json, candidate: Candidate, unique: bool) -> str:
    """Why a record that carries our reference is somebody else's all the same; empty where nothing says so."""
    if not candidate.usable:
        return candidate.why_not or "the record cannot be linked"
    same, differ = _numbers(contact, candidate)
    named = names_alike(contact.get("name"), candidate.name)
    contradicted = bool(differ and not same)
    if unique:
        return f"its {differ[0]} and its name ({candidate.name}) are others" if contradicted and not named else ""
    if not named:
        return f"the record has another name ({candidate.name})"
    return f"the record has another {differ[0]}" if contradicted else ""


def compare(contact: Json, candidate: Candidate) -> Match | None:
    """How far a candidate is this contact; None where nothing speaks for it, or a number against it."""
    same, differ = _numbers(contact, candidate)
    if same:
        return _by_number(contact, candidate, same, differ)
    return None if differ else _by_name(contact, candidate)


def _by_number(contact: Json, candidate: Candidate, same: list[str], differ: list[str]) -> Match:
    if differ:
        return Match(candidate, "doubtful", (*same, *(f"another {label}" for label in differ)))
    place = _same_place(contact, candidate)
    named = names_alike(contact.get("name"), candidate.name) and place is not False
    checked = "VAT number" in same and any(vat_valid(_told(side, "vat_number")) for side in (contact, candidate.values))
    sure = checked or named or place or _same_email(contact, candidate)
    return Match(candidate, "certain" if sure else "doubtful", tuple(same))


def _by_name(contact: Json, candidate: Candidate) -> Match | None:
    """Without a number on either side that could tell: name, e-mail, phone and place."""
    mine, theirs = name_key(contact.get("name")), name_key(candidate.name)
    email, phone, place = (
        _same_email(contact, candidate),
        _same_phone(contact, candidate),
        _same_place(contact, candidate),
    )
    also = [label for label, fact in (("e-mail", email), ("phone", phone), ("postcode", place)) if fact]
    if not mine or not theirs:
        return Match(candidate, "doubtful", ("e-mail",)) if email else None
    if mine == theirs:
        if email and not _other_form(contact.get("name"), candidate.name):
            return Match(candidate, "certain", ("e-mail", "name"))
        apart = place is False and (contact.get("kind") == "person" or email is False or phone is False)
        return Match(candidate, "doubtful", ("name", *also)) if also or not apart else None
    if names_alike(contact.get("name"), candidate.name):
        return Match(candidate, "doubtful", ("similar name", *also)) if also else None
    if email and (phone or place):
        return Match(candidate, "doubtful", tuple(also))
    return Match(candidate, "doubtful", _EMAIL_ALONE) if email and phone is None and place is None else None


def names_alike(one: Any, other: Any) -> bool:
    """
    Tell whether two names could be the same firm or person; legal forms, case and accents aside.

    One may hold the other, if that has two words at least. Words with a digit must be the same: the owners of
    Kerkstraat 12 are not those of Kerkstraat 14.

    >>> names_alike("Dakwerken De Linde B.V.", "Dakwerken de Lindt"), names_alike("De Linde", "Dakwerken De Linde")
    (True, True)
    >>> names_alike("VvE Kerkstraat 12", "VvE Kerkstraat 14"), names_alike("Peeters", "Bakkerij Peeters")
    (False, False)
    """
    a, b = name_key(str(one or "")), name_key(str(other or ""))
    if not a or not b or _digits(a) != _digits(b):
        return False
    fewer, more = sorted((set(a.split()), set(b.split())), key=len)
    return (len(fewer) > 1 and fewer <= more) or fuzz.token_sort_ratio(a, b) >= SIMILAR_NAMES


def _digits(name: str) -> list[str]:
    return sorted(word for word in name.split() if any(char.isdigit() for char in word))


def _other_form(one: Any, other: Any) -> bool:
    """Whether both names end in a legal form, and not in the same."""
    a, b = _form(str(one or "")), _form(str(other or ""))
    return bool(a and b) and a != b and not any({a, b} <= forms for forms in _ONE_FORM)


def _form(name: str) -> str:
    letters = "".join(char for char in folded(name) if char.isalnum())
    return letters.removeprefix(name_key(name).replace(" ", ""))


def _numbers(contact: Json, candidate: Candidate) -> tuple[list[str], list[str]]:
    """The numbers that both have: those that are the same, and those that differ, by their names for people."""
    same: list[str] = []
    differ: list[str] = []
    for path, label in (("vat_number", "VAT number"), ("registration_number", "registration number")):
        mine, theirs = _told(contact, path), _told(candidate.values, path)
        if mine and theirs:
            (same if _same_number(mine, theirs) else differ).append(label)
    if not same and not differ and _enterprise(contact) & _enterprise(candidate.values):
        # Belgium's enterprise number is the VAT number without its letters, and is filled into either field.
        same.append("registration number")
    return same, differ


def number_key(values: Mapping[str, Any], path: str) -> str:
    """
    What a VAT or registration number is looked up by: its digits, however it is written; empty where it tells nothing.

    Records found by it are candidates, to be compared here. Belgium's enterprise number is the VAT number without its
    letters and is filled into either field, so that a number of one kind is to be looked up among both.

    >>> number_key({"vat_number": "BE 0403.170.701"}, "vat_number"), number_key({"vat_number": "-"}, "vat_number")
    ('403170701', '')
    >>> number_key({"registration_number": "403.170.701"}, "registration_number")
    '403170701'
    """
    return "".join(char for char in _told(values, path) if char.isdecimal()).lstrip("0")


def _told(values: Mapping[str, Any], path: str) -> str:
    """The number of one side, empty where there is none that tells anybody apart; with its country where it is told."""
    value = NORMALISERS["text"](canonical.get(values, path))
    country = canonical.get(values, "address.country") or values.get("address.country")
    if path == "vat_number":
        return identity_key("vat", vat_key(value, country))
    return identity_key("registration", registration_key(value, country))


def _same_number(one: str, other: str) -> bool:
    """Equal, or equal but for the country's letters, which one of them lacks, and the nought that Belgium put first."""
    lettered = [number for number in (one, other) if number[:2].isalpha()]
    if one == other or len(lettered) == 2:
        return one == other
    letters = lettered[0][:2] if lettered else "BE"
    mine, theirs = (number if number in lettered else vat_key(letters + number) for number in (one, other))
    return mine == theirs


def _enterprise(values: Mapping[str, Any]) -> set[str]:
    """The numbers that can be Belgium's enterprise number, from either field, with its letters or without."""
    told = {_told(values, "vat_number"), _told(values, "registration_number")}
    full = {number if number[:2].isalpha() else f"BE{number}" for number in told}
    return {vat_key(number) for number in full if number.startswith("BE") and vat_valid(number)}


def _same_email(contact: Json, candidate: Candidate) -> bool | None:
    """Whether they share an address, of the client or of its persons; None where one side has none."""
    found = [contact.get("email"), contact.get("invoice_email")]
    found += [person.get("email") for person in contact.get("persons") or []]
    mine = {identity_key("email", email) for email in found} - {""}
    theirs = {identity_key("email", email) for email in candidate.emails} - {""}
    return bool(mine & theirs) if mine and theirs else None


def _same_phone(contact: Json, candidate: Candidate) -> bool | None:
    """As `_same_email`, for the client's own numbers."""
    mine, theirs = (
        {identity_key("phone", canonical.get(values, path)) for path in ("phone", "mobile")} - {""}
        for values in (contact, candidate.values)
    )
    return bool(mine & theirs) if mine and theirs else None


def _same_place(contact: Json, candidate: Candidate) -> bool | None:
    """True and False where both sides have a postcode, None where one has none."""
    mine = NORMALISERS["postcode"](canonical.get(contact, "address.postal_code"))
    theirs = NORMALISERS["postcode"](candidate.values.get("address.postal_code"))
    return None if not mine or not theirs else mine == theirs


def _because(match: Match) -> str:
    return f"{match.candidate.name or match.candidate.external_id} ({', '.join(match.evidence)})"


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
