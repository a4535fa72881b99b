"""One HTTP request to a vendor, with what came of it. Never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Identity, Index, PrimaryKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Attempt(Base):
    """
    A request for a link or a contact. Partitioned by month of `at`, so that old months are dropped whole.

    `sent` is what was sent, without secrets and bank data; `decisions` the rule behind each field of it. `status`
    is null where no answer came; `error` then says what happened on the way.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        PrimaryKeyConstraint("id", "at"),
        Index(None, "contact_id", "at"),
        Index(None, "link_id", "at"),
        Index(None, "system", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[int] = mapped_column(Identity(always=True))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    contact_id: Mapped[int | None]
    link_id: Mapped[int | None]
    system: Mapped[str]
    operation: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    sent: Mapped[dict[str, Any] | None]
    decisions: Mapped[list[Any] | None]
    idempotency_key: Mapped[str | None]
    status: Mapped[int | None]
    answer: Mapped[str | None]
    error: Mapped[str | None]
    duration_ms: Mapped[int]
    correlation_id: Mapped[str | None]
    contact_version: Mapped[int | None]
    mapping_version: Mapped[str | None]
    fence: Mapped[int | None]
