"""One vendor as a whole: its breaker, its pauses, what was learned of its limits; and how far it has been read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

BREAKER_STATES: Final = ("closed", "open", "probing")


class SystemState(Base):
    """
    One vendor's state, shared by all processes.

    `paused_reason` is set while a person, or refused credentials, hold the system; nothing is sent then, except a
    probe at `probe_at` where `paused_by` is `credentials`. `throttled_until` is a wait that the vendor asked for,
    `creates_paused_until` a full subscription.
    """

    __tablename__ = "system_state"
    __table_args__ = (CheckConstraint(one_of("breaker", BREAKER_STATES), name="breaker"),)

    system: Mapped[str] = mapped_column(primary_key=True)
    breaker: Mapped[str] = mapped_column(server_default="closed")
    failures: Mapped[int] = mapped_column(server_default="0")
    probe_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]
    paused_reason: Mapped[str | None]
    paused_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    throttled_until: Mapped[datetime | None]
    creates_paused_until: Mapped[datetime | None]
    creates_reason: Mapped[str | None]
    learned: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Checkpoint(Base):
    """How far a poll, a sweep or a directory has read one system; written after the page that it covers."""

    __tablename__ = "checkpoint"

    system: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
