"""
Webhook secrets and tokens of the API that are replaced in their files: taken over within seconds, without a restart.

A secret that got out must end soon, and one that is new must count before its first event comes. Robaws is never kept
waiting for that: looking whether a file changed asks for its state alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from worker.config.again import with_access

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.config.again import Files

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
"""How often the files are looked at. What was changed is read when it has not changed again since the last look."""


class Renewal:
    """Looks at the files of the settings; `take` gets the settings with what is new in them."""

    def __init__(
        self,
        settings: Settings,
        files: Files,
        take: Callable[[Settings], None],
    ) -> None:
        self._settings = settings
        self._files = files
        self._take = take
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; also what changed since the settings were read is found."""
        self._task = asyncio.get_running_loop().create_task(self._look(), name="renewal")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        read = seen = None
        while True:
            marks = self._files.marks()
            if marks not in (read, ()) and marks == seen:
                await self._renew()
                read = marks
            seen = marks
            await asyncio.sleep(LOOK_SECONDS)

    async def _renew(self) -> None:
        newer = await asyncio.to_thread(self._files)
        if newer is None:
            return
        renewed = with_access(self._settings, newer)
        if renewed != self._settings:
            self._settings = renewed
            self._take(renewed)
            log.info("secrets.renewed")
