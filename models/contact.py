"""One contact of the hub, in canonical form, and the fetch that it is owed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

FETCH_STATES: Final = ("idle", "due", "working", "waiting", "dead")


class Contact(Base):
    """
    A contact as it was last fetched.

    A fetch is owed while `fetch_wanted` > `fetch_done`: every hint raises the one, a fetch brings the other to what
    it was when the fetch began. So hints that come during a fetch cause one more, and no more than one.
    `fetch_claimed` is what `fetch_wanted` was when the last claim began, and `fetch_asked` what it was when a person
    last asked for a fetch. However a claim ends, the fetch is due again where something was requested since.
    `fetch_own_failures` are those of the `fetch_attempts` that were not the source's own trouble.
    `fetch_next_attempt_at` is when the row is due: for `working` it is the end of the lease. `fuse` is what the loop
    fuse remembers of the last versions (`worker.core.fuse`); null for most.
    """

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        CheckConstraint(one_of("fetch_state", FETCH_STATES), name="fetch_state"),
        Index(
            "ix_contact_fetch_due",
            "fetch_priority",
            "fetch_next_attempt_at",
            postgresql_include=["fetch_since"],
            postgresql_where=text("fetch_state IN ('due', 'working', 'waiting')"),
        ),
        Index("ix_contact_fetch_dead", "id", postgresql_where=text("fetch_state = 'dead'")),
        Index(
            "ix_contact_fetch_queue",
            "fetch_state",
            text("fetch_since NULLS FIRST"),
            "id",
            postgresql_where=text("fetch_state IN ('waiting', 'dead')"),
        ),
        Index("ix_contact_search", text("client_search(name, canonical)"), postgresql_using="gin"),
        # Searched by the release before this one.
        Index("ix_contact_words", text("to_tsvector('simple', coalesce(name, ''))"), postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    source: Mapped[str]
    source_id: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="0")
    content_hash: Mapped[str | None]
    name: Mapped[str | None]
    canonical: Mapped[dict[str, Any] | None]
    raw: Mapped[dict[str, Any] | None]
    taking_part: Mapped[bool] = mapped_column(server_default=text("true"))
    fetched_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    fetch_state: Mapped[str] = mapped_column(server_default="idle")
    fetch_wanted: Mapped[int] = mapped_column(server_default="0")
    fetch_done: Mapped[int] = mapped_column(server_default="0")
    fetch_claimed: Mapped[int] = mapped_column(server_default="0")
    fetch_asked: Mapped[int] = mapped_column(server_default="0")
    fetch_forced: Mapped[bool] = mapped_column(server_default=text("false"))
    fetch_priority: Mapped[int] = mapped_column(server_default="0")
    fetch_attempts: Mapped[int] = mapped_column(server_default="0")
    fetch_own_failures: Mapped[int] = mapped_column(server_default="0")
    fetch_crashes: Mapped[int] = mapped_column(server_default="0")
    fetch_next_attempt_at: Mapped[datetime | None]
    fetch_fence: Mapped[int] = mapped_column(server_default="0")
    fetch_since: Mapped[datetime | None]
    fetch_reason: Mapped[str | None]
    fetch_message: Mapped[str | None]
    fetch_fingerprint: Mapped[str | None]
    correlation_id: Mapped[str | None]
    fuse: Mapped[dict[str, Any] | None]
