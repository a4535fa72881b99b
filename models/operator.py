"""What people did: one row an action, with why, on what, and the result for each item."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

ACTION_STATES: Final = ("pending", "running", "done", "aborted")


class OperatorAction(Base):
    """
    One thing a person did. A bulk action is the same row, worked off in the background: `done` of `total`.

    `items` are the ids it acts on, fixed when it was made; `results` one entry an item: id, outcome, message.
    """

    __tablename__ = "operator_action"
    __table_args__ = (
        CheckConstraint(one_of("state", ACTION_STATES), name="state"),
        Index(None, "target", "at"),
        Index("ix_operator_action_open", "id", postgresql_where=text("state IN ('pending', 'running')")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    filter: Mapped[dict[str, Any] | None]
    reason: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="done")
    total: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    items: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    results: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    finished_at: Mapped[datetime | None]
