"""
names of tokens that tell nothing of the tokens

Releases before tokens had names called each by the beginning of its hash: in the log of actions, beside a pause, in
answered questions and in the message of a link. Whoever reads that can try all short tokens against it, and tokens of
that time are still let in. Each gets a number in its place, in the order in which they first acted, so that it can
still be told who did what.

The previous release still serves while this runs. It goes on writing such names until it is replaced, and goes by none.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: None = None
depends_on: None = None

RENAME = """
WITH hashed AS (
    SELECT actor AS name, id AS place FROM operator_action
    UNION ALL
    SELECT learned ->> 'paused_by_name', NULL FROM system_state
    UNION ALL
    SELECT resolved_by, NULL FROM review
), numbered AS (
    SELECT name, 'token ' || row_number() OVER (ORDER BY min(place), name) || ' of an earlier release' AS instead
    FROM hashed WHERE name ~ '^token-[0-9a-f]{8}$' GROUP BY name
), in_the_log AS (
    UPDATE operator_action SET actor = instead FROM numbered WHERE actor = name
), in_the_answers AS (
    UPDATE review SET resolved_by = instead FROM numbered WHERE resolved_by = name
)
UPDATE system_state SET learned = learned || jsonb_build_object('paused_by_name', instead)
FROM numbered WHERE learned ->> 'paused_by_name' = numbered.name
"""

IN_MESSAGES = r"""
UPDATE link SET message = regexp_replace(message, '\mtoken-[0-9a-f]{8}\M', 'a token of an earlier release', 'g')
WHERE message ~ '\mtoken-[0-9a-f]{8}\M'
"""


def upgrade() -> None:
    """Bring the schema forward."""
    op.execute(RENAME)
    op.execute(IN_MESSAGES)


def downgrade() -> None:
    """What the tokens were called cannot be told any more."""
