"""What the operator's commands share: the way in, who acts, pages, times for people, and JSON as the API writes it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from worker.cli.output import WRONG_USE, console, stop, write_json
from worker.cli.tables import show_table
from worker.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text
    from sqlalchemy import Engine

    from worker.config import Settings
    from worker.store.operating import Acted, Actor

T = TypeVar("T")

STATE_STYLES: Final[Mapping[str, str]] = {
    "synced": "green",
    "applied": "green",
    "running": "green",
    "waiting": "yellow",
    "unknown": "yellow",
    "probing": "yellow",
    "review": "magenta",
    "paused": "bold magenta",
    "dead": "bold red",
    "broken": "bold red",
}


@contextmanager
def asking() -> Iterator[tuple[Settings, Engine]]:
    """The database, for one command; what is not there, or makes no sense, is wrong use."""
    from worker.cli import reach
    from worker.store.clock import database_time, elapsed
    from worker.store.refusals import NotFound, Unfit

    with reach.database() as (settings, engine):
        with engine.connect() as connection:
            began, counted = database_time(connection), elapsed()
        _clock.now = lambda: began + timedelta(seconds=elapsed() - counted)
        try:
            yield settings, engine
        except (NotFound, Unfit) as refusal:
            stop(WRONG_USE, refusal.message)


def actor() -> Actor:
    """
    Who acts, for the log of actions. Whoever may run this command may read the settings with all their secrets.

    The account is the process's own: variables such as LOGNAME name whomever one likes.
    """
    from worker.config.access import COMMAND_LINE
    from worker.store.operating import Actor

    return Actor(f"{COMMAND_LINE} ({_account()})", "admin")


def _account() -> str:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # in a container an account may be a number only
        return f"uid {number}"


class _Clock:
    """This machine's clock, until the database has told its time."""

    now: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))


_clock = _Clock()


def now() -> datetime:
    """The time: the database's, once `asking` has reached it, so that a command may run on any machine."""
    return _clock.now()


def seen(view: T, *, masked: bool) -> T:
    """What is shown of a view; `masked`: what a viewer of the API sees."""
    if not masked:
        return view
    from worker.core.masks import for_viewer
    from worker.vendors.tables import vocabulary

    return for_viewer(view, vocabulary())


def show_document(value: Any) -> None:
    """One JSON document, with times as the API writes them."""
    import orjson

    write_json(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode())


def show_acted(acted: Sequence[Acted], *, as_json: bool) -> None:
    """What was done, one line or one item each."""
    if as_json:
        items = [{"id": one.id, "outcome": one.outcome, "message": one.message} for one in acted]
        show_document({"items": items, "total": len(items), "next": None})
        return
    for one in acted:
        console().print(printable(f"{one.id}: {one.message}"))


class Listed(Protocol):
    """A page of anything."""

    @property
    def items(self) -> Sequence[Any]: ...

    @property
    def total(self) -> int: ...

    @property
    def next(self) -> str | None: ...

    @property
    def total_is_capped(self) -> bool: ...


def show_page(page: Listed, columns: Sequence[str], rows: Sequence[Sequence[object]], none: str) -> None:
    """A page for people, and how to see the next one."""
    if page.items:
        show_table(columns, rows)
    show_next(page, none)


def show_next(page: Listed, none: str) -> None:
    """Behind a page: how to see the next one, or that there is nothing."""
    if not page.items:
        console().print(none)
    if page.next is not None:
        many = f"more than {page.total}" if page.total_is_capped else str(page.total)
        console().print(f"\n{len(page.items)} of {many}; the next: --cursor {page.next}", soft_wrap=True)


def state(word: str) -> Text:
    """A state in its colour."""
    from rich.text import Text

    return Text(word, STATE_STYLES.get(word, ""))


def when(at: datetime | None) -> str:
    """A time in this machine's zone."""
    return "–" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def since(at: datetime) -> str:
    """
    The time of day in this machine's zone, with the day where it is not today, and how long ago that is.
    """
    here, today = at.astimezone(), now().astimezone()
    clock = here.strftime("%H:%M" if here.date() == today.date() else "%Y-%m-%d %H:%M")
    return f"{clock} ({span((now() - at).total_seconds())})"


def exactly(at: datetime) -> str:
    """The same to the millisecond, where many things happen in a second."""
    return at.astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]


def ago(at: datetime | None) -> str:
    """How long it is since, or until, a time."""
    if at is None:
        return "–"
    seconds = (now() - at).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """
    A length of time in its largest unit.

    >>> span(42), span(180), span(9000), span(200_000)
    ('42 s', '3 min', '2.5 h', '2.3 days')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3_600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h" if seconds < 86_400 else f"{seconds / 86_400:.1f} days"
