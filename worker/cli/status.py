"""`contactsync status`: the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, command, console
from worker.core.printable import printable

if TYPE_CHECKING:
    from worker.store.summary import Summary

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
    Show how everything stands: events, contacts, links, systems.

    Ends with 1 when something needs a person: dead or in review, a system that is paused, webhooks
    that are refused while none gets in, an event unaccounted for.

    Example: contactsync status --json
    """
    from worker.cli.asking import asking, now, show_document
    from worker.store import summary

    with asking() as (settings, engine), engine.connect() as connection:
        found = summary.read(connection, settings, now())
    wanting = needs_a_person(found)
    if as_json:
        show_document(found.to_json())
    else:
        _show(found, wanting)
    return NEEDS_A_PERSON if wanting else DONE


def needs_a_person(found: Summary) -> list[str]:
    """What nothing but a person can put right, each with the command that shows it."""
    from worker.cli.arrivals_text import obstacle

    dead = sum(states.get("dead", 0) for states in found.links.values())
    review = sum(states.get("review", 0) for states in found.links.values())
    wanting: list[str] = []
    if found.conservation:
        wanting.append(f"{found.conservation} events are not accounted for: this must never be; keep the database")
    if dead:
        wanting.append(f"{dead} given up: contactsync retries list --state dead")
    if found.contacts.fetch_dead:
        wanting.append(f"{found.contacts.fetch_dead} fetches given up: contactsync retries list --system robaws")
    if review:
        wanting.append(f"{review} wait for a decision: contactsync reviews list, retries list --state review")
    if (refused := obstacle(found.webhooks)) is not None:
        wanting.append(refused)
    for name, system in found.systems.items():
        if system.state == "paused":
            wanting.append(f"{name} is paused ({system.reason}): contactsync systems resume {name}, when it is right")
    return wanting


def _show(found: Summary, wanting: list[str]) -> None:
    from rich.text import Text

    from worker.cli.arrivals_text import in_one_line
    from worker.cli.asking import span, state
    from worker.cli.tables import folds, show_table

    events, contacts = found.events, found.contacts
    out = console()
    out.print(
        f"events    received {events.received} = applied {events.applied} + skipped {events.skipped}"
        f" + open {events.open} + dead {events.dead}" + (f"; {events.rejected} were no events" * bool(events.rejected))
    )
    out.print(f"webhooks  {in_one_line(found.webhooks)}")
    out.print(
        f"contacts  {contacts.total}, of which {contacts.fetch_due} wait for a fetch, {contacts.fetch_dead} gave up"
    )
    if not contacts.total:
        from worker.flows.checking import HOW_CLIENTS_COME

        out.print(f"          {HOW_CLIENTS_COME}", soft_wrap=True)
    out.print()
    links = [[name, *(_count(word, states[word]) for word in STATES)] for name, states in found.links.items()]
    show_table(["clients in", *STATES], links)
    out.print()
    rows = []
    for name, system in found.systems.items():
        lag = span(system.oldest_due_seconds) if system.oldest_due_seconds else "–"
        left = "–" if system.quota_remaining is None else str(system.quota_remaining)
        rows.append([name, state(system.state), lag, str(system.calls_today), left, system.reason or ""])
    show_table(["system", "state", "oldest due", "calls today", "left today", folds("reason")], rows)
    if wanting:
        out.print()
    for sentence in wanting:
        out.print(Text("✗ ", "bold red") + Text(printable(sentence)))


def _count(word: str, number: int) -> object:
    from rich.text import Text

    from worker.cli.asking import STATE_STYLES

    return Text(str(number), STATE_STYLES.get(word, "") if number else "dim")
