"""
Text that anybody may have written, made safe for a terminal and for a log.

A terminal obeys escape sequences: a client's name can hold one that hides a line, forges another or writes the
clipboard (OSC 52), and bidirectional controls show a text in another order than it is stored. Here such characters
become their escapes, so that they are seen and do nothing.
"""

from __future__ import annotations

import re
from typing import Final

_NAMED: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# C0, DEL and C1; bidirectional marks, embeddings, overrides and isolates; the separators that some terminals take for
# the end of a line; half surrogates, which no output can be encoded with.
_BEYOND_C0: Final = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE: Final = re.compile(f"[\x00-\x1f{_BEYOND_C0}]")
_UNSAFE_IN_LINES: Final = re.compile(f"[\x00-\x08\x0b-\x1f{_BEYOND_C0}]")
_UNSAFE_IN_JSON: Final = re.compile(f"[{_BEYOND_C0}]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""
    The text with control and bidirectional characters as escapes; `lines` keeps its line breaks and tabs.

    >>> printable("Ada\x1b[2K\nBob"), printable("Ada\x1b[2K\nBob", lines=True)
    ('Ada\\x1b[2K\\nBob', 'Ada\\x1b[2K\nBob')
    >>> printable("2026\u202e.exe")
    '2026\\u202e.exe'
    """
    return (_UNSAFE_IN_LINES if lines else _UNSAFE).sub(_escape, text)


def printable_json(document: str) -> str:
    r"""
    A JSON document that holds the same values without such characters: JSON has an escape of its own for each.

    Those below U+0020 are escaped by every JSON encoder, and what stands outside of texts is line breaks and blanks.

    >>> printable_json('{"name": "Ada\x9b2J"}')
    '{"name": "Ada\\u009b2J"}'
    """
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    return _NAMED.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
