"""
what an unanswered or interrupted change may have brought

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
puts all owned fields back after such a change and leaves the new columns at their defaults.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None

COLUMNS = ("repair", "overtaken")


def upgrade() -> None:
    """Bring the schema forward."""
    for name in COLUMNS:
        json = postgresql.JSONB(astext_type=sa.Text())
        op.add_column("link", sa.Column(name, json, server_default=sa.text("'[]'::jsonb"), nullable=False))


def downgrade() -> None:
    """Take it back."""
    op.execute("UPDATE link SET restore = true WHERE repair <> '[]' OR overtaken <> '[]'")
    for name in COLUMNS:
        op.drop_column("link", name)
