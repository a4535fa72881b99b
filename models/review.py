"""What waits for a person's choice: which record it is, whose value stands, what to do about a record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

REVIEW_KINDS: Final = ("match", "field", "proposal", "gone", "unusable", "brake")


class Review(Base):
    """
    One question to a person, open until `resolved_at`.

    `match`: `detail` lists the candidates with their evidence. `field`: `path` is the vendor path, `detail` holds
    ours, theirs and the rule that parked it. `unusable`: the linked record may not be written to as it is.
    `resolve_reason` is why the person chose as they did, and `before` what the answer replaced, to take it back.
    """

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint(one_of("kind", REVIEW_KINDS), name="kind"),
        Index(
            "uq_review_open",
            "link_id",
            "path",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_review_waiting", "id", postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("link.id", ondelete="CASCADE"))
    kind: Mapped[str]
    path: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str]
    message: Mapped[str]
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    resolved_at: Mapped[datetime | None]
    choice: Mapped[str | None]
    resolved_by: Mapped[str | None]
    resolve_reason: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]
