"""`contactsync webhooks test`: whether an event of Robaws would arrive, by the way that it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, NOT_REACHABLE, WRONG_USE, command, console, say, show_json, stop
from worker.core.printable import printable

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.vendors.robaws.self_test import Tried

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


def add_to(app: typer.Typer) -> None:
    """Make it a command of `contactsync webhooks`."""
    app.command("test")(try_webhooks)


@command
def try_webhooks(
    url: Annotated[
        str | None, typer.Argument(help="the address; without it, those registered at Robaws and receiver.public_url")
    ] = None,
    as_json: Json = False,
) -> int:
    """
    Send a signed test to the receiver, by DNS, TLS and proxy as Robaws would, with each webhook secret.

    The receiver checks its signature and stores nothing. It is sent from this machine: a firewall that keeps the
    internet out is not seen. Ends with 0 when the receiver took it, 1 when it refused it or something else answered, 3
    when nothing answered.

    Example: contactsync webhooks test
    """
    from worker.config import load_settings
    from worker.vendors.robaws.self_test import try_address

    settings = load_settings(part="command")
    secrets = [secret.get_secret_value() for secret in settings.systems.robaws.webhook_secrets]
    if not secrets:
        stop(WRONG_USE, "there is no webhook secret to sign a test with: contactsync webhooks register gives one")
    shown: list[tuple[str, int, Tried]] = []
    for address in _addresses(settings, url):
        for number, secret in enumerate(secrets, 1):
            tried = try_address(address, secret)
            shown.append((address, number, tried))
            if not as_json:
                _print(address, tried, f" (secret {number} of {len(secrets)})" if len(secrets) > 1 else "")
            if tried.outcome in ("unreached", "elsewhere"):  # with another secret it would end there too
                break
    here = _receiver_here(settings) if any(tried.outcome != "accepted" for *_, tried in shown) else None
    status = _status([tried for *_, tried in shown])
    if as_json:
        items = [{"url": address, "secret": number, **vars(tried)} for address, number, tried in shown]
        show_json({"status": status, "receiver_here": here, "items": items})
    elif here is False:
        text = f"No receiver answers at {settings.receiver.host} port {settings.receiver.port} on this machine"
        console().print(f"{text}: contactsync up starts one.")
    return status


def _addresses(settings: Settings, url: str | None) -> list[str]:
    """What to test: the address that is given, else all that Robaws may send to."""
    from urllib.parse import urlsplit

    from worker.errors import SyncError
    from worker.flows.registering import source
    from worker.vendors.robaws.events import WEBHOOK_PATH

    if url is not None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            stop(WRONG_USE, f"{url} is not an address: write it whole, https://HOST{WEBHOOK_PATH}")
        return [url]
    public = settings.receiver.public_url
    wanted = [] if public is None else [f"{public.rstrip('/')}{WEBHOOK_PATH}"]
    try:
        with source(settings) as (client, session):
            registered = client.list_webhooks(session)
        wanted += [one.url for one in registered if any(event.startswith("client.") for event in one.events)]
    except SyncError as error:
        if not wanted:
            stop(WRONG_USE, f"Robaws does not say what is registered ({error.message})", "Name the address to test.")
        say(f"Robaws does not say what is registered ({error.message}); receiver.public_url is tested.")
    if not wanted:
        stop(WRONG_USE, "no address is registered at Robaws, and receiver.public_url is not set: name the address")
    return list(dict.fromkeys(wanted))


def _receiver_here(settings: Settings) -> bool | None:
    """Whether a receiver answers on this machine; None where its port is not known."""
    from worker.processes.listening import receiver_answers

    return receiver_answers(settings.receiver.host, settings.receiver.port) if settings.receiver.port else None


def _print(address: str, tried: Tried, which: str) -> None:
    from rich.text import Text

    out = console()
    good = tried.outcome == "accepted"
    mark = Text("! " if tried.remark else "✓ ", "yellow" if tried.remark else "green") if good else Text("✗ ", "red")
    took = f", in {tried.seconds:.2f} s" if good else ""
    out.print(mark + Text(printable(f"{address}{which}: {tried.message}{took}")))
    if tried.remark or tried.next_step:
        out.print(Text(printable(f"    → {tried.remark or tried.next_step}")))


def _status(tried: list[Tried]) -> int:
    if any(one.outcome == "unreached" for one in tried):
        return NOT_REACHABLE
    return DONE if all(one.outcome == "accepted" for one in tried) else NEEDS_A_PERSON
