"""Why a webhook request was refused, in words for people, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TEST: Final = "test"
"""Not a refusal: a self-test that passed, counted in the same place."""

_RESTART: Final = "then restart contactsync up"
_TAKEN_OVER: Final = "from a file it is read again within seconds; else restart contactsync up"
_HOSTS: Final = f"set receiver.public_url, or name the host in receiver.allowed_hosts, {_RESTART}"


@dataclass(frozen=True)
class Reason:
    """
    One result. `setup`: Robaws's own events are refused so while something is set up wrongly; the others come of
    strangers, or are sent again by Robaws. `tested`: a self-test that passes shows that it is over; it signs with the
    secrets and the clock of this side, so it knows nothing of those that Robaws has.
    """

    sentence: str
    next_step: str
    setup: bool = False
    tested: bool = False


REASONS: Final[Mapping[str, Reason]] = {
    "signature_wrong": Reason(
        "the signature fits no webhook secret",
        f"put the secret of the registration into systems.robaws.webhook_secrets ({_TAKEN_OVER})",
        setup=True,
    ),
    "signature_too_old": Reason(
        "the signature's time is too far from the receiver's clock",
        "set the clock of the receiver's machine; see receiver.signature_tolerance_seconds",
        setup=True,
    ),
    "signature_missing": Reason(
        "the header Robaws-Signature is missing",
        "a proxy may take the header away; requests of strangers look like this, too",
    ),
    "signature_malformed": Reason("the header Robaws-Signature cannot be read", "if Robaws sent it, look at the proxy"),
    "signature_no_secret": Reason(
        "no webhook secret is configured",
        f"set systems.robaws.webhook_secrets ({_TAKEN_OVER})",
        setup=True,
        tested=True,
    ),
    "host": Reason("the name in the address is not served here", _HOSTS, setup=True, tested=True),
    "host_missing": Reason("the request names no host", "look at the proxy: it must pass the Host header on"),
    "invalid": Reason("signed rightly, and not an event", "contactsync events rejected"),
    "unstorable": Reason("the event holds a value that cannot be stored", "report this with the receiver's log"),
    "content_type": Reason("not sent as JSON", "if Robaws sent it, look at the proxy"),
    "too_large": Reason("the body is too large", "if Robaws sent it, raise receiver.max_body_bytes"),
    "full": Reason("too much came at once", "nothing: Robaws sends the event again"),
    "away": Reason("the database was away", "nothing: Robaws sends the event again once it is back"),
}
"""By the receiver's word."""


def reason(result: str) -> Reason:
    """What is known of a result; a word of a newer release stands for itself."""
    return REASONS.get(result) or Reason(result.replace("_", " "), "see the receiver's log")
