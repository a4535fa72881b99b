"""A request to a vendor and what came of it, as plain values: what is sent, and what the log keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Lane = Literal["live", "background"]


@dataclass(frozen=True)
class Request:
    """
    One request to a vendor.

    `path` is appended to the system's base url, unless it is a whole url. `operation` is the word for the log
    (`create`, `update`, `read`, `search` …). `creates`: an unanswered request may have made a record. `writes`: it
    changes something. `logged` is what the attempt's row keeps of the body, without bank data. `hidden` names the
    members of a JSON answer whose values are not kept either, wherever the answer is quoted. `headers` and `body`
    carry credentials and stay out of the repr.
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
