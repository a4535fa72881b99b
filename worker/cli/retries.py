"""`contactsync retries`: the retry queue. What waits, and what to do about it, one or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from worker.cli.confirming import confirm
from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, Masked, command, console, say, stop
from worker.cli.tables import folds, optional, shortens

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from worker.store.listing_retries import RetryFilter
    from worker.store.operating_bulk import Bulk

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
System = Annotated[str | None, typer.Option("--system", help="owed to this system; robaws for fetches")]
State = Annotated[str | None, typer.Option("--state", help="dead, unknown, waiting or review")]
WHY = "waiting for this reason, the stable word of the list"
Why = Annotated[str | None, typer.Option("--why", help=WHY)]
WhyOrReason = Annotated[str | None, typer.Option("--why", "--reason", help=WHY)]
Query = Annotated[str | None, typer.Option("--query", help="of clients that this finds, or with this in the message")]
Cause = Annotated[str | None, typer.Option("--fingerprint", help="of this cause, as retries groups shows it")]
Limit = Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="where the page before ended")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="as retries list shows them")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]


@app.command()
@command
def groups(
    system: System = None,
    state: State = None,
    why: WhyOrReason = None,
    query: Query = None,
    fingerprint: Cause = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show the queue by cause: how many, since when, the next try, and what to do about all of them.

    Questions are in `reviews list`, unless --state review. Ends with 1 when something needs a person.

    Example: contactsync retries groups --system rompslomp
    """
    from worker.cli import asking, retry_screens
    from worker.store import listing_groups
    from worker.store.listing import Paging

    wanted = _filter(system, state, why, query, fingerprint)
    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_groups.page(connection, wanted, Paging(limit, cursor), questions=as_json)
        counts = _needing(connection, wanted)
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
    else:
        retry_screens.show_groups(page.items)
        asking.show_next(page, "nothing waits")
        _show_questions(wanted, counts["review"])
    return NEEDS_A_PERSON if any(counts.values()) else DONE


@app.command("list")
@command
def list_(
    system: System = None,
    state: State = None,
    why: WhyOrReason = None,
    query: Query = None,
    fingerprint: Cause = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List what is dead, does not know its outcome, or waits; of each what has been owed for longest first.

    Questions are in `reviews list`, unless --state review or --json, which is as GET /api/v1/retries. Ends with 1 when
    something needs a person.

    Example: contactsync retries list --system rompslomp --state dead
    """
    from worker.cli import asking
    from worker.cli.retry_screens import client, next_try
    from worker.store import listing_retries
    from worker.store.listing import Paging

    wanted = _filter(system, state, why, query, fingerprint)
    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_retries.page(connection, wanted, Paging(limit, cursor), questions=as_json)
        counts = _needing(connection, wanted)
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
    else:
        rows = [
            [
                one.id,
                client(one),
                one.system,
                asking.state(one.state),
                one.reason or "",
                asking.ago(one.since),
                next_try(one, one.system) if one.state in ("waiting", "unknown") else "",
                one.message or "",
            ]
            for one in page.items
        ]
        columns = ["id", shortens("client"), "system", "state", "why", "since", optional("next"), folds("message")]
        asking.show_page(page, columns, rows, "nothing waits")
        _show_questions(wanted, counts["review"])
    return NEEDS_A_PERSON if any(counts.values()) else DONE


def _needing(connection: Connection, wanted: RetryFilter) -> dict[str, int]:
    """How many of the lines need a person."""
    from dataclasses import replace

    from worker.store import listing_retries

    return {
        word: listing_retries.count(connection, replace(wanted, state=word)) if wanted.state in (None, word) else 0
        for word in ("dead", "review")
    }


def _show_questions(wanted: RetryFilter, count: int) -> None:
    """How many questions a list has left out."""
    if count and wanted.state is None:
        what = "1 question waits" if count == 1 else f"{count} questions wait"
        narrowed = f" --system {wanted.system}" if wanted.system else ""
        console().print(f"\n{what} for an answer: contactsync reviews list{narrowed}", soft_wrap=True)


@app.command()
@command
def show(
    retry_id: Annotated[str, typer.Argument(metavar="ID", help="as retries list shows it")],
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show one line: what happened, what to do about it, and every request that was made for it, newest first.

    Example: contactsync retries show link-42
    """
    from worker.cli import asking, retry_screens
    from worker.store import listing_retries

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(listing_retries.one(connection, retry_id), masked=masked)
    if as_json:
        asking.show_document(found)
    else:
        retry_screens.show_line(found)
    return DONE


@app.command()
@command
def bulk(
    bulk_id: Annotated[str, typer.Argument(metavar="ID", help="as retries retry or discard printed it")],
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show a bulk action with the result of each item. Ends with 1 when an item was skipped.

    Example: contactsync retries bulk 6
    """
    from worker.cli import asking, retry_screens
    from worker.store import operating_bulk

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(operating_bulk.one(connection, bulk_id), masked=masked)
    if as_json:
        asking.show_document(found)
    else:
        retry_screens.show_bulk(found)
    return NEEDS_A_PERSON if any(one.outcome == "skipped" for one in found.results) else DONE


@app.command()
@command
def retry(
    ids: Ids = None,
    system: System = None,
    state: State = None,
    why: Why = None,
    query: Query = None,
    fingerprint: Cause = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why you do it, for the log; wanted for many")] = None,
    yes: Yes = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="until it is known what became of them, at most a minute")
    ] = False,
    as_json: Json = False,
) -> int:
    """
    Make lines of the queue due now: by their ids, or all that a filter finds.

    Many are counted first, and want --reason and --yes, or the count typed in. With --wait it ends with 1 when one of
    them is not delivered in the end.

    Example: contactsync retries retry --system rompslomp --state dead --reason "they fixed their VAT check"
    """
    wanted = _filter(system, state, why, query, fingerprint)
    return _act("retry", ids, wanted, reason, yes=yes, wait=wait, as_json=as_json)


@app.command()
@command
def discard(
    ids: Ids = None,
    system: System = None,
    state: State = None,
    why: Why = None,
    query: Query = None,
    fingerprint: Cause = None,
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
        stop(WRONG_USE, "say why, with --reason: it is kept in the log of actions")
    wanted = _filter(system, state, why, query, fingerprint)
    return _act("discard", ids, wanted, reason, yes=yes, wait=False, as_json=as_json)


def _filter(
    system: str | None, state: str | None, why: str | None, query: str | None, fingerprint: str | None
) -> RetryFilter:
    from worker.store.listing_retries import RetryFilter

    # A blank option is none: it must not stand for everything.
    return RetryFilter(*((given or "").strip() or None for given in (state, system, why, query, fingerprint)))


def _act(
    action: Literal["retry", "discard"],
    ids: list[str] | None,
    wanted: RetryFilter,
    reason: str | None,
    *,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> int:
    if ids and not wanted.empty:
        stop(WRONG_USE, "name lines by their ids or by a filter, not by both")
    if not ids and wanted.empty:
        filters = "--system, --state, --why, --query, --fingerprint"
        stop(WRONG_USE, f"say which: ids, or a filter ({filters}); there is no `all`")
    if ids:
        return _one_by_one(action, list(dict.fromkeys(ids)), reason, wait=wait, as_json=as_json)
    return _many(action, wanted, reason, yes=yes, wait=wait, as_json=as_json)


def _one_by_one(action: str, ids: list[str], reason: str | None, *, wait: bool, as_json: bool) -> int:
    """All of them or, where one cannot be, none: ids that are typed are a slip away from others."""
    from worker.cli import asking, retry_outcomes
    from worker.store import operating

    do = operating.retry if action == "retry" else operating.discard
    with asking.asking() as (_, engine):
        with engine.begin() as connection:
            operating.lock_items(connection, ids)
            acted = [do(connection, one, asking.actor(), asking.now(), reason) for one in ids]
        if wait:
            return retry_outcomes.show(engine, [one.id for one in acted], as_json=as_json)
    asking.show_acted(acted, as_json=as_json)
    return DONE


def _many(action: str, wanted: RetryFilter, reason: str | None, *, yes: bool, wait: bool, as_json: bool) -> int:
    from worker.cli import asking, retry_outcomes
    from worker.store import listing_retries, operating_bulk

    if reason is None or not reason.strip():
        stop(WRONG_USE, "many at once want --reason: it is kept in the log of actions")
    with asking.asking() as (settings, engine):
        with engine.connect() as connection:
            count = listing_retries.count(connection, wanted)
        said = " ".join(f"--{'why' if name == 'reason' else name} {value}" for name, value in wanted.to_json().items())
        say(f"{action}: {count} found by {said}")
        if count:
            confirm(action, count, yes=yes)
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
        retried = [one.id for one in done.results if one.outcome == "retried"]
        if wait:
            return retry_outcomes.show(engine, retried, as_json=as_json)
    if as_json:
        asking.show_document(done)
    else:
        outcomes = {one.outcome for one in done.results}
        told = ", ".join(f"{sum(one.outcome == word for one in done.results)} {word}" for word in sorted(outcomes))
        console().print(f"{told or 'nothing to do'}: contactsync retries bulk {done.id}")
    skipped = any(one.outcome == "skipped" for one in done.results)
    return NEEDS_A_PERSON if skipped else DONE


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
