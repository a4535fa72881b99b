"""Lists of the simulated Rompslomp: filters, order and pages (Rompslomp sheets 4, 4.1 and 11.11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from worker.vendors.rompslomp import simulator_errors as errors
from worker.vendors.rompslomp.simulator_contacts import Contact
from worker.vendors.simulation import SimRequest, SimResponse

DEFAULT_PER_PAGE = 40
MOST_PER_PAGE = 100


def page_of(request: SimRequest, root: str, records: Sequence[dict[str, Any]]) -> SimResponse:
    """One page under its root member, with the three headers of every list; past the end it is empty."""
    query = dict(request.query)
    page = _whole_number(query, "page", 1, None)
    per_page = _whole_number(query, "per_page", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    first = (page - 1) * per_page
    headers = {"x-page": str(page), "x-per-page": str(per_page), "x-total": str(len(records))}
    shown = list(records[first : first + per_page])
    return SimResponse.of_json(200, {root: shown}, headers, errors.CONTENT_TYPE)


def _whole_number(query: dict[str, str], name: str, default: int, most: int | None) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < 1 or (most is not None and int(text) > most):
        raise errors.invalid_parameter_value(name)
    return int(text)


def selected(request: SimRequest, contacts: Iterable[Contact], *, email_any_case: bool) -> list[Contact]:
    """
    The contacts that the filters let through, in the order of the list.

    Parameters that are not known, such as `search` without its brackets, are ignored (sheets 10.4 and 11.11).
    """
    query = dict(request.query)
    chosen = _by_selection(query.get("selection", "all"), contacts)
    email = query.get("search[contact_person_email_address]", "")
    if email:
        chosen = [contact for contact in chosen if _has_email(contact, email, any_case=email_any_case)]
    text = query.get("search[q]", "").casefold()
    if text:
        # Not equality: `RB-1` brings `RB-10` as well (sheet 10.3).
        chosen = [contact for contact in chosen if text in contact.searched]
    return sorted(chosen, key=lambda contact: contact.order)


def _by_selection(selection: str, contacts: Iterable[Contact]) -> list[Contact]:
    match selection:
        case "all":
            return list(contacts)
        case "customers":
            return [contact for contact in contacts if not contact.values["is_supplier"]]
        case "suppliers":
            return [contact for contact in contacts if contact.values["is_supplier"]]
        case _:
            raise errors.invalid_parameter_value("selection")


def _has_email(contact: Contact, email: str, *, any_case: bool) -> bool:
    held = contact.values["contact_person_email_address"] or ""
    return held.casefold() == email.casefold() if any_case else held == email
