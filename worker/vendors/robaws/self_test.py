"""
A signed self-test to an address of the receiver, sent as Robaws would send an event: by DNS, TLS and the proxy.

It is sent from this machine. What only the way from the internet has, such as a firewall, is not seen by it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx

from worker.config.checks import is_loopback
from worker.core import refused, self_test, signature

Outcome = Literal["accepted", "refused", "elsewhere", "unreached"]
"""The receiver took it · the receiver refused it · something else answered · nothing answered."""

PATIENCE_SECONDS: Final = 10.0
VENDOR_SECONDS: Final = 2.0
"""After this Robaws gives up (Robaws sheet 3.4)."""
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Tried:
    """What came of one test. `status`: of the answer, None without one. `remark`: what is odd about one that passed."""

    outcome: Outcome
    message: str
    next_step: str = ""
    status: int | None = None
    seconds: float = 0.0
    remark: str = ""


@dataclass(frozen=True)
class _Answered:
    """An answer, as far as it is read."""

    status: int
    location: str
    document: Mapping[str, Any]

    @property
    def reason(self) -> str | None:
        """Why our receiver refused it; None for any other answer."""
        given = self.document.get("reason")
        return given if isinstance(given, str) and given in refused.REASONS else None


def try_address(
    url: str,
    secret: str,
    *,
    resolve: Callable[[str, int], list[str]] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.time,
    trusted: ssl.SSLContext | None = None,
) -> Tried:
    """
    Send one test, signed with this secret; never raises for what comes back, or does not.

    `resolve`, `clock` and `trusted` (the authorities, if not those that everybody trusts) are there for tests.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = (resolve or _resolve)(host, port)
    except (OSError, UnicodeError):
        step = "make the record in the DNS, or register the name that has one"
        return Tried("unreached", f"the name {host} is not known here (DNS)", step)
    nonce = uuid.uuid4().hex
    body = self_test.body(nonce)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "contactsync-self-test",
        signature.HEADER: signature.sign(secret, int(clock()), body),
    }
    began = time.monotonic()
    try:
        answered = _post(url, body, headers, patience_seconds, trusted)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return _unreached(error, f"{host} port {port}", patience_seconds)
    seconds = time.monotonic() - began
    outcome, message, step = _meaning(answered, secret, nonce)
    remark = "; ".join(_remarks(host, addresses, seconds)) if outcome == "accepted" else ""
    return Tried(outcome, message, step, answered.status, seconds, remark)


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _post(
    url: str, body: bytes, headers: Mapping[str, str], patience_seconds: float, trusted: ssl.SSLContext | None
) -> _Answered:
    verify = True if trusted is None else trusted
    with (
        httpx.Client(timeout=patience_seconds, follow_redirects=False, trust_env=False, verify=verify) as client,
        client.stream("POST", url, content=body, headers=dict(headers)) as response,
    ):
        read = b""
        for piece in response.iter_bytes():
            read += piece
            if len(read) > _MOST_BYTES:
                break
    try:
        document = json.loads(read[:_MOST_BYTES])
    except (ValueError, RecursionError):
        document = None
    location = urlsplit(response.headers.get("location", ""))
    where = f"{location.scheme}://{location.netloc}{location.path}" if location.netloc else location.path
    return _Answered(response.status_code, where[:200], document if isinstance(document, dict) else {})


def _meaning(answered: _Answered, secret: str, nonce: str) -> tuple[Outcome, str, str]:
    """What an answer means, with the next step."""
    status, document = answered.status, answered.document
    if status == 200 and document.get("status") == self_test.STATUS:
        if self_test.proves(document.get("proof"), secret, nonce):
            return "accepted", "reaches the receiver, which takes the signature; nothing was stored", ""
        return "elsewhere", "answers like a receiver, and does not know the secret", "see where this address leads"
    if answered.reason is not None:
        known = refused.REASONS[answered.reason]
        return "refused", f"reaches the receiver, which refuses it ({status}): {known.sentence}", known.next_step
    return "elsewhere", *_elsewhere(answered)


def _elsewhere(answered: _Answered) -> tuple[str, str]:
    status = answered.status
    if 300 <= status < 400:
        text = f"is answered with a redirect ({status}) to {answered.location or 'nowhere'}: Robaws may not follow it"
        return text, "register the address that it leads to, or let the proxy pass the path on"
    if status in (502, 504) or status == 503:
        text = f"reaches a proxy that does not reach the receiver (HTTP {status})"
        return text, "is contactsync up running, and does the proxy pass to receiver.host and receiver.port?"
    if status in (401, 403):
        text = f"reaches something that wants a login, or lets nobody in (HTTP {status})"
        return text, "let the proxy pass POST /webhooks/robaws to the receiver without a login"
    if status in (404, 405, 421):
        text = f"reaches something that does not know the path or the host (HTTP {status})"
        return text, "let the proxy pass /webhooks/robaws to the receiver"
    if status < 300:
        text = f"reaches something else, which answers {status}: Robaws would take the event for delivered"
        return text, "see where this address leads, and let the proxy pass /webhooks/robaws to the receiver"
    return f"reaches something else, which answers HTTP {status}", "see where this address leads"


def _unreached(error: Exception, where: str, patience_seconds: float) -> Tried:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            text = f"{where} has a certificate that is not trusted ({cause.verify_message.rstrip('.')})"
            return Tried("unreached", text, "give the proxy a valid certificate for this name, with its whole chain")
        if isinstance(cause, ssl.SSLError):
            return Tried("unreached", f"{where} does not speak TLS", "let the proxy end TLS there, or correct the port")
        if isinstance(cause, ConnectionRefusedError):
            text = f"nothing listens at {where}"
            return Tried("unreached", text, "start the proxy or contactsync up, and let the firewall pass it")
    if isinstance(error, httpx.ConnectTimeout):
        text = f"{where} cannot be reached within {patience_seconds:g} s"
        return Tried("unreached", text, "look at the firewall and at the address that the DNS gives")
    if isinstance(error, httpx.TimeoutException):
        text = f"{where} took the request and did not answer within {patience_seconds:g} s"
        return Tried("unreached", text, f"look at the proxy; Robaws waits {VENDOR_SECONDS:g} s")
    if any(isinstance(cause, httpx.RemoteProtocolError | httpx.ReadError | ConnectionError) for cause in causes):
        text = f"{where} closed the connection without an answer of HTTP"
        return Tried("unreached", text, "see what listens there: does it speak TLS where the address has http?")
    return Tried("unreached", f"{where} cannot be reached", "look at the network, the firewall and the DNS")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _remarks(host: str, addresses: list[str], seconds: float) -> Iterator[str]:
    if seconds > VENDOR_SECONDS:
        yield f"it took {seconds:.1f} s, and Robaws gives up after {VENDOR_SECONDS:g}"
    named = is_loopback(host)  # by somebody who leaves the way from outside out
    if addresses and not named and not any(_is_public(address) for address in addresses):
        yield f"{host} is {addresses[0]} from here, where Robaws cannot reach it: try it from outside as well"


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return True
