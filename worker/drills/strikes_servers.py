"""Drills on Redis, PostgreSQL and the vendors' clocks: each is one strike, which returns when all is as before."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg
import redis

from worker.drills.full_disk import full_disk
from worker.drills.parts import NotAsPromised, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from worker.drills.place import Place

BACK_SECONDS: Final = 60.0
FULL_SECONDS: Final = 5.0
SKEW_SECONDS: Final = 8.0
SKEWS: Final = {"robaws": -240.0, "rompslomp": 3 * 3600.0, "recras": -5 * 3600.0, "workspace": 26 * 3600.0}
"""Robaws stays within the tolerance of its signatures, beyond which its events are refused by design."""


def flush_redis(place: Place) -> str:
    """FLUSHALL, five times within seconds: every nudge and every budget is gone."""
    with place.redis() as client:
        for _ in range(5):
            client.flushall()
            place.stop.wait(place.chance.uniform(0.1, 0.6))
    return "Redis was emptied five times"


def restart_redis(place: Place) -> str:
    """kill -9 of Redis, which is started again by `up`; workers must find back by themselves."""
    with place.redis() as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    took = wait_for(lambda: _redis_pid(place) not in (None, pid), BACK_SECONDS, "Redis is back")
    return f"Redis {pid} killed, back after {took:.1f} s"


def lose_bindings(place: Place) -> str:
    """The keys are deleted in which kombu keeps who listens to what: an eviction makes publishes vanish like that."""
    lost = 0
    with place.redis() as client:
        for _ in range(10):
            keys = list(client.scan_iter(match="*_kombu.binding.*"))
            lost += int(client.delete(*keys)) if keys else 0
            place.stop.wait(0.3)
    return f"{lost} binding keys deleted" if lost else "there were no binding keys to lose"


def restart_postgres(place: Place) -> str:
    """kill -9 of PostgreSQL's first process; it is started again by `up` and recovers."""
    file = place.home / "postgres" / "data" / "postmaster.pid"
    pid = _pid_in(file)
    if pid is None:
        raise NotAsPromised("PostgreSQL does not run")
    os.kill(pid, signal.SIGKILL)
    took = wait_for(lambda: _pid_in(file) not in (None, pid) and _answers(place), BACK_SECONDS, "PostgreSQL is back")
    return f"PostgreSQL {pid} killed, back after {took:.1f} s"


def cut_connections(place: Place) -> str:
    """Every connection to PostgreSQL is cut, five times: in the middle of transactions and between them."""
    cut = 0
    for _ in range(5):
        with place.database() as connection:
            row = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE')"
            ).fetchone()
        cut += int(str(row[0])) if row else 0
        place.stop.wait(place.chance.uniform(0.2, 1.0))
    return f"{cut} connections cut"


def disk_full(place: Place) -> str:
    """PostgreSQL answers every write as it does when its disk is full (SQLSTATE 53100), for some seconds."""
    with full_disk(place.database):
        place.stop.wait(FULL_SECONDS)
    return f"every write refused with 53100 for {FULL_SECONDS:g} s"


def clock_skew(place: Place) -> str:
    """The vendors' clocks are wrong for some seconds: Robaws's by minutes, the others' by hours, either way."""
    try:
        for system, ahead in SKEWS.items():
            place.vendors.set_clock(system, ahead)
        place.stop.wait(SKEW_SECONDS)
    finally:
        for system in SKEWS:
            place.vendors.set_clock(system, 0.0)
    told = ", ".join(f"{system} {ahead / 3600:+.3g} h" for system, ahead in SKEWS.items())
    return f"clocks wrong for {SKEW_SECONDS:g} s: {told}"


def _redis_pid(place: Place) -> int | None:
    with suppress(redis.RedisError), place.redis() as client:
        return int(client.info("server")["process_id"])
    return None


def _answers(place: Place) -> bool:
    with suppress(psycopg.Error), place.database() as connection:
        return connection.execute("SELECT 1").fetchone() is not None
    return False


def _pid_in(file: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(file.read_text(encoding="ascii").split()[0])
    return None
