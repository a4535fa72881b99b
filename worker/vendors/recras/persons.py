"""
Contact persons as Recras holds them, made from a client and its persons (Recras sheets 5.1, 12 and 13).

Recras has no e-mail and no phone on the customer itself: they sit on the main contact person. A client without any
person gets one that is made from the client itself, as Recras wants at least one
(https://demo.recras.nl/docs/api/endpoints/klanten.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from worker.core import contact as canonical
from worker.core.mapping import FieldRow, OurPerson, PersonTable
from worker.core.normalise import NORMALISERS, join_name, split_name
from worker.core.persons import SELF, TheirPerson
from worker.vendors.recras.titles import UNKNOWN_GENDER, gender, salutation

if TYPE_CHECKING:
    from worker.core.contact import Json

SOURCE: Final = "Recras sheet 5.1 and 13, https://demo.recras.nl/docs/api/endpoints/klanten.html"


def _row(canonical_path: str, vendor: str, normaliser: str = "text", **more: Any) -> FieldRow:
    return FieldRow(canonical_path, vendor, normaliser, source=SOURCE, **more)


def _theirs(vendor: str, normaliser: str = "text", lossy: str = "never written") -> FieldRow:
    return _row(vendor, vendor, normaliser, direction="in", owner="system", lossy=lossy)


ROWS: Final[tuple[FieldRow, ...]] = (
    _row("first_name", "voornaam"),
    _row("last_name", "achternaam", null_rule="never", lossy="the client's name where the person has none"),
    _row("phone", "telefoon1", "phone", lossy="of the main person the client's phone, else the person's own"),
    _row("mobile", "telefoon2", "phone", lossy="of the main person also the client's, where the person has none"),
    _row("email", "email1", "email", lossy="of the main person the client's address, else the person's own"),
    _row("email", "email2", "email", lossy="only of the main person: its own address beside the client's"),
    _row(
        "title",
        "geslacht",
        "choice",
        null_rule="never",
        lossy=f"from the title; {UNKNOWN_GENDER} for a new person whose title tells none",
    ),
    _row("title", "aanhef", lossy="the title in full; Recras makes its own from the gender where it is empty"),
    _theirs("adres"),
    _theirs("postcode", "postcode"),
    _theirs("plaats"),
)

OURS: Final[tuple[str, ...]] = tuple(row.vendor for row in ROWS if row.direction != "in")
WRITABLE: Final[tuple[str, ...]] = tuple(row.vendor for row in ROWS)
"""A person's members, all of which a PUT may name; `id` and `hoofdcontact` belong to the link (sheet 5.1)."""


def table_for(fallback_name: str | None) -> PersonTable:
    """The table of persons; `fallback_name` is the last name of a person that is made from an organisation."""

    def build(contact: Json) -> Sequence[OurPerson]:
        return _build(contact, fallback_name)

    return PersonTable(
        ROWS,
        build=build,
        email=lambda fields: fields.get("email1"),
        name=lambda fields: join_name(fields.get("voornaam"), fields.get("achternaam")) or None,
        source=SOURCE,
    )


def _build(contact: Json, fallback_name: str | None) -> list[OurPerson]:
    listed = contact.get("persons") or []
    main = canonical.main_person(contact)
    if main is None:
        return [_from_client(contact, fallback_name)]
    stand_in = fallback_name or contact.get("name")
    made = [_from_person(person, person.get("key") == main.get("key"), contact, stand_in) for person in listed]
    return sorted(made, key=lambda person: not person.main)


def _from_client(contact: Json, fallback_name: str | None) -> OurPerson:
    """Sheet 13, end: the client as its own contact person. A private person is that person, and no stand-in."""
    first, last = _client_as_person(contact)
    stand_in = not last
    fields = {"voornaam": first or None, "achternaam": last or fallback_name or contact.get("name")}
    reach = _reach(contact, {}) | _address_form({})
    return OurPerson(SELF, True, fields | reach, placeholders=("voornaam", "achternaam") if stand_in else ())


def _client_as_person(contact: Json) -> tuple[str, str]:
    if contact.get("kind") != "person":
        return "", ""
    if contact.get("last_name"):
        return str(contact.get("first_name") or ""), str(contact["last_name"])
    return split_name(contact.get("name") or canonical.full_name(contact))


def _from_person(person: Mapping[str, Any], main: bool, contact: Json, stand_in: str | None) -> OurPerson:
    first, last = person.get("first_name"), person.get("last_name")
    if first and not last:
        # The whole name in the one member: cut it, a single word is the last name (sheet 13).
        first, last = split_name(str(first))
    fields = {"voornaam": first or None, "achternaam": last or stand_in}
    reach = (_reach(contact, person) if main else _own_reach(person)) | _address_form(person)
    return OurPerson(str(person.get("key") or ""), main, fields | reach, placeholders=() if last else ("achternaam",))


def _address_form(person: Mapping[str, Any]) -> dict[str, Any]:
    """How the person is addressed, as far as its title tells."""
    return {"geslacht": gender(person.get("title")), "aanhef": salutation(person.get("title"))}


def _own_reach(person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "telefoon1": person.get("phone"),
        "telefoon2": person.get("mobile"),
        "email1": person.get("email"),
        "email2": None,
    }


def _reach(contact: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    """
    Phones and e-mails of the main person: the client's first, then the person's own, as far as two members go.

    Sheet 13; in the example of sheet 9 the main person has the client's phone and address.
    """
    emails = _distinct("email", contact.get("email"), person.get("email")) or _distinct(
        "email", contact.get("invoice_email")
    )
    first = contact.get("phone") or person.get("phone")
    others = (person.get("mobile"), contact.get("mobile"), person.get("phone"))
    phones = _distinct("phone", first, *others) if first else [None, *_distinct("phone", *others)]
    return {
        "telefoon1": _at(phones, 0),
        "telefoon2": _at(phones, 1),
        "email1": _at(emails, 0),
        "email2": _at(emails, 1),
    }


def _distinct(normaliser: str, *values: Any) -> list[Any]:
    kept: dict[str, Any] = {}
    for value in values:
        key = NORMALISERS[normaliser](value)
        if key:
            kept.setdefault(key, value)
    return list(kept.values())


def _at(values: Sequence[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def reach_held(contact: Json) -> frozenset[str]:
    """The phones and e-mails of a client and its persons that found a place on some person, as keys."""
    built = _build(contact, None)
    rows = [row for row in ROWS if row.normaliser in ("phone", "email")]
    held = {NORMALISERS[row.normaliser](person.fields.get(row.vendor)) for person in built for row in rows}
    return frozenset(held - {""})


def their_persons(record: Mapping[str, Any]) -> tuple[TheirPerson, ...] | None:
    """
    The contact persons that an answer shows, None where it does not show them.

    The main one is the one that says so; where no answer says it, the first (sheet 3).
    """
    shown = record.get("contactpersonen")
    if not isinstance(shown, list):
        return None
    main = next((place for place, person in enumerate(shown) if person.get("hoofdcontact") is True), 0)
    return tuple(
        TheirPerson(str(person["id"]), place == main, {member: _held(member, person) for member in OURS})
        for place, person in enumerate(shown)
    )


def _held(member: str, person: Mapping[str, Any]) -> Any:
    """A member of theirs; the third gender is what Recras writes where nobody told it one."""
    value = person.get(member)
    return None if member == "geslacht" and value == UNKNOWN_GENDER else value


def emails_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Every e-mail address of every person of a record."""
    found = (person.get(member) for person in record.get("contactpersonen") or () for member in ("email1", "email2"))
    return tuple(dict.fromkeys(email for email in found if email))
