"""What became of webhook requests that left no event: refused ones, and self-tests that passed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy.orm import Mapped

from models.base import Base


class WebhookResult(Base):
    """
    Requests of one hour with one result, a word of the code; the receivers add to it every few seconds at most.

    Whoever reaches the port can have a request refused. So the rows are as many as hours and results, whatever comes,
    and hold nothing that a stranger chose.
    """

    __tablename__ = "webhook_result"
    __table_args__ = (PrimaryKeyConstraint("hour", "result"),)

    hour: Mapped[datetime]
    result: Mapped[str]
    requests: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
