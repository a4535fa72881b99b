"""`contactsync contacts`: one client with its whole way, search, sync now, and who takes part where."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import contact_plan, taking_part
from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, Masked, command, console, stop
from worker.cli.tables import folds, optional, shortens, show_table
from worker.cli.telling import name_in_list
from worker.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

    from worker.store.listing_contacts import ContactDetail
    from worker.store.listing_history import HistoryEntry

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
Id = Annotated[str, typer.Argument(metavar="ID", help="the client's id in Robaws")]

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.1
UNDER_WAY = ("due", "working")


@app.command("list")
@command
def list_(
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            help="an id here or in any system, beginnings of words of the name, an e-mail, phone or VAT number",
        ),
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="with a link in this state, or fetch_due, fetch_dead, gone")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List clients, with their state in each system.

    Example: contactsync contacts list --query "de linde"
    """
    from worker.cli import asking
    from worker.config import TARGETS
    from worker.store import listing_contacts
    from worker.store.listing import Paging

    with asking.asking() as (settings, engine), engine.connect() as connection:
        page = listing_contacts.page(
            connection, Paging(limit, cursor), query=query, state=state, names_of_persons=not masked
        )
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
        return DONE
    systems = [name for name in TARGETS if settings.system(name).enabled]
    rows = []
    for one in page.items:
        states = {link.system: link.state for link in one.links}
        fetch = one.fetch.state if one.fetch.state != "idle" else "gone" if one.gone_at else ""
        cells = [asking.state(states[name]) if name in states else "–" for name in systems]
        rows.append([one.source_id, name_in_list(one.name) if one.name else "", one.version, fetch, *cells])
    columns = ["client", shortens("name"), "version", optional("fetch"), *systems]
    asking.show_page(page, columns, rows, "no clients")
    return DONE


@app.command()
@command
def show(source_id: Id, masked: Masked = False, as_json: Json = False) -> int:
    """
    Show one client: its state in each system, the fields that differ there and why, and its history.

    Example: contactsync contacts show 1001
    """
    from worker.cli import asking
    from worker.flows import differing
    from worker.store import agreements, listing_contacts

    with asking.asking() as (settings, engine), engine.connect() as connection:
        found = listing_contacts.one(connection, source_id)
        agreed = agreements.of_contact(connection, source_id)
    found = asking.seen(replace(found, differences=differing.of_contact(settings, agreed)), masked=masked)
    parked = {one.system: asking.seen(one.parked, masked=masked) for one in agreed}
    if as_json:
        asking.show_document(found)
        return DONE
    _show_head(found)
    _show_links(found)
    _show_fields(found, parked)
    _show_questions(found)
    console().print("\nHistory, newest first", style="bold")
    show_table(["when", "who", folds("what")], [_entry(entry) for entry in found.history])
    return DONE


def _show_head(found: ContactDetail) -> None:
    from worker.cli import asking
    from worker.cli.retry_screens import next_try, tries
    from worker.runtime import SOURCE

    out = console()
    out.print(f"{printable(found.name or 'without a name')}  (client {found.source_id} in Robaws)", style="bold")
    fetched = f"fetched {asking.ago(found.fetched_at)}" if found.fetched_at else "not fetched yet"
    changed = f", last changed {asking.when(found.changed_at)}" if found.changed_at else ""
    out.print(f"version {found.version}, {fetched}{changed}")
    if found.gone_at and not found.version:
        out.print(f"Robaws had no client of this id when it was asked, {asking.ago(found.gone_at)}")
    elif found.gone_at:
        out.print(f"gone from Robaws since {asking.when(found.gone_at)}")
    if not found.taking_part:
        out.print("left out by sync.filter in the settings")
    if found.fetch.state != "idle":
        why = f": {found.fetch.reason}: {printable(found.fetch.message or '')}" if found.fetch.reason else ""
        again = f", next {next_try(found.fetch, SOURCE)}" if found.fetch.state == "waiting" else ""
        out.print(f"its fetch is {found.fetch.state}{why} ({tries(found.fetch.attempts)}{again})")
    out.print()


def _show_links(found: ContactDetail) -> None:
    from worker.cli import asking
    from worker.cli.retry_screens import next_try
    from worker.runtime import SOURCE

    rows = []
    for link in found.links:
        said = ": ".join(part for part in (link.reason, link.message) if part)
        version = str(link.synced_version)
        if link.system == SOURCE:
            # Its link counts how often the other systems' ids were written back, not versions of the client.
            version = "written back"
        elif link.wanted_version != link.synced_version:
            version += f" of {link.wanted_version}"
        again = next_try(link, link.system) if link.state in ("due", "waiting", "unknown") else ""
        rows.append([link.system, link.external_id or "–", asking.state(link.state), version, link.id, said, again])
    columns = ["system", "record", "state", "version", "id", folds("message", optional=True), optional("next")]
    show_table(columns, rows)


def _show_fields(found: ContactDetail, parked: Mapping[str, Mapping[str, Any]]) -> None:
    """What is not simply the same there: no place, another value, waiting for a person."""
    from worker.cli.differing import difference
    from worker.cli.telling import value_text

    rows = []
    for link in found.links:
        for path, one in parked.get(link.system, {}).items():
            told = f"ours {value_text(one.get('ours'))}, theirs {value_text(one.get('theirs'))} ({one.get('rule')})"
            rows.append([link.system, path, "waits for a person", told])
        rows += [[one.system, one.path, *difference(one)] for one in found.differences if one.system == link.system]
        if link.unheld:
            rows.append([link.system, "", "has no place there", ", ".join(map(str, link.unheld))])
    if rows:
        console().print()
        show_table(["system", optional("field"), "", folds("")], rows)


def _show_questions(found: ContactDetail) -> None:
    """What waits for a person, with the command that shows it."""
    asked = [(link.system, review) for link in found.links for review in link.reviews]
    if asked:
        console().print("\nWaits for a person:", style="bold")
    for system, review in asked:
        console().print(f"  contactsync reviews show {review}   ({system})", soft_wrap=True)


def _entry(entry: HistoryEntry) -> list[object]:
    from worker.cli import asking
    from worker.cli.differing import action
    from worker.cli.telling import told
    from worker.store.listing_history import ActionEntry, EventEntry

    at = asking.exactly(entry.at)
    if isinstance(entry, EventEntry):
        version = f", version {entry.contact_version}" if entry.contact_version is not None else ""
        why = f" ({entry.reason})" if entry.reason else ""
        return [at, "webhook", f"{entry.event}: {entry.state}{why}{version}"]
    if isinstance(entry, ActionEntry):
        return [at, entry.actor, action(entry)]
    return [at, entry.system, told(entry, why=True)]


@app.command()
@command
def sync(
    source_id: Id,
    wait: Annotated[bool, typer.Option("--wait", help="until it is done, at most a minute")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log")] = None,
    as_json: Json = False,
) -> int:
    """
    Fetch one client and deliver it now, also where nothing changed; owned fields that differ are put right.

    A client that is not known here yet is brought in: `contacts plan` shows beforehand what that would write. With
    --wait it ends with 1 when a system does not agree in the end, and with 2 when Robaws has no such client.

    Example: contactsync contacts sync 1001 --wait
    """
    from worker.cli import asking
    from worker.store import listing_contacts, operating

    with asking.asking() as (_, engine):
        with engine.begin() as connection:
            acted = operating.sync(connection, source_id, asking.actor(), asking.now(), reason)
        if not wait:
            asking.show_acted([acted], as_json=as_json)
            return DONE
        agreed = _wait(engine, source_id)
        with engine.connect() as connection:
            found = listing_contacts.one(connection, source_id)
    if found.gone_at and not found.version:
        stop(WRONG_USE, f"Robaws has no client {source_id}: nothing was written anywhere")
    if as_json:
        asking.show_document(found)
    else:
        _show_head(found)
        _show_links(found)
    return DONE if agreed else NEEDS_A_PERSON


def _wait(engine: Engine, source_id: str) -> bool:
    """Until nothing of it is under way; whether every system that takes part agrees then."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        with engine.connect() as connection:
            found = _now(connection, source_id)
        # A client that was made a moment ago may not be there for every read of Robaws yet.
        is_looked_for = found.fetch.reason == "not_there_yet"
        under_way = (
            is_looked_for or found.fetch.state in UNDER_WAY or any(link.state in UNDER_WAY for link in found.links)
        )
        if not under_way or time.monotonic() > end:
            return found.fetch.state == "idle" and all(link.state in ("synced", "excluded") for link in found.links)
        time.sleep(LOOK_SECONDS)


def _now(connection: Connection, source_id: str) -> ContactDetail:
    from worker.store import listing_contacts

    return listing_contacts.one(connection, source_id)


contact_plan.add_to(app)
taking_part.add_to(app)
