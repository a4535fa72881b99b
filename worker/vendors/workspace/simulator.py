"""
A Workspace to test against: one list of contacts behind the API of https://apidocs.workspace.nl/contacts.

Every rule is one of Workspace sheet 11 and bears its number; what the sheet leaves open is a switch of the
constructor. Most of the transport is assumed there, so most of it is a switch here.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

from typing_extensions import override

from worker.vendors.simulation import SimRequest, SimResponse, Simulator
from worker.vendors.workspace import simulator_answers as answers
from worker.vendors.workspace.simulator_access import Access, throttled
from worker.vendors.workspace.simulator_contacts import (
    CREATABLE,
    EDITABLE,
    MEMBERS,
    Contact,
    change_faults,
    create_faults,
)
from worker.vendors.workspace.simulator_forms import FormStyle, UnreadableBody, members_of

# Sheet 5: the time stamps bear no zone; this one is assumed.
ZONE = ZoneInfo("Europe/Amsterdam")
_LOGIN_PAGE = "<!DOCTYPE html><html><body><form action='/login'><input name='password'></form></body></html>"


class WorkspaceSimulator(Simulator):
    """
    Without arguments: one token, the group `Algemeen`, no records, no limit.

    The switches are attributes and may be changed at any time; `access` holds the token and the limit. A 400 never
    says why: `refusals` does, newest last.
    """

    name = "workspace"
    prefix = "/api/v1"
    SANDBOX_TOKEN = "sandbox-workspace-token"  # noqa: S105 - opens nothing but the simulator

    def __init__(
        self,
        *,
        token: str = SANDBOX_TOKEN,
        base_path: str = "/api/v1",
        records: Iterable[Mapping[str, Any]] = (),
        groups: Sequence[str] = ("Algemeen",),
        suffix: str = ".json",
        auth_body: Literal["envelope", "html"] = "envelope",
        list_trashed: bool = False,
        trashed_get: Literal["404", "200"] = "404",
        trashed_change: Literal["404", "200"] = "404",
        accept_json: bool = False,
        form_styles: Sequence[FormStyle] = ("flat", "data", "model"),
        empty_ok: bool = False,
        duplicate_reference: Literal["accept", "refuse"] = "accept",
        default_type: str = "1",
        create_answer: Literal["200", "201", "id_only", "empty"] = "200",
        refuse_readonly: bool = False,
        touch_always: bool = True,
        change_answer: Literal["whole", "empty"] = "whole",
        extra_members: Mapping[str, Any] | None = None,
        list_gaps: bool = False,
        rate_limit: int | None = None,
        rate_window_seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        super().__init__(clock=clock, random=random)
        self.prefix = base_path
        self.access = Access(token, auth_body, rate_limit, rate_window_seconds)
        self.groups = groups
        self.suffix = suffix
        self.list_trashed = list_trashed
        self.trashed_get = trashed_get
        self.trashed_change = trashed_change
        self.accept_json = accept_json
        self.form_styles = form_styles
        self.empty_ok = empty_ok
        self.duplicate_reference = duplicate_reference
        self.default_type = default_type
        self.create_answer = create_answer
        self.refuse_readonly = refuse_readonly
        self.touch_always = touch_always
        self.change_answer = change_answer
        self.extra_members = dict(extra_members or {})
        self.list_gaps = list_gaps
        self.refusals: deque[str] = deque(maxlen=100)
        self._contacts: dict[int, Contact] = {}
        self._last_id = 513  # the page's first example is 514
        self._before_next: list[Callable[[], None]] = []
        for record in records:
            self.add_record(**record)

    @override
    def settings(self, base_url: str) -> dict[str, Any]:
        return {"enabled": True, "base_url": base_url, "token": self.access.token}

    # ------------------------------------------------------------------------------------- by hand, without the API

    @override
    def state(self) -> dict[str, Any]:
        """All contacts with every member, oldest first, also those in the bin."""
        with self.lock:
            return {"records": [dict(contact.values) for contact in self._contacts.values()]}

    def add_record(self, *, sub_contacts: Sequence[Any] = (), **members: Any) -> str:
        """A contact made in the screens or by import: what is required there is not required here (sheet 5)."""
        with self.lock:
            _check(members, MEMBERS)
            made = {"group": self.groups[0], "type": self.default_type, "payment_term": "14", **members}
            contact = self._insert(made)
            contact.sub_contacts = list(sub_contacts)
            return str(contact.values["id"])

    @override
    def edit_record(self, record_id: str, members: Mapping[str, Any]) -> None:
        """A person changes members in the screens. KeyError: no such contact."""
        with self.lock:
            _check(members, frozenset(MEMBERS) - {"id"})
            self._contacts[int(record_id)].values.update({"modified": self._now(), **members})

    def delete_record(self, record_id: str) -> None:
        """A person throws a contact into the bin. KeyError: no such contact."""
        self.edit_record(record_id, {"trashed": True})

    def end_token(self, at: float | None = None) -> None:
        """From that moment on, by default from now, every answer is 401 (sheet 11.12)."""
        with self.lock:
            self.access.ends_at = self.clock() if at is None else at

    def before_next(self, callback: Callable[[], None]) -> None:
        """Run `callback` once, right before the next request is looked at: an edit between two requests."""
        with self.lock:
            self._before_next.append(callback)

    @override
    def fail(self, kind: str, **settings: Any) -> None:
        """
        Beside the kinds of every simulator: `cake_error` (500 of the framework), `code_400` (a refusal inside a 200)
        and `login_page` (HTML inside a 200). None of the three does the work.
        """
        refusal = json.dumps(answers.envelope(400, answers.NOT_SAVED, []))
        cake = json.dumps(answers.cake_error("An Internal Error Has Occurred.", f"{self.prefix}/contacts{self.suffix}"))
        own: dict[str, dict[str, Any]] = {
            "cake_error": {"status": 500, "body": cake, "content_type": answers.CONTENT_TYPE},
            "code_400": {"status": 200, "body": refusal, "content_type": answers.CONTENT_TYPE},
            "login_page": {"status": 200, "body": _LOGIN_PAGE, "content_type": "text/html; charset=UTF-8"},
        }
        if kind in own:
            super().fail("status", **{**own[kind], **settings})
        else:
            super().fail(kind, **settings)  # type: ignore[arg-type]  # the base names the kinds that are its own

    @override
    def throttled(self, retry_after: float | None) -> SimResponse:
        return throttled(retry_after).response

    # ---------------------------------------------------------------------------------------------------- the API

    @override
    def handle(self, request: SimRequest) -> SimResponse:
        with self.lock:
            due, self._before_next = self._before_next, []
            for callback in due:
                callback()
            return super().handle(request)

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        try:
            return self._answer(request)
        except answers.ApiError as refusal:
            return refusal.response

    def _answer(self, request: SimRequest) -> SimResponse:
        element = self._element(request.path)
        if request.method == "OPTIONS":
            return answers.success([])  # sheet 11.1: without authentication
        if request.method not in ({"GET", "POST"} if element is None else {"GET", "POST", "DELETE"}):
            raise answers.no_such_path(request.path)
        self.access.check(request.headers.get("authorization"), self.clock())
        match request.method, element:
            case "GET", None:
                return self._list()
            case "GET", int():
                return self._read(element)
            case "POST", None:
                return self._create(self._members(request))
            case "POST", int():
                return self._change(element, self._members(request))
            case _:
                return self._delete(element or 0)

    def _element(self, path: str) -> int | None:
        """The id in a path, None for the collection; sheet 11.1: anything else is not there."""
        base = f"{self.prefix}/contacts"
        if path == f"{base}{self.suffix}":
            return None
        match = re.fullmatch(rf"{re.escape(base)}/([0-9]+){re.escape(self.suffix)}", path)
        if match is None:
            raise answers.no_such_path(path)
        return int(match[1])

    def _members(self, request: SimRequest) -> dict[str, str]:
        # Sheet 11.5: JSON in, as its answers are, gets a 400 that explains nothing.
        try:
            return members_of(request, self.form_styles, accept_json=self.accept_json)
        except UnreadableBody as fault:
            raise self._refused([str(fault)]) from None

    def _list(self) -> SimResponse:
        # Sheet 11.3: the whole list, whatever the query says, and an empty one is a 404.
        listed = [contact for contact in self._contacts.values() if self.list_trashed or not contact.trashed]
        if not listed:
            raise answers.failure(404, answers.CONTACTS_NOT_FOUND)
        shown: Any = [self._shown(contact) for contact in listed]
        if self.list_gaps:
            # Sheet 14: PHP writes a list with gaps as an object of its places.
            shown = {str(2 * place): entry for place, entry in enumerate(shown)}
        return answers.success({"count": len(listed), "Contacts": shown})

    def _shown(self, contact: Contact) -> dict[str, Any]:
        """As an answer has it; with the members that a newer release added, where there are some (sheet 14)."""
        return contact.shown(self.extra_members)

    def _read(self, element: int) -> SimResponse:
        contact = self._contacts.get(element)
        if contact is None or (contact.trashed and self.trashed_get == "404"):
            raise answers.failure(404, answers.CONTACT_NOT_FOUND)
        return answers.success(self._shown(contact))

    def _create(self, members: dict[str, str]) -> SimResponse:
        faults = create_faults(members, self.groups, empty_ok=self.empty_ok)
        if self.duplicate_reference == "refuse" and self._reference_used(members.get("client_reference")):
            faults.append("client_reference: in use")
        if faults:
            raise self._refused(faults)
        made = {member: value for member, value in members.items() if member in CREATABLE}
        contact = self._insert({"type": self.default_type, **made})
        match self.create_answer:
            case "id_only":
                return answers.success({"Contact": {"id": contact.values["id"]}})
            case "empty":
                return answers.success([])
            case code:
                return answers.success(self._shown(contact), int(code))

    def _change(self, element: int, members: dict[str, str]) -> SimResponse:
        contact = self._present(element, trashed=self.trashed_change == "200")
        faults = change_faults(members, empty_ok=self.empty_ok, refuse_readonly=self.refuse_readonly)
        if faults:
            raise self._refused(faults)
        # Sheet 11.8: what cannot be changed is ignored silently, and `modified` moves with every write.
        changed = {member: value for member, value in members.items() if member in EDITABLE}
        if self.touch_always or any(contact.values[member] != value for member, value in changed.items()):
            changed["modified"] = self._now()
        contact.values.update(changed)
        return answers.success(self._shown(contact) if self.change_answer == "whole" else [])

    def _delete(self, element: int) -> SimResponse:
        self._present(element).values["trashed"] = True
        return answers.success([])

    def _present(self, element: int, *, trashed: bool = False) -> Contact:
        contact = self._contacts.get(element)
        if contact is None or (contact.trashed and not trashed):
            raise answers.failure(404, answers.CONTACT_NOT_FOUND)
        return contact

    def _refused(self, faults: list[str]) -> answers.ApiError:
        # Sheet 11.11: which member it was stays here.
        self.refusals.append("; ".join(faults))
        return answers.failure(400, answers.NOT_SAVED)

    def _reference_used(self, reference: str | None) -> bool:
        # Also by a contact in the bin (sheet 11.7).
        return any(contact.values["client_reference"] == reference for contact in self._contacts.values())

    def _insert(self, members: Mapping[str, Any]) -> Contact:
        record_id = int(members.get("id", self._last_id + 1))
        self._last_id = max(self._last_id, record_id)
        now = self._now()
        stamps = {"created": now, "modified": now, "trashed": False}
        self._contacts[record_id] = Contact({**dict.fromkeys(MEMBERS), **stamps, **members, "id": str(record_id)})
        return self._contacts[record_id]

    def _now(self) -> str:
        return datetime.datetime.fromtimestamp(self.clock(), ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _check(members: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = sorted(set(members) - set(known))
    if unknown:
        raise ValueError(f"Workspace has no member {', '.join(unknown)} here")
