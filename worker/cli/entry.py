"""The command's root: what there is, and which file does it."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any, Final

import typer

GROUPS: Final = {
    "demo": "worker.cli.demo",
    "up": "worker.cli.parts",
    "sandbox": "worker.cli.sandbox",
    "receiver": "worker.cli.parts",
    "worker": "worker.cli.parts",
    "scheduler": "worker.cli.parts",
    "migrate": "worker.cli.parts",
    "health": "worker.cli.parts",
    "check": "worker.cli.check",
    "status": "worker.cli.status",
    "contacts": "worker.cli.contacts",
    "retries": "worker.cli.retries",
    "reviews": "worker.cli.reviews",
    "systems": "worker.cli.systems",
    "events": "worker.cli.events",
    "webhooks": "worker.cli.webhooks",
    "tokens": "worker.cli.tokens",
    "drill": "worker.cli.drill",
    "loadtest": "worker.cli.loadtest",
}
"""Each command's module, which has a typer app of the name `app`; the order is the order of `--help`."""

HELP: Final = {
    "demo": "The main job, live, against five simulated vendors.",
    "up": "Everything on this machine: migrate, then receiver, worker and scheduler.",
    "sandbox": "The five simulated vendors on one port.",
    "receiver": "The part that takes webhooks and serves API and pages.",
    "worker": "The part that fetches and delivers.",
    "scheduler": "The part that announces what is due.",
    "migrate": "Bring the database to the newest schema.",
    "health": "Whether a part on this machine shows signs of life.",
    "check": "Configuration, database, Redis, each vendor: what is wrong and what to do.",
    "status": "Whether all is well: events, clients, systems, and what needs you.",
    "contacts": "One client with its links and history; search; sync again.",
    "retries": "The retry queue: by cause, line by line; retry, discard.",
    "reviews": "Matches and field conflicts that wait for a person.",
    "systems": "Vendors: breaker, budget, lag; pause and resume.",
    "events": "The inbox, verbatim; replay.",
    "webhooks": "The registration at Robaws: register, list, remove.",
    "tokens": "Tokens for the API.",
    "loadtest": "A paced stream of signed events at one's own receiver, with its latencies.",
    "drill": "Break parts on purpose, against the sandbox, and see that nothing is lost.",
}


def build(wanted: str | None) -> typer.Typer:
    """
    The command's root. Only the module of the wanted command is imported, so that `--help` answers at once.
    """
    root = typer.Typer(
        name="contactsync",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Keeps the clients of Robaws in step with Rompslomp, Recras and Workspace.",
    )
    root.callback(invoke_without_command=True)(_root)
    for name in GROUPS:
        if name == wanted:
            _add(root, name)
        else:
            root.command(name, help=HELP[name])(_nothing)
    return root


def _add(root: typer.Typer, name: str) -> None:
    app: typer.Typer = importlib.import_module(GROUPS[name]).app
    for one in app.registered_commands:
        if one.callback is not None and (one.name or one.callback.__name__.replace("_", "-")) == name:
            root.command(name)(one.callback)
            return
    root.add_typer(app, name=name, help=HELP[name], no_args_is_help=True)


def _nothing() -> None:
    """Stands for a command in the list of `--help`."""


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("contactsync"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> Any:
    """Run the command; the exit statuses are those of `docs/commands.md`."""
    given = sys.argv[1:] if arguments is None else arguments
    wanted = next((one for one in given if not one.startswith("-")), None)
    return build(wanted)(args=given, prog_name="contactsync")
