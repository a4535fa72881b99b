"""
What is tried, as a JSON document: readable in the corpus, and easy to change in a way that stays meaningful.

A body stands in it as `{"json": value}` or as `{"text": "…"}`; bytes that are not UTF-8 are half surrogates in the
text, as Python's `surrogateescape` writes them. What cannot be read as such a document is taken for a bare body, so
that every input means something.
"""

from __future__ import annotations

import json
from typing import Any

Document = dict[str, Any]


def read(data: bytes) -> Document:
    """The document that an input is; a bare body where it is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"body": {"text": text_of(data)}}


def write(document: Document) -> bytes:
    """A document as an input; only ASCII, so that every text survives."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def text_of(data: bytes) -> str:
    """Bytes as a text that gives them back."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(value: Any) -> bytes:
    """The bytes of a body, however it stands in the document."""
    if isinstance(value, dict) and "json" in value:
        return json.dumps(value["json"], ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    text = value.get("text") if isinstance(value, dict) else value
    return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "replace") if isinstance(text, str) else b""


def pieces_of(value: Any) -> list[bytes]:
    """A body in the pieces in which it arrives."""
    return [bytes_of(part) for part in value] if isinstance(value, list) and value else [bytes_of(value)]


def line_of(value: Any) -> str:
    """A text for a header's value, as HTTP lets it through: no line ends, no NUL."""
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "replace").decode()
    return "".join(char for char in text if char >= " " or char == "\t")


def number_of(value: Any, least: int, most: int, otherwise: int) -> int:
    """A whole number within bounds."""
    return value if type(value) is int and least <= value <= most else otherwise


def _is_escaped(text: str) -> bool:
    """Whether half surrogates in it all stand for bytes."""
    return not any("\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff" for char in text)
