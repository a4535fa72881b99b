"""
The self-test of the webhook address: a signed body that is not an event, and the answer that only our receiver gives.

The receiver checks its signature as it checks an event's, and then stores nothing. Its answer holds a digest under the
same secret, so that a proxy or another program that answers 200 to everything is not taken for the receiver. What is
signed in it begins with a letter, and the text that Robaws signs with a digit: neither passes for the other.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from worker.core.signature import Claim

STATUS: Final = "test"
"""The `status` of the answer, where an event has `accepted` or `duplicate`."""

_BODY: Final = re.compile(rb'\{"contactsync_test":"([0-9a-f]{32})"\}')


def body(nonce: str) -> bytes:
    """The body of a test; `nonce` are 32 hexadecimal digits, new for each."""
    return b'{"contactsync_test":"%b"}' % nonce.encode("ascii")


def proof(secret: str, nonce: str) -> str:
    """What the receiver answers to show that it knows the secret."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), f"contactsync-test.{nonce}".encode(), "sha256").hex()


def answer(received: bytes, claim: Claim, secrets: Sequence[str]) -> str | None:
    """The proof for a body whose signature fits one of the secrets; None where the body is not a test."""
    found = _BODY.fullmatch(received)
    if found is None:
        return None
    return next((proof(secret, found[1].decode()) for secret in secrets if claim.fits(received, [secret])), None)


def proves(given: object, secret: str, nonce: str) -> bool:
    """Whether an answer comes of a receiver with this secret."""
    return isinstance(given, str) and hmac.compare_digest(given.encode(), proof(secret, nonce).encode())
