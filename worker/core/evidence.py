"""
What speaks for a record being a contact of ours, and what against it: one table, and what follows from it.

Every row that holds for a pair is a sentence that a person reads beside the record in question. What follows is decided
by `strength`, from the rows alone. The measure is a careful bookkeeper: *certain* where she would not look twice,
*apart* where she would not even wonder, *doubtful* in between, and then she is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from rapidfuzz import fuzz

from worker.core.contact import Json
from worker.core.matching_keys import Candidate, MatchingKeys, as_lines, keys_of_contact, keys_of_record
from worker.core.normalise import folded, name_key
from worker.core.normalise.numbers import CompanyNumber, compare_numbers, is_near

Strength = Literal["certain", "doubtful", "apart"]


@dataclass(frozen=True)
class Row:
    """One kind of evidence: the canonical field that it is about, the sentence, and which way it points."""

    field: str
    says: str
    speaks_for: bool
    weight: str
    """How much it counts, for the page that explains it: `identifies`, `strong`, `supports`; `asks`, `parts`."""


# --------------------------------------------------------------------------------------------------------------- for
REFERENCE: Final = Row("reference", "it carries our reference", True, "strong")
VAT_SAME: Final = Row("vat_number", "the same VAT number, and its check digits hold", True, "identifies")
ENTERPRISE_SAME: Final = Row(
    "registration_number", "the same registration number, and its check digits hold", True, "identifies"
)
VAT_SAME_UNCHECKED: Final = Row("vat_number", "the same VAT number, with check digits that do not hold", True, "strong")
REGISTRATION_SAME: Final = Row("registration_number", "the same registration number", True, "strong")
NAME_SAME: Final = Row("name", "the same name", True, "strong")
NAME_SIMILAR: Final = Row("name", "a similar name", True, "supports")
EMAIL_SAME: Final = Row("email", "an e-mail address in common", True, "strong")
PHONE_SAME: Final = Row("phone", "a phone number in common", True, "supports")
POSTCODE_SAME: Final = Row("address.postal_code", "the same postcode", True, "supports")
# ----------------------------------------------------------------------------------------------------------- against
VAT_OTHER: Final = Row("vat_number", "another VAT number", False, "parts")
VAT_MISTYPED: Final = Row("vat_number", "another VAT number, but one of the two may be mistyped", False, "asks")
REGISTRATION_OTHER: Final = Row("registration_number", "another registration number", False, "parts")
REGISTRATION_MISTYPED: Final = Row(
    "registration_number", "another registration number, but one of the two may be mistyped", False, "asks"
)
NUMBER_ON_ONE_SIDE: Final = Row("vat_number", "a VAT or registration number on one side only", False, "asks")
NAME_OTHER: Final = Row("name", "another name", False, "parts")
NAME_MISSING: Final = Row("name", "a name on one side only", False, "asks")
FORM_OTHER: Final = Row("legal_form", "another legal form", False, "asks")
FORM_ON_ONE_SIDE: Final = Row("legal_form", "a legal form on one side only", False, "asks")
KIND_OTHER: Final = Row("kind", "one is a private person, the other an organisation", False, "asks")
EMAIL_OTHER: Final = Row("email", "no e-mail address in common", False, "parts")
PHONE_OTHER: Final = Row("phone", "no phone number in common", False, "parts")
POSTCODE_OTHER: Final = Row("address.postal_code", "another postcode", False, "parts")
REFERENCE_OTHER: Final = Row("reference", "it carries the reference of another client", False, "asks")

ROWS: Final = (
    REFERENCE,
    VAT_SAME,
    ENTERPRISE_SAME,
    VAT_SAME_UNCHECKED,
    REGISTRATION_SAME,
    NAME_SAME,
    NAME_SIMILAR,
    EMAIL_SAME,
    PHONE_SAME,
    POSTCODE_SAME,
    VAT_OTHER,
    VAT_MISTYPED,
    REGISTRATION_OTHER,
    REGISTRATION_MISTYPED,
    NUMBER_ON_ONE_SIDE,
    NAME_OTHER,
    NAME_MISSING,
    FORM_OTHER,
    FORM_ON_ONE_SIDE,
    KIND_OTHER,
    EMAIL_OTHER,
    PHONE_OTHER,
    POSTCODE_OTHER,
    REFERENCE_OTHER,
)

CHECKED_NUMBER: Final = frozenset({VAT_SAME, ENTERPRISE_SAME})
SAME_NUMBER: Final = CHECKED_NUMBER | {VAT_SAME_UNCHECKED, REGISTRATION_SAME}
OTHER_NUMBER: Final = frozenset({VAT_OTHER, REGISTRATION_OTHER})
MISTYPED_NUMBER: Final = frozenset({VAT_MISTYPED, REGISTRATION_MISTYPED})
_NEVER_CERTAIN: Final = frozenset({KIND_OTHER, REFERENCE_OTHER}) | OTHER_NUMBER | MISTYPED_NUMBER
_ALIKE: Final = frozenset({NAME_SAME, NAME_SIMILAR})
_REACHED: Final = frozenset({EMAIL_SAME, PHONE_SAME})
_NOT_REACHED: Final = frozenset({EMAIL_OTHER, PHONE_OTHER})

SIMILAR_NAMES: Final = 88.0
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


# ---------------------------------------------------------------------------------------------------------- decision
def strength(rows: frozenset[Row], *, person: bool) -> Strength:
    """
    What the evidence amounts to; `person`: the contact is a private person, as many of them are called the same.

    One more row that speaks for it never makes it less.
    """
    if is_certain(rows, person=person):
        return "certain"
    return "doubtful" if _is_doubtful(rows, person=person) else "apart"


def is_certain(rows: frozenset[Row], *, person: bool) -> bool:
    """
    A number and something else that agrees, or e-mail and name with nothing that would make her look again.

    A number alone is not enough: members of a fiscal unity and the departments of a city share one.
    """
    if rows & _NEVER_CERTAIN:
        return False
    if rows & SAME_NUMBER:
        if rows & _REACHED:
            # Under another name the number may be a fiscal unity's or a city's, and the e-mail their bookkeeper's.
            return NAME_OTHER not in rows
        checked = bool(rows & CHECKED_NUMBER)
        if checked and NAME_SAME in rows:
            return True
        if rows & _NOT_REACHED or (not checked and POSTCODE_OTHER in rows):
            return NAME_SAME in rows and POSTCODE_OTHER not in rows
        return bool(rows & _ALIKE) or (NAME_MISSING in rows and POSTCODE_SAME in rows)
    return {NAME_SAME, EMAIL_SAME} <= rows and not _asks_again(rows, person)


def _asks_again(rows: frozenset[Row], person: bool) -> bool:
    """What makes her look again at a record with the same name and e-mail."""
    if rows & {FORM_OTHER, FORM_ON_ONE_SIDE}:
        return True
    if POSTCODE_OTHER in rows:
        return bool(rows & {NUMBER_ON_ONE_SIDE, PHONE_OTHER}) or (person and PHONE_SAME not in rows)
    return person and PHONE_OTHER in rows and POSTCODE_SAME not in rows


def _is_doubtful(rows: frozenset[Row], *, person: bool) -> bool:
    if rows & SAME_NUMBER:
        return True
    if rows & OTHER_NUMBER:
        # A firm that was founded anew, or a sister of the same name; with another name the numbers settle it.
        return NAME_SAME in rows and bool(rows & (_REACHED | {POSTCODE_SAME}))
    if rows & MISTYPED_NUMBER and NAME_SAME in rows:
        return True
    return _looks_alike(rows, person)


def _looks_alike(rows: frozenset[Row], person: bool) -> bool:
    """Without a number that could tell: name, e-mail, phone and place."""
    reached = bool(rows & _REACHED)
    if NAME_SAME in rows:
        return reached or POSTCODE_OTHER not in rows or not (person or rows & _NOT_REACHED)
    if NAME_SIMILAR in rows:
        return reached or POSTCODE_SAME in rows
    if EMAIL_SAME not in rows:
        return False
    return NAME_MISSING in rows or bool(rows & {PHONE_SAME, POSTCODE_SAME}) or is_email_alone(rows)


def is_email_alone(rows: frozenset[Row]) -> bool:
    """Whether it shares nothing with the contact but an e-mail, and contradicts it in its name alone."""
    told = {PHONE_SAME, PHONE_OTHER, POSTCODE_SAME, POSTCODE_OTHER} | SAME_NUMBER | OTHER_NUMBER | MISTYPED_NUMBER
    return {EMAIL_SAME, NAME_OTHER} <= rows and not rows & told


# ------------------------------------------------------------------------------------------------------------- facts
def weigh(contact: Json, candidate: Candidate, mine: MatchingKeys | None = None) -> frozenset[Row]:
    """The rows that hold for a contact and a record; `mine` are the contact's keys, where they are known."""
    return frozenset(_rows(contact, candidate, mine or keys_of_contact(contact)))


def _rows(contact: Json, candidate: Candidate, mine: MatchingKeys) -> Iterator[Row]:
    theirs = keys_of_record(candidate)
    yield from _number_rows(mine.company_numbers, theirs.company_numbers)
    yield from _name_rows(mine.name, theirs.name)
    if mine.name and mine.name == theirs.name:
        yield from _form_rows(_form(as_lines(contact.get("name"))), _form(as_lines(candidate.name)))
    for fact, agree, differ in (
        (_share(mine.emails, theirs.emails), EMAIL_SAME, EMAIL_OTHER),
        (_share(mine.phones, theirs.phones), PHONE_SAME, PHONE_OTHER),
        (_share(mine.postcodes, {theirs.postcode} - {""}), POSTCODE_SAME, POSTCODE_OTHER),
    ):
        if fact is not None:
            yield agree if fact else differ
    if _other_kind(contact, candidate, mine.company_numbers, theirs.company_numbers):
        yield KIND_OTHER


def _share(mine: Set[str], theirs: Set[str]) -> bool | None:
    """Whether both have one in common; None where one side has none."""
    return bool(mine & theirs) if mine and theirs else None


def _number_rows(mine: tuple[CompanyNumber, ...], theirs: tuple[CompanyNumber, ...]) -> Iterator[Row]:
    compared = compare_numbers(mine, theirs)
    same = {_same_row(one, other) for one, other in compared.same}
    # The RSIN that stands in two equal VAT numbers is no second number.
    yield from same - {ENTERPRISE_SAME} if VAT_SAME in same else same
    for one, other in compared.differ:
        vat = "vat_number" in (one.field, other.field)
        if is_near(one, other) or _fails(one) or _fails(other):
            yield VAT_MISTYPED if vat else REGISTRATION_MISTYPED
        else:
            yield VAT_OTHER if vat else REGISTRATION_OTHER
    if bool(mine) != bool(theirs):
        yield NUMBER_ON_ONE_SIDE


def _same_row(one: CompanyNumber, other: CompanyNumber) -> Row:
    checked = one.checked or other.checked
    if {one.field, other.field} == {"vat_number"} and one.kind.startswith("vat:"):
        return VAT_SAME if checked else VAT_SAME_UNCHECKED
    return ENTERPRISE_SAME if checked else REGISTRATION_SAME


def _fails(number: CompanyNumber) -> bool:
    return number.can_be_checked and not number.checked


def _name_rows(mine: str, theirs: str) -> Iterator[Row]:
    if mine and theirs:
        yield NAME_SAME if mine == theirs else NAME_SIMILAR if keys_alike(mine, theirs) else NAME_OTHER
    elif mine or theirs:
        yield NAME_MISSING


def _form_rows(one: str, other: str) -> Iterator[Row]:
    if bool(one) != bool(other):
        yield FORM_ON_ONE_SIDE
    elif one != other and not any({one, other} <= forms for forms in _ONE_FORM):
        yield FORM_OTHER


def _form(name: str) -> str:
    letters = "".join(char for char in folded(name) if char.isalnum())
    return letters.removeprefix(name_key(name).replace(" ", ""))


def _other_kind(
    contact: Json, candidate: Candidate, mine: tuple[CompanyNumber, ...], theirs: tuple[CompanyNumber, ...]
) -> bool:
    """
    Whether one is a private person and the other is not. A contact counts as an organisation only by its number or
    the form in its name, as everybody is one of whom the settings do not say that he is a person; a record that does
    not tell its kind, by what the contact has not.
    """
    if {contact.get("kind"), candidate.values.get("kind")} == {"person", "organisation"}:
        return contact.get("kind") == "person" or bool(mine) or bool(_form(as_lines(contact.get("name"))))
    told = (bool(theirs) and not mine) or (
        bool(_form(as_lines(candidate.name))) and not _form(as_lines(contact.get("name")))
    )
    return contact.get("kind") == "person" and told


# ------------------------------------------------------------------------------------------------------------- names
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
    return keys_alike(name_key(as_lines(one)), name_key(as_lines(other)))


def keys_alike(a: str, b: str) -> bool:
    """As `names_alike`, for two keys of names."""
    if not a or not b or _digits(a) != _digits(b):
        return False
    fewer, more = sorted((set(a.split()), set(b.split())), key=len)
    return (len(fewer) > 1 and fewer <= more) or fuzz.token_sort_ratio(a, b) >= SIMILAR_NAMES


@lru_cache(maxsize=4_096)
def _digits(name: str) -> tuple[str, ...]:
    return tuple(sorted(word for word in name.split() if any(char.isdigit() for char in word)))
