"""An address in lines, addressee first, as it stands on a letter: what counts as the same block."""

from __future__ import annotations

import re
from typing import Final

from worker.core.normalise.countries import country_code
from worker.core.normalise.names import alike_key
from worker.core.normalise.text import lines_key

_DUTCH_POSTCODE: Final = re.compile(r"^([1-9][0-9]{3}) ?([A-Za-z]{2})\b", re.MULTILINE)
_ATTENTION: Final = re.compile(
    r"(t\.? ?a\.? ?v\b|ter attentie van\b|attn?\b|attention\b|[àa] l['\u2019]attention d|z\. ?hd?\b|zu händen\b)",
    re.IGNORECASE,
)


def block_key(value: str | None) -> str:
    """
    As `lines_key`, and a Dutch postcode counts the same with a blank and without.

    >>> block_key("Familie Jansen\\r\\nOeverstraat 12\\n9712 ab  Groningen")
    'Familie Jansen\\nOeverstraat 12\\n9712AB Groningen'
    """
    return lines_key(_DUTCH_POSTCODE.sub(lambda found: f"{found[1]}{found[2].upper()}", lines_key(value)))


def block_alike_key(value: str | None) -> str:
    """
    A block as a person compares two who does not look twice: without the line that says whose attention it is for,
    and without a country at its end; case, blanks, punctuation and breaks aside.

    >>> one = block_alike_key("Familie Jansen\\nT.a.v. P. Jansen\\nOeverstraat 12\\n9712 AB Groningen\\nNederland")
    >>> one == block_alike_key("FAMILIE JANSEN, Oeverstraat 12, 9712AB Groningen")
    True
    """
    lines = [line for line in block_key(value).split("\n") if not _ATTENTION.match(line)]
    if len(lines) > 1 and country_code(lines[-1]):
        lines = lines[:-1]
    return alike_key(" ".join(lines))
