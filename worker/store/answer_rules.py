"""
Rules: an answer that holds for every question about a field of a system, from now on.

A rule answers as the person who made it would, one question at a time and in the same way, so that each answer can be
looked at, and taken back by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from worker.core.masks import FieldName, Id, Word

if TYPE_CHECKING:
    from worker.store.operating import Actor

CHOICES: Final = ("ours", "theirs")
"""The answers that a rule can give."""

_ACTIVE: Final = text(
    """
    SELECT CAST(a.review_id AS text) AS review, a.system, COALESCE(r.detail ->> 'field', a.path) AS field, a.path,
        a.choice, a.created_by AS by, a.created_at AS since, a.reason
    FROM answer_rule AS a JOIN review AS r ON r.id = a.review_id WHERE a.ended_at IS NULL ORDER BY a.system, a.path
    """
)
_FOR_LINK: Final = text(
    """
    SELECT path, choice FROM answer_rule AS a WHERE system = :system AND ended_at IS NULL AND NOT EXISTS (
        SELECT FROM review AS r
        WHERE r.link_id = :link AND r.path = a.path AND r.resolved_at IS NULL AND r.before IS NOT NULL)
    """
)
_END_OTHERS: Final = text(
    """
    UPDATE answer_rule SET ended_at = :now, ended_by = :by
    WHERE system = :system AND path = :path AND ended_at IS NULL
    """
)
_MAKE: Final = text(
    """
    INSERT INTO answer_rule (system, path, choice, review_id, created_at, created_by, reason)
    VALUES (:system, :path, :choice, :review, :now, :by, :reason)
    """
)
_END: Final = text(
    "UPDATE answer_rule SET ended_at = :now, ended_by = :by WHERE review_id = :review AND ended_at IS NULL RETURNING id"
)
_ANSWERED_BY: Final = text(
    """
    SELECT r.id AS review, a.choice, a.created_by AS by, a.review_id AS made_by
    FROM review AS r JOIN link AS l ON l.id = r.link_id
    JOIN answer_rule AS a ON a.system = l.system AND a.path = r.path AND a.ended_at IS NULL
    WHERE r.link_id = :link AND r.kind = 'field' AND r.resolved_at IS NULL AND r.before IS NULL ORDER BY r.id
    """
)
# With the links of the same contacts to the source, which come before some systems in that order, and after others.
_LOCK_OTHERS: Final = text(
    """
    SELECT l.id, l.system FROM link AS l
    WHERE l.system IN (:system, 'robaws') AND (l.system = 'robaws' OR l.state <> 'working') AND l.contact_id IN (
        SELECT o.contact_id FROM link AS o JOIN review AS r ON r.link_id = o.id
        WHERE o.system = :system AND r.path = :path AND r.kind = 'field' AND r.resolved_at IS NULL)
    ORDER BY l.contact_id, l.system FOR NO KEY UPDATE OF l
    """
)


@dataclass(frozen=True)
class RuleAnswer:
    """An open question that a rule answers: with what, and whose rule it is."""

    review: int
    choice: str
    by: str
    made_by: int

    @property
    def reason(self) -> str:
        """Why it is answered so, for the log."""
        return f"by the rule of question {self.made_by}"


def make(
    connection: Connection,
    review: int,
    system: str,
    path: str,
    choice: str,
    actor: Actor,
    now: datetime,
    why: str | None,
) -> None:
    """From now on every question about this field is answered so; a rule that there was before ends."""
    values = {"system": system, "path": path, "now": now, "by": actor.name}
    connection.execute(_END_OTHERS, values)
    connection.execute(_MAKE, {**values, "choice": choice, "review": review, "reason": why})


@dataclass(frozen=True)
class RuleView:
    """A rule that is active: the question whose answer made it, about which field, who made it, when and why."""

    review: Id
    system: Word
    field: FieldName
    path: FieldName
    choice: Word
    by: str
    since: datetime
    reason: str | None


def active(connection: Connection) -> list[RuleView]:
    """The rules that are active, by system and field."""
    return [RuleView(**row._mapping) for row in connection.execute(_ACTIVE)]


def for_link(connection: Connection, link_id: int, system: str) -> dict[str, str]:
    """What the rules answer for a link, by path: nothing for a question whose answer a person took back."""
    return {row.path: row.choice for row in connection.execute(_FOR_LINK, {"link": link_id, "system": system})}


def end(connection: Connection, review: int, actor: Actor, now: datetime) -> bool:
    """End the rule that the answer to this question made; whether there was one."""
    return connection.execute(_END, {"review": review, "now": now, "by": actor.name}).first() is not None


def answers(connection: Connection, link_id: int) -> list[RuleAnswer]:
    """The open questions of a link that a rule answers: none whose answer a person took back, whoever gave it."""
    return [RuleAnswer(**row._mapping) for row in connection.execute(_ANSWERED_BY, {"link": link_id})]


def lock_links(connection: Connection, system: str, path: str) -> list[int]:
    """
    The links with an open question about this field, locked in the order that everybody keeps.

    Those that are being delivered are left out: the end of their delivery meets the rule.
    """
    rows = connection.execute(_LOCK_OTHERS, {"system": system, "path": path})
    return [row.id for row in rows if row.system == system]
