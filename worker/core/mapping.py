"""
A mapping is a table: one row for each field of a vendor's record.

From the rows come both directions of mapping, the three-way merge (`planning`), ownership, the field pages of the
documentation, labels and masks. A vendor's folder holds its table (`mapping.py`); this module holds the row, and
what can be read off a table without knowing the vendor.

A vendor's record is a flat or nested JSON object; `FieldRow.vendor` is a dotted path in it. Contact persons, where
a system holds a list of them, are a table of their own (`PersonTable`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from worker.core import contact as canonical
from worker.core.normalise import NORMALISERS, as_text, country_code, phone_key, same_phone

if TYPE_CHECKING:
    from worker.core.contact import Json, PersonalData
    from worker.core.snapshot import Snapshot

Owner = Literal["robaws", "system", "fill", "review", "ignore"]
Direction = Literal["both", "out", "in"]
NullRule = Literal["null", "empty", "never"]
OWNERS: Final[tuple[Owner, ...]] = ("robaws", "system", "fill", "review", "ignore")

PERSONS: Final = "persons"
"""The path that contact persons go by where a system holds a list of them, in owners, decisions and questions."""

EVERYTHING: Final = "*"
"""The path of a question about several fields of a record, whichever they are."""


def unit_path(unit: str) -> str:
    """
    The path that a whole unit of fields goes by, in decisions and questions; no member of a vendor's is called so.

    >>> unit_path("address")
    'address.*'
    """
    return f"{unit}.*"


PLACEHOLDER: Final = "placeholder:"
REVIEW: Final = "review"

COUNTRY_LENGTH: Final = 2
"""The length of a member that holds the two letters of a country, and of no other."""

_MAY_BE_MEANT: Final = frozenset({"integer_text", "boolean", "choice"})


@dataclass(frozen=True)
class FieldRow:
    """
    How one field of one vendor follows from the canonical contact.

    `canonical` is the path that decides on ownership and labels. `sources` are the canonical paths that `compose`
    makes the value from: `first` takes the first that is not empty, `lines` joins with a comma, `custom` calls
    `outward`. `owner` is the default; the settings may name another. `null_rule` says how a value is emptied there:
    `null`, `empty` (an empty text) or `never` (it cannot be; the value stays and is listed as not held).
    `write` is `create` for a member that can be given only once. `required`: a create without it is refused;
    `missing` then says what stands in (`placeholder:TEXT`, or `review` for a person's decision, as without it), and
    `required_of` of which contacts it is required, all without it.
    `adopt` is False for a member that is never compared on a first link (a reference of the other system's own).
    `region` is the country of phone numbers that are written without one, as the settings say.
    Rows with one `unit` hold one value between them, such as an address, and are decided about together (`units`).

    ValueError for a row that cannot be meant: a normaliser that does not exist, or a `missing` of another form.
    """

    canonical: str
    vendor: str
    normaliser: str = "text"
    sources: tuple[str, ...] = ()
    compose: Literal["first", "lines", "custom"] = "first"
    outward: Callable[[Json], Any] | None = None
    direction: Direction = "both"
    owner: Owner = "robaws"
    write: Literal["always", "create"] = "always"
    null_rule: NullRule = "null"
    required: bool = False
    missing: str | None = None
    required_of: Callable[[Json], bool] | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    adopt: bool = True
    unit: str = ""
    lossy: str = ""
    source: str = ""
    region: str | None = None

    def __post_init__(self) -> None:
        if self.normaliser not in NORMALISERS:
            raise ValueError(f"{self.vendor}: there is no normaliser {self.normaliser!r}")
        if self.missing is not None and self.missing != REVIEW and not self.missing.startswith(PLACEHOLDER):
            raise ValueError(f"{self.vendor}: missing is `{REVIEW}` or `{PLACEHOLDER}TEXT`, not {self.missing!r}")

    def key(self, value: Any) -> str:
        """The comparison key of a value: two values with one key are the same to this field."""
        if self.region and self.normaliser == "phone":
            return phone_key(as_text(value), None, self.region)
        return NORMALISERS[self.normaliser](value)

    def same(self, one: Any, other: Any, country: str | None = None) -> bool:
        """
        Whether two values are the same to this field. Two phone numbers may be so without having one key: a number
        without its country agrees with each that it may mean, with the address in `country`.
        """
        if self.key(one) == self.key(other):
            return True
        return self.normaliser == "phone" and same_phone(as_text(one), as_text(other), country, self.region)

    def unchanged(self, value: Any, was: Any, held: Any, country: str | None = None) -> bool:
        """
        Whether a value says what it said before, when `held` stood there. A phone number that was written without its
        country meant the one that stood there; with its country, it may turn out to mean another.
        """
        if not self.same(value, was, country):
            return False
        if self.normaliser != "phone" or value == was:
            return True
        return self.same(value, held, country) or not self.same(was, held, country)

    def value(self, contact: Json) -> Any:
        """What this system should hold for the contact; None where the contact has nothing."""
        if self.outward is not None:
            return self.outward(contact)
        values = [canonical.get(contact, path) for path in (self.sources or (self.canonical,))]
        given = [value for value in values if value not in (None, "")]
        if not given:
            return None
        return ", ".join(str(value) for value in given) if self.compose == "lines" else given[0]

    def is_required(self, contact: Json) -> bool:
        """Whether a create for this contact would be refused without it."""
        return self.required and (self.required_of is None or self.required_of(contact))

    @property
    def stand_in(self) -> str | None:
        """The text that stands where a required value is missing; None where a person decides, or none is required."""
        if self.required and self.missing is not None and self.missing.startswith(PLACEHOLDER):
            return self.missing.removeprefix(PLACEHOLDER)
        return None

    @cached_property
    def stand_in_key(self) -> str:
        """
        The key of a text that is nothing but a stand-in, so that whoever wrote it, it is no value; empty without one.

        A number or a word from a list that stands in (a payment term of 14 days) may as well be meant.
        """
        return "" if self.stand_in is None or self.normaliser in _MAY_BE_MEANT else self.key(self.stand_in)

    @property
    def personal(self) -> PersonalData:
        """The class of personal data, for masks."""
        known = canonical.BY_PATH.get(self.canonical) or canonical.UNITS.get(self.canonical)
        return known.personal if known else "none"

    @property
    def label(self) -> str:
        """The name of the field for people."""
        known = canonical.BY_PATH.get(self.canonical) or canonical.UNITS.get(self.canonical)
        return known.label if known else self.canonical


@dataclass(frozen=True)
class OurPerson:
    """
    A contact person as one system should hold it.

    `key` is the source's id of the person, or `:self` for one that was made from the client itself because the
    system wants at least one. `fields` are in the vendor's members; `placeholders` are those that hold a stand-in of
    ours, which never takes the place of a value that somebody else put there.
    """

    key: str
    main: bool
    fields: Mapping[str, Any]
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True)
class PersonTable:
    """
    How a system holds contact persons: rows over a person's members (`FieldRow.canonical` is a person's field).

    `build` makes the persons that the system should hold from a contact, the main one first. `email`, `name` give
    what a person of the system is matched by, when it is not linked yet.
    """

    rows: tuple[FieldRow, ...]
    build: Callable[[Json], Sequence[OurPerson]]
    email: Callable[[Mapping[str, Any]], str | None]
    name: Callable[[Mapping[str, Any]], str | None]
    owner: Owner = "robaws"
    source: str = ""


@dataclass(frozen=True)
class Ours:
    """
    What one system should hold for one contact.

    `fields` by vendor path; `required` are those that this contact cannot be made without. `missing` names the ones of
    these for which the contact has nothing and a person must decide; `placeholders` those that carry a stand-in of
    ours, which is never read back as a value. `problems` are values that the field cannot take (too long, no such
    choice) or that the system `refused`, with the sentence for people; they are not in `fields`, but in `misfits`.
    `unheld` are canonical paths that have a value here and no place there. `country` is the one of the contact's
    address, for its phone numbers. `table` is the version of the table that this was made with.
    """

    fields: Mapping[str, Any]
    persons: tuple[OurPerson, ...] = ()
    missing: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    unheld: tuple[str, ...] = ()
    misfits: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    country: str | None = None
    refused: frozenset[str] = frozenset()
    table: str | None = None

    def without(self, refused: Mapping[str, str]) -> Ours:
        """The same without values that the system refuses, with what it says about each."""
        left_out = {path: text for path, text in refused.items() if path in self.fields and path not in self.required}
        return replace(
            self,
            fields={path: value for path, value in self.fields.items() if path not in left_out},
            problems={**self.problems, **left_out},
            misfits={**self.misfits, **{path: self.fields[path] for path in left_out}},
            refused=self.refused | left_out.keys(),
        )

    def says(self, path: str) -> bool:
        """Whether anything is meant for a vendor path, be it nothing or a value that does not fit."""
        return path in self.fields or path in self.problems


@dataclass(frozen=True)
class NamesByKind:
    """
    A system in which the kind of a record decides which member is its name: the members are one unit.

    `switch` is true for a person, whose name is in `person`, and false for an organisation, whose name is in `company`
    and whose contact person may be in `person`.
    """

    switch: str
    person: str
    company: str

    def named_there(self, ours: Ours, *, person: bool) -> Ours:
        """
        What we mean a record of the other kind to hold: our name where that record shows its own, and nothing in the
        other member, which is not for us to fill.
        """
        name, other = (self.person, self.company) if person else (self.company, self.person)

        def moved(values: Mapping[str, Any]) -> dict[str, Any]:
            kept = {path: value for path, value in values.items() if path not in (name, other)}
            return {**kept, name: values[other]} if other in values else kept

        paths = {other: name}
        return replace(
            ours,
            fields=moved(ours.fields),
            problems=moved(ours.problems),
            misfits=moved(ours.misfits),
            missing=tuple(paths.get(path, path) for path in ours.missing if path != name),
            placeholders=tuple(paths.get(path, path) for path in ours.placeholders if path != name),
            required=frozenset(paths.get(path, path) for path in ours.required if path != name),
        )


@dataclass(frozen=True)
class VendorMapping:
    """
    One vendor's table. `inward` brings a vendor record to canonical values by path, for matching and for sources.

    `version` goes onto each attempt, so that a later reader knows which table made a request, and into each snapshot.
    It changes when a member's value is made in another way. `unmarked` is the version of snapshots that name none,
    where it is not this one. `not_held` gives, for the documentation, what becomes of canonical fields without a row.
    `names` is set where a record's kind decides which member is its name.
    """

    system: str
    version: str
    rows: tuple[FieldRow, ...]
    inward: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    persons: PersonTable | None = None
    also_held: tuple[str, ...] = ()
    not_held: Mapping[str, str] = field(default_factory=dict)
    names: NamesByKind | None = None
    unmarked: str | None = None

    def __post_init__(self) -> None:
        paths = [row.vendor for row in self.rows]
        if len(set(paths)) < len(paths):
            twice = sorted({path for path in paths if paths.count(path) > 1})
            raise ValueError(f"{self.system}: more than one row for {', '.join(twice)}")

    def row(self, vendor_path: str) -> FieldRow:
        """
        The row of a vendor path, also for `persons` where there is a list of them, for a whole unit by its `unit_path`
        and for `EVERYTHING`; KeyError where there is none.
        """
        if vendor_path == EVERYTHING:
            return FieldRow(EVERYTHING, EVERYTHING)
        for row in self.rows:
            if row.vendor == vendor_path:
                return row
            if row.unit and unit_path(row.unit) == vendor_path:
                return FieldRow(row.unit, vendor_path, owner=row.owner, source=row.source)
        if vendor_path == PERSONS and self.persons is not None:
            return FieldRow(PERSONS, PERSONS, owner=self.persons.owner, source=self.persons.source)
        raise KeyError(vendor_path)

    def owners(self, configured: Mapping[str, Owner]) -> dict[str, Owner]:
        """Who owns each vendor path (and `persons`), the settings laid over the table's defaults."""
        owners: dict[str, Owner] = {row.vendor: configured.get(row.canonical, row.owner) for row in self.rows}
        if self.persons is not None:
            owners[PERSONS] = configured.get(PERSONS, self.persons.owner)
        return owners

    def reading_phones(self, region: str) -> Self:
        """The same table, for settings that say in which country numbers without a country code are."""
        persons = self.persons and replace(self.persons, rows=_in_region(self.persons.rows, region))
        return replace(self, rows=_in_region(self.rows, region), persons=persons)

    def outward(self, contact: Json) -> Ours:
        """What this system should hold for the contact."""
        fields: dict[str, Any] = {}
        missing: list[str] = []
        placeholders: list[str] = []
        problems: dict[str, str] = {}
        misfits: dict[str, Any] = {}
        for row in self.rows:
            if row.direction == "in":
                continue
            value = row.value(contact)
            if row.is_required(contact) and row.key(value) == "":
                value = row.stand_in
                (missing if value is None else placeholders).append(row.vendor)
            problem = misfit(row, value)
            if problem:
                problems[row.vendor], misfits[row.vendor] = problem, value
            else:
                fields[row.vendor] = value
        persons = tuple(self.persons.build(contact)) if self.persons else ()
        unheld = self.unheld(contact)
        required = frozenset(row.vendor for row in self.rows if row.is_required(contact))
        country = canonical.get(contact, "address.country") or canonical.get(contact, "invoice_address.country")
        ours = Ours(fields, persons, tuple(missing), tuple(placeholders), problems, unheld, misfits, required, country)
        return replace(ours, table=self.version)

    def made(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot's side of ours was made with this very table."""
        return (snapshot.table or self.unmarked or self.version) == self.version

    def unheld(self, contact: Json) -> tuple[str, ...]:
        """The canonical paths that have a value in this contact and no place in this system."""
        leaves = canonical.leaves(contact)
        return tuple(path for path, value in leaves if value not in (None, "", []) and path not in self._held)

    @cached_property
    def _held(self) -> frozenset[str]:
        """The canonical paths that have a place in this system."""
        written = [row for row in self.rows if row.direction != "in"]
        held = {path for row in written for path in (row.canonical, *row.sources)}
        persons = () if self.persons is None else (PERSONS,)
        return frozenset((*held, *self.also_held, *persons, "kind", "references.robaws_id"))


def _in_region(rows: Sequence[FieldRow], region: str) -> tuple[FieldRow, ...]:
    return tuple(replace(row, region=region) if row.normaliser == "phone" else row for row in rows)


def misfit(row: FieldRow, value: Any) -> str | None:
    """Why a field cannot take a value; None where it can."""
    if row.normaliser == "country" and row.max_length == COUNTRY_LENGTH and value and country_code(value) != value:
        return f"{row.label} is not known, and only the two letters of a country fit"
    if isinstance(value, str) and row.max_length is not None and len(value) > row.max_length:
        return f"{row.label} has {len(value)} characters, more than the {row.max_length} that fit"
    if row.choices and value not in (None, "") and str(value) not in row.choices:
        return f"{row.label} is none of {', '.join(row.choices)}"
    return None
