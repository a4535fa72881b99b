"""Run stories: one, or many in several processes, each with a server of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simulation.broken import Broken
from simulation.database import Databases, server
from simulation.script import Script, write_script
from simulation.story import Story, quiet

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

TRACE_LINES: Final = 60
STORY_SECONDS: Final = 300.0


@dataclass
class Outcome:
    """What came of one story. `promise` is None where every one was kept."""

    seed: int
    promise: str | None = None
    failure: str = ""
    steps: int = 0
    checks: int = 0
    calls: int = 0
    events: int = 0
    seconds: float = 0.0
    fingerprint: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


def tell(script: Script, databases: Databases, trace_lines: int = TRACE_LINES) -> Outcome:
    """Tell one story on a fresh database; `trace_lines` of its end are kept."""
    begun = time.monotonic()
    outcome = Outcome(script.seed)
    with databases.fresh() as database, quiet():
        story = Story(script, database)
        try:
            story.tell()
        except Broken as broken:
            outcome.promise, outcome.failure = broken.promise, str(broken)
        except Exception as error:  # noqa: BLE001 - whatever a flow lets out is a finding, and told with its seed
            outcome.promise, outcome.failure = "no unexpected error", f"{type(error).__name__}: {error}"
        finally:
            story.close()
    outcome.steps, outcome.checks = story.steps, story.invariants.checked
    outcome.calls, outcome.events = sum(story.network.calls.values()), len(story.memory.accepted)
    outcome.faults, outcome.points = story.faults, story.points
    outcome.fingerprint, outcome.trace = story.fingerprint, list(story.trace)[-trace_lines:]
    outcome.seconds = time.monotonic() - begun
    return outcome


def tell_many(seeds: Sequence[int], processes: int) -> Iterator[Outcome]:
    """Tell the stories of these seeds, in any order. RuntimeError when a process dies."""
    context = multiprocessing.get_context("spawn")
    todo: Queue[Any] = context.Queue()
    done: Queue[Any] = context.Queue()
    for seed in seeds:
        todo.put(seed)
    workers = [context.Process(target=_work, args=(todo, done), daemon=True) for _ in range(processes)]
    for worker in workers:
        todo.put(None)
        worker.start()
    try:
        left = len(seeds)
        while left:
            outcome: Outcome = _next(done, workers)
            left -= 1
            yield outcome
    finally:
        _leave(todo, workers)


def _leave(todo: Queue[Any], workers: Sequence[Any]) -> None:
    """No further story is begun; those that are being told are waited for."""
    with contextlib.suppress(queue.Empty):
        while True:
            todo.get_nowait()
    for _ in workers:
        todo.put(None)
    for worker in workers:
        worker.join(timeout=30)
        worker.terminate()


def _next(done: Queue[Any], workers: Sequence[Any]) -> Outcome:
    end = time.monotonic() + STORY_SECONDS
    while time.monotonic() < end:
        try:
            outcome: Outcome = done.get(timeout=1.0)
        except queue.Empty:
            if any(worker.exitcode not in (None, 0) for worker in workers):
                break
            continue
        return outcome
    raise RuntimeError(f"a process of the simulation gives no answer: {[worker.exitcode for worker in workers]}")


def _work(todo: Queue[Any], done: Queue[Any]) -> None:
    with server() as url:
        databases = Databases(url)
        while (seed := todo.get()) is not None:
            done.put(tell(write_script(seed), databases))
