"""
What a log may say about an error: its kind and where it was raised, and nothing that it quotes.

The text of an error often quotes the value that it is about, and values here are people's names and addresses. The
text of an error of ours is kept in the row that it belongs to, where operators see it.
"""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Final

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_SAYS_NO_VALUES: Final = (OSError, ImportError, AttributeError, NameError, TypeError, RecursionError, MemoryError)
"""Python's own that name files, addresses, modules, members and types only."""
_BROKER: Final = ("redis", "kombu")
"""Libraries whose errors are about connections and messages; a message holds the number of a row."""
_MOST_CHAINED: Final = 10


def error_text(error: BaseException) -> str:
    """
    An error in one line, without any value that it quotes.

    >>> error_text(ValueError("invalid literal for int(): 'Jan Jansen'"))
    'ValueError'
    >>> error_text(ConnectionRefusedError(111, "Connection refused"))
    'ConnectionRefusedError: [Errno 111] Connection refused'

    Of an error of ours it is the reason, of one of PostgreSQL its code with the table and the constraint.
    """
    kind = type(error).__name__
    if isinstance(error, _SAYS_NO_VALUES) or type(error).__module__.partition(".")[0] in _BROKER:
        return f"{kind}: {_first_line(error)}".removesuffix(": ")
    if hasattr(error, "sqlstate"):
        return f"{kind}{_of_database(error)}"
    word = getattr(error, "word", None)
    if isinstance(word, str):
        return f"{kind} ({word})"
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException) and original is not error:
        return f"{kind}: {error_text(original)}"
    return kind


def traceback_text(exc_info: ExcInfo) -> str:
    """The calls that led to an error, and to those before it, with `error_text` in place of what each says."""
    return "\n".join(_chain(exc_info[1], _MOST_CHAINED))


def _chain(error: BaseException, most: int) -> list[str]:
    lines: list[str] = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and most:
        lines += [*_chain(before, most - 1), "", "which led to:", ""]
    lines.append("Traceback (most recent call last):")
    lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    lines.append(error_text(error))
    if isinstance(error, BaseExceptionGroup) and most:
        for one in error.exceptions:
            lines += [f"  {line}" for line in _chain(one, most - 1)]
    return lines


def _of_database(error: BaseException) -> str:
    """
    PostgreSQL's code, with the table and the constraint that it is about: its text quotes rows and parameters.

    Without a code the driver speaks for itself, of a connection that could not be made or was lost.
    """
    code = getattr(error, "sqlstate", None)
    if not code:
        return f": {_first_line(error)}" if type(error).__name__ in ("OperationalError", "InterfaceError") else ""
    diagnosis = getattr(error, "diag", None)
    names = (getattr(diagnosis, name, None) for name in ("table_name", "constraint_name"))
    return " ".join(part for part in (f" {code}", *names) if part)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
