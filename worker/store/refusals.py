"""What is answered to an operator who asks for something that cannot be: not by them, not there, not now, not so."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from worker.errors import SyncError


class Forbidden(SyncError):
    """It takes an admin (HTTP 403)."""

    reason = "forbidden"


class NotFound(SyncError):
    """There is no such thing (HTTP 404)."""

    reason = "not_found"


class Conflict(SyncError):
    """It cannot be done as things stand now (HTTP 409)."""

    reason = "conflict"


class Unfit(SyncError):
    """What was asked makes no sense, whatever the state of things (HTTP 422)."""

    reason = "unfit"


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """The value, where it is one of these; else Unfit with all of them and the nearest. `name`: of the filter."""
    if value in known:
        return value
    raise Unfit(f"{name} is one of {', '.join(known)}{near(value, known)}")


def near(value: str, known: Sequence[str]) -> str:
    """
    A question behind a refusal, where one of these words is close.

    >>> near("validatoin", ["validation", "rejected"])
    ': did you mean validation?'
    """
    found = get_close_matches(value[:80].lower(), known, n=1, cutoff=0.6)
    return f": did you mean {found[0]}?" if found else ""
