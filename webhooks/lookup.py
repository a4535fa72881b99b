"""
Looking up a record at a vendor for whoever names it, before a call of the API begins its transaction.

The receiver takes webhooks first of all: a few threads of their own wait for vendors, none that anything else needs,
and what they take (clients, budget) is made when it is first asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from webhooks.database import in_thread
from webhooks.problems import Problem
from worker.config.checks import lacking
from worker.errors import NotReachable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.config import Settings
    from worker.config.again import Files
    from worker.flows.gate import Gate
    from worker.runtime import Runtime

THREADS: Final = 2
ANSWER_SECONDS: Final = 60.0


class Lookup:
    """Asks systems for single records. `make` builds what that takes (tests hand in their own)."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        make: Callable[[], Runtime] | None = None,
        files: Files | None = None,
    ) -> None:
        self._settings = settings
        self._make = make or (lambda: _runtime(settings, engine, files))
        self._lock = threading.Lock()
        self._made: tuple[Runtime, Gate] | None = None
        self._threads = asyncio.Semaphore(THREADS)

    async def record(self, system: str, external_id: str) -> None:
        """Unfit where there is no such record. Problem 503 where the system cannot be asked now, or not from here."""
        if any(lacking(system, self._settings.system(system))):
            raise Problem(
                503,
                f"this receiver holds no credentials of {system} and cannot look the record up; nothing was changed. "
                "Use contactsync contacts link (or reviews resolve) where the worker runs",
            )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await in_thread(self._threads, lambda: self._look_up(system, external_id))
        except NotReachable as error:
            raise Problem(503, error.message, headers={"Retry-After": "30"}) from error
        except TimeoutError as error:
            raise Problem(
                503, f"{system} does not answer; nothing was changed", headers={"Retry-After": "30"}
            ) from error

    def _look_up(self, system: str, external_id: str) -> None:
        from worker.flows.looking_up import look_up

        runtime, gate = self._parts()
        look_up(runtime, gate, system, external_id)

    def _parts(self) -> tuple[Runtime, Gate]:
        from worker.flows.gate import Gate

        with self._lock:
            if self._made is None:
                runtime = self._make()
                self._made = (runtime, Gate(runtime))
            return self._made


def _runtime(settings: Settings, engine: Engine, files: Files | None) -> Runtime:
    from worker.runtime import Runtime

    return Runtime(settings, engine=engine) if files is None else Runtime(settings, engine=engine, read_again=files)
