"""
The simulated Robaws (API v2): clients, contact persons, extra fields, webhooks, limits and idempotency keys.

It enforces the Robaws sheet; numbers in comments are its sections. What the sheet calls unknown is a switch
(`RobawsSimulator.switches`). Of the two PATCH variants it holds only the merge patch; JSON Patch, which Robaws has
as well and this product never sends, is refused with 415.

Methods such as `change_client` act as a person at the vendor's screens would, and fire webhooks as that does;
`take_webhooks` gives what is due to be delivered.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import random as random_module
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from typing_extensions import override

from worker.vendors.robaws.simulator_api import Api, endpoint_json
from worker.vendors.robaws.simulator_clients import Clients
from worker.vendors.robaws.simulator_keys import Keys
from worker.vendors.robaws.simulator_limits import Limits, Mode
from worker.vendors.robaws.simulator_records import Client, Partial, without, write_client
from worker.vendors.robaws.simulator_rules import DEFAULT_EXTRA_FIELDS, ExtraField, Refusal, Switches
from worker.vendors.robaws.simulator_webhooks import Webhook, WebhookFault, WebhookFaultKind, Webhooks
from worker.vendors.simulation import SimRequest, SimResponse, Simulator

# The first endpoint registered at a simulator gets this secret, so that settings can be printed before there is one.
SANDBOX_WEBHOOK_SECRET = "5a9d0b0e-0000-4000-8000-000000000001"  # noqa: S105 - opens a simulator only

__all__ = [
    "SANDBOX_WEBHOOK_SECRET",
    "ExtraField",
    "RobawsSimulator",
    "Switches",
    "Webhook",
    "WebhookFault",
    "WebhookFaultKind",
]


class RobawsSimulator(Simulator):
    """One tenant of Robaws. `seed` makes its ids the same in every run; without it event ids never repeat."""

    name = "robaws"
    prefix = "/api/v2"
    SANDBOX_USERNAME = "sandbox-robaws"
    SANDBOX_PASSWORD = "sandbox-robaws-password"  # noqa: S105 - opens a simulator only
    SANDBOX_WEBHOOK_SECRET = SANDBOX_WEBHOOK_SECRET

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = lambda: 0.0,
        seed: int | None = None,
        switches: Switches | None = None,
        extra_fields: tuple[ExtraField, ...] = DEFAULT_EXTRA_FIELDS,
    ) -> None:
        super().__init__(clock=clock, random=random)
        self.switches = switches or Switches()
        self.extra_fields = extra_fields
        self.username = self.SANDBOX_USERNAME
        self.password = self.SANDBOX_PASSWORD
        self._id_source = random_module.Random(seed)  # noqa: S311 - ids, not secrets
        self.webhooks = Webhooks(self.switches, self._new_uuid, clock, SANDBOX_WEBHOOK_SECRET)
        self.partial: list[Partial] = []
        self.limits = Limits(self.switches)
        self.keys = Keys(self.switches)
        self.clients = Clients(self.switches, extra_fields, clock, self.webhooks.announce)
        self.api = Api(self.switches, extra_fields, self.clients, self.webhooks)

    # ------------------------------------------------------------------------------- what tests and the sandbox call

    @override
    def settings(self, base_url: str) -> dict[str, Any]:
        later = [endpoint.secret for endpoint in self.webhooks.endpoints.values()]
        return {
            "enabled": True,
            "base_url": base_url,
            "username": self.username,
            "password": self.password,
            "webhook_secrets": list(dict.fromkeys([SANDBOX_WEBHOOK_SECRET, *later])),
        }

    @override
    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "clients": {client.id: self._written(client) for client in self.clients.all()},
                "extra_fields": {known.name: {"guid": known.guid, "type": known.type} for known in self.extra_fields},
                "webhook_endpoints": {
                    endpoint.id: {**endpoint_json(endpoint, secret=True), "suspended": endpoint.suspended}
                    for endpoint in self.webhooks.endpoints.values()
                },
            }

    def client(self, client_id: str) -> dict[str, Any]:
        """The client as `GET /clients/{id}?include=contacts` writes it, without a call; KeyError where it is gone."""
        with self.lock:
            return self._written(self.clients.require(client_id))

    def add_client(self, **members: Any) -> str:
        """A person creates a client, with its contact persons as `contacts=[{…}]`; returns its id."""
        with self.lock:
            return self.clients.add(members).id

    def change_client(self, client_id: str, **members: Any) -> None:
        """A person changes members (laid over as a merge patch: None empties); ValueError for what does not exist."""
        with self.lock:
            self.clients.change(client_id, members)

    @override
    def edit_record(self, record_id: str, members: dict[str, Any]) -> None:
        self.change_client(record_id, **members)

    def add_record(self, **members: Any) -> str:
        """The same as `add_client`, under the name that every simulator has."""
        return self.add_client(**members)

    def delete_record(self, record_id: str) -> None:
        """The same as `delete_client`, under the name that every simulator has."""
        self.delete_client(record_id)

    def set_extra_field(self, client_id: str, name: str, value: Any) -> None:
        """A person fills one extra field; None empties it."""
        with self.lock:
            self.clients.set_extra_field(client_id, name, value)

    def add_person(self, client_id: str, **members: Any) -> str:
        """A person adds a contact person to a client; returns the contact person's id."""
        with self.lock:
            return self.clients.add_person(client_id, members).id

    def change_person(self, person_id: str, **members: Any) -> None:
        """A person changes a contact person."""
        with self.lock:
            self.clients.change_person(person_id, members)

    def remove_person(self, person_id: str) -> None:
        """A person removes a contact person."""
        with self.lock:
            self.clients.remove_person(person_id)

    def delete_client(self, client_id: str) -> None:
        """A person deletes a client. No event tells of it (3.5)."""
        with self.lock:
            self.clients.delete(client_id)

    def archive_client(self, client_id: str) -> None:
        """A person archives a client: it stays in GET and leaves the lists (11, 13: assumed)."""
        with self.lock:
            self.clients.archive(client_id)

    def register_webhook(self, url: str, events: tuple[str, ...] = ("client.created", "client.updated")) -> str:
        """Register an endpoint without a call; returns its secret, the first one being SANDBOX_WEBHOOK_SECRET."""
        with self.lock:
            return self.webhooks.register(url, events).secret

    def change_other(self, kind: str = "document.updated", record_id: str | None = None) -> str:
        """
        A record of another kind changes, and is announced; the event's id. Ids of those may be UUIDs (15, assumed).
        """
        with self.lock:
            return self.webhooks.announce(kind, {"id": record_id or self._new_uuid()})

    def take_webhooks(self) -> list[Webhook]:
        """The deliveries that are due now, signed; each is given once."""
        with self.lock:
            return self.webhooks.take()

    def retry_webhook(self, webhook: Webhook) -> Webhook:
        """A failed delivery once more, signed anew where `retries_signed_anew` is on."""
        with self.lock:
            return self.webhooks.retry(webhook)

    def report_delivery(self, webhook: Webhook, *, delivered: bool) -> None:
        """Tell how a delivery ended, for whom it matters (3.4: suspension)."""
        with self.lock:
            self.webhooks.report(webhook, delivered=delivered)

    def seconds_until_webhook(self) -> float | None:
        """How long until `take_webhooks` gives something; None while nothing waits."""
        with self.lock:
            return self.webhooks.seconds_until_due()

    def resend_webhooks(self, event_id: str | None = None) -> int:
        """Queue again what went out before: one event, or all; returns how many deliveries."""
        with self.lock:
            return self.webhooks.resend(event_id)

    @override
    def fail(self, kind: str, **settings: Any) -> None:
        """
        Beside the kinds of every simulator: those of `WebhookFault`, as `webhook_lose` and so on, and `partial`, whose
        `members` (dotted paths) the answers about single clients leave out, not even as null.
        """
        if kind.startswith("webhook_"):
            self.fail_webhooks(kind.removeprefix("webhook_"), **settings)  # type: ignore[arg-type]  # it checks
        elif kind == "partial":
            with self.lock:
                self.partial.append(Partial(**{**settings, "members": tuple(settings["members"])}))
        else:
            super().fail(kind, **settings)  # type: ignore[arg-type]  # the base checks

    @override
    def clear_faults(self) -> None:
        with self.lock:
            super().clear_faults()
            self.partial.clear()
            self.webhooks.faults.clear()

    def fail_webhooks(self, kind: WebhookFaultKind, **settings: Any) -> None:
        """Make the next deliveries go wrong; see `WebhookFault` for the settings. ValueError for an unknown kind."""
        if kind not in get_args(WebhookFaultKind):
            raise ValueError(f"robaws knows no fault webhook_{kind}")
        with self.lock:
            self.webhooks.faults.append(WebhookFault(kind=kind, **settings))

    def spend_daily_quota(self, mode: Mode = "live") -> None:
        """As if another integration of this tenant had used up the day (4)."""
        with self.lock:
            self.limits.spend_day(mode, self.clock())

    def block(self) -> None:
        """The vendor blocks this integration for a time (2): 401 to everything, whatever the credentials."""
        with self.lock:
            self.switches.blocked = True

    def unblock(self) -> None:
        """The vendor lifts the block."""
        with self.lock:
            self.switches.blocked = False
            self.limits.forget_throttles()

    # ------------------------------------------------------------------------------------------------- one request

    @override
    def handle(self, request: SimRequest) -> SimResponse:
        with self.lock:
            response = super().handle(request)
            if response.delay_seconds:
                # An answer that comes late: until then its key is in flight (5).
                self.keys.hold(request, self.clock() + response.delay_seconds)
            return response

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        try:
            self._admit(request)
            mode = self._mode(request)
            now = self.clock()
            self.limits.take(mode, now)
            response = self._shortened(request, self._work(request, mode, now))
            return SimResponse(response.status, response.body, {**response.headers, **self.limits.headers(mode, now)})
        except Refusal as refusal:
            return self._refused(request, refusal)

    @override
    def throttled(self, retry_after: float | None) -> SimResponse:
        refusal = self.limits.refusal("live", self.clock(), retry_after)
        return self._refused(SimRequest("GET", self.prefix, "", {}, b""), refusal)

    def _shortened(self, request: SimRequest, response: SimResponse) -> SimResponse:
        """The answer without what a fault has it leave out."""
        single = request.method == "GET" and len(parts := self._parts(request)) == 2 and parts[0] == "clients"
        if not (self.partial and single and response.status == 200):
            return response
        fault = self.partial[0]
        if fault.times == 1:
            del self.partial[0]
        elif fault.times > 1:
            self.partial[0] = replace(fault, times=fault.times - 1)
        body = without(json.loads(response.body), fault.members)
        return replace(response, body=json.dumps(body, ensure_ascii=False).encode())

    def _work(self, request: SimRequest, mode: Mode, now: float) -> SimResponse:
        try:
            return self.keys.run(self.keys.key_of(request), now, lambda: self._routed(request, mode))
        except Refusal as refusal:
            return self._refused(request, refusal)

    def _admit(self, request: SimRequest) -> None:
        """2: Basic, and the block that looks like a wrong password (trap 3); then the role."""
        most = self.switches.block_after_throttles
        if most is not None and self.limits.throttles(self.clock()) >= most:
            self.switches.blocked = True
        if self.switches.blocked:
            raise Refusal(401, None, {"X-Robaws-Unauthorized-Reason": "temp-blocked"})
        expected = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or given != expected:
            raise Refusal(401)
        tenant = request.headers.get("x-tenant")
        if (tenant is None and self.switches.tenant_required) or (
            tenant is not None and self.switches.tenant is not None and tenant != self.switches.tenant
        ):
            raise Refusal(401, "Unknown tenant")
        if self._parts(request)[0] in self.switches.forbidden_modules:
            # 403 on that resource only; the others go on working.
            raise Refusal(403)

    def _mode(self, request: SimRequest) -> Mode:
        """4: the replica by header or by query, for reading only (what a write gets is assumed)."""
        asked = request.headers.get("database-mode") or dict(request.query).get("database-mode") or "live"
        if asked == "live":
            return "live"
        if asked != "replica" or request.method not in {"GET", "HEAD", "OPTIONS"}:
            raise Refusal(400, "Database-Mode: replica is for reading only")
        return "replica"

    def _parts(self, request: SimRequest) -> list[str]:
        if not request.path.startswith(self.prefix + "/"):
            raise Refusal(404)
        return request.path.removeprefix(self.prefix).strip("/").split("/")

    def _routed(self, request: SimRequest, mode: Mode) -> SimResponse:
        replica = self.clock() - self.switches.replica_lag_seconds
        return self.api.route(request, self._parts(request), replica if mode == "replica" else math.inf)

    def _new_uuid(self) -> str:
        return str(uuid.UUID(int=self._id_source.getrandbits(128), version=4))

    def _written(self, client: Client) -> dict[str, Any]:
        return write_client(client, self.switches, self.extra_fields, contacts=True)

    def _refused(self, request: SimRequest, refusal: Refusal) -> SimResponse:
        """12.6: the body of an error; 10: `message` comes sometimes."""
        moment = datetime.datetime.fromtimestamp(self.clock(), datetime.UTC)
        body: dict[str, Any] = {
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "status": refusal.status,
            "error": _REASONS[refusal.status],
            "path": request.path,
            "correlationId": self._new_uuid(),
        }
        if refusal.message is not None:
            body["message"] = refusal.message
        if refusal.status in {401, 403}:
            body["serverVersion"] = "0000000000-sandbox"
        return SimResponse.of_json(refusal.status, body, refusal.headers)


_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
