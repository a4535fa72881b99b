"""
Requests to Workspace, and what its answers mean: values in, values and errors out.

"Sheet" is the Workspace sheet. Its pages: https://apidocs.workspace.nl/contacts (members, statuses, sentences) and
https://apidocs.workspace.nl/authorization (addresses, Basic). Most of the transport is assumed there, so most of it
is a setting. Nothing here sends anything.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from worker.errors import (
    CredentialsRejected,
    MaybeRejected,
    OutcomeUnknown,
    RecordGone,
    VendorBroken,
    VendorError,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.contract import said
from worker.vendors.transport import Request, Response
from worker.vendors.values import php_list, texts_in

if TYPE_CHECKING:
    from worker.core.contact import Json

FormStyle = Literal["flat", "data", "model"]

FORM_TYPE: Final = "application/x-www-form-urlencoded"
LIST_TIMEOUT_SECONDS: Final = 60.0
"""The list is everything in one answer (sheet 7)."""

UNTOLD_WAIT_SECONDS: Final = 60.0
"""How long a 429 without Retry-After is taken to mean (sheet 7, assumed)."""

BANK_MEMBERS: Final = ("bank_name", "bank_nr")
"""Financial data (sheet 5): dropped where an answer is read, and never quoted in what is kept of one."""

MEMBERS: Final = (
    "id",
    "client_reference",
    "client_code",
    "group",
    "type",
    "name",
    "location_address",
    "location_postal",
    "location_city",
    "location_country",
    "location_long",
    "location_lat",
    "invoice_address",
    "invoice_postal",
    "invoice_city",
    "invoice_country",
    "invoice_long",
    "invoice_lat",
    "phone",
    "fax",
    "website",
    "btw",
    "kvk",
    "email",
    "created",
    "modified",
    "trashed",
    "payment_term",
)
"""What is read of a contact: the table of the page without the bank data. Whatever else an answer holds is ignored,
of whatever type: nothing promises that members are never added (sheet 14)."""

_NUMBER: Final = re.compile(r"[0-9]{1,18}")

CREDENTIALS_STEP: Final = "set systems.workspace.token (and auth, username) to what Workspace gave"
RIGHT_STEP: Final = "ask Workspace to give the token the right to Contacts"
PATH_STEP: Final = "look at systems.workspace.base_url, collection_path and element_path"

_KEYS: Final[Mapping[FormStyle, str]] = {"flat": "{}", "data": "data[Contact][{}]", "model": "Contact[{}]"}


def form_body(members: Mapping[str, Any], style: FormStyle) -> bytes:
    """
    Members as a form: UTF-8, everything as text, nothing as an empty value, as a form cannot say null (sheet 4).

    >>> form_body({"location_city": "Gent", "website": None}, "data")
    b'data%5BContact%5D%5Blocation_city%5D=Gent&data%5BContact%5D%5Bwebsite%5D='
    """
    key = _KEYS[style]
    return urlencode([(key.format(member), text(value)) for member, value in members.items()]).encode()


def text(value: Any) -> str:
    """A value as the vendor holds all of them (sheet 10.4)."""
    return "" if value is None else str(value)


def authorization(auth: Literal["token", "basic", "bearer"], username: str | None, token: str) -> str:
    """The value of the header: Basic with the user name `token` as the page says, or one of the alternatives."""
    if auth == "bearer":
        return f"Bearer {token}"
    pair = f"{username if auth == 'basic' and username else 'token'}:{token}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@dataclass(frozen=True)
class Requests:
    """Builds every request of this folder: sheet 4, and the update that is a POST on the element (sheet 10.1)."""

    collection_path: str
    element_path: str
    style: FormStyle
    list_timeout_seconds: float
    authorization: str = field(repr=False)

    def contacts(self, operation: str) -> Request:
        """The list, complete in one answer."""
        return self._request(operation, "GET", self.collection_path, timeout_seconds=self.list_timeout_seconds)

    def read(self, external_id: str) -> Request:
        """One contact."""
        return self._request("read", "GET", self._element(external_id))

    def create(self, members: Mapping[str, Any]) -> Request:
        """A new contact."""
        return self._request("create", "POST", self.collection_path, members=members)

    def update(self, external_id: str, members: Mapping[str, Any]) -> Request:
        """Change the members that are named and no others (assumed, sheet 4). To repeat it is harmless."""
        return self._request("update", "POST", self._element(external_id), members=members)

    def _element(self, external_id: str) -> str:
        # "Digits only", says the page; what is not never becomes part of an address.
        if not _NUMBER.fullmatch(external_id):
            raise VendorRejected(f"{external_id!r} is not the id of a Workspace contact", reason="bad_id")
        return self.element_path.format(id=external_id)

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        members: Mapping[str, Any] | None = None,
        timeout_seconds: float | None = None,
    ) -> Request:
        headers = {"Authorization": self.authorization, "Accept": "application/json"}
        if members is not None:
            members = {member: text(value) for member, value in members.items() if member not in BANK_MEMBERS}
            headers["Content-Type"] = FORM_TYPE
        return Request(
            operation,
            method,
            path,
            headers=headers,
            body=None if members is None else form_body(members, self.style),
            logged=members,
            creates=operation == "create",
            writes=members is not None,
            timeout_seconds=timeout_seconds,
            hidden=BANK_MEMBERS,
        )


# --------------------------------------------------------------------------------------------------------- answers
@dataclass(frozen=True)
class Envelope:
    """What is around every answer (sheet 3). `code` is None where it is missing; an empty `data` is an object here."""

    message: str
    code: int | None
    exceptions: tuple[str, ...]
    data: Any


def contacts_of(response: Response, remarks: list[str]) -> tuple[Json, ...]:
    """
    The contacts of the list, suppliers and all; empty where the vendor says that there are none. Of what cannot be
    read of one it has the texts, for comparing, and `remarks` a sentence: one odd record must not hide all others.

    That it says with a 404 (sheet 4), in its envelope and in these words; any other 404 is a wrong address. `count`
    is not held against the list, as it is larger than what is shown in the page's own example; but a list that counts
    some and shows none is broken, since every client would be made a second time.
    """
    if _is_empty_list(response):
        return ()
    data = _data(response)
    entries, count = php_list(data.get("Contacts", [])), text(data.get("count"))
    if entries is None:
        raise response.broken("the answer holds no list of contacts")
    if not entries and _NUMBER.fullmatch(count) and int(count):
        raise response.broken(f"the list counts {count} contacts and shows none")
    contacts = []
    for entry in entries:
        contact, odd = _contact(entry, response)
        if odd:
            remarks.append(f"contact {contact['id']}: {', '.join(odd)} cannot be read")
        contacts.append(contact)
    return tuple(contacts)


def contact_of(response: Response) -> Json:
    """The contact of an element's answer; an answer without one, or with one that is odd, is VendorBroken."""
    contact, odd = _contact(_data(response), response)
    if odd:
        raise response.broken(f"{odd[0]} of contact {contact['id']} is not a text")
    return contact


def contact_if_shown(response: Response) -> Json | None:
    """
    The contact that a write's answer shows, None where it shows none: what a write answers is not documented.

    That the write succeeded is known then; the error that the answer means, else. Of a contact that cannot be read in
    full only the id is told: that it was written is no less true, and the caller reads.
    """
    data = _data(response)
    shown = data.get("Contact")
    if not isinstance(shown, dict) or shown.get("id") is None:
        return None
    contact, odd = _contact(data, response)
    return {"id": contact["id"]} if odd else contact


def _data(response: Response) -> Json:
    """`data` of a success: HTTP status and `code` both 2xx, and no exception (sheet 3). The error it means, else."""
    envelope = _envelope(response)
    status = response.status
    if response.ok:
        if envelope is None:
            # A login page under 200, for instance.
            raise response.broken("the answer has no envelope")
        status = envelope.code if envelope.code is not None else status
    if not 200 <= status < 300:
        raise refusal(response, status, envelope)
    if envelope is None or envelope.exceptions:
        raise response.broken(f"the answer carries an exception: {'; '.join(envelope.exceptions if envelope else ())}")
    if not isinstance(envelope.data, dict):
        raise response.broken("`data` of the answer is no object")
    return envelope.data


def _envelope(response: Response) -> Envelope | None:
    body = response.json_or_none()
    inner = body.get("response") if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return None
    code, data, exceptions = inner.get("code"), inner.get("data"), inner.get("exception")
    if code is not None and (isinstance(code, bool) or not _NUMBER.fullmatch(text(code))):
        raise response.broken("`code` of the answer is no number")
    if not exceptions:
        exceptions = []
    return Envelope(
        text(inner.get("message")),
        None if code is None else int(code),
        tuple(text(each) for each in (exceptions if isinstance(exceptions, list) else [exceptions])),
        # PHP writes an empty array as [] whatever it would hold.
        {} if data is None or data == [] else data,
    )


def _is_empty_list(response: Response) -> bool:
    envelope = _envelope(response)
    if envelope is None or (response.status != 404 and not (response.ok and envelope.code == 404)):
        return False
    return envelope.message.strip().rstrip(".").casefold() == "contacts not found"


def _contact(entry: Any, response: Response) -> tuple[Json, list[str]]:
    """
    One contact by the members of the page, every value a text or None but `trashed` (sheet 5), and the members that
    are of another type. Of these it has the texts that are in them, so that it can be compared.
    """
    contact = entry.get("Contact") if isinstance(entry, dict) else None
    if not isinstance(contact, dict) or not _NUMBER.fullmatch(text(contact.get("id"))):
        raise response.broken("the answer holds a contact without an id")
    sound: Json = {}
    odd: list[str] = []
    for member in MEMBERS:
        value = contact.get(member)
        if member not in contact:
            continue
        if isinstance(value, dict | list) or (isinstance(value, bool) and member != "trashed"):
            odd.append(member)
            sound[member] = texts_in(value) if member != "trashed" else False
        elif member == "trashed":
            sound[member] = text(value).casefold() in ("true", "1")
        else:
            sound[member] = value if value is None else str(value)
    return sound, odd


# ---------------------------------------------------------------------------------------------------------- errors
def refusal(response: Response, status: int, envelope: Envelope | None) -> VendorError:
    """
    What an answer means that is no success (sheet 6). `status` is the HTTP status, or the envelope's code where that
    contradicts a 2xx.
    """
    sentence = _sentence(envelope)
    more: dict[str, Any] = {"status": response.status, "excerpt": response.excerpt}
    match status:
        case 401:
            text_ = f"{said('Workspace does not accept the token', sentence)}: {CREDENTIALS_STEP}"
            return CredentialsRejected(text_, **more)
        case 403:
            text_ = f"{said('the token has no right to Contacts', sentence)}: {RIGHT_STEP}"
            return CredentialsRejected(text_, reason="access_denied", **more)
        case 404 if envelope is not None and response.request.operation in ("read", "update"):
            return RecordGone(said("the contact is not there", sentence), **more)
        case 404 | 405:
            return WrongAddress(f"there is nothing at {response.request.path}: {PATH_STEP}", **more)
        case 429:
            return response.limited(default_seconds=UNTOLD_WAIT_SECONDS)
        case 400 if response.request.writes:
            # No field is named, and a fault of the vendor's own database would read the same (sheet 6).
            return MaybeRejected(sentence or "the contact is refused, and no field is named", **more)
        case _ if status >= 500:
            kind = OutcomeUnknown if response.request.creates else VendorUnavailable
            return kind(response.failure, reason="server_error", **more)
        case _ if 400 < status < 500:
            return VendorRejected(sentence or f"the request is refused (status {status})", **more)
    return VendorBroken(f"an answer that no page names (status {status})", **more)


def _sentence(envelope: Envelope | None) -> str:
    if envelope is None:
        return ""
    return "; ".join(part for part in (envelope.message, *envelope.exceptions) if part)
