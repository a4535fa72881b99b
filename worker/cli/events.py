"""`contactsync events`: the inbox, verbatim, and what became of each event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.confirming import confirm
from worker.cli.output import DONE, WRONG_USE, Masked, command, console, say, stop
from worker.cli.tables import folds, optional, shortens
from worker.cli.telling import name_in_list
from worker.core.printable import printable

if TYPE_CHECKING:
    from worker.store.listing_rejected import RejectedDetail

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


@app.command("list")
@command
def list_(
    state: Annotated[str | None, typer.Option("--state", help="open, applied, skipped or dead")] = None,
    client: Annotated[str | None, typer.Option("--client", help="about this Robaws client")] = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List events, the newest first.

    Example: contactsync events list --state dead
    """
    from worker.cli import asking
    from worker.store import listing_events
    from worker.store.listing import Paging

    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_events.page(connection, Paging(limit, cursor), state=state, source_id=client)
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
        return DONE
    rows = [
        [
            asking.when(one.received_at),
            one.id,
            one.kind,
            one.source_id,
            "" if one.contact is None else name_in_list(one.contact.name) if one.contact.kind else "",
            asking.state(one.state),
            one.reason or (f"version {one.contact_version}" if one.contact_version is not None else ""),
        ]
        for one in page.items
    ]
    columns = ["received", "event", "kind", "client", shortens("name", optional=True), "state", optional("why")]
    asking.show_page(page, columns, rows, "no events")
    return DONE


@app.command()
@command
def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="the event's own id, as Robaws gave it")],
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show one event as it came, with what became of it.

    Example: contactsync events show 0b7c1f5e-8f0e-4c53-9a55-0d9f0a4d2b11
    """
    from worker.cli import asking
    from worker.store import listing_events

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(listing_events.one(connection, event_id), masked=masked)
    if as_json:
        asking.show_document(found)
        return DONE
    out = console()
    version = f", version {found.contact_version}" if found.contact_version is not None else ""
    name = f" ({found.contact.name})" if found.contact is not None and found.contact.name else ""
    about = printable(f"{found.kind} of {'client' if found.contact else 'record'} {found.source_id}{name}")
    out.print(f"{about}, received {asking.when(found.received_at)}")
    out.print(f"{found.state}{f' ({found.reason})' if found.reason else ''}{version}")
    out.print(f"correlation id {found.correlation_id}\n")
    _show_request(found.headers, found.body, found.encoding)
    return DONE


def _show_request(headers: Mapping[str, Any], body: str, encoding: str) -> None:
    out = console()
    for name, value in headers.items():
        out.print(printable(f"{name}: {value}"), soft_wrap=True)
    out.print()
    out.print(printable(_readable(body) if encoding == "text" else body, lines=True), soft_wrap=True)


@app.command()
@command
def rejected(
    number: Annotated[str | None, typer.Argument(metavar="[NUMBER]", help="show this one, from the list")] = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List requests that were signed rightly and are not an event, or show one as it came.

    They are kept so that one can see what came, up to receiver.quarantine_limit of them, and never acted on.

    Example: contactsync events rejected
    """
    from worker.cli import asking
    from worker.store import listing_rejected
    from worker.store.listing import Paging

    with asking.asking() as (_, engine), engine.connect() as connection:
        if number is not None:
            _show_rejected(asking.seen(listing_rejected.one(connection, number), masked=masked), as_json=as_json)
            return DONE
        page = asking.seen(listing_rejected.page(connection, Paging(limit, cursor)), masked=masked)
    if as_json:
        asking.show_document(page)
        return DONE
    rows = [[asking.when(one.received_at), one.id, one.kept_bytes, one.problem] for one in page.items]
    asking.show_page(page, ["received", "number", "bytes", folds("problem")], rows, "nothing was rejected")
    return DONE


def _show_rejected(found: RejectedDetail, *, as_json: bool) -> None:
    from worker.cli import asking

    if as_json:
        asking.show_document(found)
        return
    console().print(f"received {asking.when(found.received_at)}, answered with 400: {printable(found.problem)}\n")
    _show_request(found.headers, found.body, found.encoding)


def _readable(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


@app.command()
@command
def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="events by their own ids")] = None,
    since: Annotated[str | None, typer.Option("--since", help="all received since then: 2026-03-02T09:00")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log; --since wants it")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask to confirm the count")] = False,
    as_json: Json = False,
) -> int:
    """
    Act on events once more: their clients are fetched as they are now, and delivered.

    An event's body is never written onward, so replaying an old one cannot bring old values back. What people changed
    in the other systems stays, and so do the clients that were left out there. With --since the events are counted
    first, and want --reason and --yes, or the count typed in.

    Example: contactsync events replay --since 2026-03-02T09:00 --reason "a day of trouble" --yes
    """
    from worker.cli import asking
    from worker.store import operating

    if bool(event_ids) == (since is not None):
        stop(WRONG_USE, "name the events by their ids, or all since a time by --since")
    moment = None if since is None else _moment(since)
    if moment is not None and (reason is None or not reason.strip()):
        stop(WRONG_USE, "many at once want --reason: it is kept in the log of actions")
    with asking.asking() as (_, engine):
        if moment is not None:
            with engine.connect() as connection:
                count, clients = operating.events_since(connection, moment)
            say(f"replay: {count} events of {clients} clients received since {asking.when(moment)}")
            if count:
                confirm("replay", count, yes=yes)
        with engine.begin() as connection:
            if moment is not None:
                acted = [operating.replay_since(connection, moment, asking.actor(), asking.now(), reason)]
            else:
                acted = [
                    operating.replay(connection, event_id, asking.actor(), asking.now(), reason)
                    for event_id in dict.fromkeys(event_ids or ())
                ]
    asking.show_acted(acted, as_json=as_json)
    return DONE


def _moment(text: str) -> datetime:
    """A time as a person writes it; without a zone it is this machine's."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        stop(WRONG_USE, f"{text!r} is not a time: write 2026-03-02T09:00, with +01:00 behind it for another zone")
