"""The background worker of bulk actions: one task a receiver, woken when one is made, and looking by itself as well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import DBAPIError

from webhooks.problems import Problem
from worker.store import operating_bulk

if TYPE_CHECKING:
    from webhooks.database import Database
    from webhooks.nudge import Nudger
    from worker.store.operating import Owed

log = structlog.get_logger()

LOOK_SECONDS: Final = 5.0
"""How soon one is taken up that another process left behind."""


class BulkWorker:
    """Works off what is pending, slice by slice; several receivers share the work without meeting."""

    def __init__(self, database: Database, nudger: Nudger) -> None:
        self.database = database
        self.nudger = nudger
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with what was left behind."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="bulk")

    async def stop(self) -> None:
        """End; a slice under way is committed or rolled back as a whole."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def due(self) -> None:
        """One was made."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                while await self._slice():
                    pass
            except (Problem, DBAPIError) as error:
                log.warning("bulk.postponed", error=f"{type(error).__name__}")
            except Exception:
                # Whatever it is, bulk actions that come later must not wait for a restart.
                log.exception("bulk.failed")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def _slice(self) -> bool:
        owed: Owed | None = await self.database.run_at(operating_bulk.work)
        if owed is None:
            return False
        for contact_id in owed.contacts[:1]:
            self.nudger.fetch(contact_id)
        for system in sorted({system for _, system in owed.links}):
            self.nudger.deliver(system, 0)
        return True
