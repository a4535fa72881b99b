"""
clients are found by all that they are known by

An index on words of the name without accents, e-mails, phones and numbers. Its keys are made by a function of the
columns, so that clients which the previous release stores meanwhile are found as well. The index of words that the
previous release searches by stays until the release after this one.

Writing to the table of contacts waits while the index is built, about a minute for a million clients; webhooks are
stored meanwhile, as they go to another table.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: None = None
depends_on: None = None


def folded(text: str) -> str:
    """The expression for a text in small letters without accents."""
    bare = rf"regexp_replace(normalize(lower({text}), NFD), '[\u0300-\u036f]', '', 'g')"
    return f"translate(replace(replace(replace({bare}, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'øłđ', 'old')"


FOLD = f"""
CREATE FUNCTION client_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT {folded("value")}
$$
"""

# Calls no function of ours: while an index is built, PostgreSQL finds only its own.
SEARCH = rf"""
CREATE FUNCTION client_search(name text, canonical jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH person AS (
        SELECT p FROM jsonb_path_query(COALESCE(canonical, '{{}}'), 'lax $.persons[*]') AS p
    ), email AS (
        SELECT canonical ->> 'email' AS value UNION ALL SELECT canonical ->> 'invoice_email'
        UNION ALL SELECT p ->> 'email' FROM person
    ), phone AS (
        SELECT canonical ->> 'phone' AS value UNION ALL SELECT canonical ->> 'mobile'
        UNION ALL SELECT p ->> 'phone' FROM person UNION ALL SELECT p ->> 'mobile' FROM person
    ), number AS (
        SELECT canonical ->> 'vat_number' AS value UNION ALL SELECT canonical ->> 'registration_number'
    ), key AS (
        SELECT 'n:' || word AS key
        FROM unnest(tsvector_to_array(to_tsvector('simple', {folded("COALESCE(name, '')")}))) AS word
        UNION SELECT 'e:' || lower(btrim(value)) FROM email
        UNION SELECT 'p:' || right(regexp_replace(value, '[^0-9]', '', 'g'), 8) FROM phone
            WHERE length(regexp_replace(value, '[^0-9]', '', 'g')) >= 8
        UNION SELECT 'v:' || upper(regexp_replace(value, '[^0-9A-Za-z]', '', 'g')) FROM number
        UNION SELECT 'v:' || ltrim(regexp_replace(value, '[^0-9]', '', 'g'), '0') FROM number
    )
    SELECT array_to_tsvector(COALESCE(array_agg(key), '{{}}')) FROM key WHERE length(key) BETWEEN 3 AND 400
$$
"""  # noqa: S608 - made of constants


def upgrade() -> None:
    """Bring the schema forward."""
    op.execute(FOLD)
    op.execute(SEARCH)
    op.execute("CREATE INDEX ix_contact_search ON contact USING gin (client_search(name, canonical))")


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_contact_search", "contact")
    op.execute("DROP FUNCTION client_search(text, jsonb)")
    op.execute("DROP FUNCTION client_fold(text)")
