"""
Logging for every process: structlog, to stderr, as lines for people or as JSON for machines.

A log may be read by more people than the clients' data, and travels further. So it holds ids, reasons and
fingerprints, and neither a vendor's sentence nor what an error quotes; the sentence stands in the row. Whoever can
reach a port can make a library complain, so that each complaint of a library is written a few times a minute only.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import structlog
from typing_extensions import override

from worker.config.secrets import secret_values
from worker.core.error_text import error_text, traceback_text
from worker.core.printable import printable
from worker.core.redaction import REDACTED, unmistakable

if TYPE_CHECKING:
    from worker.config import Settings

SAME_A_MINUTE: Final = 10
"""How often the same complaint of a library is written in a minute; how many more there were is told with the next."""
ALL_A_MINUTE: Final = 100
"""The same for all of a library's complaints together, so that different words make no difference."""

SHORTEST_QUOTED: Final = 4
"""An error that says less than this quotes nobody, and its text would be found in any sentence."""
MOST_COUNTED: Final = 1_000

EventDict = MutableMapping[str, Any]


class Hidden:
    """
    The last net: no line of this process shows one of its secrets, whatever went wrong before it was written.

    Only values that stand in no line by chance; a password that is a word is also a name.
    """

    _known: ClassVar[frozenset[str]] = frozenset()
    _pattern: ClassVar[re.Pattern[str] | None] = None

    @classmethod
    def hide(cls, secrets: Iterable[str]) -> None:
        """Hide these from now on, and still those from before: what was replaced may be quoted yet."""
        cls._known |= frozenset(unmistakable(tuple(secrets)))
        longest = sorted(cls._known, key=lambda secret: (-len(secret), secret))
        cls._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    @classmethod
    def processor(cls, _logger: Any, _method: str, event: EventDict) -> EventDict:
        """Take them out of each text of a line."""
        if cls._pattern is not None:
            for name, value in event.items():
                if isinstance(value, str):
                    event[name] = cls._pattern.sub(REDACTED, value)
        return event


def set_up(settings: Settings, part: str) -> None:
    """Log as the settings say, with the part's name on each line; other libraries' warnings come along."""
    level = getattr(logging, settings.log.level.upper())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log.format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback_text),
        show_control_characters,
        Hidden.processor,
    ]
    Hidden.hide(secret_values(settings))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(part=part)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Sampled())
    handler.addFilter(without_quotes)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    _log_what_nobody_catches()


def show_control_characters(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Make each text of a line printable; what is no text is written by `repr`, which does the same."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = printable(value, lines=name == "exception")
    return event


def without_quotes(record: logging.LogRecord) -> bool:
    """Of another library's line about an error, keep the first line, with the error's kind where it is quoted."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        message = record.getMessage()
        for quoted in (repr(error), str(error)):
            if len(quoted) >= SHORTEST_QUOTED:
                message = message.replace(quoted, error_text(error))
        record.msg, record.args = (message.splitlines() or [""])[0], None
    return True


class Sampled(logging.Filter):
    """Lets the same line of a library through a few times a minute; the next one tells how many were left out."""

    def __init__(
        self,
        same: int = SAME_A_MINUTE,
        together: int = ALL_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._most_same = same
        self._most_together = together
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._written: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        line = f"{record.name} {record.msg}"
        with self._lock:
            self._begin_another_minute()
            if self._written[line] >= self._most_same or self._written.total() >= self._most_together:
                # Lines that were not seen before are counted together: their number is not for strangers to choose.
                self._left_out[line if line in self._written else ""] += 1
                return False
            self._written[line] += 1
            left_out = self._left_out.pop(line, 0) + self._left_out.pop("", 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more were left out before)", None
        return True

    def _begin_another_minute(self) -> None:
        now = self._clock()
        if now - self._began >= 60:
            self._began = now
            self._written.clear()
            if len(self._left_out) > MOST_COUNTED:
                self._left_out.clear()


def _log_what_nobody_catches() -> None:
    """An error that ends the process, or one of its threads, is a line like any other."""
    log = structlog.get_logger()

    def failed(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        log.critical("process.failed", exc_info=(kind, error, where))

    def thread_failed(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is not None and failure.exc_type is not SystemExit:
            failed(failure.exc_type, failure.exc_value, failure.exc_traceback)

    sys.excepthook = failed
    threading.excepthook = thread_failed
