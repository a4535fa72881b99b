"""
The world that is explored: rows, vendors, a clock, and flows that stand still at a boundary.

A state at which no flow is under way can be saved and restored. One in the middle of a flow cannot, since a flow is a
thread; it is reached again by restoring the last state before it and repeating the steps since then, which always have
the same effect: time, chance and the order of the threads are given.
"""

from __future__ import annotations

import copy
import copyreg
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from typing_extensions import override

from simulation.baton import Task, current
from simulation.clock import BEGIN
from simulation.exhaustive.ghost import Ghost
from simulation.exhaustive.rows import Rows
from simulation.exhaustive.wire import Fate, Wire
from worker.config import Settings
from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.flows.gate import Gate
from worker.runtime import SOURCE, Runtime
from worker.store import systems
from worker.vendors.recent_reads import ReadMemory
from worker.vendors.robaws.simulator import RobawsSimulator
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.transport import Lane, Lease, Session, Unmetered
from worker.vendors.workspace.simulator import WorkspaceSimulator

if TYPE_CHECKING:
    from simulation.database import Database
    from worker.store.links import LinkClaim
    from worker.vendors.simulation import Simulator

BASES: Final = {
    "robaws": "https://robaws.example/api/v2",
    "rompslomp": "https://rompslomp.example/api/v1",
    "workspace": "https://workspace.example/api/v1",
}
TARGETS: Final[dict[str, Callable[..., Simulator]]] = {
    "rompslomp": RompslompSimulator,
    "workspace": WorkspaceSimulator,
}
# A lock is nothing that could be copied, and a copied simulator needs one of its own.
copyreg.pickle(type(threading.RLock()), lambda _lock: (threading.RLock, ()))


@dataclass(frozen=True)
class Saved:
    """A state with no flow under way."""

    rows: bytes
    simulators: Mapping[str, Simulator]
    now: datetime
    ghost: Ghost


@dataclass
class Flow:
    """A fetch or a delivery under way: its thread, and the claim that it works under."""

    name: str
    task: Task
    claim: LinkClaim | None = None
    sent: str = ""
    """The request that it is about to send."""
    writes: bool = False
    """Whether that changes anything there."""
    fate: Fate = "answered"
    """What comes of that request."""


@dataclass
class World:
    """One world, used again and again: `restore` sets it to a saved state."""

    database: Database
    system: str
    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(BEGIN, UTC))
    flows: dict[str, Flow] = field(default_factory=dict)
    ghost: Ghost = field(default_factory=Ghost)

    def __post_init__(self) -> None:
        self._events = itertools.count(1)
        clock: dict[str, Any] = {"clock": lambda: self.now.timestamp()}  # noqa: PLW0108 - the clock goes on
        self.simulators: dict[str, Simulator] = {
            SOURCE: RobawsSimulator(**clock),
            self.system: TARGETS[self.system](**clock),
        }
        found: dict[str, Any] = {name: one.settings(BASES[name]) for name, one in self.simulators.items()}
        self.settings = Settings.model_validate(
            {
                "systems": found,
                "breaker": {"failures": 2},
                "retry": {"jitter": 0},
                "worker": {"concurrency": 2, "lease_seconds": 120},
            }
        )
        with self.database.engine.begin() as connection:
            systems.ensure(connection, list(self.simulators))
        self.runtime = ExploredRuntime(self)
        self.gate = Gate(self.runtime)
        self._rows = Rows(self.database.eye)

    @property
    def robaws(self) -> RobawsSimulator:
        """The source."""
        simulator = self.simulators[SOURCE]
        assert isinstance(simulator, RobawsSimulator)  # noqa: S101
        return simulator

    @property
    def target(self) -> Any:
        """The one system that is delivered to."""
        return self.simulators[self.system]

    def clients(self) -> list[str]:
        """The clients that are there at Robaws, by id."""
        return [str(client_id) for client_id in self.robaws.state()["clients"]]

    def records(self) -> list[dict[str, Any]]:
        """The records that the system holds, those in the bin left out."""
        records: list[dict[str, Any]] = self.target.state()["records"]
        return [record for record in records if not record.get("trashed")]

    # ---------------------------------------------------------------------------------------------------- states

    def save(self) -> Saved:
        """This state; RuntimeError while a flow is under way."""
        if self.flows:
            raise RuntimeError(f"{', '.join(self.flows)} under way: this state cannot be saved")
        return Saved(orjson.dumps(self.rows()), self._copied(self.simulators), self.now, copy.deepcopy(self.ghost))

    def restore(self, saved: Saved) -> None:
        """Set everything back; what is under way ends as if its process had been killed."""
        self.stop()
        self._rows.restore(saved.rows)
        self.simulators.update(self._copied(saved.simulators))
        self.now, self.ghost = saved.now, copy.deepcopy(saved.ghost)
        self.restart()

    def restart(self) -> None:
        """A new process: what was only in memory is gone."""
        self.runtime.forget()
        self.gate = Gate(self.runtime)

    def rows(self) -> dict[str, Any]:
        """All rows of all tables that are part of a state."""
        return self._rows.read()

    def stop(self) -> None:
        """End every flow where it stands, as a SIGKILL would."""
        for flow in self.flows.values():
            flow.task.doomed = True
            flow.task.resume()
        self.flows.clear()

    @staticmethod
    def _copied(simulators: Mapping[str, Simulator]) -> dict[str, Simulator]:
        for simulator in simulators.values():
            simulator.log.clear()
        return {name: copy.deepcopy(simulator) for name, simulator in simulators.items()}

    # ----------------------------------------------------------------------------------------------------- flows

    def begin(self, name: str, work: Callable[[], object]) -> None:
        """Begin a flow; it runs until it is about to send a request that counts, or to its end."""
        flow = Flow(name, Task(name, self, work))
        self.flows[name] = flow
        self.go_on(flow)

    def go_on(self, flow: Flow) -> None:
        """Let a flow run until it stands still again, or has ended. Whatever it lets out is raised here."""
        flow.task.resume()
        if flow.task.done:
            del self.flows[flow.name]
            if flow.task.error is not None:
                raise flow.task.error

    def flow_of(self, task: Task) -> Flow:
        """The flow that runs in this thread."""
        return next(flow for flow in self.flows.values() if flow.task is task)

    def fetch(self) -> None:
        """Begin the fetch that is due."""
        self.begin(self._free("fetch"), lambda: fetching.fetch(self.runtime, self.gate))

    def deliver(self) -> None:
        """Begin the delivery that is due."""
        self.begin(self._free("deliver"), lambda: delivering.deliver(self.runtime, self.gate, self.system))

    def _free(self, word: str) -> str:
        return next(name for number in itertools.count(1) if (name := f"{word}{number}") not in self.flows)

    # ---------------------------------------------------------------------------------------------------- events

    def event(self, source_id: str) -> None:
        """A webhook event as the receiver writes it down, and its intake."""
        event_id = f"event-{next(self._events)}"
        self.database.eye.execute(
            "INSERT INTO inbox_event (source, event_id, kind, source_id, headers, body, correlation_id, received_at) "
            "VALUES ('robaws', %(e)s, 'client.updated', %(s)s, '{}', '\\x7b7d', 'c', %(now)s)",
            {"e": event_id, "s": source_id, "now": self.now},
        )
        self.database.eye.execute("INSERT INTO event_tally (received) VALUES (1)")
        self.ghost.received += 1
        fetching.take_events(self.runtime)

    def later(self, moment: datetime) -> None:
        """Time goes by until then."""
        self.now = max(self.now + timedelta(milliseconds=1), moment)


class ExploredRuntime(Runtime):
    """The real runtime on the world's clock; a session tells under which claim it works."""

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(
            world.settings,
            engine=world.database.engine,
            budget=Unmetered(),
            transports={name: Wire(world, name) for name in world.simulators},
            now=lambda: world.now,
            elapsed=lambda: world.now.timestamp(),  # noqa: PLW0108 - the clock goes on
            draw=lambda: 0.5,
            hook=self._note,
        )

    def _note(self, name: str) -> None:
        task = current()
        if task is not None and name.endswith(".before_send"):
            self.world.flow_of(task).sent = name.removesuffix(".before_send")

    def forget(self) -> None:
        """As a new process: no client, no connection is known."""
        self._clients.clear()

    @override
    def session(
        self, system: str, lane: Lane = "live", lease: Lease | None = None, memory: ReadMemory | None = None
    ) -> Session:
        task = current()
        if task is None:
            return super().session(system, lane, lease, memory)
        flow = self.world.flow_of(task)
        flow.claim = getattr(lease, "claim", None)
        return super().session(system, lane, _Pause(flow, lease, system), memory)


@dataclass
class _Pause:
    """
    Stands where a request is about to ask whether its lease still holds: there a flow waits for what comes next.

    The reads of a delivery go on at once, since nothing is decided for good before a write.
    """

    flow: Flow
    lease: Lease | None
    system: str

    def hold(self, seconds: float) -> None:
        """Wait, then ask the real lease."""
        self.flow.writes, self.flow.fate = seconds > 0, "answered"
        if self.flow.writes or self.system == SOURCE:
            self.flow.task.park("wire")
        if self.lease is not None:
            self.lease.hold(seconds)
