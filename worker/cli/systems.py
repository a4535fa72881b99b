"""`contactsync systems`: the vendors, each as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, command

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
Name = Annotated[str, typer.Argument(help="robaws, rompslomp, recras, workspace or routix")]


@app.command("list")
@command
def list_(as_json: Json = False) -> int:
    """
    List the systems with their state, lag, quota and rate of calls. Ends with 1 when one of them
    is down or paused.

    Example: contactsync systems list
    """
    from webhooks.api.systems import SystemList
    from webhooks.api.systems import lines as lines_of
    from worker.cli import trouble_text
    from worker.cli.asking import asking, now, show_document, span, state
    from worker.cli.tables import show_table
    from worker.store import summary
    from worker.store.troubles import troubles

    with asking() as (settings, engine), engine.connect() as connection:
        lines = lines_of(connection, settings, now())
        held = troubles(connection, summary.read(connection, settings, now()), now())
    if as_json:
        show_document(SystemList(lines, len(lines)))
    else:
        rows = [
            [
                line.name,
                state(line.state),
                span(line.oldest_due_seconds) if line.oldest_due_seconds else "–",
                str(line.calls_today),
                "–" if line.quota_remaining is None else str(line.quota_remaining),
                "–" if line.rate_per_second is None else f"{line.rate_per_second:.2g}",
            ]
            for line in lines
        ]
        show_table(["system", "state", "oldest due", "calls today", "left today", "calls/s"], rows)
        wanting = [trouble_text.sentence(one) for one in held.values() if one.needs_a_person]
        trouble_text.show(wanting, held)
    return NEEDS_A_PERSON if any(one.needs_a_person for one in held.values()) else DONE


@app.command()
@command
def pause(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="why; it is shown with the system until it is resumed")],
    as_json: Json = False,
) -> int:
    """
    Send nothing to a system until it is resumed; what is owed to it waits.

    Example: contactsync systems pause recras --reason "upgrade until noon"
    """
    from worker.cli.asking import actor, asking, now, show_acted
    from worker.store import operating

    with asking() as (_, engine), engine.begin() as connection:
        acted = operating.pause(connection, name, actor(), now(), reason)
    show_acted([acted], as_json=as_json)
    return DONE


@app.command()
@command
def resume(
    name: Name,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log")] = None,
    as_json: Json = False,
) -> int:
    """
    Lift all that holds a system back: a pause, its breaker, waits that it asked for.

    Example: contactsync systems resume recras
    """
    from worker.cli.asking import actor, asking, now, show_acted
    from worker.store import operating

    with asking() as (_, engine), engine.begin() as connection:
        acted = operating.resume(connection, name, actor(), now(), reason)
    show_acted([acted], as_json=as_json)
    return DONE
