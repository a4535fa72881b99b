"""The tasks: thin shells, an id in and one flow called. What they work on stands in rows; a message may be lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from celery import shared_task

from worker.flows.drain import Lanes
from worker.flows.gate import Gate
from worker.sparing import Sparing

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.runtime import Runtime

_process: dict[str, Lanes] = {}
_listeners: list[Callable[[], None]] = []
_lock = threading.Lock()


def use(runtime: Runtime) -> Lanes:
    """Give this process its runtime; called once, before the first task."""
    with _lock:
        lanes = _process["lanes"] = Lanes(runtime, Gate(runtime))
        runtime.publisher = Sparing(runtime.publisher, lanes)
    return lanes


def listen(listener: Callable[[], None]) -> None:
    """Call this whenever a canary came through."""
    _listeners[:] = [listener]


@shared_task(name="sync.canary")  # type: ignore[untyped-decorator]
def canary() -> None:
    """Tell that a message of this worker's own came through the broker."""
    for listener in _listeners:
        listener()


@shared_task(name="sync.intake")  # type: ignore[untyped-decorator]
def intake() -> None:
    """Take new events and fetch what they are about. Safe to run twice: events that are taken are left alone."""
    _process["lanes"].fetch()


@shared_task(name="sync.fetch")  # type: ignore[untyped-decorator]
def fetch(contact_id: int) -> None:
    """Fetch one contact. Safe to run twice: a contact that is owed nothing is left alone."""
    _process["lanes"].fetch(contact_id)


@shared_task(name="sync.deliver")  # type: ignore[untyped-decorator]
def deliver(link_id: int, system: str) -> None:
    """Make one system agree with one contact. Safe to run twice: a link that agrees is left alone."""
    _process["lanes"].deliver(system, link_id or None)
