"""
Requests to Rompslomp, and what its answers mean: values in, values and errors out.

"Sheet" is the Rompslomp sheet. Its pages: https://rompslomp.nl/developer/requests-responses (addresses, bodies, types
of error), https://rompslomp.nl/developer/algemeen (paging, limits) and the vendor's OpenAPI file,
https://api.rompslomp.nl/developer/swagger/v1/swagger.yaml (members, statuses). Nothing here sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from worker.errors import (
    CredentialsRejected,
    QuotaReached,
    RecordGone,
    VendorBroken,
    VendorError,
    VendorRejected,
    WrongAddress,
)
from worker.vendors.contract import said
from worker.vendors.transport import Request, Response, json_body

if TYPE_CHECKING:
    from worker.core.contact import Json

PER_PAGE: Final = 100
"""The most that a page may hold (sheet 4)."""

MOST_LISTINGS: Final = 2
"""How often a list is read that counts more than it brings, before it is broken (sheet 10.6)."""

UNTOLD_WAIT_SECONDS: Final = 60.0
"""How long a 429 without Retry-After is taken to mean (sheet 5, assumed)."""

BOOLEAN_MEMBERS: Final = ("is_individual", "is_supplier")
TEXT_MEMBERS: Final = (
    "company_name",
    "contact_person_name",
    "contact_person_email_address",
    "address",
    "zipcode",
    "city",
    "country_code",
    "kvk_number",
    "phone",
    "vat_number",
    "contact_number",
    "government_identification_number",
    "free_1",
    "free_2",
    "free_3",
)

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""What may become a reason, which names a metric and a filter."""

_END_OF_SENTENCE: Final = re.compile(r"\.\s+")

CREDENTIALS_STEP: Final = "make a token in Rompslomp (Mijn account, Mijn API tokens) and set systems.rompslomp.token"
SCOPE_STEP: Final = "make a token with the scopes public and manage:contacts, and allow both in the administration"
ACCESS_STEP: Final = "give the token's user access to the administration, and activate the API add-on in it"
PATH_STEP: Final = "look at systems.rompslomp.base_url and path_template"


@dataclass(frozen=True)
class Requests:
    """Builds every request of this folder: paths of sheet 2 and 6.1, the header of sheet 3, bodies of sheet 4."""

    company_id: str
    path_template: str
    token: str = field(repr=False)

    def companies(self, page: int) -> Request:
        """One page of the administrations that the token's user can reach."""
        return self._request("check", "GET", "/companies", query=_paging(page))

    def contacts(self, operation: str, page: int, *filters: tuple[str, str]) -> Request:
        """
        One page of the contacts, narrowed by filters such as `search[q]`.

        The brackets are percent-encoded on the way, never dropped: without them the vendor answers the whole list,
        and its first record is a stranger (sheet 10.4).
        """
        return self._request(operation, "GET", self._path(), query=(*filters, *_paging(page)))

    def read(self, external_id: str) -> Request:
        """One contact."""
        return self._request("read", "GET", self._path(external_id))

    def create(self, members: Mapping[str, Any]) -> Request:
        """A new contact; its answer is the only thing that tells the id."""
        return self._request("create", "POST", self._path(), members=members)

    def update(self, external_id: str, members: Mapping[str, Any]) -> Request:
        """Change the members that are named and no others; null empties (assumed, sheet 6.1)."""
        return self._request("update", "PATCH", self._path(external_id), members=members)

    def _path(self, external_id: str | None = None) -> str:
        path = self.path_template.format(company_id=self.company_id, resource="contacts")
        return path if external_id is None else f"{path}/{_digits(external_id)}"

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        members: Mapping[str, Any] | None = None,
    ) -> Request:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        body = None
        if members is not None:
            headers["Content-Type"] = "application/json"
            body = {"contact": dict(members)}  # the root member, in both directions (sheet 4)
        return Request(
            operation,
            method,
            path,
            query=query,
            headers=headers,
            body=None if body is None else json_body(body),
            logged=body,
            creates=operation == "create",
            writes=body is not None,
        )


def _paging(page: int) -> tuple[tuple[str, str], ...]:
    return ("page", str(page)), ("per_page", str(PER_PAGE))


def _digits(external_id: str) -> str:
    # What is not a number never becomes part of an address.
    if not _NUMBER.fullmatch(external_id):
        raise VendorRejected(f"{external_id!r} is not the id of a Rompslomp contact", reason="bad_id")
    return external_id


# --------------------------------------------------------------------------------------------------------- answers
@dataclass(frozen=True)
class Page:
    """
    One page of a list. `total` is what X-Total says, None without it. `odd` are the members that could not be read and
    are left out, by the id of their contact.
    """

    items: tuple[Json, ...]
    total: int | None
    odd: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def contact_of(response: Response) -> Json:
    """
    The contact that an answer shows, every member of it as the page says it.

    The error that the answer means, else; an answer of another shape is VendorBroken (to a create: OutcomeUnknown).
    """
    contact = _root(response, "contact")
    if not isinstance(contact, dict):
        raise response.broken("the answer holds no contact")
    readable, odd = _read(contact, response)
    if odd:
        raise response.broken(f"{odd[0]} of contact {readable['id']} is of another type than the page says")
    return readable


def page_of(response: Response, root: str) -> Page:
    """
    One page of `contacts` or `companies`; the errors are those of `contact_of`.

    But a member of one contact that cannot be read is only left out: one odd contact must not hide all others. A
    contact without an id is VendorBroken, as nothing can be said about it.
    """
    items = _root(response, root)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise response.broken(f"the answer holds no list of {root}")
    odd = {}
    if root == "contacts":
        read = [_read(item, response) for item in items]
        items = [item for item, _ in read]
        odd = {str(item["id"]): members for item, members in read if members}
    total = response.headers.get("x-total", "")
    return Page(tuple(items), int(total) if _NUMBER.fullmatch(total) else None, odd)


def is_last(page: Page, seen: int, fresh: int, per_page: int = PER_PAGE) -> bool:
    """
    Tell whether a list ends with this page: by X-Total, and without it by a page shorter than was asked for (sheet 4).

    `seen` records came so far, `fresh` of them for the first time on this page. A page that brings nothing new ends
    the list too, whatever X-Total says: it moves while one reads (sheet 10.6), and a vendor that ignored `page` would
    be asked for ever. Whoever reads the list holds the total against what came.
    """
    if not page.items or not fresh:
        return True
    return seen >= page.total if page.total is not None else len(page.items) < per_page


def _root(response: Response, root: str) -> Any:
    if not response.ok:
        raise refusal(response)
    body = response.json()
    return body.get(root) if isinstance(body, dict) else None


def _read(item: Json, response: Response) -> tuple[Json, tuple[str, ...]]:
    """
    A contact, and the members that are not what the page says, which it lacks; a whole number is read as its digits.
    """
    number = item.get("id")
    if isinstance(number, bool) or not _NUMBER.fullmatch(str(number)):
        raise response.broken("a contact without an id")
    contact = dict(item)
    for member in TEXT_MEMBERS:
        if type(contact.get(member)) is int:
            contact[member] = str(contact[member])
    odd = tuple(
        member
        for members, kind in ((TEXT_MEMBERS, str), (BOOLEAN_MEMBERS, bool))
        for member in members
        if not isinstance(contact.get(member), kind | None)
    )
    return {member: value for member, value in contact.items() if member not in odd}, odd


# ---------------------------------------------------------------------------------------------------------- errors
def refusal(response: Response) -> VendorError:
    """
    What an answer that is no 2xx means (sheet 7).

    By status and type, as the vendor asks: "the message may change over time".
    """
    kind, sentence = _error(response)
    match response.status:
        case 401:
            text = said("Rompslomp does not accept the token", sentence)
            return CredentialsRejected(f"{text}: {CREDENTIALS_STEP}", **_more(response))
        case 403:
            return _forbidden(response, kind, sentence)
        case 404:
            return _not_found(response, kind, sentence)
        case 422 if kind == "client.quota_reached":
            # Not this contact's fault: the subscription is full, and only creates run into it (sheets 5 and 7).
            return QuotaReached(said("the subscription holds no more contacts", sentence), **_more(response))
        case 429:
            return response.limited(default_seconds=UNTOLD_WAIT_SECONDS)
        case status if status >= 500:
            return response.failed()
        case status if status < 400:
            return VendorBroken(f"a redirect or an answer that no page names (status {status})", **_more(response))
    if not kind:
        return VendorBroken(f"a refusal in no shape that the page knows (status {response.status})", **_more(response))
    # 400: our own fault, and the word says which (malformed_json, unpermitted_parameters …). 422: validation.
    word = kind.rpartition(".")[2]
    reason = word if _WORD.fullmatch(word) else None
    return VendorRejected(sentence or kind, reason=reason, fields=fields_of(sentence), **_more(response))


def _forbidden(response: Response, kind: str, sentence: str) -> VendorError:
    # The page has two types for 403, and a person has to do another thing about each.
    if kind == "client.authorization.invalid_scope":
        text = f"{said('the token lacks a scope', sentence)}: {SCOPE_STEP}"
        return CredentialsRejected(text, reason="missing_scope", **_more(response))
    if kind == "client.authorization.access_denied":
        text = f"{said('the token has no access to the administration', sentence)}: {ACCESS_STEP}"
        return CredentialsRejected(text, reason="access_denied", **_more(response))
    return CredentialsRejected(f"a 403 of no kind that the page knows: {ACCESS_STEP}", **_more(response))


def _not_found(response: Response, kind: str, sentence: str) -> VendorError:
    # Sheet 2: a wrong path and a missing record are different types, and only the second one means "gone". A 404
    # without any type is not Rompslomp's own, which always answers JSON (sheet 4): another host, or another path.
    if kind == "client.not_found.resource" and response.request.operation in ("read", "update"):
        return RecordGone(said("the contact is not there", sentence), **_more(response))
    told = "there is nothing at this address" if kind else "a 404 that is not Rompslomp's own"
    return WrongAddress(f"{said(told, sentence)}: {PATH_STEP}", **_more(response))


def _error(response: Response) -> tuple[str, str]:
    """The type and the sentence of an error body; both empty where it is not the vendor's."""
    body = response.json_or_none()
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    kind, sentence = error.get("type"), error.get("message")
    return kind if isinstance(kind, str) else "", sentence if isinstance(sentence, str) else ""


def _more(response: Response) -> dict[str, Any]:
    return {"status": response.status, "excerpt": response.excerpt}


def fields_of(sentence: str) -> dict[str, str]:
    """
    The faults of a validation by member, read out of the message as far as it goes.

    The API names no field in machine form (sheet 7). Each fault is a sentence that begins with the member's label, as
    the vendor's OpenAPI file shows for rides and hours.

    >>> fields_of("Contact is invalid: Company name moet opgegeven zijn. Country code is ongeldig.")
    {'company_name': 'moet opgegeven zijn', 'country_code': 'is ongeldig'}
    """
    _, colon, rest = sentence.partition("is invalid:")
    if not colon:
        return {}
    faults: dict[str, str] = {}
    last = ""
    for part in _END_OF_SENTENCE.split(rest.strip().rstrip(".")):
        member = _member_named(part)
        if member is None and last:
            faults[last] += f". {part}"
        elif member is not None:
            fault = part[len(member) :].strip()
            faults[member] = f"{faults[member]}. {fault}" if member in faults else fault
            last = member
    return faults


def _member_named(part: str) -> str | None:
    # `company_name` is shown as "Company name"; the longest label first, as one may begin with another.
    words = part.casefold()
    for member in sorted((*TEXT_MEMBERS, *BOOLEAN_MEMBERS), key=len, reverse=True):
        label = member.replace("_", " ")
        if words == label or words.startswith(f"{label} "):
            return member
    return None


# ----------------------------------------------------------------------------------------------------------- writes
def patch_members(patch: Mapping[str, Any], held: Mapping[str, Any] | None) -> Json:
    """
    The members of a change.

    A switch between organisation and person carries the other name along, as the vendor wants both in one request
    (sheet 10.8); `held` is where a name that does not change comes from. A blank `contact_number` is never sent: the
    vendor may draw a new number for it, and the old one is on invoices (sheets 9 and 10.9).
    """
    members = {member: value for member, value in patch.items() if member != "contact_number" or value}
    name = name_wanted(members)
    if name is not None and held is not None and held.get(name):
        members[name] = held[name]
    return members


def name_wanted(patch: Mapping[str, Any]) -> str | None:
    """The name that a switch between organisation and person requires and that the patch lacks, else None."""
    if "is_individual" not in patch:
        return None
    name = "contact_person_name" if patch["is_individual"] else "company_name"
    return None if name in patch else name
