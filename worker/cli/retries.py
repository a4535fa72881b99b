"""`contactsync retries`: the retry queue. What waits, and what to do about it, one or many at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, Masked, command, console, say, stop
from worker.cli.tables import folds, shortens, show_table
from worker.cli.telling import name_in_list
from worker.core.printable import printable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.store.listing_retries import Retry, RetryFilter
    from worker.store.operating_bulk import Bulk

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
System = Annotated[str | None, typer.Option("--system", help="owed to this system; robaws for fetches")]
State = Annotated[str | None, typer.Option("--state", help="waiting, unknown, review or dead")]
Why = Annotated[str | None, typer.Option("--why", help="waiting for this reason, the stable word of the list")]
Query = Annotated[str | None, typer.Option("--query", help="of clients that this finds: an id, or words of the name")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="as retries list shows them")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]


@app.command("list")
@command
def list_(
    system: System = None,
    state: State = None,
    why: Annotated[str | None, typer.Option("--why", "--reason", help="waiting for this reason, a stable word")] = None,
    query: Query = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List what waits, is dead, unknown or in review. Ends with 1 when something of it needs a person.

    Example: contactsync retries list --system rompslomp --state dead
    """
    from worker.cli import asking
    from worker.store import listing_retries
    from worker.store.listing import Paging
    from worker.store.listing_retries import RetryFilter

    wanted = RetryFilter(state, system, why, query)
    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_retries.page(connection, wanted, Paging(limit, cursor))
        counts = {word: _count(connection, wanted, word) for word in ("dead", "review")}
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
    else:
        rows = [
            [
                one.id,
                _client(one),
                one.system,
                asking.state(one.state),
                one.reason or "",
                str(one.attempts),
                asking.ago(one.next_attempt_at),
                one.message or "",
            ]
            for one in page.items
        ]
        columns = ["id", shortens("client"), "system", "state", "why", "tries", "next", folds("message")]
        asking.show_page(page, columns, rows, "nothing waits")
    return NEEDS_A_PERSON if any(counts.values()) else DONE


def _count(connection: object, wanted: RetryFilter, state: str) -> int:
    from dataclasses import replace

    from worker.store import listing_retries

    if wanted.state not in (None, state):
        return 0
    return listing_retries.count(connection, replace(wanted, state=state))  # type: ignore[arg-type]


@app.command()
@command
def show(
    retry_id: Annotated[str, typer.Argument(metavar="ID", help="as retries list shows it")],
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show one line of the queue with every request that was made for it, newest first.

    Example: contactsync retries show link-42
    """
    from worker.cli import asking
    from worker.cli.telling import shortened, told
    from worker.store import listing_retries

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(listing_retries.one(connection, retry_id), masked=masked)
    if as_json:
        asking.show_document(found)
        return DONE
    out = console()
    out.print(f"{found.id}: {_client(found)} in {found.system}")
    out.print(printable(f"{found.state}, {found.reason}: {found.message}"))
    for name, text in (found.fields or {}).items():
        out.print(f"  {printable(name)}: {printable(str(text))}")
    again = f", the next {asking.ago(found.next_attempt_at)}" if found.next_attempt_at else ""
    out.print(f"owed since {asking.when(found.since)}, {found.attempts} tries{again}\n")
    for review in found.reviews:
        out.print(f"waits for a person: contactsync reviews show {review}\n", soft_wrap=True)
    rows = [
        [asking.exactly(one.at), told(one, why=True), f"{one.duration_ms} ms", shortened(one.answer or "", 160)]
        for one in found.requests
    ]
    show_table(["when", folds("request"), "took", folds("answer")], rows)
    return DONE


@app.command()
@command
def retry(
    ids: Ids = None,
    system: System = None,
    state: State = None,
    why: Why = None,
    query: Query = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why you do it, for the log; wanted for many")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """
    Make lines of the queue due now: by their ids, or all that a filter finds.

    Many are counted first, and want --reason and --yes, or the count typed in.

    Example: contactsync retries retry --system rompslomp --state dead --reason "they fixed their VAT check"
    """
    return _act("retry", ids, _filter(system, state, why, query), reason, yes=yes, as_json=as_json)


@app.command()
@command
def discard(
    ids: Ids = None,
    system: System = None,
    state: State = None,
    why: Why = None,
    query: Query = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why you do it; always wanted")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """
    Take lines out of the queue for good: by their ids, or all that a filter finds.

    The client is then left out of that system, until `contacts sync`. Many are counted first, and want --yes, or the
    count typed in.

    Example: contactsync retries discard link-42 --reason "closed down in 2019"
    """
    if reason is None or not reason.strip():
        stop(WRONG_USE, "say why, with --reason: it stands in the log of actions")
    return _act("discard", ids, _filter(system, state, why, query), reason, yes=yes, as_json=as_json)


def _filter(system: str | None, state: str | None, why: str | None, query: str | None) -> RetryFilter:
    from worker.store.listing_retries import RetryFilter

    # A blank option is none: it must not stand for everything.
    return RetryFilter(*((given or "").strip() or None for given in (state, system, why, query)))


def _act(
    action: Literal["retry", "discard"],
    ids: list[str] | None,
    wanted: RetryFilter,
    reason: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    if ids and not wanted.empty:
        stop(WRONG_USE, "name lines by their ids or by a filter, not by both")
    if not ids and wanted.empty:
        stop(WRONG_USE, "say which: ids, or a filter (--system, --state, --why, --query); there is no `all`")
    if ids:
        return _one_by_one(action, list(dict.fromkeys(ids)), reason, as_json=as_json)
    return _many(action, wanted, reason, yes=yes, as_json=as_json)


def _one_by_one(action: str, ids: list[str], reason: str | None, *, as_json: bool) -> int:
    """All of them or, where one cannot be, none: ids that are typed are a slip away from others."""
    from worker.cli import asking
    from worker.store import operating

    do = operating.retry if action == "retry" else operating.discard
    with asking.asking() as (_, engine), engine.begin() as connection:
        operating.lock_items(connection, ids)
        acted = [do(connection, one, asking.actor(), asking.now(), reason) for one in ids]
    asking.show_acted(acted, as_json=as_json)
    return DONE


def _many(action: str, wanted: RetryFilter, reason: str | None, *, yes: bool, as_json: bool) -> int:
    from worker.cli import asking
    from worker.store import listing_retries, operating_bulk

    if reason is None or not reason.strip():
        stop(WRONG_USE, "many at once want --reason: it stands in the log of actions")
    with asking.asking() as (settings, engine):
        with engine.connect() as connection:
            count = listing_retries.count(connection, wanted)
        said = " ".join(f"--{'why' if name == 'reason' else name} {value}" for name, value in wanted.to_json().items())
        say(f"{action}: {count} found by {said}")
        if count:
            _confirm(action, count, yes=yes)
        with engine.begin() as connection:
            made = operating_bulk.make(
                connection,
                action,
                wanted,
                asking.actor(),
                asking.now(),
                reason=reason,
                approval_above=settings.ops.approval_above,
                expect=count,
            )
        done = _work_off(engine, made)
    if as_json:
        asking.show_document(done)
    else:
        outcomes = {one.outcome for one in done.results}
        told = ", ".join(f"{sum(one.outcome == word for one in done.results)} {word}" for word in sorted(outcomes))
        console().print(f"{told or 'nothing to do'} (bulk action {done.id})")
    skipped = any(one.outcome == "skipped" for one in done.results)
    return NEEDS_A_PERSON if skipped else DONE


def _confirm(action: str, count: int, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        stop(WRONG_USE, "nobody is there to confirm: add --yes, once the count is what you expect")
    say(f"Type {count} to {action} them all: ", end="")
    if sys.stdin.readline().strip() != str(count):
        stop(WRONG_USE, "not confirmed, nothing was done")


def _work_off(engine: Engine, made: Bulk) -> Bulk:
    """Do it here and now; the scheduler may help, and goes on should this process end."""
    from rich.progress import Progress

    from worker.cli import asking
    from worker.store import operating_bulk

    with Progress(console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task(made.action, total=max(1, made.total))
        while True:
            with engine.begin() as connection:
                worked = operating_bulk.work(connection, asking.now())
            with engine.connect() as connection:
                current = operating_bulk.one(connection, made.id)
            progress.update(bar, completed=current.done)
            if current.state == "done":
                return current
            if worked is None:
                _until_the_other_is_done()


def _until_the_other_is_done() -> None:
    """Somebody else holds the slice at this moment."""
    import time

    time.sleep(0.05)


def _client(retry: Retry) -> str:
    return f"{name_in_list(retry.contact.name)} ({retry.contact.source_id})"
