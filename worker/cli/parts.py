"""The long-running parts: `up`, `receiver`, `worker`, `scheduler`; and `migrate` and `health` beside them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NOT_REACHABLE, command, console, show_json, stop

if TYPE_CHECKING:
    from worker.config import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
@command
def up(
    logs: Annotated[bool, typer.Option("--logs", help="show the parts' logs here instead of in home/logs")] = False,
) -> int:
    """
    Run everything on this machine: migrate, then receiver, worker and scheduler.

    PostgreSQL and Redis are started too where no url is configured. Prints `ready` and the addresses when events are
    accepted; SIGTERM or Ctrl-C stops all of it.

    Example: contactsync up
    """
    from worker.config import load_settings
    from worker.processes.in_use import InUse
    from worker.processes.privileges import runs_as_root
    from worker.processes.tree import Tree, address

    out = console()

    def ready(settings: Settings) -> None:
        where = address(settings)
        out.print("ready")
        out.print(f"  webhooks  {where}/webhooks/robaws")
        out.print(f"  console   {where}/")
        out.print(f"            {how_to_log_in(settings)}")
        out.print(f"  API       {where}/api/v1/summary")
        out.print(f"  logs      {settings.home}/logs")

    settings = load_settings(part="up")
    if (warning := runs_as_root()) is not None:
        console(stderr=True).print(warning)
    tree = Tree(settings, tell=out.print, on_ready=ready, console_logs=logs)
    in_use = InUse(settings.home, "up")
    with tree, closing(in_use):
        tree.start_servers()
        in_use.write(settings)
        return tree.run()


def how_to_log_in(settings: Settings) -> str:
    """What opens the page, for whoever has just started it."""
    if settings.ops.tokens:
        return "log in with any name; the password is a token of ops.tokens"
    return "it asks for a token, and there is none yet: contactsync tokens new NAME --role viewer"


@app.command()
@command
def receiver() -> int:
    """
    Take webhooks, and serve the API and the pages.

    Example: contactsync receiver
    """
    from webhooks.server import serve
    from worker.config import load_settings
    from worker.config.again import Files
    from worker.config.secrets import secret_values
    from worker.processes import allocator, logs
    from worker.processes.in_use import InUse
    from worker.processes.listening import require_port

    settings = load_settings(part="receiver")
    require_port(settings.receiver.host, settings.receiver.port)
    logs.set_up(settings, "receiver")
    in_use = InUse(settings.home, "receiver")
    in_use.write(settings)

    def renewed(settings: Settings) -> None:
        logs.Hidden.hide(secret_values(settings))
        in_use.write(settings)

    try:
        serve(
            settings,
            lambda _host, _port: allocator.look_for_cycles_rarely(),
            files=Files("receiver"),
            on_renewed=renewed,
        )
    finally:
        in_use.close()
    return DONE


@app.command()
@command
def worker(
    system: Annotated[
        list[str] | None, typer.Option("--system", help="serve only this system's deliveries (may be repeated)")
    ] = None,
) -> int:
    """
    Fetch contacts and deliver them.

    Example: contactsync worker --system rompslomp
    """
    from worker.app import INTAKE_QUEUE, deliver_queue, queues
    from worker.config import load_settings
    from worker.processes.work import run_worker
    from worker.store.refusals import near

    settings = load_settings()
    known = [queue.removeprefix(deliver_queue("")) for queue in queues(settings) if queue != INTAKE_QUEUE] + ["fetch"]
    unknown = sorted(set(system or ()) - set(known))
    if unknown:
        there = f"there are {', '.join(known)}{near(unknown[0], known)}"
        stop(2, f"no such system to deliver to: {', '.join(unknown)}; {there}")
    return run_worker(settings, system or ())


@app.command()
@command
def scheduler() -> int:
    """
    Announce what is due. Several may run; one of them leads.

    Example: contactsync scheduler
    """
    from worker.config import load_settings
    from worker.processes.schedule import run_scheduler

    return run_scheduler(load_settings(part="scheduler"))


@app.command()
@command
def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Bring the database to the newest schema, and give its users their rights. Safe to run twice, or by two at once.

    Example: contactsync migrate
    """
    from pathlib import Path

    from worker.config import load_settings
    from worker.embedded.servers import LocalServers, connect_existing
    from worker.store.upgrading import upgrade

    settings = load_settings(part="command")
    database, own = settings.database, None
    if database.url is None:
        home = Path(settings.home)
        running = connect_existing(home)
        servers = running or LocalServers(home).start()
        own = None if running else servers
        urls = {"url": servers.database_url, "owner_url": servers.database_owner_url}
        database = database.model_copy(update=urls)
    try:
        before, after = upgrade(database)
    finally:
        if own is not None:
            own.stop()
    if as_json:
        show_json({"before": before, "after": after})
    elif before == after:
        console().print(f"the database is at the newest schema already ({after})")
    else:
        console().print(f"schema {before or 'empty'} -> {after}")
    return DONE


@app.command()
@command
def health(part: Annotated[str, typer.Argument(help="worker or scheduler")]) -> int:
    """
    Tell whether a part on this machine shows signs of life (status 0), or not (3); for container health checks.

    Example: contactsync health worker
    """
    from worker.config import load_settings
    from worker.processes.pulse import STALE_SECONDS, Pulse

    if part not in ("worker", "scheduler"):
        stop(2, f"there is no part {part} with a pulse: use worker or scheduler; ask the receiver at /readyz")
    age = Pulse(load_settings(part="command"), part).age_seconds()
    if age is None:
        stop(NOT_REACHABLE, f"the {part} has shown no sign of life on this machine")
    if age > STALE_SECONDS:
        stop(NOT_REACHABLE, f"the {part} was last seen {age:.0f} seconds ago")
    console().print(f"the {part} lives: its last sign is {age:.0f} seconds old")
    return DONE
