"""
What is sent to Recras: a new customer, a changed one, a changed contact person (Recras sheets 5.1, 5.3 and 14).

The page, https://demo.recras.nl/docs/api/endpoints/klanten.html, does not say whether a PUT leaves alone what it does
not name. So a full body names every member that holds something, as it was just read, with the changes laid over: that
is right under both readings. What is empty, null or "" alike, and stays so is left out: it is empty afterwards under
both readings as well, and no null is ever written over a "" (trap 9). A web address without a scheme, which people type
and a write would be refused for (sheet 15), is sent back with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from worker.core.normalise import url_absolute
from worker.vendors.recras import persons as people
from worker.vendors.recras.mapping import EXTRA_FIELDS, HIDDEN, WRITABLE, extra_field
from worker.vendors.recras.titles import UNKNOWN_GENDER

if TYPE_CHECKING:
    from worker.core.contact import Json
    from worker.core.persons import PersonPlan
    from worker.vendors.contract import Intent

PERSONS = "contactpersonen"
WEBSITE = "website"
SHOWN_ELSEWHERE = frozenset({*HIDDEN, EXTRA_FIELDS})
"""Members that answers under `klanten` are not known to show: where one is refused, it is for all customers."""

_ABSOLUTE = re.compile(r"https?://[^\s/.]+\.[^\s]+", re.IGNORECASE)


def for_create(intent: Intent, reference_field: str | None, fallback_name: str | None) -> Json:
    """
    A new customer as it was committed, so that a second POST is the same as the first.

    At least one contact person, exactly one of them the main one (sheet 5.1).
    """
    body: Json = {member: value for member, value in intent.body.items() if value not in (None, "")}
    if reference_field and intent.reference:
        body[EXTRA_FIELDS] = extra_field(reference_field, intent.reference)
    given = list(intent.persons) or [{"fields": {"achternaam": fallback_name or body.get("naam")}}]
    main = next((place for place, person in enumerate(given) if person.get("main")), 0)
    body[PERSONS] = [_new_person(person.get("fields") or {}, place == main) for place, person in enumerate(given)]
    return body


def for_klant(held: Mapping[str, Any], patch: Mapping[str, Any], *, full: bool, hidden: bool) -> Json:
    """
    The members of a changed customer, None where one is emptied. `hidden`: `landcode` and `btw_nummer` may be changed.

    These two and the extra fields go back where the read showed them, so that a PUT that replaces the whole record
    leaves them as they are. `displaynaam`, `id`, `type` and whatever else an answer shows are never sent (sheet 5).
    """
    known = (*WRITABLE, *(HIDDEN if hidden else ()))
    shown = dict(held)
    if not isinstance(shown.get(EXTRA_FIELDS), list):
        shown.pop(EXTRA_FIELDS, None)
    if (website := absolute_or_none(shown.get(WEBSITE))) is None:
        shown.pop(WEBSITE, None)
    else:
        shown[WEBSITE] = website
    changed = {member: value for member, value in patch.items() if member in known}
    return _laid_over(shown, changed, (*WRITABLE, *HIDDEN, EXTRA_FIELDS), full=full)


def absolute_or_none(website: Any) -> str | None:
    """
    A held web address as a write takes it: with a scheme; None where that makes no address of it.

    >>> absolute_or_none("www.delinde.example"), absolute_or_none("geen"), absolute_or_none("ftp://x.example")
    ('https://www.delinde.example', None, None)
    """
    address = url_absolute(website if isinstance(website, str) else None)
    return address if _ABSOLUTE.fullmatch(address) else None


def for_person(held: Mapping[str, Any], patch: Mapping[str, Any], *, full: bool) -> Json:
    """The members of a changed contact person, in the same way."""
    return _laid_over(held, patch, people.WRITABLE, full=full)


def _laid_over(held: Mapping[str, Any], patch: Mapping[str, Any], known: Iterable[str], *, full: bool) -> Json:
    kept = {member: held[member] for member in known if held.get(member) not in (None, "", [])} if full else {}
    return {**kept, **{member: None if value == "" else value for member, value in patch.items()}}


def listing_of(plan: PersonPlan) -> list[Json]:
    """
    The exact list of contact persons, as it must stand afterwards: those that are there by id, new ones in full.

    Persons that exist only in Recras are part of the plan's listing and so stay (trap 2). Exactly one is the main one,
    also where the plan names none; the list is empty only where the plan would leave nobody, and is not sent then.
    """
    added = {person.key: person for person in plan.added}
    main = next((place for place, (_, _, is_main) in enumerate(plan.listing) if is_main), 0)
    return [
        {"id": int(external_id), "hoofdcontact": place == main}
        if external_id is not None
        else _new_person(added[str(key)].fields, place == main)
        for place, (external_id, key, _) in enumerate(plan.listing)
    ]


def same_persons(shown: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The exact list that changes nothing, for a Recras that demands one in every PUT (sheet 5.3)."""
    main = next((place for place, person in enumerate(shown) if person.get("hoofdcontact") is True), 0)
    return [{"id": int(person["id"]), "hoofdcontact": place == main} for place, person in enumerate(shown)]


def after_listing(held: Mapping[str, Any], listing: Sequence[Mapping[str, Any]]) -> list[Json] | None:
    """
    The persons that stand there after a list was written, None where that is to be read: ids of new ones are not
    known, and that one was unlinked should be seen, not believed. Without a list they stay as they were.
    """
    shown = held.get(PERSONS) or []
    if not listing:
        return list(shown)
    main = {entry["id"]: entry["hoofdcontact"] for entry in listing if "id" in entry}
    known = {int(person["id"]) for person in shown}
    if len(main) < len(listing) or main.keys() != known:
        return None
    return [{**person, "hoofdcontact": main[int(person["id"])]} for person in shown]


def _new_person(fields: Mapping[str, Any], main: bool) -> Json:
    given = {member: fields[member] for member in people.OURS if fields.get(member) not in (None, "")}
    return {"geslacht": UNKNOWN_GENDER, **given, "hoofdcontact": main}
