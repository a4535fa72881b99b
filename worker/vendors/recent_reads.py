"""
Answers to reads that an earlier attempt of the same delivery got before it was put off.

A vendor that allows few calls would otherwise be asked the same searches again after each refusal, and the delivery
would never get further. Answers are kept with the row when a delivery is put off for a rate limit, and used once,
within a short time: what is older is asked for again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import orjson

from worker.core import sensitive
from worker.core.wire import Request

VALID_SECONDS: Final = 120.0
"""How old an answer may be when it is used. A person who changes the record meanwhile is overtaken by no more."""
MOST_BYTES: Final = 128 * 1024
"""How much is kept for one delivery, bodies together."""
OPERATIONS: Final = frozenset(("search", "read"))
"""Whole lists are kept in the directory, which has a rule of its own for their age."""


class Kept(NamedTuple):
    """One answer, with the Unix time at which it came."""

    at: float
    headers: Mapping[str, str]
    body: str


class ReadMemory(Protocol):
    """What a session asks before it sends a read."""

    def find(self, request: Request, now: float) -> Kept | None:
        """The answer of an earlier attempt."""

    def keep(self, request: Request, status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Remember an answer for the next attempt."""

    def forget(self) -> None:
        """Something is being written: no answer that came before is used or kept."""


@dataclass
class RecentReads:
    """The answers of one delivery: `earlier` from the row, `kept` for the next attempt."""

    earlier: dict[str, Kept] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    closed: bool = False

    def find(self, request: Request, now: float) -> Kept | None:
        """
        The answer of an earlier attempt to the same read, None where there is none that is recent.

        Each is given once: a client that asks the same again wants a newer answer.
        """
        if self.closed or not _may_keep(request):
            return None
        name = _name(request)
        kept = self.earlier.pop(name, None)
        if kept is None or not 0 <= now - kept.at < VALID_SECONDS:
            return None
        self.kept[name] = kept
        return kept

    def keep(self, request: Request, status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """
        Remember a whole JSON answer to a read, without bank data, identity numbers and the members that the request
        hides. One that will be written back is not kept where it held any: it would be wiped there.
        """
        if self.closed or status != 200 or not _may_keep(request):
            return
        if "json" not in headers.get("content-type", "").lower() or len(body) > MOST_BYTES:
            return
        try:
            answer = orjson.loads(body)
            kept = sensitive.clean(answer, more=request.hidden_names, replacement="")
            text = orjson.dumps(kept).decode()
        except (ValueError, TypeError):
            return
        if request.written_back and kept is not answer:
            return
        if "\\u0000" in text or sum(len(one.body) for one in self.kept.values()) + len(text) > MOST_BYTES:
            return
        self.kept[_name(request)] = Kept(now, {name: headers[name] for name in headers if _tells(name)}, text)

    def forget(self) -> None:
        """From now on nothing that was read before a write is used or kept."""
        self.closed = True
        self.earlier.clear()
        self.kept.clear()

    def to_json(self) -> dict[str, Any] | None:
        """What the row keeps; None for nothing."""
        return {name: [kept.at, dict(kept.headers), kept.body] for name, kept in self.kept.items()} or None

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> RecentReads:
        """The answers from the row."""
        return cls({name: Kept(float(at), headers, body) for name, (at, headers, body) in (value or {}).items()})


def _may_keep(request: Request) -> bool:
    return request.method == "GET" and request.operation in OPERATIONS and not (request.writes or request.creates)


def _name(request: Request) -> str:
    asked = orjson.dumps([request.method, request.path, request.query, request.budget])
    return hashlib.sha256(asked).hexdigest()[:32]


def _tells(header: str) -> bool:
    """Whether a client may look at a header again: the content type, and those that page through a list."""
    return header in ("content-type", "link") or (header.startswith("x-") and not header.startswith("x-ratelimit"))
