"""What every system's settings have in common: its address, its budget, its time limits and who owns which field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from worker.config.base import Entries, HttpUrl, Number, Owner, PositiveSeconds, Seconds, Section, Whole
from worker.core.contact import BY_PATH

SystemName = Literal["robaws", "rompslomp", "recras", "workspace", "routix"]
SYSTEM_NAMES: tuple[SystemName, ...] = get_args(SystemName)
TARGETS: tuple[SystemName, ...] = ("rompslomp", "recras", "workspace")
"""Those that contacts are delivered to."""

TAKEN_HEADERS = frozenset(("authorization", "content-type", "content-length", "accept", "accept-encoding", "host"))

BASE_URL = "address of the API, with its version"
RATE_PER_SECOND = "calls a second, sustained; may be a fraction"
RATE_PER_MINUTE = "calls a minute, in addition to the rate a second"
BURST = "calls that may go at once after a pause"
DAILY_REQUESTS = "calls a day"
IDEMPOTENCY_HEADERS = (
    "headers that carry the idempotency key of each write, all with the same value; empty: none is sent "
    "(Robaws: at least one; Routix: nothing is written there)"
)
UNKNOWN_SETTLE = "how long a create without an answer is left alone before its record is looked for"


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """
    Entries by dotted path, whether they were written flat, nested or both.

    >>> dict(flatten({"address": {"city": "fill"}, "name": "robaws"}))
    {'address.city': 'fill', 'name': 'robaws'}
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _flat(value: Any) -> Any:
    return dict(flatten(value)) if isinstance(value, Mapping) else value


def _canonical(path: str) -> str:
    if path in BY_PATH:
        return path
    near = difflib.get_close_matches(path, BY_PATH, n=1)
    guess = f"did you mean {near[0]}? The fields are" if near else "the fields are"
    inside = [known for known in BY_PATH if known.startswith(f"{path}.")]
    if inside:
        raise ValueError(f"is a group, not a field: name its fields one by one ({', '.join(inside)})")
    raise ValueError(f"is not a field of a contact: {guess} {', '.join(BY_PATH)}")


def _header_name(value: str) -> str:
    # RFC 9110 section 5.6.2: what a field name may hold.
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ValueError("is not the name of a header: use letters, digits and dashes")
    if value.lower() in TAKEN_HEADERS:
        raise ValueError("is a header with a meaning of its own: name the one that the vendor reads keys from")
    return value


HeaderNames = tuple[Annotated[str, AfterValidator(_header_name)], ...]

FieldOwners = Annotated[
    dict[Annotated[str, AfterValidator(_canonical)], Owner], BeforeValidator(_flat), Entries(dotted=True)
]


class SystemSettings(Section):
    """
    One system. `needs` names what it cannot start without, with the step that brings it; `credentials` are the keys
    that a running worker reads again when the vendor refuses them.

    A rate of None is no limit of that kind. Where several are set, each of them holds.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    credentials: ClassVar[tuple[str, ...]] = ()

    enabled: bool = Field(default=False, description="whether the system takes part")
    base_url: HttpUrl = Field(default="", description=BASE_URL)
    allow_http: bool = Field(
        default=False, description="whether `base_url` may go without TLS to another machine (trying out only)"
    )
    rate_per_second: Number | None = Field(default=None, gt=0, description=RATE_PER_SECOND)
    burst: Whole = Field(default=1, ge=1, description=BURST)
    rate_per_minute: Number | None = Field(default=None, gt=0, description=RATE_PER_MINUTE)
    daily_requests: Whole | None = Field(default=None, ge=1, description=DAILY_REQUESTS)
    idempotency_headers: HeaderNames = Field(default=("Idempotency-Key",), description=IDEMPOTENCY_HEADERS)
    timeout_seconds: PositiveSeconds = Field(default=30.0, description="how long one call may take")
    fields: FieldOwners = Field(
        default={},
        description="who owns a field there, by canonical path, where it is not the vendor's default: "
        "`robaws`, `system`, `fill` (only when empty), `review` or `ignore`",
    )
    on_gone: Literal["recreate", "review"] = Field(
        default="review", description="what happens when the record to change is gone (404)"
    )
    unknown_settle_seconds: Seconds = Field(default=5.0, description=UNKNOWN_SETTLE)
    directory_max_age_seconds: Seconds = Field(
        default=600.0, description="how old a full list may be that is searched before a create"
    )

    @property
    def calls_per_second(self) -> float | None:
        """The rate that counts, the lower of those that are set; None where none is."""
        rates = [float(self.rate_per_second)] if self.rate_per_second else []
        rates += [float(self.rate_per_minute) / 60] if self.rate_per_minute else []
        return min(rates, default=None)
