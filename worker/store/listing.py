"""
Lists for people: pages by key, so that the last page costs what the first one does.

A cursor says after which row to go on. It is opaque to whoever asks, checked when it comes back, and stays good while
rows come and go.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
from sqlalchemy import Connection, text

from worker.config import SYSTEM_NAMES
from worker.core import sensitive
from worker.core.masks import Id
from worker.core.search_keys import search_keys
from worker.store.refusals import NotFound, Unfit

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
MOST_LIMIT: Final = 200
MOST_REASON: Final = 1_000
COUNT_CAP: Final = 10_000
"""Beyond so many, a total is not counted on: it says `COUNT_CAP` and `total_is_capped`."""

# Arrays, so that each of the three can be answered by its index.
_IS_A_RECORD: Final = f"""c.id = ANY(ARRAY(SELECT contact_id FROM link
        WHERE system = ANY(CAST('{{{",".join(SYSTEM_NAMES)}}}' AS text[])) AND external_id = :query))"""
_MATCHES: Final = f"""((c.source = 'robaws' AND c.source_id = :query) OR {_IS_A_RECORD}
        OR client_search(c.name, c.canonical) @@ CAST(:words AS tsquery))"""
_OF_AN_ORGANISATION: Final = f"(c.source_id = :query OR {_IS_A_RECORD} OR c.canonical ->> 'kind' = 'organisation')"

_WORDS: Final = text(
    """
    SELECT string_agg(alternative, ' | ') FROM (
        SELECT '(' || string_agg(quote_literal('n:' || lexeme) || ':*', ' & ') || ')' AS alternative
        FROM unnest(to_tsvector('simple', client_fold(:query)))
        UNION ALL SELECT quote_literal(key) FROM unnest(CAST(:keys AS text[])) AS key
    ) AS alternatives
    """
)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page; `next` is the cursor of the page after it, None on the last."""

    items: list[T]
    total: int
    next: Id | None
    total_is_capped: bool = False


@dataclass(frozen=True)
class Paging:
    """Which page is wanted."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, length: int) -> list[Any] | None:
        """The key to go on after, None for the first page; Unfit for a cursor that is none of ours."""
        if not 1 <= self.limit <= MOST_LIMIT:
            raise Unfit(f"limit is from 1 to {MOST_LIMIT}")
        if not self.cursor:
            return None
        try:
            key = orjson.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii") + b"=="))
        except (binascii.Error, ValueError):
            key = None
        if not isinstance(key, list) or len(key) != length or not all(_is_plain(part) for part in key):
            raise Unfit("cursor is none that was given out here")
        return key

    def page(self, rows: list[T], keys: list[list[Any]], total: int, *, capped: bool = False) -> Page[T]:
        """The page of these rows, of which one more than wanted was read to know whether there is a next."""
        shown = rows[: self.limit]
        following = _cursor(keys[self.limit - 1]) if len(rows) > self.limit else None
        return Page(shown, min(total, COUNT_CAP) if capped else total, following, capped and total > COUNT_CAP)


def _is_plain(part: Any) -> bool:
    return isinstance(part, str) or (type(part) is int and -(2**63) <= part < 2**63)


def _cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode("ascii").rstrip("=")


def matches(*, names_of_persons: bool = True) -> str:
    """
    The condition on contacts with this id here or in any system, with these beginnings of words in their name, or with
    one of the other keys of `words`; each has its index.

    Without `names_of_persons` only organisations are found by their name: whoever may not see a value, as viewers may
    not, must not be able to try it out either.
    """
    return _MATCHES if names_of_persons else f"({_MATCHES} AND {_OF_AN_ORGANISATION})"


def words(connection: Connection, query: str, *, names_of_persons: bool = True) -> dict[str, str]:
    """
    The values of `matches` for what a person typed: an id, beginnings of words in any order, an e-mail, a phone or a
    VAT number in any writing. Without `names_of_persons` nothing is found by the last three, which viewers do not see.
    """
    keys = search_keys(query) if names_of_persons else []
    found: str | None = connection.execute(_WORDS, {"query": query, "keys": keys}).scalar_one()
    return {"query": query, "words": found or ""}


def plain(value: str | None, name: str, most: int = 200) -> str | None:
    """A text that PostgreSQL can look for; Unfit for one with NUL or far too long. Blank counts as none."""
    if value is None or not value.strip():
        return None
    if "\x00" in value or len(value) > most:
        raise Unfit(f"{name} holds a character that no text here has, or more than {most} of them")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unfit(f"{name} is not a text") from None
    return value.strip()


def reason_given(value: str | None) -> str | None:
    """What a person gives as the reason, as it is stored: without the bank data and identity numbers in it."""
    given = plain(value, "reason", most=MOST_REASON)
    return None if given is None else sensitive.clean_text(given)


def number(digits: str, what: str) -> int:
    """A row's number out of a public id; NotFound where it cannot be one."""
    if digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(digits)
    raise NotFound(f"there is no {what} of this id")
