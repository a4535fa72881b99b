"""Names of organisations and people: a key for matching, and a name in one piece or in two."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from worker.core.normalise.text import kept, text_key

# What Unicode does not take apart into a letter and an accent.
_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i"}
)
# Within a word a point or an apostrophe, of whatever make, only shortens or joins: B.V., d'Or.
_INSIDE_WORDS: Final = re.compile(r"[.'`\u2018\u2019\u00b4]")
_OTHER_SIGNS: Final = re.compile(r"[\W_]+")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[\W_]+(?=\d)")

# Written together, without points: `b. v.` and `S.à r.l.` are found as `bv` and `sarl`. Left out are words that end
# many names for another reason (`sc`, `se`, `as`, `ab`, `co`).
_FORMS_BY_COUNTRY: Final = {
    "NL": "bv nv cv vof ua bvio bvinoprichting",
    "BE": "bvba ebvba sbvba cvba cvoa commv commva gcv vzw ivzw esv asbl aisbl srl sprl sprlu scrl scs snc sca sa",
    "FR LU": "sarl sarlu sas sasu eurl sci",
    "DE AT CH": "gmbh ggmbh gmbhcokg gmbhundcokg cokg ag kg ohg ug ughaftungsbeschrankt gbr mbh ek ev",
    "others": "ltd limited llc llp plc inc incorporated corp corporation spa spzoo aps oy kft sro",
}
LEGAL_FORMS: Final = frozenset(form for forms in _FORMS_BY_COUNTRY.values() for form in forms.split())
_LONGEST_FORM_WORDS: Final = 4

# The words that begin a surname of two or more parts. `ben` is left out: it is a first name far more often.
_PARTICLES_BY_LANGUAGE: Final = {
    "nl": "van vande vander vanden de den der des ter ten te tot 't 's het op in uit aan bij over onder voor",
    "fr": "du la le d'",
    "de": "von vom zu zum zur",
    "es it pt": "del della dela dos das da di do las los",
    "ar": "el al bin ibn",
    "da no sv": "af av",
}
PARTICLES: Final = frozenset(word for words in _PARTICLES_BY_LANGUAGE.values() for word in words.split())


def folded(value: str | None) -> str:
    """
    Text without case and accents, for looking names up.

    >>> folded("Société Générale STRAẞE Łódź")
    'societe generale strasse lodz'
    """
    text = text_key(value)
    for _ in range(2):  # Unicode's own compatibility caseless match (section 3.13, D146) takes two rounds
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in text if unicodedata.category(char) != "Mn")
    return text_key(plain.translate(_LETTERS))


def alike_key(value: str | None) -> str:
    """
    Text as a person compares it who does not look twice: without case, blanks and punctuation.

    What stands between two digits stays apart, as 12/14 is another number than 1214.

    >>> alike_key("DELTA B.V."), alike_key("Delta bv"), alike_key("Kade 12-14") == alike_key("Kade 1214")
    ('deltabv', 'deltabv', False)
    """
    apart = _BETWEEN_DIGITS.sub("\n", unicodedata.normalize("NFKC", text_key(value)).casefold())
    return "".join(char for char in apart if char.isalnum() or char == "\n")


@kept
def name_key(value: str | None) -> str:
    """
    A name for matching: no case, accents, punctuation, nor legal form at the end.

    Empty also for a name of signs alone: an empty key matches nothing. Two names with one key are candidates, and
    nothing more.

    >>> name_key("Société Dupont S.à r.l."), name_key("Dakwerken De Linde b.v.b.a."), name_key("B.V.")
    ('societe dupont', 'dakwerken de linde', 'bv')
    """
    words = _words(folded(value))
    while (length := _legal_form_at_end(words)) and length < len(words):
        words = words[:-length]
    return " ".join(words)


def split_name(full: str | None) -> tuple[str, str]:
    """
    First and last name of a name in one piece, cut at the last blank; particles stay with the surname.

    A single word is a surname. Joining the two again gives the same name.

    >>> split_name("An Peeters"), split_name("Jan Willem van der Berg"), split_name("Peeters")
    (('An', 'Peeters'), ('Jan Willem', 'van der Berg'), ('', 'Peeters'))
    """
    words = text_key(full).split(" ")
    cut = len(words) - 1
    while cut > 0 and _is_particle(words[cut - 1]):
        cut -= 1
    return " ".join(words[:cut]), " ".join(words[cut:])


def join_name(first: str | None, last: str | None) -> str:
    """
    A name in one piece, empty when both parts are.

    >>> join_name("An", "Peeters"), join_name(None, "Peeters")
    ('An Peeters', 'Peeters')
    """
    return " ".join(part for part in map(text_key, (first, last)) if part)


def _words(plain: str) -> list[str]:
    return _OTHER_SIGNS.sub(" ", _INSIDE_WORDS.sub("", plain)).split()


def _legal_form_at_end(words: list[str]) -> int:
    """How many of the last words make up a legal form, 0 for none; the longest reading wins."""
    for length in range(min(_LONGEST_FORM_WORDS, len(words)), 0, -1):
        if "".join(words[-length:]) in LEGAL_FORMS:
            return length
    return 0


def _is_particle(word: str) -> bool:
    """`Peeters-De` in `An Peeters-De Smet` ends in one too."""
    return word.rpartition("-")[2].casefold().replace("’", "'") in PARTICLES
