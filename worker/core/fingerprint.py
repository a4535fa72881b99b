"""
Group failures by cause: the same trouble with other names and numbers in it gets the same short hash.

The hash is stored with each failure and never computed back; what it stands for is read from any of its members.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from worker.core.echo import canonical_json

# A vendor's page of HTML says no more in its tail than in its beginning, and the patterns below stay cheap.
_MOST_CHARACTERS: Final = 2000

_QUOTED: Final = (
    r""" "[^"]*" | “[^”]*” | „[^“”]*[“”] | «[^»]*» | \u2018[^\u2019]*\u2019 | `[^`]*` | (?<!\w)'[^']*'(?!\w) """
)
_PLACEHOLDERS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.VERBOSE), placeholder)
    for pattern, placeholder in (
        (_QUOTED, "<value>"),
        (r"\b https?:// [^\s<>]+", "<url>"),
        (r"[^\s<>()@,;:]{1,64} @ [^\s<>()@,;:]{1,255}", "<email>"),
        (r"\b [0-9a-f]{8} (?: -[0-9a-f]{4} ){3} -[0-9a-f]{12} \b", "<uuid>"),
        # Eight or more hex digits, a letter after a figure: an id or a digest, not a word, a number or `BE0403170701`.
        (r"\b (?:0x)? (?=[a-f]*[0-9]+[a-f]) [0-9a-f]{8,} \b", "<hex>"),
        # A single figure right after a letter belongs to a name (`email1`); anything longer is a value.
        (r"[+-]? [0-9]{2,} (?: [.,:/-] [0-9]+ )* | (?<![^\W0-9_]) [+-]? [0-9] (?: [.,:/-] [0-9]+ )*", "<n>"),
    )
)
_INDEX: Final = re.compile(r"(?<=\[)\d+(?=\])|(?<=\.)\d+(?=\.|$)")


def normalise_message(message: str | None) -> str:
    """
    A vendor's message without what differs from one record to the next, in lower case; empty for None.

    Quoted values, addresses of the web and of mail, uuids, hex and numbers become placeholders.

    >>> normalise_message("Contact 4711 refused: 'An Peeters' <an@delinde.example> is already in use.")
    'contact <n> refused: <value> <<email>> is already in use.'
    """
    text = " ".join((message or "")[:_MOST_CHARACTERS].split())
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    return text.casefold()


def fingerprint(system: str, operation: str, status: int | None, message: str | None, field: str | None) -> str:
    """
    Sixteen hex digits that are the same for the same cause, on every machine and in every release.

    `field` is the vendor's own path; an index in it (`persons.3.email`, `persons[3].email`) does not count.

    >>> one = fingerprint("recras", "create", 406, "Person 48: Required.", "contactpersonen.0.voornaam")
    >>> one == fingerprint("recras", "create", 406, "Person 97: Required.", "contactpersonen.1.voornaam")
    True
    """
    place = _INDEX.sub("<n>", field or "")
    cause = canonical_json([system, operation, status, normalise_message(message), place])
    return hashlib.sha256(cause.encode("ascii")).hexdigest()[:16]
