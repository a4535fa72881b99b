"""Simulated processes: workers and schedulers, each with a memory of its own that is lost when it is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy.exc import OperationalError
from typing_extensions import override

from simulation import operators, typing_in
from simulation.baton import Crash, Task, current
from simulation.network import Wire
from worker.flows.drain import Lanes
from worker.flows.gate import Gate
from worker.flows.sweep import Sweeper
from worker.runtime import Runtime
from worker.sparing import Sparing
from worker.vendors.recent_reads import ReadMemory
from worker.vendors.transport import Lane, Lease, Session

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from simulation.broker import Nudge
    from simulation.story import Story

PARKING_SHARE = 0.6
"""How often a worker gives way at a boundary, so that short runs without a switch are tried as well."""


@dataclass(frozen=True)
class Trap:
    """
    Whichever process comes to this boundary first, with this client in hand, is killed there, or frozen; or it goes on,
    and at that moment the client changes (`change`), or a person wants it fetched and delivered (`sync`).

    `back_after` seconds later the client's last change is taken back, where it is given; `members` are what it changes
    to.
    """

    how: str
    where: str
    seconds: float
    client: int | None = None
    back_after: float | None = None
    members: Mapping[str, Any] | None = None


class SimulatedRuntime(Runtime):
    """The real runtime; it tells the story whose claim a session works under, and its commits can be cut."""

    def __init__(self, story: Story, process: Process) -> None:
        self.story = story
        super().__init__(
            story.settings,
            engine=story.database.engine,
            budget=story.budget,
            publisher=story.broker,
            transports={name: Wire(story.network, name) for name in story.simulators},
            now=story.clock.local(process.name).now,
            elapsed=lambda: story.clock.true,
            draw=story.rng.random,
            hook=process.point,
        )

    @override
    def wait(self, seconds: float) -> None:
        task = current()
        if task is not None:
            task.park("wait", self.story.clock.true + seconds)

    @override
    def session(
        self, system: str, lane: Lane = "live", lease: Lease | None = None, memory: ReadMemory | None = None
    ) -> Session:
        task = current()
        if task is not None:
            self.story.claims[task] = getattr(lease, "claim", None)
        return super().session(system, lane, lease, memory)

    @contextmanager
    @override
    def transaction(self, name: str, *, as_owner: bool = False) -> Iterator[Connection]:
        cut = None
        with (self.owner_engine if as_owner else self.engine).begin() as connection:
            yield connection
            self.hook(f"{name}.before_commit")
            cut = self.story.take_cut()
            if cut == "before":
                self.story.database.cut(_pid(connection))
        self._committed(name, cut)

    @contextmanager
    @override
    def statement(self, name: str) -> Iterator[Connection]:
        self.hook(f"{name}.before_commit")
        cut = self.story.take_cut()
        with self.autocommit.connect() as connection:
            if cut == "before":
                self.story.database.cut(_pid(connection))
            yield connection
        self._committed(name, cut)

    def _committed(self, name: str, cut: str | None) -> None:
        self.story.invariants.rows_changed = True
        if cut == "after":
            cause = psycopg.OperationalError("server closed the connection unexpectedly")
            raise OperationalError("COMMIT", {}, cause)
        self.hook(f"{name}.after_commit")


def _pid(connection: Connection) -> int:
    raw: Any = connection.connection.driver_connection
    return int(raw.info.backend_pid)


class Process:
    """One process: killed it loses its memory, frozen it stands still while the world goes on."""

    def __init__(self, story: Story, name: str, slots: int) -> None:
        self.story = story
        self.name = name
        self.slots = slots
        self.tasks: list[Task] = []
        self.nudges: dict[Task, Nudge] = {}
        self.frozen_until = 0.0
        self.starts_at: float | None = None
        self.kill_in: int | None = None
        self.down_seconds = 1.0
        self.freeze_in: int | None = None
        self.freeze_seconds = 0.0
        self.lives = 0
        self.begin()

    def begin(self) -> None:
        """A new process in the same place."""
        self.lives += 1
        self.starts_at = None
        self.runtime = SimulatedRuntime(self.story, self)
        self.lanes = Lanes(self.runtime, Gate(self.runtime))
        self.sweeper = Sweeper(self.runtime)
        self.runtime.publisher = Sparing(self.runtime.publisher, self.lanes, lambda: self.story.clock.true)

    @property
    def alive(self) -> bool:
        """Whether it runs, frozen or not."""
        return self.starts_at is None

    @property
    def frozen(self) -> bool:
        """Whether it stands still now."""
        return self.frozen_until > self.story.clock.true

    def idle(self) -> bool:
        """Whether it may take one more task."""
        return self.alive and not self.frozen and len(self.tasks) < self.slots

    def run(self, label: str, work: Callable[[], object], nudge: Nudge | None = None) -> Task:
        """Begin a task; it takes its first step when the director says so."""
        task = Task(f"{self.name}.{self.lives}:{label}", self, work)
        self.tasks.append(task)
        if nudge is not None:
            self.nudges[task] = nudge
        return task

    def ended(self, task: Task) -> None:
        """A task is over."""
        self.tasks.remove(task)
        self.nudges.pop(task, None)
        self.story.claims.pop(task, None)

    def kill(self) -> None:
        """SIGKILL. What its tasks had in hand is lost; their nudges may come again."""
        self.story.note(f"{self.name} is killed")
        self.story.faults["kill"] += 1
        self.starts_at = self.story.clock.true + self.down_seconds
        self.frozen_until = 0.0
        self.kill_in = self.freeze_in = None
        for nudge in self.nudges.values():
            self.story.broker.again(nudge)
        for task in list(self.tasks):
            task.doomed = True

    def point(self, name: str) -> None:
        """A boundary of I/O. Inside a transaction a process may die, but nobody else goes on."""
        self.story.points[name] += 1
        task = current()
        if task is None:
            return
        self.story.invariants.check_rows_of(name)
        trap = self.story.take_trap(name, task)
        if trap is not None:
            trap = self._spring(trap, name)
        if self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in <= 0:
                self.kill()
                raise Crash(name)
        if name.endswith(".before_commit"):
            return
        if trap is not None:
            self.freeze_in, self.freeze_seconds = 1, trap.seconds
        if self.freeze_in is not None:
            self.freeze_in -= 1
            if self.freeze_in <= 0:
                self._freeze(name)
        if self.frozen or self.story.rng.random() < PARKING_SHARE:
            task.park(name)

    def _spring(self, trap: Trap, name: str) -> Trap | None:
        """What waits here happens; a freeze is left to the caller, since it comes after a commit only."""
        if trap.how == "change":
            typing_in.client_changed(self.story, {"client": trap.client, "members": trap.members})
            self.story.faults["change during a call"] += 1
            return None
        if trap.how == "sync":
            operators.sync(self.story, {"client": trap.client})
            return None
        if trap.how == "kill":
            self.down_seconds = trap.seconds
            self.kill()
            raise Crash(name)
        return trap

    def _freeze(self, name: str) -> None:
        self.freeze_in = None
        self.frozen_until = self.story.clock.true + self.freeze_seconds
        self.story.note(f"{self.name} is frozen at {name} for {self.freeze_seconds:.0f} s")
        self.story.faults["freeze"] += 1
