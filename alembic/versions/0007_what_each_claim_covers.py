"""
which request each claim covers

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
leaves the new columns at their defaults, so what it claims covers whatever was requested until then.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: None = None
depends_on: None = None

COLUMNS = (
    ("link", "request_seq"),
    ("link", "claimed_seq"),
    ("link", "restore_seq"),
    ("link", "own_failures"),
    ("contact", "fetch_claimed"),
    ("contact", "fetch_asked"),
    ("contact", "fetch_own_failures"),
)


def upgrade() -> None:
    """Bring the schema forward."""
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("link", sa.Column("settles_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("link", "settles_at")
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column)
