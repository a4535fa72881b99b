"""
A Rompslomp to test against: administrations with contacts behind the API of the vendor's pages.

Every rule is one of Rompslomp sheet 11 and bears its number; what the sheet marks as assumed is a switch of the
constructor. The pages are https://rompslomp.nl/developer/requests-responses and the OpenAPI file beside them.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal, NamedTuple

from typing_extensions import override

from worker.vendors.rompslomp import simulator_errors as errors
from worker.vendors.rompslomp.simulator_access import (
    CONTACTS_SCOPE,
    Company,
    RateWindow,
    Token,
    authenticated,
    check_scope,
    company_for,
)
from worker.vendors.rompslomp.simulator_contacts import (
    Contact,
    check_members,
    faults_of,
    members_of_body,
    stored,
)
from worker.vendors.rompslomp.simulator_lists import page_of, selected
from worker.vendors.rompslomp.simulator_records import Records
from worker.vendors.simulation import SimRequest, SimResponse, Simulator

_LONG = re.compile(r"/companies/(?P<company>[^/]+)/contacts(?:/(?P<record>[^/]+))?")
_SHORT = re.compile(r"/(?P<company>\d+)/contacts(?:/(?P<record>[^/]+))?")


class Route(NamedTuple):
    """Where a request goes and the scope that it needs."""

    resource: Literal["companies", "me", "contacts", "contact"]
    scope: str
    company: str = ""
    record: str = ""


class RompslompSimulator(Simulator):
    """
    Without arguments: one administration, one token with the scopes of the project, no limits.

    `rate_limit` counts requests a token in `rate_window_seconds`; `max_contacts` is the subscription's quota. Both
    may be changed at any time, as may `tokens` and `companies`. Ids, and the order of lists, come from `seed` and
    are others in every run without it.
    """

    name = "rompslomp"
    prefix = "/api/v1"
    SANDBOX_TOKEN = "sandbox-rompslomp-token"  # noqa: S105 - opens nothing but the simulator
    SANDBOX_COMPANY_ID = 440923104

    def __init__(
        self,
        *,
        tokens: Mapping[str, Token] | None = None,
        companies: tuple[Company, ...] | None = None,
        short_paths: bool = False,
        unique_contact_number: bool = True,
        null_draws_number: bool = True,
        email_any_case: bool = True,
        delete_with_invoices: Literal["204", "422"] = "204",
        rate_limit: int | None = None,
        rate_window_seconds: float = 60.0,
        max_contacts: int | None = None,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        super().__init__(clock=clock, random=random)
        listed = (Company(self.SANDBOX_COMPANY_ID),) if companies is None else companies
        self.companies = {company.id: company for company in listed}
        everywhere = Token(companies=frozenset(self.companies))
        self.tokens = {self.SANDBOX_TOKEN: everywhere} if tokens is None else dict(tokens)
        self.short_paths = short_paths
        self.unique_contact_number = unique_contact_number
        self.null_draws_number = null_draws_number
        self.email_any_case = email_any_case
        self.delete_with_invoices = delete_with_invoices
        self.rate_limit = rate_limit
        self.rate_window_seconds = rate_window_seconds
        self.max_contacts = max_contacts
        self._records = Records(Random(seed))  # noqa: S311 - made-up ids, nothing is kept secret by them
        self._windows: dict[str, RateWindow] = {}
        self._before_next: list[Callable[[], None]] = []

    @override
    def settings(self, base_url: str) -> dict[str, Any]:
        """The `systems.rompslomp` settings for this simulator when it is served under `base_url`."""
        token = next(iter(self.tokens), self.SANDBOX_TOKEN)
        company_id = next(iter(self.companies), self.SANDBOX_COMPANY_ID)
        return {"enabled": True, "base_url": base_url, "token": token, "company_id": str(company_id)}

    # ------------------------------------------------------------------------------------- by hand, without the API

    @override
    def state(self) -> dict[str, Any]:
        """All contacts as the API shows them, oldest first, and which administration holds which."""
        with self.lock:
            records = [contact.shown() for contact in self._records.all()]
            return {"records": records, "companies": {str(c): list(self._records.of(c)) for c in self.companies}}

    def add_record(self, *, company_id: int | None = None, **members: Any) -> str:
        """A contact that a person makes in the screens; nothing is validated, so that doubles can be made."""
        with self.lock:
            _check_by_hand(members)
            company = self.companies[next(iter(self.companies)) if company_id is None else company_id]
            return str(self._records.add(company.id, stored(members)).id)

    @override
    def edit_record(self, record_id: str, members: Mapping[str, Any]) -> None:
        """A person changes members in the screens. KeyError: no such contact."""
        with self.lock:
            _check_by_hand(members)
            self._records.write(self._records.get(int(record_id)), stored(members))

    def delete_record(self, record_id: str) -> None:
        """A person deletes a contact in the screens. KeyError: no such contact."""
        with self.lock:
            self._records.remove(self._records.get(int(record_id)))

    def show_as(self, record_id: str, **members: Any) -> None:
        """From now on the API shows these values of a contact, of whatever type, in place of what it holds."""
        with self.lock:
            self._records.get(int(record_id)).shown_as = members

    def add_invoice(self, record_id: str) -> None:
        """From now on the contact has an invoice, which matters when it is deleted (sheet 11.10)."""
        with self.lock:
            self._records.get(int(record_id)).has_invoices = True

    def expire_token(self, token: str) -> None:
        """From now on the token is answered as one that has ended (sheet 11.3)."""
        with self.lock:
            self.tokens[token].expires_at = self.clock()

    def before_next(self, callback: Callable[[], None]) -> None:
        """Run `callback` once, right before the next request is looked at: an edit between two requests."""
        with self.lock:
            self._before_next.append(callback)

    @override
    def fail(self, kind: str, **settings: Any) -> None:
        """Beside the kinds of every simulator: `server` (500 in the vendor's own words), `quota`, `token_expired`."""
        own = {
            "server": errors.server_error(),
            "quota": errors.quota_reached(),
            "token_expired": errors.invalid_token(expired=True),
        }
        if kind not in own:
            super().fail(kind, **settings)  # type: ignore[arg-type]  # the base names the kinds that are its own
            return
        refusal = own[kind]
        if kind == "quota":
            settings = {"method": "POST", **settings}  # only a create can hit the quota (sheet 7)
        body = json.dumps(errors.error_body(refusal.kind, refusal.message), ensure_ascii=False)
        answer = {"status": refusal.status, "body": body, "content_type": errors.CONTENT_TYPE}
        super().fail("status", **{**answer, "headers": refusal.headers, **settings})

    @override
    def throttled(self, retry_after: float | None) -> SimResponse:
        """The vendor's 429, in whole seconds (sheet 11.12)."""
        return errors.rate_limited(None if retry_after is None else math.ceil(retry_after)).response()

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
        except errors.ApiError as refusal:
            return refusal.response()

    def _answer(self, request: SimRequest) -> SimResponse:
        # Sheet 11.1, the order of checks: path, token, company, scope, rate limit, body, validation, quota.
        route = self._route(request)
        now = self.clock()
        key, token = authenticated(self.tokens, request.headers.get("authorization"), now)
        wait = self._count(key, now)  # counted as soon as the token is known, answered after company and scope
        company = company_for(self.companies, token, route.company) if route.company else None
        check_scope(token, company, route.scope)
        if wait is not None:
            raise errors.rate_limited(wait)
        if company is None:
            return self._companies(request, token) if route.resource == "companies" else _me(token)
        if route.resource == "contacts":
            return self._create(company, request) if request.method == "POST" else self._list(company, request)
        return self._one(company, route.record, request)

    def _route(self, request: SimRequest) -> Route:
        # Sheet 11.2: these and nothing else; PUT is not offered, nor is the short form of two of the pages.
        if not request.path.startswith(f"{self.prefix}/"):
            raise errors.endpoint_not_found()
        path, method = request.path.removeprefix(self.prefix), request.method
        if method == "GET" and path == "/companies":
            return Route("companies", "public")
        if method == "GET" and path == "/me":
            return Route("me", "read:me")
        match = _LONG.fullmatch(path) or (_SHORT.fullmatch(path) if self.short_paths else None)
        if match and match["record"] is None and method in {"GET", "POST"}:
            return Route("contacts", CONTACTS_SCOPE, match["company"])
        if match and match["record"] is not None and method in {"GET", "PATCH", "DELETE"}:
            return Route("contact", CONTACTS_SCOPE, match["company"], match["record"])
        raise errors.endpoint_not_found()

    def _count(self, key: str, now: float) -> int | None:
        if self.rate_limit is None:
            return None
        window = self._windows.setdefault(key, RateWindow(started_at=now))
        return window.admit(now, self.rate_limit, self.rate_window_seconds)

    def _companies(self, request: SimRequest, token: Token) -> SimResponse:
        # Also those without API access: their `access_control` is how a client learns of it (sheet 3).
        return page_of(request, "companies", [c.shown() for c in self.companies.values() if c.id in token.companies])

    def _list(self, company: Company, request: SimRequest) -> SimResponse:
        held = self._records.of(company.id).values()
        chosen = selected(request, held, email_any_case=self.email_any_case)
        return page_of(request, "contacts", [contact.shown() for contact in chosen])

    def _create(self, company: Company, request: SimRequest) -> SimResponse:
        values = stored(members_of_body(request))
        self._validate(company, None, values)
        # Sheet 11.13: the quota comes last, so a record that is refused anyhow does not look like a full subscription.
        if self.max_contacts is not None and len(self._records.of(company.id)) >= self.max_contacts:
            raise errors.quota_reached()
        return _answer_with(201, self._records.add(company.id, values))

    def _one(self, company: Company, record: str, request: SimRequest) -> SimResponse:
        contact = self._records.of(company.id).get(int(record)) if record.isascii() and record.isdigit() else None
        if contact is None:
            raise errors.resource_not_found()  # sheet 11.10
        match request.method:
            case "PATCH":
                return self._patch(company, contact, members_of_body(request))
            case "DELETE":
                return self._delete(contact)
            case _:
                return _answer_with(200, contact)

    def _patch(self, company: Company, contact: Contact, members: dict[str, Any]) -> SimResponse:
        # Sheet 11.9: only what was sent changes, then the whole record is validated.
        changed = stored(members)
        if self.null_draws_number and "contact_number" in changed and changed["contact_number"] is None:
            changed["contact_number"] = self._records.new_number(company.id)
        self._validate(company, contact, {**contact.values, **changed})
        self._records.write(contact, changed)
        return _answer_with(200, contact)

    def _delete(self, contact: Contact) -> SimResponse:
        if contact.has_invoices and self.delete_with_invoices == "422":
            raise errors.invalid_record(["Contact heeft facturen"])
        self._records.remove(contact)
        return SimResponse(204, b"", {"content-type": errors.CONTENT_TYPE})

    def _validate(self, company: Company, contact: Contact | None, values: Mapping[str, Any]) -> None:
        number = values.get("contact_number")
        taken = self._records.number_taken(company.id, number, by_other_than=contact)
        faults = faults_of(values, number_taken=taken and self.unique_contact_number)
        if faults:
            raise errors.invalid_record(faults)


def _check_by_hand(members: Mapping[str, Any]) -> None:
    # A mistake of whoever plays the person, so no answer of the vendor's.
    try:
        check_members(members)
    except errors.ApiError as refusal:
        raise ValueError(refusal.message) from None


def _answer_with(status: int, contact: Contact) -> SimResponse:
    return SimResponse.of_json(status, {"contact": contact.shown()}, content_type=errors.CONTENT_TYPE)


def _me(token: Token) -> SimResponse:
    me = {"first_name": token.first_name, "last_name": token.last_name, "email": token.email}
    return SimResponse.of_json(200, {"me": me}, content_type=errors.CONTENT_TYPE)
