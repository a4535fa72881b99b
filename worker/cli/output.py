"""How commands speak: tables for people, one JSON document for scripts, errors in sentences, the four exit statuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

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


def console(*, stderr: bool = False) -> Console:
    """Where tables and lines for people go; colours only on a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def show_json(value: Any) -> None:
    """The one JSON document of a `--json` run."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; values are shown as they are, whatever brackets they hold."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    console().print(made)


def stop(status: int, *lines: str) -> NoReturn:
    """End with a status, saying why on stderr."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    raise typer.Exit(status)


@contextmanager
def plain_errors() -> Iterator[None]:
    """
    Turn what can go wrong into a sentence and a status: 2 for wrong configuration, 3 for a part that is away.

    No traceback reaches a person.
    """
    from worker.errors import ConfigurationError, NotReachable, SyncError

    try:
        yield
    except ConfigurationError as error:
        problems = error.problems
        head = [] if len(problems) == 1 else [f"{len(problems)} problems, nothing was started:"]
        stop(WRONG_USE, *head, *(f"- {problem}" if head else problem for problem in problems))
    except NotReachable as error:
        stop(NOT_REACHABLE, error.message)
    except SyncError as error:
        stop(NEEDS_A_PERSON, error.message)
    except KeyboardInterrupt:
        stop(130)
    except Exception as error:
        if _database_away(error):
            stop(NOT_REACHABLE, f"the database does not answer: {str(error).splitlines()[0]}")
        raise


def _database_away(error: Exception) -> bool:
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    return isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


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
