r"""
Whether a JSON document may hold what `worker.core.sensitive` removes, told in one pass over its bytes.

Nearly no webhook holds any, and each passes here inside the two seconds that its sender waits. What is told here may be
wrong in one direction alone: of each document from which the exact code removes something, it is said that it may hold
it. So every expression is made from those of the exact code, with less asked of what is around (RE2 looks neither
behind nor ahead) and with each character as orjson writes it: a control character, a quote and a backslash as an
escape, all others as they are. Check digits, dates and the place of a name in the document are not looked at.

RE2 takes the same time for each byte, however many expressions there are. (`re2.Set`, which would tell which of them
is there, says that none is when its memory is used up.)
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Any, Final

import orjson
import re2

from worker.core.sensitive_names import PARTS, WHOLE, WORDS, letters_of
from worker.core.sensitive_numbers import BETWEEN, KINDS, SEPARATORS, STRUCTURES

_ENOUGH: Final = 14
"""Characters of an account number that tell it from other texts."""

_ESCAPED: Final = r"\\(?:u.{4}|.)"
_BEHIND_ESCAPE: Final = r"\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}"
_WRITTEN: Final = [orjson.dumps(one)[1:-1].decode() for one in SEPARATORS]
_BETWEEN_DIGITS: Final = rf"{re.escape(''.join(one for one in _WRITTEN if len(one) == 1 and one.isascii()))}\x80-\xff"
_LONGER_SEPARATOR: Final = "|".join(re.escape(one) for one in _WRITTEN if len(one) > 1)


def _account_numbers() -> str:
    """With any blanks between its parts, or only its beginning before one of those that take several characters."""
    countries = defaultdict(list)
    for country, structure in STRUCTURES.items():
        kinds = "".join(kind * int(count) for count, kind in re.findall(r"([0-9]+)!?([nac])", structure))
        countries[kinds[:_ENOUGH]].append(country)
    whole = [
        f"(?:{'|'.join(group)}){''.join(f'[{_BETWEEN_DIGITS}]*{KINDS[kind]}' for kind in kinds)}"
        for kinds, group in countries.items()
    ]
    return "|".join([*whole, f"(?:{'|'.join(STRUCTURES)})[0-9]{{2}}[0-9a-z{_BETWEEN_DIGITS}]*(?:{_LONGER_SEPARATOR})"])


_ACCOUNT: Final = rf"(?:^|[^0-9a-z]|iban|{_BEHIND_ESCAPE})(?:{_account_numbers()})"
_BLANKS: Final = re.sub(r"[^\x00-\x7f]+", r"\\x80-\\xff", BETWEEN) + "*"
_NATIONAL: Final = (
    rf"(?:^|[^0-9A-Za-z+]|{_BEHIND_ESCAPE})"
    rf"{_BLANKS.join(['[0-9]{2}', '[0-9]{2}', '[0-9]{2}', '[0-9]{3}', '[0-9]{2}'])}(?:[^0-9A-Za-z@]|$)"
)
_CITIZEN: Final = r"b(?:s|\xc5\xbf)n|burger.{0,6}(?:s|\xc5\xbf)erv"
"""Six bytes may be one blank."""
_NUMBERS: Final = f"(?i:{_ACCOUNT}|{_CITIZEN})|{_NATIONAL}"

_GAP: Final = rf'(?:[^A-Za-z"\\]|{_ESCAPED})*'
"""What may be between the letters of a name."""
_DROPPED: Final = r"[\x80-\xff]*"
"""The same within a word of it."""
_STRANGE: Final = 0x2100
"""The first of the characters that are taken for whatever letters there may be, without a look at each."""
_GOES_ON: Final = r'(?:[^"\\]|\\.)*"(?:[^:]|$|:(?:[^"fnt]|"[^"]))'
"""To the end of a text, or of the name of a member that holds something."""


def may_hold(encoded: bytes) -> bool:
    """
    Whether a document that orjson wrote may hold a number or the name of a member that is not to be kept.

    >>> may_hold(b'{"name":"De Linde","iban":null}'), may_hold(b'{"name":"De Linde","iban":"x"}')
    (False, True)
    """
    return _anything().match(encoded) is not None


def may_hold_number(encoded: bytes) -> bool:
    """
    Whether it may hold a number, in a text or by itself.

    >>> may_hold_number(b'{"iban":"x"}'), may_hold_number(b'{"notes":"on BE68 5390 0754 7034"}')
    (False, True)
    """
    return _numbers().match(encoded) is not None


@cache
def _anything() -> Any:
    return _compiled(f"{_NUMBERS}|{_names()}")


@cache
def _numbers() -> Any:
    return _compiled(_NUMBERS)


def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    return re2.compile(f"(?s:.*?(?:{expression}))".encode("latin-1"), options)


def _names() -> str:
    """
    The names of `is_sensitive`, as their words may be spelt in the members of a document.

    A name is judged by its first hundred characters, so nothing is asked of what is behind a word.
    """
    accented: dict[str, str] = defaultdict(str)
    strange = [r"\xe2[\x84-\xbf]", r"[\xe3-\xff]"]
    for one in map(chr, range(0x80, _STRANGE)):
        letters, written = letters_of(one), one.encode().decode("latin-1")
        if len(letters) == 1 and one <= "\xff":
            accented[letters] += f"|{written}"
        elif letters:
            strange.append(written)

    def spelt(words: str, between: str) -> str:
        return re.sub("[A-Za-z]", lambda one: f"(?:{one[0]}{accented[one[0].lower()]}){between}", words)

    words = "|".join(WORDS)
    tokens = (
        rf"(?:[^A-Za-z]|{_BEHIND_ESCAPE})(?:{spelt(words, _DROPPED)})",
        spelt(words.title(), _DROPPED),
        rf"[^A-Z](?:{spelt(words.upper(), _DROPPED)})",
    )
    joined = PARTS.pattern.replace("(?<!inter)", "").replace("|$", "|")
    parts = (f"(?i:{spelt(joined, _GAP)})", f'"{_GAP}(?i:{spelt("|".join(WHOLE), _GAP)})')
    return f"(?:{'|'.join((*tokens, *parts, *strange))}){_GOES_ON}"
