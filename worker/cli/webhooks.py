"""`contactsync webhooks`: who Robaws tells of changes. Needs the login of an administrator there, once."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import self_test
from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, command, console, say, show_json, stop, write
from worker.cli.tables import folds, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from worker.config.secret_file import SecretFile

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


@app.command()
@command
def register(
    url: Annotated[str, typer.Argument(help="the public address of the receiver, ending in /webhooks/robaws")],
    any_path: Annotated[
        bool, typer.Option("--any-path", help="take another path, which your proxy maps to /webhooks/robaws")
    ] = False,
    write_secret: Annotated[
        bool, typer.Option("--write-secret", help="append the secret to the file that webhook_secrets_file names")
    ] = False,
    only_secret: Annotated[
        bool, typer.Option("--only-secret", help="print the secret alone, to be appended to a file by the shell")
    ] = False,
    as_json: Json = False,
) -> int:
    """
    Have Robaws send its client events to an address. The secret is shown only once: it belongs into the settings.

    An address that is registered already is refused, since Robaws would send every event twice; so is one where no
    event can arrive: another path, a host that only this network knows, or one without TLS.

    Example: contactsync webhooks register https://sync.example.org/webhooks/robaws --write-secret
    """
    from worker.config import load_settings
    from worker.flows.registering import require_address, source

    settings = load_settings(part="command")
    require_address(settings, url, any_path=any_path)
    file = _file_of_secrets() if write_secret else None
    with source(settings) as (client, session):
        made = client.register_webhook(session, url, key=f"register-webhook-{uuid.uuid4()}")
    _write_down("register-webhook", made.endpoint_id, {"url": url})
    written = _written(file, made.secret) if file is not None else None
    if as_json:
        told = {"secret": made.secret} if written is None else {"secret_file": str(written)}
        show_json({"id": made.endpoint_id, "url": made.url, "events": list(made.events), **told})
        return DONE
    lines = [f"registered as {made.endpoint_id}: {', '.join(made.events)} go to {made.url}"]
    if only_secret:
        say(lines[0])
        write(f"{made.secret}\n")
        return DONE
    if written is not None:
        lines.append(f"Its secret is in {written} now; a running receiver takes it over within seconds.")
    else:
        lines.append("Put its secret into the settings now; Robaws does not show it again:")
        lines.append(f'  systems.robaws.webhook_secrets = ["{made.secret}"]')
    lines.append("Start contactsync up, if it does not run. Whether events arrive: contactsync webhooks test")
    for line in lines:
        console().print(line)
    return DONE


def _file_of_secrets() -> SecretFile:
    """Where the secret is going to be written, which must be possible before Robaws makes one."""
    from worker.config.load import file_of
    from worker.config.secret_file import SecretFile

    path = file_of(("systems", "robaws", "webhook_secrets"))
    if path is None:
        stop(
            WRONG_USE,
            "--write-secret wants a file: set systems.robaws.webhook_secrets_file in the settings, such as "
            '"secrets/robaws_webhook", and leave webhook_secrets out',
        )
    file = SecretFile(path)
    file.require_writable()
    return file


def _written(file: SecretFile, secret: str) -> Path | None:
    """Where the secret was written; None where that failed after all, so that it is shown."""
    try:
        file.add(secret)
    except (OSError, ValueError) as error:
        say(f"{file.path} could not be written to ({type(error).__name__}): put the secret in by hand")
        return None
    return file.path


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
        say(
            "This is not recorded in the log of actions: the database cannot be reached (before the first start there"
            " is none)."
        )


@app.command("list")
@command
def list_(as_json: Json = False) -> int:
    """
    List the addresses that Robaws sends events to. An address that is listed twice gets every event twice.

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
        show_json({"id": endpoint_id, "outcome": "removed", "message": "Robaws no longer sends anything there"})
        return DONE
    console().print(f"{endpoint_id} is removed: Robaws no longer sends anything there")
    return DONE


self_test.add_to(app)
