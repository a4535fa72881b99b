"""
the order of the retry queue: by state, and then what has been owed for longest

The previous release still serves while this runs, and takes no notice of an index. Only open rows are in either.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: None = None
depends_on: None = None

LINKS = "state IN ('waiting', 'unknown', 'review', 'dead')"
FETCHES = "fetch_state IN ('waiting', 'dead')"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_index(
        "ix_link_queue", "link", ["state", sa.text("since NULLS FIRST"), "id"], postgresql_where=sa.text(LINKS)
    )
    op.create_index(
        "ix_contact_fetch_queue",
        "contact",
        ["fetch_state", sa.text("fetch_since NULLS FIRST"), "id"],
        postgresql_where=sa.text(FETCHES),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_contact_fetch_queue", "contact")
    op.drop_index("ix_link_queue", "link")
