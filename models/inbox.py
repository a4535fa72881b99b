"""The inbox: what vendors told us, verbatim; its unique keys, its tally, and the quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, Identity, Index, PrimaryKeyConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

EVENT_STATES: Final = ("new", "taken", "applied", "skipped", "dead")
"""`new` and `taken` are open: not looked at yet, and waiting for the fetch that its contact is owed."""


class InboxEvent(Base):
    """
    One webhook event, verbatim. Partitioned by month of `received_at`, so that old months are dropped whole.

    `fetch_seq` is the contact's `fetch_wanted` that this event asked for: the fetch that was begun at or after it
    covers the event. `contact_version` is the version that carries it. A new row touches two indexes only; an event is
    found again by its vendor's id through `InboxKey`. The body is kept apart and as it came (storage EXTERNAL, set by
    the migration): compressing it costs more than all the rest of an insert.
    """

    __tablename__ = "inbox_event"
    __table_args__ = (
        PrimaryKeyConstraint("received_at", "id"),
        CheckConstraint(one_of("state", EVENT_STATES), name="state"),
        Index("ix_inbox_event_new", "id", postgresql_where=text("state = 'new'")),
        Index("ix_inbox_event_taken", "contact_id", "fetch_seq", postgresql_where=text("state = 'taken'")),
        Index("ix_inbox_event_dead", "contact_id", postgresql_where=text("state = 'dead'")),
        Index("ix_inbox_event_contact", "contact_id", "received_at", postgresql_where=text("contact_id IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    id: Mapped[int] = mapped_column(Identity(always=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    source: Mapped[str]
    event_id: Mapped[str]
    kind: Mapped[str]
    source_id: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes]
    correlation_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="new")
    reason: Mapped[str | None]
    contact_id: Mapped[int | None]
    fetch_seq: Mapped[int | None]
    contact_version: Mapped[int | None]
    closed_at: Mapped[datetime | None]


class InboxKey(Base):
    """
    The unique key of an event, kept apart because a partitioned table cannot hold it across months.

    An event is stored exactly when its key is new; a second delivery finds the key and makes no second row.
    """

    __tablename__ = "inbox_key"
    __table_args__ = (PrimaryKeyConstraint("source", "event_id"), Index(None, "received_at", postgresql_using="brin"))

    source: Mapped[str]
    event_id: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class EventTally(Base):
    """
    What happened to events, as rows that are only ever added; their sum is the count since the beginning.

    Adding a row takes no lock that another process waits for, so a receiver and a worker never meet here. The
    scheduler folds old rows into one. Open and dead events are counted from the inbox itself, so that
    received − applied − skipped − open − dead compares two independent books.
    """

    __tablename__ = "event_tally"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    received: Mapped[int] = mapped_column(server_default="0")
    applied: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")


class InboxReject(Base):
    """The quarantine: requests that were signed rightly and are no event. Bounded; the oldest go first."""

    __tablename__ = "inbox_reject"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    source: Mapped[str]
    problem: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes]
