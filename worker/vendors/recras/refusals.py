"""
What Recras says when it refuses: the faults of a 406 by member, read as leniently as they may come (Recras sheet 6).

The usual shape is a list of `{"field", "message", "parameters"}`, where a fault inside a member has `errors` of the
same shape instead (https://github.com/Recras/sfDoctrineRestGeneratorPlugin, `formatValidatorError`). An endpoint may
override any of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from worker.vendors.transport import Response

DEEPEST: Final = 8
LONGEST_SENTENCE: Final = 500

_SENTENCES: Final = ("message", "error", "detail", "title")
_INNER: Final = ("errors", "fields", "error")


def fields_of(body: Any) -> dict[str, str]:
    """
    The vendor's own messages by its field names; several of one field are joined.

    >>> fields_of([{"field": "naam", "message": "Required.", "parameters": []}])
    {'naam': 'Required.'}
    >>> fields_of({"errors": {"plaats": ["Too long.", "Invalid."]}})
    {'plaats': 'Too long., Invalid.'}
    """
    faults: dict[str, str] = {}
    for field, message in _faults(body, DEEPEST):
        known = faults.get(field)
        if known is None or message not in known.split(", "):
            faults[field] = message if known is None else f"{known}, {message}"
    return faults


def sentence_of(response: Response) -> str:
    """The first sentence of an error body, whatever its shape; empty where it is HTML or says nothing."""
    body = response.json_or_none()
    found = next(_sentences(body, DEEPEST), "")
    if not found and "text/plain" in response.headers.get("content-type", ""):
        found = response.excerpt
    return " ".join(found.split())[:LONGEST_SENTENCE]


def _faults(body: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth == 0:
        return
    if isinstance(body, list):
        for item in body:
            yield from _faults(item, depth - 1)
    elif isinstance(body, Mapping):
        yield from _faults_of_object(body, depth)


def _faults_of_object(body: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    inner = next((body[name] for name in _INNER if isinstance(body.get(name), list | Mapping)), None)
    field, message = body.get("field"), body.get("message")
    nested = list(_faults(inner, depth - 1)) if inner is not None else []
    if nested:
        # The outer sentence only strings the inner ones together.
        yield from nested
    elif isinstance(field, str) and field:
        yield field, message if isinstance(message, str) and message else "refused"
    elif not isinstance(message, str) and inner is None:
        for name, value in body.items():
            if told := _told(value):
                yield str(name), told


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str))
    return ""


def _sentences(body: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(body, str) and body.strip():
        yield body
    elif isinstance(body, list):
        for item in body:
            yield from _sentences(item, depth - 1)
    elif isinstance(body, Mapping):
        for name in (*_SENTENCES, "errors"):
            yield from _sentences(body.get(name), depth - 1)
