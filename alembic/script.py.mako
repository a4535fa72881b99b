"""
${message}

The previous release still serves while this runs: add before you use, and remove one release after the last use. Lock
one table a transaction, since that release locks several in an order of its own: more than one step, or an index
(CONCURRENTLY), belongs into `with op.get_context().autocommit_block():`, each safe to be run again.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

from __future__ import annotations

import sqlalchemy as sa
${imports if imports else ""}
from alembic import op

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Bring the schema forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take it back."""
    ${downgrades if downgrades else "pass"}
