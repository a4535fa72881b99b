"""
The wire between workers and vendors: refuses, delays, does the work late, and remembers who wrote what.

A request is worked on by the simulator the moment that it leaves; then its task parks until the answer arrives, or
until its timeout. So a worker can be killed or frozen while its request is under way, and the work is done all the
same.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
from typing_extensions import override

from simulation.baton import Task, current
from simulation.broken import Broken
from simulation.writes import check_searched, watch
from worker.vendors.simulation import SimRequest, SimResponse, Simulator, as_received

if TYPE_CHECKING:
    from simulation.story import Story
    from worker.store.links import LinkClaim

WRITES = ("POST", "PUT", "PATCH", "DELETE")
GATEWAY_SECONDS = 10.0


@dataclass
class WireFault:
    """
    A fault of the network itself: `refuse`, `silent` (never answers, never works), `late` (works too late) or `gateway`
    (a proxy answers 504, and the work is done at once or late), which both meet writes only. `partial` is the vendor's
    own: an answer without most of its members.
    """

    kind: str
    system: str
    times: int
    share: float = 0.0


@dataclass
class Written:
    """One write as the vendor saw it: for which claim, and which records it made."""

    at: float
    system: str
    method: str
    path: str
    link_id: int
    contact_id: int
    fence: int
    made: tuple[str, ...]


class Network:
    """All wires. `down` are systems whose every request fails in the way named."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.faults: list[WireFault] = []
        self.down: dict[str, str] = {}
        self.later: list[tuple[float, str, SimRequest, LinkClaim | None]] = []
        self.written: list[Written] = []
        self.calls: Counter[str] = Counter()
        self.arrivals: dict[str, list[float]] = {}

    def heal(self) -> None:
        """Nothing fails any more; what is under way still arrives."""
        self.faults.clear()
        self.down.clear()

    def take_fault(self, system: str, method: str) -> WireFault | None:
        """The fault that this request meets."""
        if system in self.down:
            return WireFault(self.down[system], system, -1)
        for fault in self.faults:
            fits = (
                method == "GET"
                if fault.kind == "partial"
                else fault.kind not in ("late", "gateway") or method in WRITES
            )
            if fault.system == system and fits:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def work(self, system: str, request: SimRequest, claim: LinkClaim | None) -> SimResponse:
        """The vendor gets the request."""
        simulator = self.story.simulators[system]
        creates = request.method == "POST" and system != "robaws"
        before = record_ids(simulator) if creates else frozenset()
        watched = watch(self.story, system, request, claim)
        response = simulator.handle(request)
        self.calls[system] += 1
        self.story.invariants.vendor_changed = True
        watched()
        if claim is not None and request.method in WRITES:
            made = tuple(sorted(record_ids(simulator) - before)) if creates else ()
            self.written.append(
                Written(
                    self.story.clock.true,
                    system,
                    request.method,
                    request.path,
                    claim.id,
                    claim.contact_id,
                    claim.fence,
                    made,
                )
            )
            if made and claim.source_id in self.story.memory.known_gone:
                raise Broken("a client that is gone is made nowhere", f"client {claim.source_id} is made in {system}")
            for record in made:
                check_searched(self.story, claim, record)
                self.story.memory.made(system, claim.contact_id, record)
        return response

    def hurry(self) -> None:
        """What is under way arrives now."""
        self.later = [(self.story.clock.true, *entry[1:]) for entry in self.later]
        while self.work_late():
            pass

    def work_late(self) -> bool:
        """Do one work whose time has come; False where there is none."""
        due = [entry for entry in self.later if entry[0] <= self.story.clock.true]
        if not due:
            return False
        first = min(due, key=lambda entry: entry[0])
        self.later.remove(first)
        _, system, request, claim = first
        self.story.note(f"late work at {system}: {request.method} {request.path}")
        self.work(system, request, claim)
        return True


def record_ids(simulator: Simulator) -> frozenset[str]:
    """The ids of all records that a target holds, those in the bin left out."""
    records: list[dict[str, Any]] = simulator.state()["records"]
    return frozenset(str(record["id"]) for record in records if not record.get("trashed"))


class Wire(httpx.BaseTransport):
    """One process's way to one system."""

    def __init__(self, network: Network, system: str) -> None:
        self.network = network
        self.system = system

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = as_received(request)
        task = current()
        if task is None:
            return _answer(self.network.story.simulators[self.system].handle(sent))
        timeout = float((request.extensions.get("timeout") or {}).get("read") or 30.0)
        return self._send(request, sent, timeout, task)

    def _send(self, request: httpx.Request, sent: SimRequest, timeout: float, task: Task) -> httpx.Response:
        network, story = self.network, self.network.story
        claim = story.claims.get(task)
        story.invariants.before_request(self.system, sent, claim)
        story.note(f"{task.name} > {self.system} {sent.method} {sent.path}")
        fault = network.take_fault(self.system, sent.method)
        if fault is not None:
            story.faults[f"network {fault.kind}"] += 1
            return self._faulty(fault, request, sent, timeout, task)
        response = network.work(self.system, sent, claim)
        if response.dropped:
            self._wait(task, story.latency())
            raise httpx.ReadError("the connection was closed before an answer", request=request)
        if response.delay_seconds > timeout:
            self._wait(task, timeout)
            raise httpx.ReadTimeout("no answer in time", request=request)
        self._wait(task, response.delay_seconds + story.latency())
        return _answer(response)

    def _faulty(
        self, fault: WireFault, request: httpx.Request, sent: SimRequest, timeout: float, task: Task
    ) -> httpx.Response:
        story = self.network.story
        match fault.kind:
            case "refuse":
                raise httpx.ConnectError("connection refused", request=request)
            case "partial":
                response = self.network.work(self.system, sent, story.claims.get(task))
                self._wait(task, story.latency())
                return _answer(_left_out(response))
            case "silent":
                self._wait(task, timeout)
                raise httpx.ReadTimeout("no answer in time", request=request)
            case "late":
                at = story.clock.true + timeout + fault.share * self._lateness(sent)
                self.network.later.append((at, self.system, sent, story.claims.get(task)))
                self._wait(task, timeout)
                raise httpx.ReadTimeout("no answer in time", request=request)
            case "gateway":
                at = story.clock.true + GATEWAY_SECONDS + fault.share * self._lateness(sent)
                if fault.share:
                    self.network.later.append((at, self.system, sent, story.claims.get(task)))
                else:
                    self.network.work(self.system, sent, story.claims.get(task))
                self._wait(task, GATEWAY_SECONDS)
                return _answer(SimResponse.of_html(504, "Gateway Timeout"))
            case _:
                html = SimResponse.of_html(503, "Something is being repaired")
                answer = html if fault.kind == "html" else replace(html, headers={"content-type": "application/json"})
                self._wait(task, story.latency())
                return _answer(answer)

    def _lateness(self, sent: SimRequest) -> float:
        """
        How long after our timeout the work is done at most: the time that the settings give a system to settle, but
        for a create under a unique reference, which may come as late as it likes.
        """
        unique = self.system == "rompslomp" and sent.method == "POST"
        settle = float(self.network.story.settings.system(self.system).unknown_settle_seconds)
        return 600.0 if unique else 0.95 * settle

    def _wait(self, task: Task, seconds: float) -> None:
        task.park(f"{self.system} under way", self.network.story.clock.true + seconds)


MEMBERS_LEFT_OUT = ("email", "invoiceEmail", "tel", "gsm", "address", "invoiceAddress", "vatIdNumber", "website")


def _left_out(response: SimResponse) -> SimResponse:
    """The same answer without most of what it says of a client."""
    try:
        said = json.loads(response.body)
    except ValueError:
        return response
    if not isinstance(said, dict) or "name" not in said:
        return response
    kept = {name: value for name, value in said.items() if name not in MEMBERS_LEFT_OUT}
    return replace(response, body=json.dumps(kept).encode())


def _answer(response: SimResponse) -> httpx.Response:
    return httpx.Response(response.status, headers=dict(response.headers), content=response.body)
