"""
The address that Robaws sends webhooks to: what can be one, and what `contactsync check` says of those registered.

Robaws takes any address at a registration and shows it on no screen (Robaws sheet 3.1). So an address that cannot work
is refused before it is sent there, and looked for among those that are there.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from worker.config.checks import is_loopback
from worker.vendors.contract import Finding
from worker.vendors.robaws.events import WEBHOOK_PATH

if TYPE_CHECKING:
    from worker.vendors.robaws.answers import Endpoint

REGISTER: Final = f"contactsync webhooks register https://HOST{WEBHOOK_PATH}, with the login of an administrator"

_NEEDED_EVENTS: Final = ("client.created", "client.updated")
_INSIDE: Final = ("local", "localhost", "internal", "lan", "home", "intranet")
"""Last parts of names that no public DNS has."""


@dataclass(frozen=True)
class Reception:
    """Where webhooks should arrive: `receiver.public_url`, and whether Robaws is a simulated one beside us."""

    public_url: str | None = None
    simulated: bool = False


ANYWHERE: Final = Reception()


def problem(url: str, *, simulated: bool = False, any_path: bool = False) -> str | None:
    """
    Why no event of Robaws can arrive at this address, with the next step; None where one can.

    `simulated`: Robaws is the sandbox, which reaches this machine. `any_path`: a proxy maps another path to ours.

    >>> problem("https://sync.example.org/webhooks/robaws")
    >>> problem("https://10.0.0.7/webhooks/robaws")
    '10.0.0.7 is an address of a private network, which Robaws cannot reach: use the public name of the receiver'
    """
    parts = _split(url)
    host = None if parts is None else parts.hostname
    if parts is None or host is None or parts.scheme not in ("https", "http"):
        return f"{url} is not an address: write it whole, https://HOST{WEBHOOK_PATH}"
    if parts.username is not None or parts.query or parts.fragment:
        return f"{url} has more than a host and a path: write it as https://HOST{WEBHOOK_PATH}"
    if not simulated and (inside := _inside(host)):
        return f"{host} is {inside}, which Robaws cannot reach: use the public name of the receiver"
    if parts.scheme == "http" and not is_loopback(host):
        return f"{url} goes without TLS: every client would travel in the open; write https://"
    if not any_path and not ends_right(url):
        return (
            f"{url} does not end in {WEBHOOK_PATH}, the only path where the receiver takes events: register "
            f"{_corrected(parts)}, or add --any-path if your proxy maps that path to {WEBHOOK_PATH}"
        )
    return None


def ends_right(url: str) -> bool:
    """Whether it ends in the receiver's path; a slash behind it makes another path."""
    return urlsplit(url).path.endswith(WEBHOOK_PATH)


def _split(url: str) -> SplitResult | None:
    """Its parts; None where it has none, such as a port that is not a number."""
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _corrected(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path if path.endswith(WEBHOOK_PATH) else WEBHOOK_PATH}"


def _inside(host: str) -> str | None:
    """What a host is that only this network knows; None for one that the internet may know."""
    if is_loopback(host):
        return "this machine itself"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".")
        if "." not in name or name.rpartition(".")[2] in _INSIDE:
            return "a name of the local network"
        return None
    return None if address.is_global else "an address of a private network"


def findings(endpoints: Sequence[Endpoint], reception: Reception) -> Iterator[Finding]:
    """The lines of `contactsync check` about all registrations that are there."""
    clients = [one for one in endpoints if any(event.startswith("client.") for event in one.events)]
    if not clients:
        yield Finding("webhooks", False, "Robaws has no address to send events about clients to", REGISTER)
        return
    ours = [one for one in clients if ends_right(one.url)]
    for url in dict.fromkeys(one.url for one in clients):
        yield _of(url, [one for one in clients if one.url == url], reception, alone=not ours)
    yield from _hosts(list(dict.fromkeys(one.url for one in ours)), reception)


def _of(url: str, same: Sequence[Endpoint], reception: Reception, *, alone: bool) -> Finding:
    """The line of one address; `alone`: none of the registered addresses ends in the receiver's path."""
    ids = " and ".join(one.endpoint_id for one in same)
    if not ends_right(url):
        return _elsewhere(url, ids, reception, alone=alone)
    wrong = problem(url, simulated=reception.simulated)
    if wrong is not None:
        what, _, _ = wrong.partition(": ")
        step = f"register the public address, then contactsync webhooks remove {ids}"
        return Finding("webhooks", False, f"{url} is registered, and no event arrives there: {what}", step)
    if len(same) > 1:
        text = f"{url} is registered {len(same)} times, so every event comes {len(same)} times (each is applied once)"
        step = "contactsync webhooks list, then contactsync webhooks remove ID for all but one of them"
        return Finding("webhooks", False, text, step)
    missing = [event for event in _NEEDED_EVENTS if event not in same[0].events]
    if missing:
        text = f"{url} does not get {' and '.join(missing)}"
        return Finding("webhooks", False, text, f"contactsync webhooks remove {ids}, then register the address again")
    return Finding("webhooks", True, f"{url} is told of created and changed clients")


def _elsewhere(url: str, ids: str, reception: Reception, *, alone: bool) -> Finding:
    """An address with another path: another program's, a slip, or one that the proxy maps."""
    text = f"{url} does not end in {WEBHOOK_PATH}, where the receiver takes events"
    if not alone:
        step = f"leave it if it belongs to another program; else contactsync webhooks remove {ids}"
        return Finding("webhooks", True, text, step, warning=True)
    if reception.public_url is not None and _host(url) == _host(reception.public_url):
        step = f"contactsync webhooks test {url} says whether your proxy maps that path; else register the right one"
        return Finding("webhooks", True, text, step, warning=True)
    return Finding("webhooks", False, f"{text}, and no other address is registered: no event arrives", REGISTER)


def _hosts(urls: Sequence[str], reception: Reception) -> Iterator[Finding]:
    """What is odd about the hosts of addresses that end in the receiver's path."""
    public = reception.public_url
    others = [url for url in urls if public is not None and _host(url) != _host(public)]
    if public is not None and others and len(others) == len(urls):
        text = f"no registration is for receiver.public_url ({public}), but for {', '.join(others)}"
        step = f"contactsync webhooks register {public.rstrip('/')}{WEBHOOK_PATH}, or correct receiver.public_url"
        yield Finding("webhooks", False, text, step)
    elif len(Counter(map(_host, urls))) > 1:
        text = f"{' and '.join(urls)} are registered: if both lead here, every event comes more than once"
        step = "contactsync webhooks list, then contactsync webhooks remove ID of the one that is out of use"
        yield Finding("webhooks", True, text, step, warning=True)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")
