"""
The wire of an explored world: a request that counts waits before it leaves, and the search decides what comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import httpx
from typing_extensions import override

from simulation.baton import Task, current
from simulation.broken import Broken
from worker.runtime import SOURCE
from worker.vendors.simulation import SimRequest, SimResponse, Simulator, as_received

if TYPE_CHECKING:
    from simulation.exhaustive.world import World

Fate = Literal["answered", "lost", "never", "503", "429"]
"""
What comes of a request: the vendor's own answer; done, and the answer lost; lost on the way; refused for the vendor's
own trouble; refused for being too many.
"""
READ_FATES: Final[tuple[Fate, ...]] = ("503",)
WRITE_FATES: Final[tuple[Fate, ...]] = ("lost", "never", "503", "429")
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")


class Wire(httpx.BaseTransport):
    """The way to one system."""

    def __init__(self, world: World, system: str) -> None:
        self.world = world
        self.system = system

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = as_received(request)
        task = current()
        fate: Fate = self.world.flow_of(task).fate if task is not None else "answered"
        return self._answer(request, sent, fate, task)

    def _answer(self, request: httpx.Request, sent: SimRequest, fate: Fate, task: Task | None) -> httpx.Response:
        simulator = self.world.simulators[self.system]
        match fate:
            case "never":
                raise httpx.ReadTimeout("no answer in time", request=request)
            case "503":
                response = SimResponse.of_html(503, "Something is being repaired")
            case "429":
                response = simulator.throttled(5.0)
            case _:
                response = self._work(simulator, sent, task)
        if fate == "lost":
            raise httpx.ReadTimeout("no answer in time", request=request)
        return httpx.Response(response.status, headers=dict(response.headers), content=response.body)

    def _work(self, simulator: Simulator, sent: SimRequest, task: Task | None) -> SimResponse:
        if task is not None and sent.method in WRITES:
            self._check_lease(sent, task)
        creates = sent.method == "POST" and self.system != SOURCE and task is not None
        before = record_ids(simulator) if creates else frozenset()
        response = simulator.handle(sent)
        if creates and task is not None and (claim := self.world.flow_of(task).claim) is not None:
            for made in sorted(record_ids(simulator) - before):
                self.world.ghost.made.setdefault(claim.source_id, []).append(made)
                if claim.source_id in self.world.ghost.known_gone:
                    raise Broken("a client that is gone is made nowhere", f"record {made} for client {claim.source_id}")
        return response

    def _check_lease(self, sent: SimRequest, task: Task) -> None:
        claim = self.world.flow_of(task).claim
        if claim is None:
            return
        rows = self.world.database.look("SELECT fence, state FROM link WHERE id = %(id)s", {"id": claim.id})
        if rows != [(claim.fence, "working")]:
            raise Broken("no write by a lost lease", f"{sent.method} {sent.path} under fence {claim.fence}: {rows}")


def record_ids(simulator: Simulator) -> frozenset[str]:
    """The ids of all records that a system holds, those in the bin left out."""
    records: list[dict[str, Any]] = simulator.state()["records"]
    return frozenset(str(record["id"]) for record in records if not record.get("trashed"))
