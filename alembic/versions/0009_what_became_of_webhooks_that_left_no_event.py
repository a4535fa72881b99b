"""
what became of webhooks that left no event

A table of its own, with a row for each hour and result. The previous release neither reads nor writes it, and serves
on beside it.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "webhook_result",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hour", "result", name=op.f("pk_webhook_result")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("webhook_result")
