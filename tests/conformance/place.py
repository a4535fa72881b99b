"""One vendor made ready for one check: a simulator or a tenant, a client before it, and all that passes between."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.conformance.adapter import Adapter
from tests.conformance.samples import contact_of, new_tag
from tests.conformance.wire import Answering, Counting, Interference, Wire
from worker.config.systems import SystemSettings
from worker.core.contact import Json
from worker.core.persons import PersonPlan
from worker.core.planning import Create, plan_create
from worker.core.wire import Exchange
from worker.errors import RecordGone, SyncError
from worker.vendors.contract import Created, Intent, Record
from worker.vendors.simulation import transport
from worker.vendors.transport import Session, make_client

Operations = dict[str, Callable[[], object]]


@dataclass
class Prepared:
    """What the calls of `Place.operations` are about, made while nothing was wrong yet."""

    record: Record
    patch: Mapping[str, Any]
    intent: Intent | None


@dataclass
class Way:
    """A client with a budget and a wire of its own; several may lead to the same place."""

    adapter: Adapter
    settings: SystemSettings
    wire: Wire
    budget: Counting
    client: Any = field(init=False)
    http: httpx.Client = field(init=False)
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.adapter.build(self.settings)
        self.http = make_client(self.settings.base_url, self.wire)

    def begin_anew(self) -> None:
        """Count from here on."""
        self.wire.left.clear()
        self.exchanges.clear()
        self.budget.asked.clear()

    def session(self, **more: Any) -> Session:
        """A session as a delivery gets it."""
        timeout = float(self.settings.timeout_seconds)
        more = {"timeout_seconds": timeout, "patience_seconds": 60.0, "recorder": self.exchanges.append, **more}
        more = {"idempotency_headers": self.settings.idempotency_headers, **more}
        return Session(self.adapter.name, self.http, self.budget, **more)

    def send(self, intent: Intent) -> Created:
        """Send a create as it was committed."""
        committed = Intent.from_json(intent.to_json())
        ours = self.adapter.mapping(self.client).outward(contact_of(new_tag()))
        return self.adapter.create(self.client, self.session(), committed, ours)


@dataclass
class Place:
    """
    A vendor before a check. `simulator` is None where a tenant is asked.

    `made` are the ids of records that the check made; nothing else is ever changed or removed on a tenant.
    """

    adapter: Adapter
    way: Way
    simulator: Any = None
    settle_seconds: float = 0.0
    tag: str = field(default_factory=new_tag)
    made: list[str] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)

    @property
    def client(self) -> Any:
        """The vendor's client, as the product makes it."""
        return self.way.client

    @property
    def wire(self) -> Wire:
        """What leaves, and what comes back."""
        return self.way.wire

    @property
    def mapping(self) -> Any:
        """The table by which records are written."""
        return self.adapter.mapping(self.client)

    def session(self, **more: Any) -> Session:
        """A session as a delivery gets it."""
        return self.way.session(**more)

    def other_way(self, **settings: Any) -> Way:
        """A client to the same place with other settings."""
        return self.beside(self.way.settings.model_dump() | settings)

    def beside(self, values: Mapping[str, Any]) -> Way:
        """A client to the same place with these settings."""
        made = Way(self.adapter, self.adapter.settings(values), Wire(self.wire.inner), self.way.budget.beside())
        self.ways.append(made)
        return made

    # ------------------------------------------------------------------------------------------------------ records

    def contact(self, tag: str | None = None, **values: Any) -> Json:
        """A contact with this check's tag, or another one's."""
        return contact_of(tag or self.tag, **values)

    def intent(self, contact: Json) -> Intent:
        """A create as flows decide it."""
        ours = self.mapping.outward(contact)
        plan = plan_create(self.mapping, ours, self.mapping.owners(self.way.settings.fields))
        assert isinstance(plan, Create), f"{self.adapter.name} would not make it: {plan}"
        persons = tuple({"key": one.key, "main": one.main, "fields": dict(one.fields)} for one in ours.persons)
        reference = self.adapter.reference(self.client, contact)
        mark = self.adapter.mark(self.client, self.session())
        return Intent(secrets.token_hex(16), reference, plan.fields, persons, mark)

    def send(self, intent: Intent, by: Way | None = None) -> Created:
        """Send a create, and remember what it made."""
        created = (by or self.way).send(intent)
        if created.external_id is not None and not created.matched:
            self.made.append(created.external_id)
        return created

    def make(self, contact: Json | None = None) -> Record:
        """A record of this contact, as it stands there afterwards."""
        intent = self.intent(contact or self.contact())
        return self.read(self.settled(intent, self.send(intent)))

    def settled(self, intent: Intent, created: Created | None) -> str:
        """The id that came of a create, looked up where the answer did not tell it; flows do the same."""
        if created is not None and created.external_id is not None:
            return created.external_id
        found = self.client.find_created(self.session(), intent)
        assert len(found) == 1, f"{len(found)} records are taken for the one that was made"
        self.made.append(found[0].external_id)
        return str(found[0].external_id)

    def resolve(self, intent: Intent) -> str:
        """What flows do about a create without an answer: look for it, or repeat it under its key; then its id."""
        if not self.client.capabilities.idempotency_keys:
            found = self.client.find_created(self.session(), intent)
            assert len(found) <= 1, f"{len(found)} records are taken for one create"
            if found:
                self.made.append(found[0].external_id)
                return str(found[0].external_id)
        return self.settled(intent, self.send(intent))

    def read(self, external_id: str) -> Record:
        """One record as it is now."""
        return self.adapter.read(self.client, self.session(), external_id)

    def there(self) -> Record:
        """A record to read or change: made by hand at a simulator, by the client on a tenant."""
        if self.simulator is not None:
            return self.read(self.adapter.by_hand(self.simulator, self.tag))
        if self.client.capabilities.create:
            return self.make()
        return self.read(next(self.ids()))

    def ids(self) -> Iterator[str]:
        """The ids of the whole list."""
        return self.adapter.ids(self.client, self.session())

    def update(
        self,
        record: Record,
        patch: Mapping[str, Any],
        persons: PersonPlan | None = None,
        *,
        by: Way | None = None,
        key: str | None = None,
    ) -> Record | None:
        """Change members of a record that was just read."""
        way, key = by or self.way, key or secrets.token_hex(16)
        return self.adapter.update(way.client, way.session(), record.external_id, patch, persons, record, key)

    def patch(self, before: Json, after: Json) -> dict[str, Any]:
        """The members in which the records of two contacts differ."""
        old, new = self.mapping.outward(before).fields, self.mapping.outward(after).fields
        return {path: value for path, value in new.items() if value != old.get(path)}

    def new_city(self) -> dict[str, Any]:
        """A change of one canonical field that every system holds."""
        return self.patch(self.contact(), self.contact(address__city="Brugge"))

    def wait(self) -> None:
        """Let a tenant's lists and searches take notice of a write; a simulator does so at once."""
        if self.settle_seconds:
            threading.Event().wait(self.settle_seconds)

    # -------------------------------------------------------------------------------------------------- all the calls

    def prepare(self) -> Prepared:
        """A record and a create to call about."""
        record = self.there()
        can = self.client.capabilities
        intent = self.intent(self.contact(new_tag())) if can.create else None
        return Prepared(record, self.new_city() if can.update else {}, intent)

    def operations(self, about: Prepared, by: Way | None = None) -> Operations:
        """One call of each kind that the vendor has, by what it is called."""
        way, adapter, external_id = by or self.way, self.adapter, about.record.external_id
        calls: Operations = {
            "read": lambda: adapter.read(way.client, way.session(), external_id),
            "list": lambda: list(adapter.ids(way.client, way.session())),
        }
        if about.patch:
            calls["update"] = lambda: self.update(about.record, about.patch, by=way)
        intent = about.intent
        if intent is not None:
            calls["create"] = lambda: self.send(intent, way)
        return calls

    # ------------------------------------------------------------------------------------------------- interference

    @contextmanager
    def interfering(self, interfere: Interference) -> Iterator[None]:
        """Stand in the way of every request."""
        self.wire.interfere = interfere
        try:
            yield
        finally:
            self.wire.interfere = None

    def answered(self, response: Callable[[httpx.Request], httpx.Response], *, done: bool) -> Any:
        """Another answer than the vendor's, after the work (`done`) or instead of it."""

        def interfere(request: httpx.Request, ask: Answering) -> httpx.Response:
            if done:
                ask(request)
            return response(request)

        return self.interfering(interfere)

    def cut_off(self) -> Any:
        """The vendor cannot be reached."""

        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("connection refused", request=request)

        return self.answered(refuse, done=False)

    # ------------------------------------------------------------------------------------------------------ the end

    def tidy(self) -> list[str]:
        """Remove the records that the check made, where the vendor can; the ids that stay."""
        if self.simulator is not None:
            self.simulator.clear_faults()
        if not self.adapter.can_delete:
            return list(self.made)
        with httpx.Client(base_url=self.way.settings.base_url, transport=Borrowed(self.wire.inner)) as http:
            return [external_id for external_id in dict.fromkeys(self.made) if not self._removed(http, external_id)]

    def _removed(self, http: httpx.Client, external_id: str) -> bool:
        """Remove one record; False where that was refused, or nobody answered."""
        request = self.adapter.read_request(self.client, external_id)
        self.way.budget.acquire(self.adapter.name, "background", 60.0)
        try:
            return http.request("DELETE", request.path, headers=dict(request.headers)).is_success
        except httpx.HTTPError:
            return False

    def assert_metered(self) -> None:
        """Every request had its turn in the budget and is among the exchanges; nothing went round them."""
        for way in (self.way, *self.ways):
            left = len(way.wire.left)
            turns, told = len(way.budget.asked), len(way.exchanges)
            assert (turns, told) == (left, left), f"{left} requests left, {turns} had a turn and {told} were recorded"


class Borrowed(httpx.BaseTransport):
    """A transport that outlives the client that it is lent to."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.handle_request = inner.handle_request  # type: ignore[method-assign]


def simulated(adapter: Adapter, **switches: Any) -> Place:
    """A place with a simulator of its own."""
    simulator = adapter.simulator(**switches)
    base_url = f"https://{adapter.name}.test{simulator.prefix}"
    wire = Wire(transport((base_url, simulator)))
    way = Way(adapter, adapter.settings(simulator.settings(base_url)), wire, Counting())
    return Place(adapter, way, simulator)


def error_of(call: Callable[[], object]) -> SyncError | None:
    """The error with which a call ends; None where it ends well."""
    try:
        call()
    except SyncError as error:
        return error
    return None


def errors_of(calls: Operations) -> dict[str, type[SyncError] | None]:
    """The kind of error with which each call ends."""
    found = {name: error_of(call) for name, call in calls.items()}
    return {name: None if error is None else type(error) for name, error in found.items()}


def is_gone(place: Place, external_id: str) -> bool:
    """Whether a record is not there any more."""
    return isinstance(error_of(lambda: place.read(external_id)), RecordGone)


__all__ = ["Operations", "Place", "Prepared", "Way", "error_of", "errors_of", "is_gone", "replace", "simulated"]
