"""`contactsync contacts plan`: what would be written where for one client, before anything is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, Masked, command, console
from worker.core.preview import NEW_RECORD
from worker.core.printable import printable

if TYPE_CHECKING:
    from worker.core.preview import ClientPlan, PlannedItem

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
Id = Annotated[str, typer.Argument(metavar="ID", help="the client's id in Robaws")]

ACTIONS: Final = {"park": "asks", "keep": "leaves"}
MOST_VALUE: Final = 60
MOST_OF_TWO: Final = 20
WIDE: Final = 110
"""On a narrower screen two values and a name stand in a line only where both values are short."""

TITLES: Final = {
    "create": "a new record",
    "update": "is changed",
    "link": "is linked to the record that is there",
    "review": "a person is asked",
    "nothing": "nothing is written",
    "gone": "the record is gone, and a person is asked",
    "undecided": "cannot be told now",
}


def add_to(app: typer.Typer) -> None:
    """Make it a command of `contactsync contacts`."""
    app.command()(plan)


@command
def plan(source_id: Id, masked: Masked = False, as_json: Json = False) -> int:
    """
    Show what `contacts sync` would write for one client, field by field with the rule, and what it would ask.

    Nothing is written: neither at a vendor nor here. The client is fetched and each system is read once. Ends with 0
    when nothing would change, and with 1 when something would.

    Example: contactsync contacts plan 1001
    """
    from worker.cli import asking
    from worker.cli.taking_part import make_runtime
    from worker.flows import previewing
    from worker.flows.gate import Gate

    with asking.asking() as (settings, engine):
        runtime = make_runtime(settings, engine)
        planned = previewing.plan(runtime, Gate(runtime), source_id)
    status = NEEDS_A_PERSON if planned.changes else DONE
    planned = asking.seen(planned, masked=masked)
    if as_json:
        asking.show_document(planned)
        return status
    _show_head(planned)
    for item in planned.items:
        _show(item)
    if status == DONE:
        console().print("\nNothing would change.")
    else:
        step = f"contactsync contacts sync {planned.source_id}"
        console().print(f"\nNothing was written. To do it: {step}", soft_wrap=True)
    return status


def _show_head(planned: ClientPlan) -> None:
    out = console()
    name = printable(planned.name or "without a name")
    out.print(f"{name}  (client {planned.source_id} in Robaws)", style="bold", soft_wrap=True)
    known = f"known here, version {planned.version}" if planned.known else "not known here yet"
    out.print(known)
    if not planned.taking_part:
        out.print("left out by sync.filter in the settings")
    if planned.gone:
        out.print("gone from Robaws")


def _show(item: PlannedItem) -> None:
    from worker.cli.tables import folds, show_table
    from worker.cli.telling import value_text

    out = console()
    record = f" {item.external_id}" if item.external_id else ""
    out.print(f"\n{item.system}{record}: {TITLES[item.action]}", style="bold", soft_wrap=True)
    if item.why:
        out.print(printable(item.why))
    made = [(path, one) for path, one in item.fields.items() if one["rule"] == NEW_RECORD]
    if made:
        show_table(["field", folds("value")], [[path, _value(one["to"], MOST_VALUE)] for path, one in made])
    changed = [(path, one) for path, one in item.fields.items() if one["rule"] != NEW_RECORD]
    if changed:
        most = MOST_OF_TWO if out.is_terminal and out.width < WIDE else MOST_VALUE
        rows = [
            [_action(one), path, f"{_value(one['from'], most)} → {_value(one['to'], most)}", one["rule"]]
            for path, one in changed
        ]
        show_table(["", "field", "there → Robaws", folds("rule")], rows)
    for candidate in item.candidates:
        said = ", ".join(_evidence(candidate))
        name = value_text(candidate.get("name"))
        out.print(printable(f"  record {candidate.get('external_id')}: {name}{f' ({said})' if said else ''}"))
    if item.unheld:
        out.print(f"no place there for: {', '.join(map(str, item.unheld))}")


def _action(one: dict[str, Any]) -> str:
    return ACTIONS.get(one["action"], "writes")


def _value(value: Any, most: int) -> str:
    from worker.cli.telling import value_text

    if isinstance(value, dict):
        return ", ".join(value_text(one, most) for one in value.values())
    return value_text(value, most)


def _evidence(candidate: dict[str, Any]) -> list[str]:
    return [
        f"{'' if one.get('for') else 'but '}{one.get('says')}"
        for one in candidate.get("evidence") or ()
        if isinstance(one, dict)
    ]
