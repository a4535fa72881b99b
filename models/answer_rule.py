"""Answers that hold for every question about a field of a system, from now on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

RULE_CHOICES: Final = ("ours", "theirs")


class AnswerRule(Base):
    """
    What a person decided for a field of a system (`path` is the vendor's), when answering `review_id`.

    One is active for each field, until `ended_at`: another rule takes its place, or the answer is taken back.
    """

    __tablename__ = "answer_rule"
    __table_args__ = (
        CheckConstraint(one_of("choice", RULE_CHOICES), name="choice"),
        Index("uq_answer_rule_active", "system", "path", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    system: Mapped[str]
    path: Mapped[str]
    choice: Mapped[str]
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    reason: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
