"""Webhooks of the simulated Robaws: endpoints, signed events, and deliveries that go wrong (Robaws sheet 3)."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from worker.vendors.robaws.simulator_rules import Refusal, Switches

# 3.5: the groups of events. No deletion, no contact person.
EVENT_GROUPS = (
    "client",
    "sales-invoice",
    "offer",
    "settlement",
    "project",
    "article",
    "employee",
    "planning-item",
    "work-order",
    "material",
    "installation",
    "document",
    "comment",
    "sales-order",
)
EVENTS = frozenset(
    [f"{group}.{verb}" for group in EVENT_GROUPS for verb in ("created", "updated")]
    + ["offer.recalculated", "settlement.recalculated", "article.stock-changed"]
)

WebhookFaultKind = Literal["lose", "repeat", "reorder", "delay"]


@dataclass(frozen=True)
class Webhook:
    """One delivery to one endpoint, as it goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    event_id: str
    endpoint_id: str


@dataclass(frozen=True)
class WebhookFault:
    """
    One way for the next `times` deliveries to go wrong (`times` < 0: until cleared).

    `lose` drops them; `repeat` makes `copies` of each; `delay` holds them for `seconds`; `reorder` holds each until
    the next one to the same endpoint has gone, at most for `seconds`. A held event keeps the body of its own time.
    """

    kind: WebhookFaultKind
    times: int = 1
    seconds: float = 1.0
    copies: int = 2


@dataclass
class Endpoint:
    """One registration (3.1), with how its deliveries went."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: str
    receives_from: float
    delivered: int = 0
    failures: int = 0
    suspended: bool = False


@dataclass(frozen=True)
class _Event:
    """An event on its way to one endpoint, not signed yet."""

    endpoint: Endpoint
    event_id: str
    body: bytes
    not_before: float
    behind_next: bool = False


@dataclass
class Webhooks:
    """The endpoints, the events that wait, and those that went out, for sending again."""

    switches: Switches
    new_id: Callable[[], str]
    clock: Callable[[], float]
    first_secret: str
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    faults: list[WebhookFault] = field(default_factory=list)
    on_queued: Callable[[], None] | None = None
    _waiting: list[_Event] = field(default_factory=list)
    _sent: deque[_Event] = field(default_factory=lambda: deque(maxlen=10_000))
    _first_secret_given: bool = False

    def register(self, url: str, events: tuple[str, ...]) -> Endpoint:
        """A new endpoint with a secret of its own, also for an url that is registered already (trap 22)."""
        secret = self.new_id() if self._first_secret_given else self.first_secret
        self._first_secret_given = True
        begins = self.clock() + self.switches.endpoint_warmup_seconds
        endpoint = Endpoint(self.new_id(), url, events, secret, begins)
        self.endpoints[endpoint.id] = endpoint
        return endpoint

    def keep(self, endpoint: Endpoint) -> None:
        """Take over an endpoint of another simulator as it is, secret and all."""
        self._first_secret_given = self._first_secret_given or endpoint.secret == self.first_secret
        self.endpoints[endpoint.id] = endpoint

    def remove(self, endpoint_id: str) -> None:
        """End a registration; what waits for it is dropped."""
        if self.endpoints.pop(endpoint_id, None) is None:
            raise Refusal(404, "Webhook endpoint not found")
        self._waiting = [event for event in self._waiting if event.endpoint.id != endpoint_id]

    def announce(self, event: str, data: Mapping[str, Any]) -> str:
        """Queue one event for every endpoint that wants it; its id is the same for all of them."""
        event_id = self.new_id()
        # 3.2: exactly three members, no time, no version.
        body = json.dumps({"id": event_id, "event": event, "data": data}, ensure_ascii=False).encode()
        now = self.clock()
        for endpoint in self.endpoints.values():
            if event in endpoint.events and not endpoint.suspended and now >= endpoint.receives_from:
                self._waiting.extend(self._with_fault(_Event(endpoint, event_id, body, now)))
        self._tell()
        return event_id

    def take(self) -> list[Webhook]:
        """The deliveries that are due, each signed with the time of now; they leave the queue."""
        now = self.clock()
        due: list[_Event] = []
        later: list[_Event] = []
        held: dict[str, list[_Event]] = {}
        for event in self._waiting:
            if event.not_before <= now:
                due.append(event)
                due.extend(held.pop(event.endpoint.id, []))
            elif event.behind_next:
                held.setdefault(event.endpoint.id, []).append(event)
            else:
                later.append(event)
        self._waiting = [event for events in held.values() for event in events] + later
        self._sent.extend(due)
        return [self._signed(event) for event in due]

    def seconds_until_due(self) -> float | None:
        """How long until `take` gives something; None while nothing waits."""
        if not self._waiting:
            return None
        return max(0.0, min(event.not_before for event in self._waiting) - self.clock())

    def resend(self, event_id: str | None) -> int:
        """Queue again what went out before (all of it, or one event), to the endpoints that still exist."""
        again = [
            event for event in self._sent if event.endpoint.id in self.endpoints and event_id in {None, event.event_id}
        ]
        self._waiting.extend(replace(event, not_before=self.clock(), behind_next=False) for event in again)
        self._tell()
        return len(again)

    def retry(self, webhook: Webhook) -> Webhook:
        """A failed delivery once more. Whether it is signed anew is not known (3.3), hence the switch."""
        endpoint = self.endpoints.get(webhook.endpoint_id)
        if endpoint is None or not self.switches.retries_signed_anew:
            return webhook
        return self._signed(_Event(endpoint, webhook.event_id, webhook.body, 0.0))

    def report(self, webhook: Webhook, *, delivered: bool) -> None:
        """
        Tell how a delivery ended: any 2xx is a success.

        3.4: an endpoint that never answered with success may be suspended, without a notice.
        """
        endpoint = self.endpoints.get(webhook.endpoint_id)
        if endpoint is None:
            return
        if delivered:
            endpoint.delivered += 1
            return
        endpoint.failures += 1
        most = self.switches.suspend_after_failures
        if most is not None and endpoint.delivered == 0 and endpoint.failures >= most:
            endpoint.suspended = True
            self._waiting = [event for event in self._waiting if event.endpoint.id != endpoint.id]

    def _tell(self) -> None:
        if self.on_queued is not None and self._waiting:
            self.on_queued()

    def _signed(self, event: _Event) -> Webhook:
        moment = math.floor(self.clock())
        headers = {
            "Content-Type": "application/json",
            "Robaws-Signature": f"t={moment},v1={sign(event.endpoint.secret, moment, event.body)}",
        }
        return Webhook(event.endpoint.url, headers, event.body, event.event_id, event.endpoint.id)

    def _with_fault(self, event: _Event) -> list[_Event]:
        if not self.faults:
            return [event]
        fault = self.faults[0]
        if fault.times == 1:
            del self.faults[0]
        elif fault.times > 1:
            self.faults[0] = replace(fault, times=fault.times - 1)
        match fault.kind:
            case "lose":
                return []
            case "repeat":
                return [event] * fault.copies
            case "delay":
                return [replace(event, not_before=event.not_before + fault.seconds)]
            case "reorder":
                return [replace(event, not_before=event.not_before + fault.seconds, behind_next=True)]


def sign(secret: str, moment: int, body: bytes) -> str:
    """HMAC-SHA256 over `t.body`, the key being the secret's text as it stands, dashes included; lower-case hex."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
