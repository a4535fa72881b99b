"""`contactsync status`: the summary."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, command, console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.summary import Summary
    from worker.store.troubles import Trouble

app = typer.Typer(rich_markup_mode=None)

STATES = ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded")


@app.command()
@command
def status(
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document on stdout, as GET /api/v1/summary")
    ] = False,
) -> int:
    """
    Show how everything stands: events, clients, systems, and in one line each what is wrong.

    Ends with 1 when something needs a person: dead or in review, a system that is down or paused, webhooks
    that are refused while none gets in, an event unaccounted for.

    Example: contactsync status --json
    """
    from worker.cli.asking import asking, now, show_document
    from worker.store import summary
    from worker.store.troubles import troubles

    with asking() as (settings, engine), engine.connect() as connection:
        found = summary.read(connection, settings, now())
        held = troubles(connection, found, now())
    wanting = needs_a_person(found, held)
    if as_json:
        show_document(found.to_json())
    else:
        _show(found, held, wanting)
    return NEEDS_A_PERSON if wanting else DONE


def needs_a_person(found: Summary, held: Mapping[str, Trouble]) -> list[str]:
    """What nothing but a person can put right, each with the command that shows it."""
    from worker.cli.arrivals_text import obstacle
    from worker.cli.trouble_text import sentence

    dead = sum(states.get("dead", 0) for states in found.links.values())
    review = sum(states.get("review", 0) for states in found.links.values())
    wanting: list[str] = []
    if found.conservation:
        wanting.append(f"{found.conservation} events are not accounted for: this must never be; keep the database")
    wanting += [sentence(one) for one in held.values() if one.needs_a_person]
    if dead:
        wanting.append(f"{dead} given up: contactsync retries groups --state dead")
    if found.contacts.fetch_dead:
        gave_up = "1 client" if found.contacts.fetch_dead == 1 else f"{found.contacts.fetch_dead} clients"
        wanting.append(f"{gave_up} could not be fetched: contactsync retries list --system robaws --state dead")
    if review:
        wait = "1 question waits" if review == 1 else f"{review} questions wait"
        wanting.append(f"{wait} for an answer: contactsync reviews list")
    if (refused := obstacle(found.webhooks)) is not None:
        wanting.append(refused)
    return wanting


def _show(found: Summary, held: Mapping[str, Trouble], wanting: list[str]) -> None:
    from worker.cli.arrivals_text import lines
    from worker.cli.asking import span, state
    from worker.cli.tables import show_table
    from worker.cli.trouble_text import show

    events, contacts = found.events, found.contacts
    out = console()
    out.print(
        f"events    received {events.received} = applied {events.applied} + skipped {events.skipped}"
        f" + open {events.open} + dead {events.dead}"
    )
    if events.rejected:
        many = "1 request was" if events.rejected == 1 else f"{events.rejected} requests were"
        out.print(f"          {many} not an event: contactsync events rejected")
    for name, line in zip_longest(("webhooks",), lines(found.webhooks), fillvalue=""):
        out.print(f"{name:<8}  {line}")
    waits = "waits" if contacts.fetch_due == 1 else "wait"
    out.print(
        f"clients   {contacts.total}, of which {contacts.fetch_due} {waits} to be fetched,"
        f" {contacts.fetch_dead} could not be fetched"
    )
    if not contacts.total:
        from worker.flows.checking import HOW_CLIENTS_COME

        out.print(f"          {HOW_CLIENTS_COME}", soft_wrap=True)
    out.print()
    links = [[name, *(_count(word, states[word]) for word in STATES)] for name, states in found.links.items()]
    show_table(["clients", *STATES], links)
    out.print()
    rows = []
    for name, system in found.systems.items():
        lag = span(system.oldest_due_seconds) if system.oldest_due_seconds else "–"
        left = "–" if system.quota_remaining is None else str(system.quota_remaining)
        rows.append([name, state(system.state), lag, str(system.calls_today), left])
    show_table(["system", "state", "oldest due", "calls today", "left today"], rows)
    show(wanting, held)


def _count(word: str, number: int) -> object:
    from rich.text import Text

    from worker.cli.asking import STATE_STYLES

    return Text(str(number), STATE_STYLES.get(word, "") if number else "dim")
