"""
answers that can be taken back, and rules that answer from now on

What a link was before an answer, so that the answer can be taken back, and a table of rules. The previous release
neither reads nor writes them, and serves on beside this one: what it answers cannot be taken back.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column(
        "review",
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text(), none_as_null=True), nullable=True),
    )
    op.create_table(
        "answer_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("choice IN ('ours', 'theirs')", name=op.f("ck_answer_rule_choice")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_answer_rule_review_id_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_rule")),
    )
    op.create_index(
        "uq_answer_rule_active",
        "answer_rule",
        ["system", "path"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Take it back; answers that were given stay."""
    op.drop_index("uq_answer_rule_active", table_name="answer_rule", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("answer_rule")
    op.drop_column("review", "before")
