"""Lists of the simulated Recras: what may be asked, order and pages (Recras sheets 4 and 12.7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import quote

from worker.vendors.recras import simulator_errors as errors
from worker.vendors.recras.simulator_errors import INVALID, UNKNOWN, Fault
from worker.vendors.recras.simulator_records import Contact
from worker.vendors.recras.simulator_rules import Switches
from worker.vendors.simulation import SimRequest, SimResponse


def checked_query(request: SimRequest, allowed: Collection[str], *, flat: bool) -> dict[str, str]:
    """
    The parameters that mean something.

    An unknown one refuses the request; one with an empty value is dropped before anything is checked, so that it
    silently asks for everything (sheet 4).
    """
    given = {name: value for name, value in request.query if value != ""}
    faults = [Fault(name, UNKNOWN) for name in given if name not in allowed]
    # A number that is none: 406 by the page of webhooks, where `page` is one (sheet 6).
    numbers = [name for name in ("id>", "page") if name in given and name in allowed]
    faults += [Fault(name, INVALID) for name in numbers if _number(given[name]) is None]
    if "page" in given and _number(given["page"]) == 0:
        faults.append(Fault("page", INVALID))
    if faults:
        raise errors.refused(faults, flat=flat)
    return given


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def selected(
    query: dict[str, str], contacts: Sequence[Contact], switches: Switches, shown: Callable[[Contact], dict[str, Any]]
) -> list[Contact]:
    """The active contacts that the parameters let through, in the order of the list."""
    chosen = [contact for contact in contacts if contact.active]
    if "id>" in query:
        # The page says "the smallest id-value to allow": with it, unless the switch says otherwise.
        least = int(query["id>"]) + (1 if switches.id_gt_exclusive else 0)
        chosen = [contact for contact in chosen if contact.id >= least]
    for column, value in query.items():
        if column not in {"id>", "page"}:
            wanted = value.split(",") if column == "id" else [value]
            chosen = [contact for contact in chosen if _column(shown(contact), column) in wanted]
    match switches.order:
        case "id":
            return sorted(chosen, key=lambda contact: contact.id)
        case "newest":
            return sorted(chosen, key=lambda contact: -contact.id)
        case "shuffled":
            return sorted(chosen, key=lambda contact: contact.order)


def _column(record: dict[str, Any], column: str) -> str:
    value = record[column]
    return "" if value is None else str(value)


def list_of(records: Sequence[dict[str, Any]]) -> SimResponse:
    """A bare array, whole."""
    return SimResponse.of_json(200, list(records), content_type=errors.CONTENT_TYPE)


def page_of(
    records: Sequence[dict[str, Any]], query: dict[str, str], page_size: int | None, address: str
) -> SimResponse:
    """A bare array, or one page of it with the three headers of https://demo.recras.nl/docs/api/pagination.html."""
    if page_size is None:
        return list_of(records)
    page = int(query.get("page", "1"))
    last = max(1, -(-len(records) // page_size))
    pages = {"current": page, "first": 1, "last": last, "prev": page - 1, "next": page + 1}
    rest = "".join(f"{quote(name)}={quote(value)}&" for name, value in query.items() if name != "page")
    links = [f'<{address}?{rest}page={n}>; rel="{rel}"' for rel, n in pages.items() if 1 <= n <= max(last, page)]
    if page >= last:
        links = [link for link in links if not link.endswith('rel="next"')]
    headers = {"x-page-size": str(page_size), "x-total-count": str(len(records)), "link": ", ".join(links)}
    shown = list(records[(page - 1) * page_size : page * page_size])
    return SimResponse.of_json(200, shown, headers, errors.CONTENT_TYPE)
