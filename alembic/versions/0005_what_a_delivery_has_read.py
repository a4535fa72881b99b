"""
what a delivery had read when a rate limit put it off

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
leaves this column empty; a column without a default rewrites no row.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("link", sa.Column("reads", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("link", "reads")
