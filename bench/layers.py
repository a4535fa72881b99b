"""
Where a worker's time goes: processor and waiting seconds of its tasks by layer, charged at the layers' doors.

A thread that looks at what the others do sees them mostly where they wait, as that is when it gets its turn: it said
0 % of our own code. So nothing is sampled here. The functions through which our code enters httpx, SQLAlchemy, Redis
and Celery are wrapped, and each thread's own clocks are read there: time is charged to the layer that was entered last
and not left yet. What a process takes outside its tasks (Celery's own loop, the canary) is the rest of its processor
time.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

OWN: Final = "our own"
REST: Final = "Celery"

Clock = Callable[[], float]


class Layers:
    """Seconds by layer, of all threads together."""

    def __init__(self, cpu: Clock = time.thread_time, wall: Clock = time.monotonic) -> None:
        self._clocks = (cpu, wall)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._books: list[tuple[Counter[str], Counter[str]]] = []

    def begin(self) -> None:
        """A task of ours begins in this thread."""
        self._local.stack = [OWN]
        self._local.last = [clock() for clock in self._clocks]
        if not hasattr(self._local, "books"):
            self._local.books = (Counter(), Counter())
            with self._lock:
                self._books.append(self._local.books)

    def end(self) -> None:
        """It has ended; what comes until the next one is not charged."""
        self._charge()
        self._local.stack = []

    def wrapped(self, layer: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time charged to the layer where a task of ours calls it."""

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            stack = getattr(self._local, "stack", None)
            if not stack:
                return function(*args, **kwargs)
            self._charge()
            stack.append(layer)
            try:
                return function(*args, **kwargs)
            finally:
                self._charge()
                stack.pop()

        return inside

    def totals(self) -> dict[str, dict[str, float]]:
        """So far: processor and wall seconds by layer."""
        with self._lock:
            books = list(self._books)
        cpu: Counter[str] = Counter()
        wall: Counter[str] = Counter()
        for one in books:
            cpu.update(dict(one[0]))
            wall.update(dict(one[1]))
        return {"cpu": dict(cpu), "wall": dict(wall)}

    def _charge(self) -> None:
        local = self._local
        if not getattr(local, "stack", None):
            return
        for number, clock in enumerate(self._clocks):
            now = clock()
            local.books[number][local.stack[-1]] += now - local.last[number]
            local.last[number] = now


def watch(layers: Layers) -> None:
    """Wrap the doors of this process's libraries; once, before the first task."""
    import httpx
    import redis
    import sqlalchemy.engine as sql
    from celery import Celery, signals

    doors: list[tuple[str, Any, tuple[str, ...]]] = [
        ("HTTP", httpx.Client, ("send", "request")),
        ("HTTP", httpx.Response, ("read",)),
        ("broker and budget", redis.Redis, ("execute_command",)),
        ("broker and budget", redis.client.Pipeline, ("execute",)),
        ("broker and budget", Celery, ("send_task", "connection_for_write")),
        ("SQL", sql.Engine, ("connect",)),
        ("SQL", sql.Connection, ("execute", "scalar", "scalars", "begin", "commit", "rollback", "close")),
        ("SQL", sql.Transaction, ("commit", "rollback", "close", "__exit__")),
        ("SQL", sql.Result, ("all", "first", "one", "one_or_none", "fetchall", "fetchone", "scalar", "scalar_one")),
        ("SQL", sql.MappingResult, ("all", "first", "one", "one_or_none")),
        ("SQL", sql.ScalarResult, ("all", "first", "one", "one_or_none")),
    ]
    for layer, owner, names in doors:
        for name in names:
            setattr(owner, name, layers.wrapped(layer, getattr(owner, name)))
    signals.task_prerun.connect(lambda **_more: layers.begin(), weak=False)
    signals.task_postrun.connect(lambda **_more: layers.end(), weak=False)
