"""
more keys for matching, and who is making which client

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
writes every column of the directory by name, so it leaves the new ones at their defaults; lists are read anew by this
release, as their keys are others. It makes clients without a lock on their keys, as it always did.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: None = None
depends_on: None = None

KEYS = {"number_keys": "ix_directory_entry_numbers", "phone_keys": "ix_directory_entry_phones"}


def upgrade() -> None:
    """Bring the schema forward."""
    for column, index in KEYS.items():
        texts = postgresql.ARRAY(sa.Text())
        default = sa.text("'{}'::text[]")
        op.add_column("directory_entry", sa.Column(column, texts, server_default=default, nullable=False))
        op.create_index(index, "directory_entry", [column], postgresql_using="gin")
    op.create_table(
        "create_lock",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("link_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_create_lock_link_id_link"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("system", "key", name=op.f("pk_create_lock")),
    )
    op.create_index("ix_create_lock_link_id", "create_lock", ["link_id"])
    op.create_index("ix_create_lock_at", "create_lock", ["at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("create_lock")
    for column, index in KEYS.items():
        op.drop_index(index, "directory_entry")
        op.drop_column("directory_entry", column)
