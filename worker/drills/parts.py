"""The parts of a running `contactsync up`, by name: who they are, how to end them, and a second one beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from worker.errors import SyncError

if TYPE_CHECKING:
    from worker.config import Settings

LOOK_SECONDS: Final = 0.05
NAMES: Final = ("receiver", "worker", "scheduler")


class NotAsPromised(SyncError):
    """A part did not do what a drill expects of it, such as coming back."""

    reason = "drill"


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition; the seconds it took. NotAsPromised when it does not come."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise NotAsPromised(f"not within {seconds:.0f} s: {what}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - begun


class Parts:
    """The children of the process with this pid."""

    def __init__(self, up: int, settings: Settings) -> None:
        self.up = up
        self.settings = settings

    def pid(self, part: str) -> int | None:
        """The part's process; None while there is none."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.up).children(recursive=True):
                with suppress(psutil.Error):
                    if child.cmdline()[1:4] == ["-m", "worker.cli", part]:
                        return child.pid
        return None

    def signal(self, part: str, number: signal.Signals, seconds: float = 30.0) -> int:
        """Send a signal to a part, which is waited for when it is just being started; the pid that got it."""
        found: list[int] = []

        def there() -> bool:
            found[:] = [pid] if (pid := self.pid(part)) is not None else []
            return bool(found)

        wait_for(there, seconds, f"a {part} to send {number.name} to")
        with suppress(ProcessLookupError):
            os.kill(found[0], number)
        return found[0]

    def await_another(self, part: str, than: int, seconds: float = 60.0) -> float:
        """Wait until a part runs in another process; the seconds it took."""
        return wait_for(lambda: self.pid(part) not in (None, than), seconds, f"a new {part} after {than}")

    def log_size(self, part: str) -> int:
        """How long a part's log is."""
        with suppress(OSError):
            return self._log(part).stat().st_size
        return 0

    def said(self, part: str, word: str, since: int) -> bool:
        """Whether a part's log holds a word beyond a position."""
        with suppress(OSError), self._log(part).open("rb") as stream:
            stream.seek(since)
            return word.encode() in stream.read()
        return False

    @contextmanager
    def helper(self, part: str, sign: str) -> Iterator[subprocess.Popen[bytes]]:
        """A second process of a part, ready once its log (`drill-<part>.log`) has the sign; ends with the block."""
        log = self._log(f"drill-{part}")
        begin = self.log_size(f"drill-{part}")
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker.cli", part],
                env={**os.environ, **environment(self.settings)},
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            wait_for(lambda: self.said(f"drill-{part}", sign, begin), 60.0, f"a second {part} that is ready")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, part: str) -> Path:
        return Path(self.settings.home) / "logs" / f"{part}.log"


def environment(settings: Settings) -> dict[str, str]:
    """What a part of its own is told beside the settings file."""
    return {
        "CONTACTSYNC_DATABASE__URL": settings.database.url or "",
        "CONTACTSYNC_DATABASE__OWNER_URL": settings.database.owner_url or "",
        "CONTACTSYNC_REDIS__URL": settings.redis.url or "",
        "CONTACTSYNC_HOME": str(settings.home),
    }
