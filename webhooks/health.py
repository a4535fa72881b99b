"""`/healthz` and `/readyz`: whether the process lives, and whether it can take events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from webhooks.problems import Problem
from worker.errors import ConfigurationError
from worker.store import schema

if TYPE_CHECKING:
    from webhooks.database import Database
    from webhooks.group_commit import GroupCommit

PROBE_SECONDS: Final = 1.5


class Readiness:
    """What is missing, if anything. One probe at a time: a database that hangs is not asked again and again."""

    def __init__(self, database: Database, commit: GroupCommit) -> None:
        self.database = database
        self.commit = commit
        self._schema_is_current = False
        self._probe: asyncio.Task[str | None] | None = None

    def start(self) -> None:
        """Look at once, so that the first who asks does not wait for what is loaded to look."""
        self._probe = asyncio.get_running_loop().create_task(self._ask())

    async def missing(self) -> dict[str, str]:
        """Part by part what is missing, with what to do; empty when events are taken."""
        missing: dict[str, str] = {}
        if not self.commit.alive:
            missing["flusher"] = "the task that writes events down has ended; restart this process"
        problem = await self._database()
        if problem:
            missing["database"] = problem
        elif not self.commit.connected:
            missing["database"] = "the flusher is connecting to it"
        return missing

    async def _database(self) -> str | None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.get_running_loop().create_task(self._ask())
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await asyncio.shield(self._probe)
        except TimeoutError:
            return "it does not answer"

    async def _ask(self) -> str | None:
        try:
            if not self._schema_is_current:
                await self.database.run(schema.require_current)
                self._schema_is_current = True
            await self.database.run(lambda connection: connection.execute(text("SELECT 1")))
        except ConfigurationError as error:
            return error.message
        except Problem:
            return "it cannot be reached"
        return None
