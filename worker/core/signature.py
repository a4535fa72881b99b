"""
The signature of a Robaws webhook, as pure functions over header, body, secrets and time.

`Robaws-Signature: t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of `t.body` under the endpoint's secret
(Robaws sheet 3.3; https://support.robaws.com/nl/article/webhooks-1kqzzp7). The body is the bytes as received. This
runs for every request before anything else is believed, so it is short and never raises.
"""

from __future__ import annotations

import hmac
from binascii import unhexlify
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SignatureFault = Literal["missing", "malformed", "wrong", "too_old"]

HEADER = "Robaws-Signature"
_DIGEST_BYTES = 32
# Unix seconds have ten digits until the year 2286; beyond this the text is no time.
_MOST_TIME_DIGITS = 15


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """
    What a signature is worth; true in a condition only when it holds.

    `reason` is None then, else: `missing` no header · `malformed` not readable as one · `too_old` signed too long ago
    or too far ahead · `wrong` no secret fits. `signed_at` is the sender's `t`, once the signature fits: whether a retry
    is signed anew is not known (Robaws sheet 3.3), so it is worth keeping.
    """

    reason: SignatureFault | None
    signed_at: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the body may be believed."""
        return self.reason is None

    def __bool__(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a header says: its `t` as it is written, and every `v1` that can be a digest. Nothing of it is proven."""

    time_text: str
    candidates: tuple[bytes, ...]

    def fits(self, body: bytes, secrets: Sequence[str]) -> bool:
        """
        Tell whether one of the secrets signed this body at this time.

        Every secret is tried in constant time, so that the duration tells nothing of them. A blank secret never
        matches: its signature is anyone's to make.
        """
        signed = self.time_text.encode("ascii") + b"." + body
        matched = False
        for secret in secrets:
            if not secret.strip():
                continue
            expected = hmac.digest(_key(secret), signed, "sha256")
            for candidate in self.candidates:
                matched |= hmac.compare_digest(expected, candidate)
        return matched


def read(header: str | None, now: float, tolerance_seconds: float) -> Claim | SignatureFault:
    """
    What the header claims, or why no body can make it right: so that a body need not be read for it.

    Blanks around parts are ignored, hex counts in either case, unknown parts are ignored, of several `v1` any may
    match. The tolerance counts in both directions; 0 switches it off.

    >>> read("t=1760000000,v1=" + "0" * 64, now=1760009999.0, tolerance_seconds=300)
    'too_old'
    """
    if header is None or not header.strip():
        return "missing"
    claim = _parse(header)
    if claim is None:
        return "malformed"
    if tolerance_seconds > 0 and abs(now - int(claim.time_text)) > tolerance_seconds:
        return "too_old"
    return claim


def verify(
    header: str | None, body: bytes, secrets: Sequence[str], now: float, tolerance_seconds: float
) -> SignatureVerdict:
    """
    Tell whether the body was signed with one of the secrets, near enough to `now` (unix seconds).

    >>> header = sign("s3cret", 1760000000, b"{}")
    >>> verify(header, b"{}", ["old", "s3cret"], now=1760000010.0, tolerance_seconds=300).ok
    True
    >>> verify(header, b"{}", ["s3cret"], now=1760009999.0, tolerance_seconds=300).reason
    'too_old'
    """
    claim = read(header, now, tolerance_seconds)
    if not isinstance(claim, Claim):
        return SignatureVerdict(claim)
    if not claim.fits(body, secrets):
        return SignatureVerdict("wrong")
    return SignatureVerdict(None, int(claim.time_text))


def sign(secret: str, t: int, body: bytes) -> str:
    """
    The header's value that Robaws would send for this body at `t` (unix seconds).

    >>> sign("11111111-2222-4333-8444-555555555555", 1760000000, b"{}")[:28]
    't=1760000000,v1=f8515fb2b82b'
    """
    return f"t={t},v1={hmac.digest(_key(secret), str(t).encode('ascii') + b'.' + body, 'sha256').hex()}"


def _key(secret: str) -> bytes:
    """The secret's UTF-8 bytes, dashes included (Robaws sheet 3.3, step 3)."""
    return secret.encode("utf-8", "surrogatepass")


def _parse(header: str) -> Claim | None:
    """None where the time or a digest is missing."""
    time_text: str | None = None
    candidates: list[bytes] = []
    for part in header.split(","):
        name, _, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if name == "t":
            # Two different times: nothing says which of them was signed.
            if time_text not in {None, value}:
                return None
            time_text = value
        elif name == "v1" and len(value) == 2 * _DIGEST_BYTES:
            try:
                candidates.append(unhexlify(value))
            except ValueError:
                continue
    if time_text is None or not candidates:
        return None
    if not (time_text.isascii() and time_text.isdigit() and len(time_text) <= _MOST_TIME_DIGITS):
        return None
    return Claim(time_text, tuple(candidates))
