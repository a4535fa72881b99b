"""
A Recras to test against: customers with contact persons behind the API of the vendor's pages.

Every rule is one of Recras sheet 12 and bears its number; what the sheet leaves open is a switch of the constructor.
The page is https://demo.recras.nl/docs/api/endpoints/klanten.html.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from typing_extensions import override

from worker.vendors.recras import simulator_errors as errors
from worker.vendors.recras.simulator_access import EDIT_WEBHOOKS, KLANTEN, VIEW_WEBHOOKS, Access, Key
from worker.vendors.recras.simulator_by_hand import Tenant
from worker.vendors.recras.simulator_errors import Fault
from worker.vendors.recras.simulator_faults import EmptySwaps
from worker.vendors.recras.simulator_lists import checked_query, list_of, page_of, selected
from worker.vendors.recras.simulator_records import HIDDEN_TEXT_MEMBERS, SHOWN_MEMBERS, Contact, Person
from worker.vendors.recras.simulator_rules import READ_ONLY_MEMBERS, Company, Switches
from worker.vendors.simulation import SimRequest, SimResponse

_RESOURCE = re.compile(r"/(klanten|contacten|contactpersonen|webhooks)(?:/(\d+))?")
SANDBOX_COMPANIES = (
    Company(1, kinds=("Bedrijf", "Familie", "School", "Particulier"), default=True),
    Company(2, kinds=("Bedrijf",)),
)

Handler = Callable[[SimRequest, int], SimResponse]


class RecrasSimulator(Tenant):
    """
    Without arguments: two companies, one key with every permission, no limit.

    The switches may be changed at any time in `switches`, as may `companies` and `access`. `settings` notes where
    this simulator is served, so that the addresses in its answers lead back to it; otherwise they are made from the
    Host header. Webhooks wait in `take_webhooks`.
    """

    name = "recras"
    prefix = "/api2"
    SANDBOX_API_KEY = "sandbox-recras-key"
    SANDBOX_USER = ("sandbox", "sandbox-recras-password")

    def __init__(
        self,
        *,
        keys: Mapping[str, Key] | None = None,
        companies: Sequence[Company] = SANDBOX_COMPANIES,
        basic_auth: bool = False,
        accept_landcode_btw: bool = False,
        person_members_with_id: Literal["ignore", "apply", "refuse"] = "ignore",
        strict_soort_klant: bool = True,
        dedupe: bool | Literal["name"] = True,
        dedupe_effect: Literal["none", "merge"] = "merge",
        order: Literal["shuffled", "id", "newest"] = "shuffled",
        id_gt_exclusive: bool = False,
        column_filters: bool = False,
        page_size: int | None = None,
        show_extra_fields: bool = False,
        show_landcode_btw: bool = False,
        put_requires_all: bool = False,
        put_replaces: bool = False,
        strict_website: bool = True,
        delete_orphans: bool = False,
        ignore_readonly: bool = False,
        flat_errors: bool = False,
        rate_limit: int | None = None,
        rate_window_seconds: float = 60.0,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        switches = Switches(
            accept_landcode_btw=accept_landcode_btw,
            person_members_with_id=person_members_with_id,
            strict_soort_klant=strict_soort_klant,
            dedupe=dedupe,
            dedupe_effect=dedupe_effect,
            order=order,
            id_gt_exclusive=id_gt_exclusive,
            column_filters=column_filters,
            page_size=page_size,
            show_extra_fields=show_extra_fields,
            show_landcode_btw=show_landcode_btw,
            put_requires_all=put_requires_all,
            put_replaces=put_replaces,
            strict_website=strict_website,
            delete_orphans=delete_orphans,
            ignore_readonly=ignore_readonly,
            flat_errors=flat_errors,
        )
        super().__init__(companies=companies, switches=switches, seed=seed, clock=clock, random=random)
        self.access = Access(
            keys={self.SANDBOX_API_KEY: Key()} if keys is None else dict(keys),
            basic_users={self.SANDBOX_USER: Key()} if basic_auth else {},
            rate_limit=rate_limit,
            rate_window_seconds=rate_window_seconds,
        )
        self.public_url: str | None = None
        self._swaps = EmptySwaps()
        self._before_next: list[Callable[[], None]] = []
        self._handlers = self._routes()

    @override
    def settings(self, base_url: str) -> dict[str, Any]:
        self.public_url = base_url
        return {"enabled": True, "base_url": base_url, "api_key": next(iter(self.access.keys), self.SANDBOX_API_KEY)}

    # ------------------------------------------------------------------------------------------- faults by command

    def before_next(self, callback: Callable[[], None]) -> None:
        """Run `callback` once, right before the next request is looked at: an edit between GET and PUT."""
        with self.lock:
            self._before_next.append(callback)

    @override
    def fail(self, kind: str, **settings: Any) -> None:
        """Beside the kinds of every simulator: `swap_empty`, null and "" change places in JSON answers."""
        if kind == "swap_empty":
            with self.lock:
                self._swaps.add(**settings)
        else:
            super().fail(kind, **settings)  # type: ignore[arg-type]  # the base names the kinds that are its own

    @override
    def clear_faults(self) -> None:
        with self.lock:
            self._swaps.clear()
            super().clear_faults()

    @override
    def throttled(self, retry_after: float | None) -> SimResponse:
        return errors.throttled(None if retry_after is None else str(math.ceil(retry_after))).response

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
            response = self._answer(request)
        except errors.ApiError as refusal:
            response = refusal.response
        return self._swaps.applied(request, response)

    def _routes(self) -> dict[tuple[str, str, bool], tuple[str | None, Handler]]:
        """Sheet 12.1: by method, resource and whether there is an id, the permission needed and what answers."""
        return {
            ("GET", "personeel/me", False): (None, self._me),
            ("GET", "klanten", False): (KLANTEN, self._list_klanten),
            ("POST", "klanten", False): (KLANTEN, self._create_klant),
            ("GET", "klanten", True): (KLANTEN, self._read_klant),
            ("PUT", "klanten", True): (KLANTEN, self._change_klant),
            ("GET", "contacten", False): (KLANTEN, self._list_contacts),
            ("GET", "contacten", True): (KLANTEN, self._read_contact),
            ("GET", "contactpersonen", False): (KLANTEN, self._list_persons),
            ("POST", "contactpersonen", False): (KLANTEN, self._create_person),
            ("GET", "contactpersonen", True): (KLANTEN, self._read_person),
            ("PUT", "contactpersonen", True): (KLANTEN, self._change_person),
            ("GET", "webhooks", False): (VIEW_WEBHOOKS, self._list_webhooks),
            ("POST", "webhooks", False): (EDIT_WEBHOOKS, self._create_webhook),
            ("GET", "webhooks", True): (VIEW_WEBHOOKS, self._read_webhook),
            ("PUT", "webhooks", True): (EDIT_WEBHOOKS, self._change_webhook),
            ("DELETE", "webhooks", True): (EDIT_WEBHOOKS, self._delete_webhook),
        }

    def _answer(self, request: SimRequest) -> SimResponse:
        resource, record_id = _parsed(request.path)
        route = self._handlers.get((request.method, resource, record_id is not None))
        if route is None:
            raise errors.not_found()
        permission, handler = route
        key = self.access.check(request.headers.get("authorization"), permission, self.clock())
        if resource == "personeel/me" and not key.staff:
            raise errors.not_found()
        return handler(request, record_id or 0)

    def _address(self, request: SimRequest, path: str) -> str:
        host = request.headers.get("host", "voorbeeld.recras.nl")
        return f"{self.public_url or f'https://{host}{self.prefix}'}{path}"

    def _me(self, request: SimRequest, _: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        me = {"id": 1, "type": "personeel", "displaynaam": "Sandbox", "voornaam": "Sam", "achternaam": "Voorbeeld"}
        return _json(200, me)

    # ------------------------------------------------------------------------------------------------- customers

    def _list_klanten(self, request: SimRequest, _: int) -> SimResponse:
        return self._list(request, "/klanten", "klant", self.records.shown)

    def _list_contacts(self, request: SimRequest, _: int) -> SimResponse:
        return self._list(request, "/contacten", None, lambda contact: self._as_contact(request, contact))

    def _list(
        self, request: SimRequest, path: str, kind: str | None, shown: Callable[[Contact], dict[str, Any]]
    ) -> SimResponse:
        # Sheet 12.7. That /contacten takes the same parameters is assumed: both come from the same generator.
        switches = self.switches
        columns = ("id", *SHOWN_MEMBERS) if switches.column_filters else ()
        pages = ("page",) if switches.page_size is not None else ()
        query = checked_query(request, {"id>", *columns, *pages}, flat=switches.flat_errors)
        held = [contact for contact in self.records.contacts.values() if kind in (None, contact.type)]
        chosen = selected(query, held, switches, self.records.shown)
        address = self._address(request, path)
        return page_of([shown(contact) for contact in chosen], query, switches.page_size, address)

    def _create_klant(self, request: SimRequest, _: int) -> SimResponse:
        body = _body(request)
        self._refuse(self.rules.klant_faults(body, persons_required=True, company_id=None))
        # Sheet 12.5: a body that looks like a customer that is there gets that one, and the answer is 200.
        matched = self.klanten.matching(body) if self.switches.dedupe else None
        if matched is not None:
            if self.switches.dedupe_effect == "merge":
                self.klanten.merge(matched, body)
            return _json(200, self.records.shown(matched))
        contact = self.klanten.create(body)
        location = self._address(request, f"/klanten/{contact.id}")
        return _json(201, self.records.shown(contact), {"location": location})

    def _read_klant(self, request: SimRequest, record_id: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        contact = self._klant(record_id)
        shown = {**self.records.shown(contact), "contactpersonen": self.records.persons_of(contact)}
        if self.switches.show_extra_fields:
            shown["extra_fields"] = contact.values["extra_fields"]
        if self.switches.show_landcode_btw:
            shown |= {member: contact.values[member] for member in HIDDEN_TEXT_MEMBERS}
        return _json(200, shown)

    def _change_klant(self, request: SimRequest, record_id: int) -> SimResponse:
        contact = self._klant(record_id)
        body = self._without_read_only(_body(request))
        company = contact.values["bedrijf_id"]
        required = self.switches.put_requires_all
        self._refuse(self.rules.klant_faults(body, persons_required=required, company_id=company))
        self.klanten.change(contact, body)
        return _json(200, self.records.shown(contact))

    def _read_contact(self, request: SimRequest, record_id: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        return _json(200, self._as_contact(request, self._contact_or_404(record_id)))

    def _as_contact(self, request: SimRequest, contact: Contact) -> dict[str, Any]:
        return self.records.shown_as_contact(contact, self._address(request, f"/contacten/{contact.id}"))

    def _klant(self, record_id: int) -> Contact:
        contact = self._contact_or_404(record_id)
        if contact.type != "klant":
            raise errors.not_found()  # sheet 12.8: an id of another type is not found here
        return contact

    def _contact_or_404(self, record_id: int) -> Contact:
        contact = self.records.contacts.get(record_id)
        if contact is None:
            raise errors.not_found()
        return contact

    # --------------------------------------------------------------------------------------------------- persons

    def _list_persons(self, request: SimRequest, _: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        return list_of([person.shown() for person in self.records.persons.values()])

    def _create_person(self, request: SimRequest, _: int) -> SimResponse:
        body = _body(request)
        self._refuse(self.rules.person_faults(body))
        person = self.klanten.add_person(body)
        return _json(201, person.shown(), {"location": self._address(request, f"/contactpersonen/{person.id}")})

    def _read_person(self, request: SimRequest, record_id: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        return _json(200, self._person(record_id).shown())

    def _change_person(self, request: SimRequest, record_id: int) -> SimResponse:
        person = self._person(record_id)
        body = self._without_read_only(_body(request))
        self._refuse(self.rules.person_faults(body))
        self.klanten.change_person(person, body)
        return _json(200, person.shown())

    def _person(self, record_id: int) -> Person:
        person = self.records.persons.get(record_id)
        if person is None:
            raise errors.not_found()
        return person

    # -------------------------------------------------------------------------------------------------- webhooks

    def _list_webhooks(self, request: SimRequest, _: int) -> SimResponse:
        checked_query(request, ("page",), flat=self.switches.flat_errors)
        return list_of(list(self.webhooks.registered.values()))

    def _create_webhook(self, request: SimRequest, _: int) -> SimResponse:
        body = _body(request)
        self._refuse(self.webhooks.faults(body, new=True))
        return _json(201, self.webhooks.register(body))

    def _read_webhook(self, request: SimRequest, record_id: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        return _json(200, self._webhook(record_id))

    def _change_webhook(self, request: SimRequest, record_id: int) -> SimResponse:
        webhook = self._webhook(record_id)
        body = _body(request)
        self._refuse(self.webhooks.faults(body, new=False))
        webhook.update(body)
        return _json(200, webhook)

    def _delete_webhook(self, request: SimRequest, record_id: int) -> SimResponse:
        checked_query(request, (), flat=self.switches.flat_errors)
        self._webhook(record_id)
        del self.webhooks.registered[record_id]
        return SimResponse(204)  # assumed; the page does not show an answer

    def _webhook(self, record_id: int) -> dict[str, Any]:
        webhook = self.webhooks.registered.get(record_id)
        if webhook is None:
            raise errors.not_found()
        return webhook

    def _refuse(self, faults: list[Fault]) -> None:
        # Sheet 12.4: all faults of one body in one list.
        if faults:
            raise errors.refused(faults, flat=self.switches.flat_errors)

    def _without_read_only(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self.switches.ignore_readonly:
            return body
        return {member: value for member, value in body.items() if member not in READ_ONLY_MEMBERS}


def _parsed(path: str) -> tuple[str, int | None]:
    """The resource and the id of a path, under the present spelling or the old one (sheet 2)."""
    for prefix in ("/api2", "/api2.php"):
        inner = path.removeprefix(prefix)
        if inner == path or not inner.startswith("/"):
            continue
        if inner == "/personeel/me":
            return "personeel/me", None
        match = _RESOURCE.fullmatch(inner)
        if match:
            return match[1], int(match[2]) if match[2] else None
    raise errors.not_found()


def _body(request: SimRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise errors.syntax_error() from None
    if not isinstance(body, dict):
        raise errors.syntax_error()  # assumed: JSON, but no object
    return body


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> SimResponse:
    return SimResponse.of_json(status, value, headers, errors.CONTENT_TYPE)
