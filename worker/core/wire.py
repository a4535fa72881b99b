"""A request to a vendor and what came of it, as plain values: what is sent, and what the log keeps."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Lane = Literal["live", "background"]

SHORTEST_SECRET: Final = 4
"""What is shorter is no credential, and blanking it would blank every answer."""

MOST_KEY_CHARACTERS: Final = 128
"""Of an idempotency key, at Robaws, whose limit is the only one that is published (Robaws sheet 5)."""
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_HEADER_VALUE: Final = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")
GRANT: Final = "token"
"""The operation that gets an access token: a POST that changes nothing."""


@dataclass(frozen=True)
class Request:
    """
    One request to a vendor.

    `path` is appended to the system's base url, unless it is a whole url. `operation` is the word for the log
    (`create`, `update`, `read`, `search` …). `creates`: an unanswered request may have made a record. `writes`: it
    changes something. `logged` is what the attempt's row keeps of the body, without bank data. `hidden` names the
    members of a JSON answer whose values are not kept either, wherever the answer is quoted. `written_back`: what the
    answer shows is sent back with a change, and so is read as it came, bank data and all; the vendor's own folder takes
    care that none of it is stored. `person` is the id of the contact person that a change is about, where that has an
    address of its own; `lists_persons`: the body holds the whole list of them. `headers` and `body` carry credentials
    and stay out of the repr; `secrets` are those of the body.
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
    written_back: bool = False
    person: str | None = None
    lists_persons: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def changes_something(self) -> bool:
        """Whether it must carry an idempotency key: a write, or a method that is one and was not declared."""
        return self.writes or self.creates or (self.method not in SAFE_METHODS and self.operation != GRANT)

    def under(self, key: str | None, names: tuple[str, ...]) -> Request:
        """
        The request as it leaves under an idempotency key, in the headers of these names.

        `key` stands for one intended change, which may take several requests: each gets a key of its own, made of it
        and of what the request says, so that a repetition has the same one and another write has another. A request
        that names its own key keeps it. ValueError for a write without a key, or with one that a header cannot carry.
        """
        if not self.changes_something:
            return self
        own = self.idempotency_key or (self._derived(key) if key else "")
        if not 0 < len(own) <= MOST_KEY_CHARACTERS or not own.isascii() or not own.isprintable():
            raise ValueError(
                f"{self.operation} is a write: it needs an idempotency key of 1 to {MOST_KEY_CHARACTERS} printable "
                "ASCII characters"
            )
        return replace(self, idempotency_key=own, headers={**self.headers, **dict.fromkeys(names, own)})

    def _derived(self, key: str) -> str:
        said = (key.encode(), self.method.encode(), self.path.encode(), self.body or b"")
        return hashlib.sha256(b"\n".join(hashlib.sha256(part).digest() for part in said)).hexdigest()

    @property
    def unsendable_header(self) -> str | None:
        """The name of a header whose value HTTP cannot carry (RFC 9110 section 5.5); None where all can be sent."""
        return next((name for name, value in self.headers.items() if not _HEADER_VALUE.fullmatch(value)), None)

    @property
    def hidden_names(self) -> frozenset[str]:
        """`hidden` in lower case."""
        return frozenset(map(str.lower, self.hidden))

    @property
    def credentials(self) -> tuple[str, ...]:
        """
        All that this request proves who it is with, the longest first. An answer may quote it: proxies and debugging
        pages show the request that they were sent.
        """
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        found = [value, value.strip(), *self.secrets]
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
