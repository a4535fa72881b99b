"""`contactsync webhooks`: who Robaws tells of changes. Needs the login of an administrator there, once."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from worker.cli import self_test
from worker.cli.output import DONE, NEEDS_A_PERSON, command, console, say, show_json, stop
from worker.cli.tables import folds, show_table

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


@app.command()
@command
def register(
    url: Annotated[str, typer.Argument(help="the public address of the receiver, ending in /webhooks/robaws")],
    any_path: Annotated[
        bool, typer.Option("--any-path", help="take another path, which your proxy maps to /webhooks/robaws")
    ] = False,
    as_json: Json = False,
) -> int:
    """
    Have Robaws send its client events to an address. The secret is told this once: put it into the settings.

    An address that is registered already is refused, since Robaws would send every event twice; so is one where no
    event can arrive: another path, a host that only this network knows, or one without TLS.

    Example: contactsync webhooks register https://sync.example.org/webhooks/robaws
    """
    from worker.config import load_settings
    from worker.flows.registering import require_address, source

    settings = load_settings(part="command")
    require_address(settings, url, any_path=any_path)
    with source(settings) as (client, session):
        made = client.register_webhook(session, url, key=f"register-webhook-{uuid.uuid4()}")
    _write_down("register-webhook", made.endpoint_id, {"url": url})
    if as_json:
        show_json({"id": made.endpoint_id, "url": made.url, "events": list(made.events), "secret": made.secret})
        return DONE
    out = console()
    out.print(f"registered as {made.endpoint_id}: {', '.join(made.events)} go to {made.url}")
    out.print("Put its secret into the settings now; Robaws does not show it again:")
    out.print(f'  systems.robaws.webhook_secrets = ["{made.secret}"]')
    out.print("Then start or restart contactsync up, and see whether events arrive: contactsync webhooks test")
    return DONE


def _write_down(action: str, endpoint_id: str, details: dict[str, Any] | None) -> None:
    """Into the log of actions, where there is a database: an address may be registered before anything else runs."""
    from sqlalchemy.exc import SQLAlchemyError

    from worker.cli import reach
    from worker.cli.asking import actor
    from worker.errors import SyncError
    from worker.store import clock, operating

    try:
        with reach.database() as (_, engine), engine.begin() as connection:
            now = clock.database_time(connection)
            operating.record(connection, actor(), action, f"webhook-{endpoint_id}", None, now, details)
    except (SyncError, SQLAlchemyError):
        say("It is done, and stands in no log of actions: the database cannot be reached.")


@app.command("list")
@command
def list_(as_json: Json = False) -> int:
    """
    List the addresses that Robaws sends events to. An address that stands there twice gets every event twice.

    Example: contactsync webhooks list
    """
    from worker.config import load_settings
    from worker.flows.registering import source

    with source(load_settings(part="command")) as (client, session):
        found = client.list_webhooks(session)
    if as_json:
        items = [{"id": one.endpoint_id, "url": one.url, "events": list(one.events)} for one in found]
        show_json({"items": items, "total": len(items), "next": None})
    elif found:
        show_table(["id", "url", folds("events")], [[one.endpoint_id, one.url, ", ".join(one.events)] for one in found])
    else:
        console().print("Robaws sends events nowhere: contactsync webhooks register URL")
    return DONE


@app.command()
@command
def remove(
    endpoint_id: Annotated[str, typer.Argument(metavar="ID", help="the endpoint's id, from `webhooks list`")],
    as_json: Json = False,
) -> int:
    """
    End a registration. Events that Robaws has not delivered yet are lost with it.

    Example: contactsync webhooks remove 7d0f7c0e-58a5-4c0e-9d57-2f1a3f0b9e11
    """
    from worker.config import load_settings
    from worker.errors import RecordGone
    from worker.flows.registering import source

    with source(load_settings(part="command")) as (client, session):
        try:
            client.remove_webhook(session, endpoint_id)
        except RecordGone:
            stop(NEEDS_A_PERSON, f"Robaws has no registration {endpoint_id}: contactsync webhooks list shows their ids")
    _write_down("remove-webhook", endpoint_id, None)
    if as_json:
        show_json({"id": endpoint_id, "outcome": "removed", "message": "Robaws sends nothing there any more"})
        return DONE
    console().print(f"{endpoint_id} is removed: Robaws sends nothing there any more")
    return DONE


self_test.add_to(app)
