"""
What Robaws's answers hold: pure functions from a 2xx answer to a value; `VendorBroken` for one not as its page says.

JSON is parsed only where the content type says so, since HTML may come back with any status (Robaws sheet 14, trap 20).
For a create an answer that cannot be read is `OutcomeUnknown`: the record may be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from worker.vendors.robaws.events import is_source_id
from worker.vendors.transport import Response

BANK_MEMBERS: Final = ("accountNr", "bank", "iban", "bic", "creditDate", "creditInfo", "creditLimit")
"""Bank and credit data that version 1 of the API had, and that may live on (Robaws sheet 9): not ours to keep."""

_INTERNAL_MEMBERS: Final = ("_metadata",)
_DROPPED: Final = frozenset(BANK_MEMBERS + _INTERNAL_MEMBERS)


@dataclass(frozen=True)
class Endpoint:
    """A registered webhook endpoint. `secret` is told at the registration only (Robaws sheet 3.1)."""

    endpoint_id: str
    url: str
    events: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)


def client(response: Response, client_id: str) -> dict[str, Any]:
    """The client that an answer holds, fit to be kept. VendorBroken where it is not that client."""
    record = _object(response)
    if record_id(record, response) != client_id:
        raise response.broken("the answer is another client than the one that was asked for")
    return _kept(record)


def patched_client(response: Response, client_id: str) -> dict[str, Any] | None:
    """The client as a PATCH answered it; None for a 204 or an empty answer (Robaws sheet 6, trap 15)."""
    return None if response.status == 204 or not response.body.strip() else client(response, client_id)


def created_client(response: Response) -> tuple[str, dict[str, Any]]:
    """The id and the record that a POST answered, 200 or 201 (Robaws sheet 8). OutcomeUnknown where there is no id."""
    record = _object(response)
    return record_id(record, response), _kept(record)


def page(response: Response) -> list[dict[str, Any]]:
    """The records of a page. A bare list is taken as well, as the answer for endpoints is not documented."""
    body = response.json()
    items = body.get("items") if isinstance(body, dict) else body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise response.broken("the answer is not a list of records")
    return items


def listed_clients(response: Response) -> Iterator[tuple[str, str | None]]:
    """Id and time of the last change of each client of a page; list items may be cut short (Robaws sheet 7)."""
    for item in page(response):
        changed = item.get("updatedAt")
        yield record_id(item, response), changed if isinstance(changed, str) else None


def total(response: Response) -> int | None:
    """How many records the whole list has, None where the page does not say."""
    body = response.json()
    counted = body.get("totalItems") if isinstance(body, dict) else None
    return counted if isinstance(counted, int) and not isinstance(counted, bool) else None


def endpoint(item: Mapping[str, Any], response: Response) -> Endpoint:
    """One webhook endpoint. VendorBroken (at a registration: OutcomeUnknown) without an id."""
    endpoint_id, url, events, secret = (item.get(name) for name in ("id", "url", "events", "secret"))
    if not isinstance(endpoint_id, str) or not endpoint_id:
        raise response.broken("a webhook endpoint has no id")
    return Endpoint(
        endpoint_id,
        url if isinstance(url, str) else "",
        tuple(str(event) for event in events) if isinstance(events, list) else (),
        secret if isinstance(secret, str) and secret else None,
    )


def registered_endpoint(response: Response) -> Endpoint:
    """The endpoint that was just registered; it must tell its secret. OutcomeUnknown where it does not."""
    made = endpoint(_object(response), response)
    if made.secret is None:
        raise response.broken("the registration was answered without a secret")
    return made


def record_id(record: Mapping[str, Any], response: Response) -> str:
    """A record's id as text of digits; a whole number is taken as well (Robaws sheet 9, trap 17)."""
    value = record.get("id")
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not is_source_id(text):
        raise response.broken("a record has no id made of digits")
    return text


def _object(response: Response) -> dict[str, Any]:
    record = response.json()
    if not isinstance(record, dict):
        raise response.broken("the answer is not an object")
    return record


def _kept(record: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without internal members and bank data."""
    return {name: value for name, value in record.items() if name not in _DROPPED}
