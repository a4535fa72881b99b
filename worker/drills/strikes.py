"""Drills on the parts: each is one strike, which returns when the part works again and says what it did."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import redis

from worker.drills.parts import NAMES, NotAsPromised, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.drills.place import Place

KILLS: Final = 3
LEASE_MARGIN_SECONDS: Final = 2.0
DEAF_WITHIN_SECONDS: Final = 90.0
_THIEVES: Final = 8
_THIEF_SECONDS: Final = 4
_CANARIES: Final = "contactsync:sync.canary."


def kill_worker(place: Place) -> str:
    """kill -9 of the worker, three times, each as soon as there is a new one and it has had a moment to begin work."""
    return _kill(place, "worker")


def kill_receiver(place: Place) -> str:
    """kill -9 of the receiver, three times: Robaws gets no answer and sends again."""
    return _kill(place, "receiver")


def kill_scheduler(place: Place) -> str:
    """kill -9 of the scheduler, while a second one stands by: the lead is taken over."""
    with place.parts.helper("scheduler", "scheduler.ready"):
        begin = place.parts.log_size("drill-scheduler")
        struck = _kill(place, "scheduler", 1)
        wait_for(lambda: place.parts.said("drill-scheduler", "scheduler.leads", begin), 30.0, "the second one leads")
        _kill(place, "scheduler", KILLS - 1)
    return f"{struck}; the second one took the lead; {KILLS - 1} more killed"


def deploy(place: Place) -> str:
    """SIGTERM to one part after the other, as a deploy sends it; each must end within its grace."""
    took: list[str] = []
    for part in NAMES:
        begun = time.monotonic()
        pid = place.parts.signal(part, signal.SIGTERM)
        place.parts.await_another(part, pid, 60.0)
        took.append(f"{part} {time.monotonic() - begun:.1f} s")
    return f"ended and started anew: {', '.join(took)}"


def pause_worker(place: Place) -> str:
    """SIGSTOP of the worker until its leases are over and a second worker has them; then it wakes up."""
    lease = float(place.settings.worker.lease_seconds)
    asleep = lease + LEASE_MARGIN_SECONDS
    with place.parts.helper("worker", "worker.ready"):
        pid = place.parts.signal("worker", signal.SIGSTOP)
        try:
            place.stop.wait(asleep)
        finally:
            with suppress(NotAsPromised):
                place.parts.signal("worker", signal.SIGCONT, 1.0)
        place.stop.wait(LEASE_MARGIN_SECONDS)
    return f"worker {pid} slept {asleep:.0f} s with a lease of {lease:g} s, beside a second worker"


def deaf_worker(place: Place) -> str:
    """The worker's canaries are taken away before it hears them: it must end itself, and be started again."""
    pid = place.parts.pid("worker")
    begin = place.parts.log_size("worker")
    queue = _canary_queue(place)
    with _thieves(place, queue):
        took = wait_for(lambda: place.parts.pid("worker") != pid, DEAF_WITHIN_SECONDS, "the deaf worker ends itself")
    if not place.parts.said("worker", "worker.deaf", begin):
        raise NotAsPromised("the worker ended, but not because it had noticed that it was deaf")
    place.parts.await_another("worker", pid or 0)
    return f"worker {pid} heard none of its canaries, and ended itself after {took:.0f} s"


def _kill(place: Place, part: str, times: int = KILLS) -> str:
    pids: list[str] = []
    for _ in range(times):
        pid = place.parts.signal(part, signal.SIGKILL)
        pids.append(str(pid))
        place.parts.await_another(part, pid)
        # A new process needs a second or so until it works: killed sooner, all blows would meet the same nothing.
        place.stop.wait(place.chance.uniform(0.5, 3.0))
    return f"{part} {', '.join(pids)} killed"


def _canary_queue(place: Place) -> str:
    """The worker's own queue is nowhere written down: Redis tells of its waiting for it once a second."""
    with place.redis() as client, client.monitor() as monitor:
        end = time.monotonic() + 15.0
        with suppress(redis.TimeoutError):
            for command in monitor.listen():
                words = str(command["command"]).split()
                found = [word for word in words if word.startswith(_CANARIES)]
                if words and words[0].upper() == "BRPOP" and found:
                    return found[0]
                if time.monotonic() > end:
                    break
    raise NotAsPromised("no worker waits for a canary of its own")


@contextmanager
def _thieves(place: Place, queue: str) -> Iterator[None]:
    """
    Take what comes into a queue before its worker does.

    Redis serves who has waited longest, and a worker asks anew each second: with some of us in the row, one is first.
    """
    over = threading.Event()

    def steal(turn: int) -> None:
        # One after the other, so that they do not all ask anew at the same moment, with the worker first for once.
        over.wait(turn * _THIEF_SECONDS / _THIEVES)
        with place.redis() as client:
            while not over.is_set():
                with suppress(redis.RedisError):
                    client.brpop([queue], timeout=_THIEF_SECONDS)

    threads = [threading.Thread(target=steal, args=(turn,), name="thief", daemon=True) for turn in range(_THIEVES)]
    with ExitStack() as stack:
        for thread in threads:
            stack.callback(thread.join)
        stack.callback(over.set)
        for thread in threads:
            thread.start()
        yield
