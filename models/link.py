"""One contact in one system: what we owe it, and what both sides last agreed on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

LINK_STATES: Final = ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded")


class Link(Base):
    """
    What one system is owed for one contact: work is the difference of `wanted_version` and `synced_version`.

    `fence` rises with every claim; whoever writes back must still hold it. `next_attempt_at` is when the row is due
    (for `working`: the end of the lease; null where nothing is owed). `intent` is a create that was decided and may
    have been sent. `snapshot` is the record as both sides last agreed. `parked` are fields that wait for a person,
    by vendor path; `decided` is what a person decided (`core.answers`), kept until a person decides otherwise.
    `restore`: the next delivery reads the record and puts back owned fields that were changed there. `repair` are the
    vendor paths that an unanswered change may have written; only these are read back and put right. `overtaken` leads
    back to the contents of the contact that newer ones replaced while a worker was delivering them: merge patches, the
    newest first. Should that worker be lost, they tell what it may have written. `reads` are
    answers that a delivery got before a rate limit put it off, for its next attempt (`worker.vendors.recent_reads`).

    `request_seq` rises with everything that requests a delivery: a new version, a person's command or answer, a wait
    that is lifted. `claimed_seq` is what it was when the last claim began, and `restore_seq` what it was when a person
    last asked for `restore`. However a claim ends, the link is due again where something was requested since.
    `settles_at` is until when a change that was not answered may yet be made there: nothing newer leaves before.
    `own_failures` are those of the `attempts` that were not the vendor's own trouble: only they lead to `dead`.
    """

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("contact_id", "system"),
        UniqueConstraint("system", "external_id"),
        CheckConstraint(one_of("state", LINK_STATES), name="state"),
        CheckConstraint(
            "state NOT IN ('due', 'working', 'waiting', 'unknown') OR next_attempt_at IS NOT NULL", name="due"
        ),
        Index(
            "ix_link_due",
            "system",
            "priority",
            "next_attempt_at",
            postgresql_where=text("state IN ('due', 'working', 'waiting', 'unknown')"),
        ),
        Index(
            "ix_link_open",
            "id",
            postgresql_where=text("state IN ('waiting', 'unknown', 'review', 'dead')"),
        ),
        Index(
            "ix_link_queue",
            "state",
            text("since NULLS FIRST"),
            "id",
            postgresql_where=text("state IN ('waiting', 'unknown', 'review', 'dead')"),
        ),
        Index("ix_link_excluded", "contact_id", postgresql_where=text("state = 'excluded'")),
        Index(
            "ix_link_system_state",
            "system",
            "state",
            postgresql_include=["since"],
            postgresql_where=text("state NOT IN ('synced', 'excluded')"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    system: Mapped[str]
    external_id: Mapped[str | None]
    state: Mapped[str]
    wanted_version: Mapped[int] = mapped_column(server_default="0")
    synced_version: Mapped[int] = mapped_column(server_default="0")
    snapshot: Mapped[dict[str, Any] | None]
    intent: Mapped[dict[str, Any] | None]
    parked: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    decided: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    unheld: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    reads: Mapped[dict[str, Any] | None]
    restore: Mapped[bool] = mapped_column(server_default=text("false"))
    repair: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    overtaken: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    request_seq: Mapped[int] = mapped_column(server_default="0")
    claimed_seq: Mapped[int] = mapped_column(server_default="0")
    restore_seq: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    own_failures: Mapped[int] = mapped_column(server_default="0")
    crashes: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None]
    settles_at: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default="0")
    since: Mapped[datetime | None]
    reason: Mapped[str | None]
    message: Mapped[str | None]
    operation: Mapped[str | None]
    status: Mapped[int | None]
    fields: Mapped[dict[str, Any] | None]
    fingerprint: Mapped[str | None]
    correlation_id: Mapped[str | None]
    synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
