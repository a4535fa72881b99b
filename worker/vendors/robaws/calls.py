"""
What goes out to Robaws: each request as a value, built from plain arguments.

Only digits ever become part of a client's address. Every request asks for JSON, carries Basic credentials and, where
the settings name one, the tenant (Robaws sheet 2; https://support.robaws.com/nl/article/robaws-api-kue9an). Reads say
which database mode they use, since each mode has a quota of its own (Robaws sheet 4;
https://support.robaws.com/nl/article/api-rate-limiting-1c0ti0o).
"""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from worker.core.wire import Request
from worker.errors import MappingError
from worker.vendors.robaws.answers import BANK_MEMBERS
from worker.vendors.robaws.events import is_source_id
from worker.vendors.transport import json_body

Mode = Literal["live", "replica"]

BUDGETS: Final[Mapping[Mode, str]] = {"live": "", "replica": "replica"}
"""The kind of budget by mode: the system's own for all that is live, a second one for the replica's quota."""

PAGE_SIZE: Final = 100
"""The most that Robaws gives at once (Robaws sheet 7; https://support.robaws.com/nl/article/api-filtering-10u87mi)."""

MOST_PAGES: Final = 100_000
"""A guard only: a list ends where a page brings nothing new."""

_ENDPOINT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Access:
    """Who asks: user name and password of the API-only user, and the tenant where one login has several."""

    username: str
    password: str = field(repr=False)
    tenant: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers of every request. The credentials are joined in UTF-8 (RFC 7617 section 2.1)."""
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
        headers = {"Authorization": f"Basic {credentials}", "Accept": "application/json"}
        if self.tenant is not None:
            headers["X-Tenant"] = self.tenant
        return headers


def client_path(client_id: str) -> str:
    """The address of one client. MappingError for anything but digits (Robaws sheet 9, trap 17)."""
    if not is_source_id(client_id):
        raise MappingError("the id of a Robaws client is made of digits, and this is none")
    return f"/clients/{client_id}"


def read_client(access: Access, client_id: str) -> Request:
    """
    One client with its contact persons, in live mode.

    Never the replica: it may still hold the state from before the event (Robaws sheet 14, trap 9).
    """
    return _get(access, "read", client_path(client_id), (("include", "contacts"),), "live")


def list_persons(access: Access, client_id: str, page: int) -> Request:
    """A page of a client's contact persons, for a Robaws that does not honour `include` (Robaws sheet 7 and 8)."""
    return _get(access, "read", f"{client_path(client_id)}/contacts", _page(page), "live")


def list_clients(
    access: Access, page: int, *, updated_from: datetime.datetime | None, sort: bool, mode: Mode, size: int = PAGE_SIZE
) -> Request:
    """
    A page of the clients.

    `page` with `size`, never with `limit`, which gives the first hundred for ever (Robaws sheet 7 and trap 11); sorted
    by id, so that records that change meanwhile do not move (trap 12).
    """
    query = list(_page(page, size))
    if sort:
        query.append(("sort", "id:asc"))
    if updated_from is not None:
        query.append(("updatedFrom", timestamp(updated_from)))
    return _get(access, "list", "/clients", tuple(query), mode)


def patch_client(access: Access, client_id: str, patch: Mapping[str, Any], key: str) -> Request:
    """
    Change what the merge patch names, and nothing else.

    Never PUT, which clears what it does not name. Exactly one content type: two in one header are a 415 (Robaws sheet 6
    and traps 13 and 14; https://support.robaws.com/de/article/aktualisierung-von-informationen-put-vs-patch-3qt96f).
    """
    return Request(
        "update",
        "PATCH",
        client_path(client_id),
        headers={**access.headers(), "Content-Type": "application/merge-patch+json"},
        body=json_body(patch),
        logged=dict(patch),
        idempotency_key=key,
        writes=True,
        budget=BUDGETS["live"],
        hidden=BANK_MEMBERS,
    )


def create_client(access: Access, body: Mapping[str, Any], key: str) -> Request:
    """Make a client. The same key brings the same answer again, and no second client (Robaws sheet 5 and 8)."""
    return _post(access, "create", "/clients", body, key, BANK_MEMBERS)


def list_endpoints(access: Access, page: int) -> Request:
    """A page of the registered webhook endpoints (Robaws sheet 3.1: listed in one client's notes, never exercised)."""
    return _get(access, "list", "/webhook-endpoints", _page(page), "live")


def register_endpoint(access: Access, url: str, events: Sequence[str], key: str) -> Request:
    """
    Register a webhook endpoint (Robaws sheet 3.1; https://support.robaws.com/nl/article/webhooks-1kqzzp7).

    Not idempotent at Robaws: a second registration doubles every event. The answer's secret is never quoted.
    """
    return _post(access, "register", "/webhook-endpoints", {"url": url, "events": list(events)}, key, ("secret",))


def remove_endpoint(access: Access, endpoint_id: str) -> Request:
    """
    End a registration (Robaws sheet 3.1). MappingError for an id that could be more than one part of an address.

    An endpoint's id is given once, so its removal is one write however often it is repeated.
    """
    if not _ENDPOINT_ID.fullmatch(endpoint_id):
        raise MappingError("the id of a webhook endpoint is made of letters, digits and dashes, and this is none")
    path = f"/webhook-endpoints/{endpoint_id}"
    key = f"remove-webhook-{endpoint_id}"
    return Request(
        "remove", "DELETE", path, headers=access.headers(), idempotency_key=key, writes=True, budget=BUDGETS["live"]
    )


def timestamp(moment: datetime.datetime) -> str:
    """
    A time as `updatedFrom` takes it: UTC with milliseconds and `Z` (Robaws sheet 7 and 12.4).

    >>> timestamp(datetime.datetime(2025, 10, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))))
    '2025-10-01T00:00:00.000Z'
    """
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page(page: int, size: int = PAGE_SIZE) -> tuple[tuple[str, str], ...]:
    return (("page", str(page)), ("size", str(size)))


def _get(access: Access, operation: str, path: str, query: tuple[tuple[str, str], ...], mode: Mode) -> Request:
    headers = access.headers()
    if mode == "replica":
        headers["Database-Mode"] = "replica"
    return Request(operation, "GET", path, query, headers, budget=BUDGETS[mode], hidden=(*BANK_MEMBERS, "secret"))


def _post(
    access: Access, operation: str, path: str, body: Mapping[str, Any], key: str, hidden: tuple[str, ...]
) -> Request:
    return Request(
        operation,
        "POST",
        path,
        headers={**access.headers(), "Content-Type": "application/json"},
        body=json_body(body),
        logged=dict(body),
        idempotency_key=key,
        creates=True,
        writes=True,
        budget=BUDGETS["live"],
        hidden=hidden,
    )
