"""`contactsync sandbox`: the five simulated vendors, and the settings that point at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, command, console, show_json, write

if TYPE_CHECKING:
    from worker.sandbox.server import SandboxServer

app = typer.Typer(rich_markup_mode=None)


@app.command()
@command
def sandbox(
    host: Annotated[str, typer.Option("--host", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="port to listen on; 0 takes a free one")] = 9000,
    faults: Annotated[
        Path | None, typer.Option("--faults", help='faults to begin with, as JSON: {"recras": [{"kind": "throttle"}]}')
    ] = None,
    clients: Annotated[int, typer.Option("--clients", min=0, help="made-up clients to begin with")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Run the five simulated vendors on one port, until Ctrl-C or SIGTERM.

    Prints the settings that point at them. Look, change and break things at /_sandbox/.

    Example: contactsync sandbox --port 9000 --clients 20
    """
    from worker.config.checks import is_loopback
    from worker.sandbox.server import SandboxServer

    def ready(server: SandboxServer) -> None:
        if as_json:
            show_json({"url": server.url, "systems": server.settings()})
        else:
            write(_as_file(server))
        if not is_loopback(host):
            console(stderr=True).print(
                f"warning: it listens on {host}. Whoever reaches that address can read and change everything here, and "
                "have requests sent from this machine: its credentials are public."
            )

    SandboxServer(host, port, faults, clients=clients).serve_forever(on_ready=ready)
    return DONE


def _as_file(server: SandboxServer) -> str:
    """What can be pasted, or sent, into contactsync.toml as it is."""
    from worker.sandbox.settings import as_toml

    return (
        f"# Five simulated vendors, for as long as this command runs. Look at them: {server.url}/_sandbox/\n"
        f"# What follows belongs into contactsync.toml. Then tell the simulated Robaws where to send its webhooks:\n"
        f"#   curl {server.url}/_sandbox/robaws/webhooks -H 'Content-Type: application/json' \\\n"
        f'#     -d \'{{"url": "http://127.0.0.1:8080/webhooks/robaws"}}\'\n\n'
        f"{as_toml(server.settings())}"
    )
