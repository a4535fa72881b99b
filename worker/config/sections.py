"""The sections of the settings that belong to the product itself; `access` holds who may act, `vendors` the systems."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from worker.config.access import TOKEN_LENGTH, strong
from worker.config.base import (
    BlankIsNone,
    LowerCase,
    Number,
    OptionalHttpUrl,
    OptionalSecret,
    PlainValue,
    PositiveSeconds,
    Seconds,
    Section,
    Text,
    Whole,
)


def _postgresql_url(value: str | None) -> str | None:
    if value is None:
        return None
    scheme, separator, rest = value.strip().partition("://")
    # Hosting companies hand out postgres://, SQLAlchemy's own spelling names its driver: both mean the same here.
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("is not the address of a PostgreSQL: write postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    return f"postgresql://{rest}"


def _redis_url(value: str | None) -> str | None:
    if value is None:
        return None
    scheme, separator, _ = value.strip().partition("://")
    if not separator or scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("is not the address of a Redis: write redis://:PASSWORD@HOST:6379/0, or rediss:// for TLS")
    return value.strip()


def _host(value: str) -> str:
    name = value.strip().lower().strip("[]").rstrip(".")
    if not re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:.]+", name):
        raise ValueError('holds what is not a host name: write names only, like "sync.example.com", without a port')
    return name


def _metrics_token(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        strong(value.get_secret_value(), "make one with openssl rand -hex 24")
    return value


class DatabaseSettings(Section):
    """Where the truth is kept."""

    url: Annotated[str | None, AfterValidator(_postgresql_url), BlankIsNone] = Field(
        default=None,
        repr=False,
        description="`postgresql://USER:PASSWORD@HOST:5432/DATABASE`; without it, an embedded PostgreSQL under `home`",
    )
    owner_url: Annotated[str | None, AfterValidator(_postgresql_url), BlankIsNone] = Field(
        default=None,
        repr=False,
        description="the same database as the user that owns its tables, for `migrate` and for the scheduler, which"
        " makes and drops months; without it, `database.url`",
    )
    admin_url: Annotated[str | None, AfterValidator(_postgresql_url), BlankIsNone] = Field(
        default=None,
        repr=False,
        description="the same database as a superuser, for `migrate` alone: it makes the users of the other two"
        " addresses and gives them their passwords; without it, they must exist",
    )
    allow_insecure: bool = Field(
        default=False, description="whether these addresses may go to another machine without a verified certificate"
    )
    pool_size: Whole | None = Field(
        default=None, ge=1, description="connections of one process; without it, `worker.concurrency` and four more"
    )

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Every address of PostgreSQL that is given, by its key: each login has one of its own."""
        for name in type(self).model_fields:
            url = getattr(self, name) if name.endswith("url") else None
            if url:
                yield name, url


class RedisSettings(Section):
    """Where nudges and budgets are kept; nothing is lost when it is emptied."""

    url: Annotated[str | None, AfterValidator(_redis_url), BlankIsNone] = Field(
        default=None,
        repr=False,
        description="`redis://…`, `rediss://…` or `unix://…`; without it, an embedded Redis under `home`",
    )
    allow_insecure: bool = Field(
        default=False, description="whether `url` may go to another machine without TLS and a verified certificate"
    )


class ReceiverSettings(Section):
    """Where webhooks, console, API and metrics are served."""

    host: Text = Field(default="127.0.0.1", description="address that is listened on")
    port: Whole = Field(default=8080, ge=0, le=65535, description="port that is listened on; 0 takes a free one")
    public_url: OptionalHttpUrl = Field(
        default=None, description="`https://HOST`, the address that Robaws and people use; its host is served"
    )
    allowed_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(),
        description="further host names that are served, in addition to those of this machine, `receiver.host` and the "
        "host of `receiver.public_url`; a request with another Host is answered with 421",
    )
    metrics_token: Annotated[OptionalSecret, AfterValidator(_metrics_token)] = Field(
        default=None,
        description=f"bearer token that `/metrics` wants, at least {TOKEN_LENGTH} characters; without it, the "
        "metrics are open to whoever reaches the port",
    )
    max_body_bytes: Whole = Field(default=1_048_576, ge=1, description="a larger body is answered with 413")
    signature_tolerance_seconds: Seconds = Field(
        default=300.0, description="how far a signature's time may be from ours, either way; 0 switches the check off"
    )
    quarantine_limit: Whole = Field(
        default=1000,
        ge=0,
        description="how many bodies that are not events are kept at most",
    )


class WorkerSettings(Section):
    """The process that fetches and delivers."""

    concurrency: Whole | None = Field(
        default=None, ge=1, description="tasks at once; without it, eight for each processor, 8 to 32"
    )
    lease_seconds: PositiveSeconds = Field(default=120.0, description="how long a claim holds when its worker dies")
    stop_seconds: PositiveSeconds = Field(
        default=35.0,
        description="how long a worker that is told to stop goes on with what it began; the rest waits for its lease",
    )

    @property
    def effective_concurrency(self) -> int:
        """Tasks at once on this machine: mostly waiting for vendors, so more than processors."""
        return self.concurrency or max(8, min(32, 8 * (os.cpu_count() or 1)))


class SchedulerSettings(Section):
    """The process that announces what is due."""

    sweep_seconds: PositiveSeconds = Field(default=1.0, description="how often due rows are announced again")


class RetrySettings(Section):
    """How long a failed delivery waits."""

    ladder_seconds: tuple[Seconds, ...] = Field(
        default=(5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0, 86400.0),
        min_length=1,
        description="waits between attempts; after the last one the delivery is dead until a person or a change",
    )
    jitter: Number = Field(default=0.2, ge=0, le=1, description="share of the wait that is random")


class BreakerSettings(Section):
    """When a vendor that only fails is left alone."""

    failures: Whole = Field(default=5, ge=1, description="consecutive failures that open the breaker")
    probe_seconds: PositiveSeconds = Field(default=30.0, description="how often an open breaker lets one call through")


class FuseSettings(Section):
    """When a client that goes to and fro is left alone."""

    returns: Whole = Field(
        default=6, ge=0, le=30, description="how often one field may come back to a value it had; 0 switches it off"
    )
    within_seconds: PositiveSeconds = Field(default=3600.0, description="how far back is counted")
    rest_seconds: tuple[PositiveSeconds, ...] = Field(
        default=(30.0, 300.0, 3600.0),
        min_length=1,
        description="how long the client is left alone then; the next rest as long as it goes on, and the last repeats",
    )


class RetentionSettings(Section):
    """How long the history is kept; what is dropped is a whole month, once all of it is older."""

    events_days: Whole = Field(default=400, ge=7, description="webhook events with their bodies, and the quarantine")
    attempts_days: Whole = Field(default=400, ge=7, description="the log of requests with their answers")


class ReconcileSettings(Section):
    """The slow poll for what webhooks missed."""

    interval_seconds: Seconds = Field(default=900.0, description="time between two polls; 0 switches them off")


class FilterSettings(Section):
    """Which Robaws clients take part: those that meet every condition that is given."""

    status: tuple[Text, ...] | None = Field(default=None, description="the client's status is one of these texts")
    type: tuple[Literal["organisation", "person"], ...] | None = Field(
        default=None, description="the client is one of these; see `sync.private_status` and `sync.person_kinds`"
    )
    extra_field: dict[Text, PlainValue] = Field(
        default={}, description="Robaws extra fields, by name, that hold exactly this value"
    )


class SyncSettings(Section):
    """What is synchronised."""

    filter: FilterSettings = FilterSettings()
    private_status: tuple[Text, ...] = Field(
        default=(), description="texts of the Robaws status that mean a private person; all others are organisations"
    )
    person_kinds: dict[Text, tuple[Text, ...]] = Field(
        default={}, description="Robaws extra fields, by name, with the values that mean a private person"
    )


class LogSettings(Section):
    """What is written to the standard error stream."""

    level: Annotated[Literal["debug", "info", "warning", "error", "critical"], LowerCase] = Field(
        default="info", description="the least important message that is written"
    )
    format: Annotated[Literal["console", "json"], LowerCase] = Field(
        default="console", description="for people, or one JSON object a line for machines"
    )


class TelemetrySettings(Section):
    """Where traces go."""

    otlp_endpoint: OptionalHttpUrl = Field(default=None, description="OTLP collector over HTTP; without it, no traces")
