"""
Requests to Recras, and what its answers mean: values in, values and errors out.

"Sheet" is the Recras sheet. Its pages: https://demo.recras.nl/docs/api/endpoints/klanten.html (customers),
https://demo.recras.nl/docs/api/endpoints/contacten.html (contacts of all types),
https://demo.recras.nl/docs/api/authentication.html and https://demo.recras.nl/docs/api/pagination.html. The shape of a
refusal is that of the vendor's public REST generator, https://github.com/Recras/sfDoctrineRestGeneratorPlugin. Nothing
here sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from worker.errors import (
    CredentialsRejected,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorError,
    VendorRejected,
    WrongAddress,
)
from worker.vendors.contract import said
from worker.vendors.recras.bodies import PERSONS
from worker.vendors.recras.refusals import fields_of, sentence_of
from worker.vendors.transport import Request, Response, json_body
from worker.vendors.values import php_list, texts_in

if TYPE_CHECKING:
    from worker.core.contact import Json

LIST_TIMEOUT_SECONDS: Final = 60.0
"""A list without paging can be slow (sheet 7)."""

UNTOLD_WAIT_SECONDS: Final = 30.0
"""How long a 429 without Retry-After is taken to mean; no limit is documented (sheet 7)."""

MOST_LISTINGS: Final = 2
"""How often a list is read that counts more than it brings, before it is broken."""

PAGE_SIZE: Final = 100
"""Records in a page where paging exists and no header tells the size (sheet 4)."""

BEYOND_ALL_IDS: Final = 2_147_483_647
"""An id that no record has: a list from there on is short, and shows all the same whether it may be read."""

CREATED: Final = 201
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
NOT_ACCEPTABLE: Final = 406

KEY_STEP: Final = "make an API key in Recras and set systems.recras.api_key"
RIGHT_STEP: Final = "give the key's user in Recras the right to see and change customers"
PATH_STEP: Final = "look at systems.recras.base_url (https://NAME.recras.nl/api2)"

FROM_ID: Final = "id>"
"""The smallest id of a list; httpx sends it percent-encoded as the page wants it, `id%3E` (sheet 4 and trap 7)."""

_OF_ONE_RECORD: Final = re.compile(r".*/([0-9]{1,18})/?")
_ID: Final = re.compile(r"[0-9]{1,18}")


TEXT_MEMBERS: Final = (
    "naam",
    "adres",
    "postcode",
    "plaats",
    "provinciecode",
    "landcode",
    "btw_nummer",
    "website",
    "soort_klant",
    "afdeling",
    "factuur_adressering",
    "displaynaam",
    "voornaam",
    "achternaam",
    "aanhef",
    "geslacht",
    "telefoon1",
    "telefoon2",
    "email1",
    "email2",
)
"""Members that hold a text or null, of customers and of contact persons (sheets 5 and 5.1)."""


@dataclass(frozen=True)
class Requests:
    """
    Builds every request of this folder: paths of sheet 3, headers of sheet 2.

    A PUT says again what the record holds, so whatever an answer shows is read as it came; what of it is stored, is
    taken from `mapping.record_of`.

    A parameter with an empty value is never sent: Recras drops it and answers everything (sheet 4, trap 6).
    """

    key: str = field(repr=False)
    list_timeout_seconds: float = LIST_TIMEOUT_SECONDS

    def me(self) -> Request:
        """Who the key belongs to; the cheapest request there is."""
        return self._request("check", "GET", "/personeel/me")

    def read(self, external_id: str) -> Request:
        """One customer with its contact persons."""
        return self._request("read", "GET", f"/klanten/{_digits(external_id)}")

    def read_contact(self, external_id: str) -> Request:
        """The same under `contacten`, where `landcode` and `btw_nummer` are shown (sheet 5)."""
        return self._request("read", "GET", f"/contacten/{_digits(external_id)}")

    def contacts(self, operation: str, query: tuple[tuple[str, str], ...] = ()) -> Request:
        """Contacts of all types, with contact persons."""
        return self._request(operation, "GET", "/contacten", query=query, timeout_seconds=self.list_timeout_seconds)

    def customers(self, operation: str, query: tuple[tuple[str, str], ...] = ()) -> Request:
        """Customers, without contact persons."""
        return self._request(operation, "GET", "/klanten", query=query, timeout_seconds=self.list_timeout_seconds)

    def create(self, members: Mapping[str, Any]) -> Request:
        """A new customer with its contact persons."""
        return self._request("create", "POST", "/klanten", members=members)

    def update(self, external_id: str, members: Mapping[str, Any]) -> Request:
        """Change a customer; a list of contact persons in it is the exact list from then on (sheet 5.3)."""
        request = self._request("update", "PUT", f"/klanten/{_digits(external_id)}", members=members)
        return replace(request, lists_persons=PERSONS in members)

    def update_person(self, person_id: str, members: Mapping[str, Any]) -> Request:
        """Change one contact person (assumed: sheet 5.1)."""
        request = self._request("update", "PUT", f"/contactpersonen/{_digits(person_id)}", members=members)
        return replace(request, person=person_id)

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        members: Mapping[str, Any] | None = None,
        timeout_seconds: float | None = None,
    ) -> Request:
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if members is not None:
            headers["Content-Type"] = "application/json"
        return Request(
            operation,
            method,
            path,
            query=tuple((name, value) for name, value in query if value),
            headers=headers,
            body=None if members is None else json_body(members),
            logged=None if members is None else dict(members),
            creates=operation == "create",
            writes=members is not None,
            timeout_seconds=timeout_seconds,
            written_back=True,
        )


def _digits(external_id: str) -> str:
    # What is not a number never becomes part of an address.
    if not (external_id.isascii() and external_id.isdigit()):
        raise VendorRejected(f"{external_id!r} is not the id of a Recras record", reason="bad_id")
    return external_id


# --------------------------------------------------------------------------------------------------------- answers
def record_of_answer(response: Response, external_id: str | None = None) -> Json:
    """
    The customer or person that an answer shows, which must be the one of `external_id` where that is given.

    The error that the answer means, else; an answer of another shape is VendorBroken (to a create: OutcomeUnknown).
    """
    if not response.ok:
        raise refusal(response)
    record = _sound(response.json(), response)
    if external_id is not None and str(record["id"]) != external_id:
        raise response.broken(f"record {record['id']} was shown for {external_id}")
    return record


def record_if_shown(response: Response, external_id: str) -> Json | None:
    """
    What an update's answer shows, None for an empty one: that it shows the record is assumed (sheet 5.3).

    The errors are those of `record_of_answer`.
    """
    if response.ok and not response.body.strip():
        return None
    return record_of_answer(response, external_id)


def list_of_answer(response: Response, remarks: list[str] | None = None) -> list[Json]:
    """
    The records of a list, which is a bare array (sheet 3).

    Of what cannot be read of one it has the texts, for comparing, and `remarks` a sentence: one odd record, of whatever
    type, must not hide all others. One without an id is VendorBroken, as nothing can be said about it.
    """
    if not response.ok:
        raise refusal(response)
    items = php_list(response.json())
    if items is None:
        raise response.broken("the answer is not a list")
    records = []
    for item in items:
        record, odd = _read(item, response)
        if odd and remarks is not None:
            remarks.append(f"record {record['id']}: {', '.join(odd)} cannot be read")
        records.append(record)
    return records


def created_id(response: Response) -> tuple[str, Json | None]:
    """
    The id of a new record, and the record where the answer shows it; by the body, else by Location (sheet 6).

    A create that was answered without an id is OutcomeUnknown: it is looked for.
    """
    if not response.ok:
        raise refusal(response)
    try:
        record, odd = _read(response.json(), response)
    except SyncError:
        location = _split(response.headers.get("location", ""))
        match = _OF_ONE_RECORD.fullmatch(location.path) if location is not None else None
        if response.status != CREATED or match is None:
            raise
        return match[1], None
    return str(record["id"]), None if odd else record


def answer_of(response: Response) -> Any:
    """The JSON of an answer that is neither record nor list; the errors are those of `record_of_answer`."""
    if not response.ok:
        raise refusal(response)
    return response.json()


def following(response: Response, items: int, seen: Collection[str]) -> tuple[tuple[str, str], ...] | None:
    """
    What to ask for after a part of a list with so many items, None where it was the last (sheet 4).

    Whether these lists have pages is not said, so a list without any sign of them that is as long as a page is asked
    again from the highest id seen.
    """
    if "link" in response.headers:
        return next_query(response)
    total = total_of(response)
    if total is not None and len(seen) >= total:
        return None
    if not items or items < page_size_of(response):
        return None
    return ((FROM_ID, str(max(map(int, seen)))),)


def total_of(response: Response) -> int | None:
    """How many records a list has over all its pages, None where that is not told (sheet 4)."""
    total = response.headers.get("x-total-count", "")
    return int(total) if _ID.fullmatch(total) else None


def next_query(response: Response) -> tuple[tuple[str, str], ...] | None:
    """
    What to ask for the next page, from the header Link with rel="next" (sheet 4); None without one.

    Only its query is used: old pages link to `api2.php` (sheet 2), and the key goes to no other host. VendorBroken
    where it is no address: a list that was cut short must not look whole.
    """
    for link in response.headers.get("link", "").split(","):
        target, _, rest = link.strip().partition(";")
        if re.search(r'\brel="?next\b', rest) and target.startswith("<") and target.endswith(">"):
            address = _split(target[1:-1])
            if address is None:
                raise response.broken("the link to the next page is no address")
            return tuple(parse_qsl(address.query))
    return None


def _split(address: str) -> SplitResult | None:
    """The parts of an address, None where it is none: `urlsplit` raises for `//[`."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


def page_size_of(response: Response) -> int:
    """How many records a full page holds, by X-Page-Size, else 100 (sheet 4)."""
    told = response.headers.get("x-page-size", "")
    return int(told) if told.isascii() and told.isdigit() and 0 < len(told) < 7 and int(told) else PAGE_SIZE


def _sound(item: Any, response: Response) -> Json:
    """The record, if it is one: with an id, texts where texts belong, and contact persons that are such."""
    record, odd = _read(item, response)
    if odd:
        raise response.broken(f"{odd[0]} of record {record['id']} is of another type than the page says")
    return record


def _read(item: Any, response: Response) -> tuple[Json, list[str]]:
    """
    A record, and the members that are not what the page says. VendorBroken without an id.

    Of such a member the record has the texts that are in it, so that it can be compared; of its persons those that are
    some.
    """
    if not isinstance(item, dict) or not _is_id(item.get("id")):
        raise response.broken("the answer holds something that is no record")
    odd = [member for member in TEXT_MEMBERS if not isinstance(item.get(member), str | None)]
    record = {**item, **{member: texts_in(item[member]) for member in odd}}
    persons = item.get("contactpersonen")
    if persons is None:
        return record, odd
    listed = php_list(persons) or []
    read = [_read(one, response) for one in listed if isinstance(one, dict) and _is_id(one.get("id"))]
    record["contactpersonen"] = [person for person, _ in read]
    if php_list(persons) is None or len(read) < len(listed) or any(wrong for _, wrong in read):
        odd.append("contactpersonen")
    return record, odd


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(_ID.fullmatch(str(value)))


# ---------------------------------------------------------------------------------------------------------- errors
def refusal(response: Response) -> VendorError:
    """
    What an answer that is no 2xx means, by its status alone (sheet 6).

    A 404 on one record is RecordGone here. It may as well be the address that is wrong: both are the same page of HTML.
    So whoever acts on it rules that out first (`RecrasClient`).
    """
    sentence = sentence_of(response)
    match response.status:
        case 401:
            return CredentialsRejected(
                f"{said('Recras does not accept the key', sentence)}: {KEY_STEP}", **_more(response)
            )
        case 403:
            text = f"{said('the user of the key lacks a right', sentence)}: {RIGHT_STEP}"
            return CredentialsRejected(text, reason="no_right", **_more(response))
        case 404:
            return _not_found(response)
        case 429:
            return response.limited(default_seconds=UNTOLD_WAIT_SECONDS)
        case status if status >= 500:
            return response.failed()
        case 406:
            # Validation, as 422 elsewhere; it has nothing to do with Accept (sheet 6, trap 1).
            return _rejected(response, sentence)
        case 400 | 409 | 422 if response.is_json:
            return _rejected(response, sentence)
    # 3xx, 405, 415 and the like are no answer of these pages.
    return VendorBroken(f"an answer that no page names (status {response.status})", **_more(response))


def _rejected(response: Response, sentence: str) -> VendorError:
    fields = fields_of(response.json_or_none())
    told = "; ".join(f"{name}: {message}" for name, message in fields.items())
    return VendorRejected(told or sentence or "refused without a word", fields=fields, **_more(response))


def _not_found(response: Response) -> VendorError:
    path = response.request.path
    if _OF_ONE_RECORD.fullmatch(path) is None:
        return WrongAddress(f"there is nothing at {path}: {PATH_STEP}", **_more(response))
    return RecordGone(f"there is nothing at {path}", **_more(response))


def _more(response: Response) -> dict[str, Any]:
    return {"status": response.status, "excerpt": response.excerpt}
