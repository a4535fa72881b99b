"""A request to a vendor and what came of it, as plain values: what is sent, and what the log keeps."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Lane = Literal["live", "background"]

SHORTEST_SECRET: Final = 4
"""What is shorter is no credential, and blanking it would blank every answer."""


@dataclass(frozen=True)
class Request:
    """
    One request to a vendor.

    `path` is appended to the system's base url, unless it is a whole url. `operation` is the word for the log
    (`create`, `update`, `read`, `search` …). `creates`: an unanswered request may have made a record. `writes`: it
    changes something. `logged` is what the attempt's row keeps of the body, without bank data. `hidden` names the
    members of a JSON answer whose values are not kept either, wherever the answer is quoted. `headers` and `body`
    carry credentials and stay out of the repr; `secrets` are those of the body.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    logged: Any = None
    idempotency_key: str | None = None
    creates: bool = False
    writes: bool = False
    timeout_seconds: float | None = None
    metered: bool = True
    budget: str = ""
    hidden: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def credentials(self) -> tuple[str, ...]:
        """
        All that this request proves who it is with, the longest first. An answer may quote it: proxies and debugging
        pages show the request that they were sent.
        """
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        found = [value, *self.secrets]
        if scheme.lower() == "basic":
            found.append(_password(value))
        return tuple(sorted({one for one in found if len(one) >= SHORTEST_SECRET}, key=len, reverse=True))


def _password(pair: str) -> str:
    try:
        return base64.b64decode(pair, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


@dataclass(frozen=True)
class Exchange:
    """One request with what came of it, as the attempt's row will say it. `status` None: no answer."""

    system: str
    request: Request
    status: int | None
    answer: str | None
    error: str | None
    started_at: float
    duration_seconds: float
