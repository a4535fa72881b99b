"""
What a person's title tells: the gender and the salutation that Recras holds of a contact person.

Robaws has one free text, `title` (`Mevr.`, `Dhr. ir.`, `Madame`); Recras has `geslacht`, one of three, and `aanhef`,
the salutation to be used, for which the vendor's example has `mevrouw`
(https://demo.recras.nl/docs/api/webhooks/contactpersoon_postsave.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from worker.core.normalise import folded, text_key

MAN: Final = "man"
WOMAN: Final = "vrouw"
UNKNOWN_GENDER: Final = "onbekend"
"""What a new person is given whose title tells no gender; Recras knows three."""

_SALUTATIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "meneer": (MAN, ("dhr", "hr", "heer", "meneer", "mijnheer", "mnr")),
    "mevrouw": (WOMAN, ("mevr", "mevrouw", "mw", "mvr")),
    "mejuffrouw": (WOMAN, ("mej", "mejuffrouw", "juffrouw")),
    "Monsieur": (MAN, ("monsieur",)),
    "Madame": (WOMAN, ("madame", "mme")),
    "Mademoiselle": (WOMAN, ("mademoiselle", "mlle")),
    "Mr": (MAN, ("mr", "mister")),
    "Mrs": (WOMAN, ("mrs",)),
    "Ms": (WOMAN, ("ms",)),
    "Miss": (WOMAN, ("miss",)),
    "Herr": (MAN, ("herr", "herrn")),
    "Frau": (WOMAN, ("frau", "fr")),
}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    word: (gender, salutation) for salutation, (gender, words) in _SALUTATIONS.items() for word in words
}
# Letters that tell something only as the whole title: next to other words they are initials.
_ALONE: Final[Mapping[str, tuple[str, str | None]]] = {
    "M.": (MAN, "Monsieur"),
    "M": (MAN, None),
    "V": (WOMAN, None),
    "m": (MAN, None),
    "v": (WOMAN, None),
}
_LAWYER: Final = "mr."
"""In lower case and with its point a Dutch degree in law, of men and women."""

_WORD: Final = re.compile(r"[^\W\d_]+\.?")


def gender(title: Any) -> str | None:
    """
    `man` or `vrouw`; None where the title tells neither, or both.

    >>> gender("Mevr. dr."), gender("Herr"), gender("Fam."), gender("Dhr./Mevr."), gender(None)
    ('vrouw', 'man', None, None, None)
    """
    return _told(title)[0]


def salutation(title: Any) -> str | None:
    """
    The salutation in full, in the language of the title; None where the title tells no gender.

    >>> salutation("de heer"), salutation("Mme"), salutation("MEVR"), salutation("Prof. dr.")
    ('meneer', 'Madame', 'mevrouw', None)
    """
    return _told(title)[1]


def _told(title: Any) -> tuple[str | None, str | None]:
    text = text_key(title if isinstance(title, str) else None)
    if text in _ALONE:
        return _ALONE[text]
    words = [word for word in _WORD.findall(text) if word != _LAWYER]
    known = [_WORDS[key] for word in words if (key := folded(word.rstrip("."))) in _WORDS]
    if len({sex for sex, _ in known}) != 1:
        return None, None
    return known[0]
