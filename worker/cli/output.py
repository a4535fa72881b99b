"""How commands speak: tables for people, one JSON document for scripts, errors in sentences, the four exit statuses."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from worker.core.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from worker.cli.safe_console import SafeConsole

DONE: Final = 0
NEEDS_A_PERSON: Final = 1
WRONG_USE: Final = 2
NOT_REACHABLE: Final = 3

Masked = Annotated[
    bool,
    typer.Option(
        "--masked", help="without personal data, as a viewer of the API sees it: for a ticket or a shared screen"
    ),
]


def console(*, stderr: bool = False) -> SafeConsole:
    """
    Where tables and lines for people go; colours only on a terminal.

    What is printed there is shown as it is: neither a terminal's escape sequences nor markup are obeyed.
    """
    from worker.cli.safe_console import SafeConsole

    out = SafeConsole(stderr=stderr)
    out.soft_wrap = not out.is_terminal
    return out


def show_json(value: Any) -> None:
    """The one JSON document of a `--json` run."""
    write_json(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def write_json(document: str) -> None:
    """A JSON document on stdout, with control characters in its texts as JSON escapes."""
    sys.stdout.write(printable_json(document) + "\n")
    sys.stdout.flush()


def write(text: str) -> None:
    """Lines on stdout that somebody copies or a program reads: nothing is folded, and they are there at once."""
    sys.stdout.write(printable(text, lines=True))
    sys.stdout.flush()


def say(line: str, end: str = "\n") -> None:
    """A line on stderr, beside what a command answers."""
    sys.stderr.write(printable(line, lines=True) + end)
    sys.stderr.flush()


def stop(status: int, *lines: str) -> NoReturn:
    """End with a status, saying why on stderr."""
    for line in lines:
        say(line)
    raise typer.Exit(status)


@contextmanager
def plain_errors() -> Iterator[None]:
    """
    Turn what can go wrong into a sentence and a status: 2 for wrong configuration, 3 for a part that is away.

    No traceback reaches a person.
    """
    from worker.errors import ConfigurationError, NotReachable, SyncError, VendorError

    sys.excepthook = _show_unexpected
    try:
        yield
    except ConfigurationError as error:
        problems = error.problems
        head = [] if len(problems) == 1 else [f"{len(problems)} problems, nothing was started:"]
        stop(WRONG_USE, *head, *(f"- {problem}" if head else problem for problem in problems))
    except NotReachable as error:
        stop(NOT_REACHABLE, error.message)
    except VendorError as error:
        stop(NEEDS_A_PERSON, printable(error.message))
    except SyncError as error:
        stop(NEEDS_A_PERSON, error.message)
    except KeyboardInterrupt:
        stop(130)
    except Exception as error:
        if _database_away(error):
            stop(NOT_REACHABLE, f"the database does not answer: {str(error).splitlines()[0]}")
        if (refused := _without_right(error)) is not None:
            stop(WRONG_USE, f"{refused}: run `contactsync migrate` with database.owner_url, which gives the rights")
        raise


def _show_unexpected(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """A mistake of ours, as Python shows it; what the error quotes is not obeyed by the terminal either."""
    say("".join(traceback.format_exception(kind, error, where)), end="")


def _database_away(error: Exception) -> bool:
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    return isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _without_right(error: Exception) -> str | None:
    """What PostgreSQL does not let the application's user do; None where it is not that."""
    from psycopg.errors import InsufficientPrivilege
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError) and isinstance(error.orig, InsufficientPrivilege):
        return f"the user of database.url may not do this ({str(error.orig).splitlines()[0]})"
    return None


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose errors are sentences and whose return value is its exit status."""
    import functools

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with plain_errors():
            status = function(*args, **kwargs)
            if status:
                raise typer.Exit(status)

    return run
