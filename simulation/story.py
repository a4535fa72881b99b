"""
One story, told step by step: the director chooses from the seed who goes on, until nothing is left to do.

First the script's happenings with all their trouble; then everything heals and the clock runs on until nothing is due
any more; then what the vendors hold is compared with what Robaws says.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DBAPIError

from simulation import ending, happenings, resting, typing_in
from simulation.baton import Task
from simulation.broken import Broken
from simulation.broker import Broker, Nudge
from simulation.budget import VirtualBudget
from simulation.clock import BEGIN, Clock
from simulation.invariants import Invariants
from simulation.memory import Memory
from simulation.network import Network
from simulation.processes import Process, Trap
from simulation.receiver import Door
from simulation.script import LENGTH_SECONDS
from simulation.stage import BASES, build_settings, build_simulators
from simulation.upcoming import next_moment
from worker.runtime import limits
from worker.store import systems

if TYPE_CHECKING:
    from simulation.database import Database
    from simulation.script import Item, Script
    from worker.store.links import LinkClaim
    from worker.vendors.robaws.simulator import RobawsSimulator, Webhook

MOST_STEPS: Final = 30_000
SWEEP_SECONDS: Final = 1.0
WEBHOOK_RETRIES: Final = 4
MOST_ANSWERS: Final = 5


class Story:
    """All that there is in one story."""

    def __init__(self, script: Script, database: Database) -> None:
        self.script = script
        self.database = database
        self.rng = random.Random(f"{script.seed}:steps")  # noqa: S311 - to be repeated
        self.clock = Clock()
        self.steps = 0
        self.points: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.trace: deque[str] = deque(maxlen=5_000)
        self.fingerprint = 0
        self.claims: dict[Task, LinkClaim | None] = {}
        self.memory = Memory()
        self.simulators = build_simulators(script, self.clock, self.rng)
        self.settings = build_settings(script, self.simulators)
        self.network = Network(self)
        self.broker = Broker(self.clock, self.rng)
        self.budget = VirtualBudget(self.clock, limits(self.settings))
        self.invariants = Invariants(self)
        with database.engine.begin() as connection:
            systems.ensure(connection, list(self.simulators))
        self.workers = [Process(self, f"w{n}", script.setup.slots) for n in range(script.setup.workers)]
        self.schedulers = [Process(self, f"s{n}", 1) for n in range(script.setup.schedulers)]
        self.items: deque[Item] = deque(script.items)
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.webhooks: list[tuple[float, int, Webhook]] = []
        self.swept_at = BEGIN
        self.sweep_wait = SWEEP_SECONDS
        self.cuts: list[tuple[int, str]] = []
        self.traps: list[Trap] = []
        self.healed = False
        self._rows: Any = None
        self.loop = asyncio.new_event_loop()
        self.door = Door(self, self.loop)

    @property
    def robaws(self) -> RobawsSimulator:
        """The source."""
        return self.simulators["robaws"]  # type: ignore[return-value]

    @property
    def processes(self) -> list[Process]:
        """Workers and schedulers."""
        return [*self.workers, *self.schedulers]

    def note(self, what: str) -> None:
        """Write one line of the trace."""
        line = f"{self.clock.at()}  {what}"
        self.trace.append(line)
        self.fingerprint = hash_line(self.fingerprint, line)

    def latency(self) -> float:
        """How long an answer takes."""
        return self.rng.uniform(0.2, 1.8) * self.script.setup.latency_seconds

    def take_cut(self) -> str | None:
        """Whether the database is cut at this commit: `before` it counts, right `after` it, or not."""
        if not self.cuts:
            return None
        left, how = self.cuts[0]
        if left > 1:
            self.cuts[0] = (left - 1, how)
            return None
        self.cuts.pop(0)
        self.note(f"the database is cut {how} a commit")
        self.faults[f"database cut {how} a commit"] += 1
        return how

    def take_trap(self, point: str, task: Task) -> Trap | None:
        """What waits for whoever comes to this boundary."""
        claim = self.claims.get(task)
        client = claim.source_id if claim is not None else None
        for trap in self.traps:
            if trap.where != point or (trap.client is not None and self.memory.clients.get(trap.client) != client):
                continue
            self.traps.remove(trap)
            self._take_back(trap)
            return trap
        return None

    def _take_back(self, trap: Trap) -> None:
        if trap.back_after is not None:
            moment = self.clock.true + trap.back_after
            self.later.append((moment, lambda: typing_in.client_taken_back(self, {"client": trap.client})))

    # ---------------------------------------------------------------------------------------------------- the telling
    def tell(self) -> None:
        """Tell it to its end. Broken where a promise does not hold."""
        self.robaws.register_webhook(BASES["robaws"])
        self.run_until(lambda: not self.items and self.clock.true >= BEGIN + LENGTH_SECONDS)
        happenings.heal(self)
        self.healed = True
        self.run_until(lambda: False)
        healed = len(self.network.written)
        happenings.last_retries(self)
        self.run_until(lambda: False)
        ending.check(self)
        for _ in range(MOST_ANSWERS):
            if not ending.questions(self):
                break
            happenings.last_answers(self)
            self.run_until(lambda: False)
        ending.check(self, answered=True)
        ending.check_echo(self, healed)

    def close(self) -> None:
        """End every thread and connection."""
        for process in self.processes:
            for task in list(process.tasks):
                task.doomed = True
                if not task.done:
                    task.resume()
            process.runtime._http.clear()
        self.door.close()
        self.loop.close()

    def run_until(self, enough: Callable[[], bool]) -> None:
        """Go on until it is enough, or nothing is left to do."""
        while not enough():
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Broken("everything converges", f"still busy after {MOST_STEPS} steps: {ending.unsettled(self)}")
            self._happen()
            choices = self._choices()
            if not choices:
                if not self._wait():
                    return
                continue
            weights = [weight for weight, _ in choices]
            self.rng.choices([act for _, act in choices], weights)[0]()
            self.clock.advance(self.rng.uniform(0.0005, 0.01))
            self.invariants.after_step()

    def _happen(self) -> None:
        """What the script, or an earlier happening, wants done by now."""
        now = self.clock.true
        for moment, act in sorted([entry for entry in self.later if entry[0] <= now], key=lambda entry: entry[0]):
            self.later.remove((moment, act))
            act()
        while self.items and BEGIN + self.items[0].at <= now:
            item = self.items.popleft()
            self.note(f"* {str(item).strip()}")
            happenings.ALL[item.kind](self, item.args)
        while self.network.work_late():
            pass
        for process in self.processes:
            if process.starts_at is not None and process.starts_at <= now and not process.tasks:
                process.begin()
                self.broker.intake()

    def _choices(self) -> list[tuple[float, Callable[[], object]]]:
        """Everything that could go on now, with its weight."""
        now = self.clock.true
        choices: list[tuple[float, Callable[[], object]]] = []
        for process in self.processes:
            able = [task for task in process.tasks if task.doomed or (task.wake_at <= now and not process.frozen)]
            choices += [(2.0, lambda task=task: self._resume(task)) for task in able]  # type: ignore[misc]
        idle = [process for process in self.workers if process.idle()]
        if idle:
            choices += [(1.0, lambda n=nudge: self._take(n)) for nudge in self.broker.ready()]  # type: ignore[misc]
        if now - self.swept_at >= self.sweep_wait:
            choices += [(0.7, lambda p=p: self._sweep(p)) for p in self.schedulers if p.idle()]  # type: ignore[misc]
        self._collect_webhooks()
        if any(at <= now for at, _, _ in self.webhooks):
            choices.append((1.0, self._receive))
        return choices

    def _resume(self, task: Task) -> None:
        self.note(f"{task.name} @ {task.where}")
        task.resume()
        if not task.done:
            return
        process = task.owner
        assert isinstance(process, Process)  # noqa: S101 - what makes tasks
        process.ended(task)
        self.invariants.rows_changed = True
        if task.error is None:
            return
        if isinstance(task.error, DBAPIError) and "server closed" in str(task.error) + str(task.error.__cause__):
            self.note(f"{task.name} ended by the database")
            return
        if isinstance(task.error, DBAPIError) and "terminating connection" in str(task.error):
            self.note(f"{task.name} ended by the database")
            return
        raise task.error

    def _take(self, nudge: Nudge) -> None:
        self.broker.take(nudge)
        process = self.rng.choice([process for process in self.workers if process.idle()])
        lanes, row = process.lanes, nudge.row or None
        if nudge.lane == "fetch":
            process.run(str(nudge), lambda: lanes.fetch(row), nudge)
        else:
            process.run(str(nudge), lambda: lanes.deliver(nudge.lane, row), nudge)

    def _sweep(self, process: Process) -> None:
        self.swept_at = self.clock.true
        self.invariants.check_starved()
        resting.check(self)
        resting.note_gone(self)
        rows = self.database.look(_STATES)
        changed = rows != self._rows
        self._rows = rows
        self.sweep_wait = SWEEP_SECONDS if changed else min(60.0, self.sweep_wait * 2)
        process.run("sweep", process.sweeper.sweep)

    def _collect_webhooks(self) -> None:
        if self.robaws.seconds_until_webhook() == 0.0:
            self.webhooks += [(self.clock.true, 0, webhook) for webhook in self.robaws.take_webhooks()]

    def _receive(self) -> None:
        due = [entry for entry in self.webhooks if entry[0] <= self.clock.true]
        entry = self.rng.choice(due)
        self.webhooks.remove(entry)
        _, tries, webhook = entry
        status = self.door.post(webhook)
        self.note(f"webhook {webhook.event_id[:8]} -> {status}")
        self.robaws.report_delivery(webhook, delivered=status < 300)
        self.invariants.rows_changed = True
        if status < 300:
            self.memory.accepted.add(webhook.event_id)
            self.broker.intake()
        elif tries < WEBHOOK_RETRIES:
            again = self.robaws.retry_webhook(webhook)
            self.webhooks.append((self.clock.true + self.rng.uniform(5, 60), tries + 1, again))

    def _wait(self) -> bool:
        """Let time pass until something can happen; False where nothing ever will."""
        moment = next_moment(self)
        if moment is None:
            return False
        self.clock.true = max(moment, self.clock.true + 0.001)
        return True


def hash_line(before: int, line: str) -> int:
    """A running fingerprint of the trace, the same in every process (unlike `hash`)."""
    value = before
    for byte in line.encode():
        value = (value * 1_000_003 ^ byte) & 0xFFFFFFFFFFFFFFFF
    return value


_STATES: Final = """
    SELECT json_agg(json_build_array(id, state, fence, attempts, next_attempt_at) ORDER BY id),
        (SELECT json_agg(json_build_array(id, fetch_state, fetch_fence, fetch_next_attempt_at) ORDER BY id)
            FROM contact) FROM link
"""


@contextlib.contextmanager
def quiet() -> Any:
    """No log lines: the trace says more."""
    import structlog

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)
