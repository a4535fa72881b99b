"""JSON of a vendor as it can be kept: what PostgreSQL stores, nested no deeper than can be walked through."""

from __future__ import annotations

from typing import Any, Final

import orjson

MOST_LEVELS: Final = 64
"""Of lists and objects inside each other in an answer; the deepest that a vendor's page shows has seven."""


def storable(body: bytes) -> Any:
    """
    JSON without NUL characters in its texts: a vendor may send them, and PostgreSQL stores none. They are left out, as
    `text_key` leaves them out, since what stands for one would be written onward; in a name they are marked, as two
    members must not become one.

    ValueError for what is no JSON, or is nested so deeply that walking through it or writing it again would fail.
    """
    value = orjson.loads(body)
    if body.count(b"[") + body.count(b"{") > MOST_LEVELS and _deeper_than(MOST_LEVELS, value):
        raise ValueError("the answer is nested too deeply")
    return _without_nul(value) if b"\\u0000" in body else value


def _deeper_than(levels: int, value: Any) -> bool:
    """Whether a JSON value has more levels of lists and objects than so many."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not level:
            return False
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
    return bool(level)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        mark = "\N{REPLACEMENT CHARACTER}"
        return {name.replace("\x00", mark): _without_nul(one) for name, one in value.items()}
    return value
