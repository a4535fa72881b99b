"""What a vendor says to people in the body of a failure: the text of a page, or the sentence in a JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final

from typing_extensions import override

MOST_CHARACTERS: Final = 120
_UNSEEN: Final = ("script", "style", "title")
_SENTENCES: Final = ("message", "detail", "error", "title")


def page_text(body: str) -> str:
    """
    One line of what a body says, empty where it says nothing; a title is not repeated.

    >>> page_text("<html><title>503</title><h1>Onderhoud</h1><p>tot 10:00</p></html>")
    'Onderhoud tot 10:00'
    >>> page_text('{"error": {"message": "Even geduld"}}')
    'Even geduld'
    >>> page_text('{"status": 503}')
    ''
    """
    text = body.strip()
    if text.startswith(("{", "[")):
        return _line(_sentence(text))
    if "<" not in text:
        return _line(text)
    parser = _Text()
    parser.feed(text)
    return _line(" ".join(parser.seen))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _sentence(text: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for _ in range(3):
        if not isinstance(found, Mapping):
            break
        found = next((found[name] for name in _SENTENCES if found.get(name)), "")
    return found if isinstance(found, str) else ""


class _Text(HTMLParser):
    """The texts of a page that a browser would show."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._unseen = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN

    @override
    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))

    @override
    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.seen.append(data)
