"""`contactsync contacts exclude | include | link | unlink`: who takes part where, and as which record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, command

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from worker.config import Settings
    from worker.runtime import Runtime
    from worker.store.operating import Acted
    from worker.vendors.contract import Record

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
Id = Annotated[str, typer.Argument(metavar="ID", help="the client's id in Robaws")]
System = Annotated[str, typer.Option("--system", help="rompslomp, recras or workspace")]
Reason = Annotated[str, typer.Option("--reason", help="why, for the log")]


def add_to(app: typer.Typer) -> None:
    """Make them commands of `contactsync contacts`."""
    for function in (exclude, include, link, unlink):
        app.command()(function)


@command
def exclude(source_id: Id, system: System, reason: Reason, as_json: Json = False) -> int:
    """
    Leave a client out of one system. Its record there stays as it is; `contacts include` undoes it.

    Example: contactsync contacts exclude 1001 --system recras --reason "books nothing there"
    """
    from worker.store import operating_links

    return _act(operating_links.exclude, source_id, system, reason, as_json=as_json)


@command
def include(source_id: Id, system: System, reason: Reason, as_json: Json = False) -> int:
    """
    Take a client into a system again that it was left out of; what changed meanwhile is delivered.

    Example: contactsync contacts include 1001 --system recras --reason "books again"
    """
    from worker.store import operating_links

    return _act(operating_links.include, source_id, system, reason, as_json=as_json)


@command
def link(
    source_id: Id,
    system: System,
    external_id: Annotated[str, typer.Option("--external-id", help="the record's id in that system")],
    reason: Reason,
    as_json: Json = False,
) -> int:
    """
    Say which record in a system a client is. It is looked up there first; then empty fields are filled, and what
    differs is asked about.

    The record of a client that is gone from Robaws, or left out of that system, is taken over. What was written into
    the record that the client was linked to before is told. `contacts unlink` undoes it.

    Example: contactsync contacts link 1001 --system rompslomp --external-id 7403843346 --reason "asked the bookkeeper"
    """
    from worker.cli import asking
    from worker.store import operating_links
    from worker.vendors.contract import id_shape

    with asking.asking() as (settings, engine):
        name = operating_links.target(settings, system)
        shape = id_shape(name)
        look_up(settings, engine, name, operating_links.checked(name, external_id, shape))
        with engine.begin() as connection:
            acted = operating_links.link(
                connection, source_id, name, external_id, asking.actor(), asking.now(), reason, shape=shape
            )
    asking.show_acted([acted], as_json=as_json)
    return DONE


@command
def unlink(source_id: Id, system: System, reason: Reason, as_json: Json = False) -> int:
    """
    Take the link of a client to its record in a system back. The record stays as it is, and what was written into it
    is told; the client is left out there until it is linked or included again.

    Example: contactsync contacts unlink 1001 --system rompslomp --reason "that is his own company"
    """
    from worker.store import operating_links

    return _act(operating_links.unlink, source_id, system, reason, as_json=as_json)


def _act(act: Callable[..., Acted], source_id: str, system: str, reason: str, *, as_json: bool) -> int:
    from worker.cli import asking
    from worker.store import operating_links

    with asking.asking() as (settings, engine):
        name = operating_links.target(settings, system)
        with engine.begin() as connection:
            acted = act(connection, source_id, name, asking.actor(), asking.now(), reason)
    asking.show_acted([acted], as_json=as_json)
    return DONE


def look_up(settings: Settings, engine: Engine, system: str, external_id: str) -> Record:
    """The record that a person names; wrong use where there is none, status 3 where nobody can tell."""
    from worker.flows import looking_up
    from worker.flows.gate import Gate

    runtime = make_runtime(settings, engine)
    return looking_up.look_up(runtime, Gate(runtime), system, external_id)


def make_runtime(settings: Settings, engine: Engine) -> Runtime:
    """What a call to a vendor takes: its client, and the budget that all processes share."""
    from worker.runtime import Runtime

    return Runtime(settings, engine=engine)
