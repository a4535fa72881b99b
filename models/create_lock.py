"""Which keys of a contact are being made a record of at this moment: one create for each, whoever else has the key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, PrimaryKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class CreateLock(Base):
    """
    A link whose create holds a key (a number, or e-mail and name) in a system.

    It holds while the link's `intent` is open or the delivery that made it goes on, and is kept for a while, so that
    another contact with the key, who searched before the record was there, finds it. `key` is a digest, as it needs
    no reading.
    """

    __tablename__ = "create_lock"
    __table_args__ = (
        PrimaryKeyConstraint("system", "key"),
        Index("ix_create_lock_link_id", "link_id"),
        Index("ix_create_lock_at", "at"),
    )

    system: Mapped[str]
    key: Mapped[str]
    link_id: Mapped[int] = mapped_column(ForeignKey("link.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
