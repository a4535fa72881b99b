"""
what the loop fuse remembers

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
writes every column of a contact by name, so it leaves this one empty; a column without a default rewrites no row.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("contact", sa.Column("fuse", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("contact", "fuse")
