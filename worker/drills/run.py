"""Traffic, strikes and the verdict."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import httpx
import psycopg
import redis

from worker.drills import strikes, strikes_servers
from worker.drills.parts import NotAsPromised
from worker.drills.report import Report, Struck
from worker.drills.traffic import Traffic
from worker.drills.watch import Watch, missing

if TYPE_CHECKING:
    from worker.drills.place import Place

Strike = Callable[["Place"], str]

DRILLS: Final[dict[str, Strike]] = {
    "kill-worker": strikes.kill_worker,
    "kill-receiver": strikes.kill_receiver,
    "kill-scheduler": strikes.kill_scheduler,
    "flush-redis": strikes_servers.flush_redis,
    "restart-redis": strikes_servers.restart_redis,
    "lose-bindings": strikes_servers.lose_bindings,
    "restart-postgres": strikes_servers.restart_postgres,
    "cut-connections": strikes_servers.cut_connections,
    "deploy": strikes.deploy,
    "pause-worker": strikes.pause_worker,
    "deaf-worker": strikes.deaf_worker,
    "disk-full": strikes_servers.disk_full,
    "clock-skew": strikes_servers.clock_skew,
}

REST_SECONDS: Final = (2.0, 6.0)
CONVERGE_SECONDS: Final = 300.0
_EXPECTED: Final = (NotAsPromised, httpx.HTTPError, psycopg.Error, redis.RedisError, OSError)


def drill(place: Place, names: Sequence[str], *, seconds: float, rate: float, seed: int) -> Report:
    """Change clients at `rate` a second for `seconds`, and longer while a strike lasts; then wait and compare."""
    # Not of the seed: a second drill in the same place would make the same clients once more.
    traffic = Traffic(place.vendors, rate, random.Random())  # noqa: S311 - made-up clients, nothing secret
    watch = Watch(place, traffic)
    watch.look()
    before = _Before(watch)
    begun = time.monotonic()
    watch.start()
    traffic.start()
    try:
        struck = list(_strikes(place, names, begun, seconds))
        last = time.monotonic()
        place.stop.wait(max(0.0, begun + seconds - last))
    finally:
        traffic.end()
    lasted = time.monotonic() - begun
    place.tell(f"{len(traffic.changes)} events were made; now everything has to come to rest")
    converged = _converge(place, watch)
    took = time.monotonic() - last
    watch.end()
    return _report(before, watch, struck, converged=took if converged else None, seed=seed, lasted=lasted)


class _Before:
    """How things stood when the drill began."""

    def __init__(self, watch: Watch) -> None:
        if watch.last is None:
            raise NotAsPromised("before anything was struck, the sandbox or the database does not answer")
        self.received = watch.received_before = watch.last.events.received
        self.records = dict(watch.records)
        self.dead = _count(watch, "dead")
        self.review = _count(watch, "review")


def _strikes(place: Place, names: Sequence[str], begun: float, seconds: float) -> Iterator[Struck]:
    """One strike after the other in a mixed order, with rests; each comes once before any comes again."""
    for turn, name in enumerate(_order(place, names)):
        place.stop.wait(place.chance.uniform(*REST_SECONDS))
        if (turn and time.monotonic() - begun >= seconds) or place.stop.is_set():
            return
        at = time.monotonic()
        problem: str | None = None
        try:
            what = DRILLS[name](place)
        except _EXPECTED as error:
            what, problem = "failed", f"{name}: {type(error).__name__}: {error}"
        done = Struck(name, what, round(at - begun, 1), round(time.monotonic() - at, 1), problem)
        place.tell(f"{done.at:6.1f} s  {name}: {problem or what} ({done.seconds:.1f} s)")
        yield done


def _order(place: Place, names: Sequence[str]) -> Iterator[str]:
    while True:
        yield from place.chance.sample(list(names), len(names))


def _converge(place: Place, watch: Watch) -> bool:
    end = time.monotonic() + CONVERGE_SECONDS
    while time.monotonic() < end and not place.stop.wait(0.2):
        if watch.settled():
            return True
    return False


def _count(watch: Watch, state: str) -> int:
    return sum(states.get(state, 0) for states in watch.last.links.values()) if watch.last is not None else 0


def _report(
    before: _Before, watch: Watch, struck: list[Struck], *, converged: float | None, seed: int, lasted: float
) -> Report:
    traffic, last = watch.traffic, watch.last
    assert last is not None  # noqa: S101 - `before` was made of a look
    received = last.events.received - before.received
    delays = watch.delays or [0.0]
    return Report(
        seed=seed,
        seconds=round(lasted, 1),
        rate=traffic.rate,
        strikes=struck,
        events_made=len(traffic.changes),
        events_received=received,
        clients=len(traffic.clients),
        records_before=before.records,
        records_after=dict(watch.records),
        lost=missing(watch),
        lost_events=max(0, len(traffic.changes) - received),
        doubled=watch.most_doubles,
        equation=watch.worst_balance,
        dead=_count(watch, "dead") - before.dead,
        review=_count(watch, "review") - before.review,
        converged=converged is not None,
        seconds_to_converge=None if converged is None else round(converged, 1),
        longest_delay=round(max(delays), 1),
        typical_delay=round(statistics.median(delays), 1),
        not_taken=traffic.failed,
        problems=[strike.problem for strike in struck if strike.problem],
    )
