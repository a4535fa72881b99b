"""
what a person decided about a link, and more kinds of questions

The previous release still serves while this runs: add before you use, and remove one release after the last use. It
asks only questions of the old kinds and leaves the new columns at their defaults. Answers that it kept among the parked
fields are moved; only links that are still under way have any.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None

KINDS = "kind IN ('match', 'field', 'proposal', 'gone', 'unusable', 'brake')"
OLD_KINDS = "kind IN ('match', 'field')"
TO_DECIDED = r"""
    UPDATE link SET parked = parked - '\:not' - '\:ours',
        decided = jsonb_strip_nulls(jsonb_build_object('refused', parked -> '\:not', 'ours', parked -> '\:ours'))
    WHERE state NOT IN ('synced', 'excluded') AND (jsonb_exists(parked, '\:not') OR jsonb_exists(parked, '\:ours'))
"""
TO_PARKED = r"""
    UPDATE link SET parked = parked ||
        jsonb_strip_nulls(jsonb_build_object('\:not', decided -> 'refused', '\:ours', decided -> 'ours'))
    WHERE state NOT IN ('synced', 'excluded') AND decided <> '{}'
"""


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column(
        "link",
        sa.Column(
            "decided", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.add_column("review", sa.Column("resolve_reason", sa.Text(), nullable=True))
    op.drop_constraint(op.f("ck_review_kind"), "review", type_="check")
    op.create_check_constraint(op.f("ck_review_kind"), "review", KINDS)
    op.execute(TO_DECIDED)


def downgrade() -> None:
    """Take it back."""
    op.execute(TO_PARKED)
    op.execute("UPDATE review SET kind = 'match' WHERE kind NOT IN ('match', 'field')")
    op.drop_constraint(op.f("ck_review_kind"), "review", type_="check")
    op.create_check_constraint(op.f("ck_review_kind"), "review", OLD_KINDS)
    op.drop_column("review", "resolve_reason")
    op.drop_column("link", "decided")
