"""Countries: from whatever a person or a map service wrote to the two-letter code of ISO 3166-1, and to Dutch."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from babel import Locale
from babel.core import get_global

from worker.core.normalise.names import folded
from worker.core.normalise.text import choice_key

LANGUAGES: Final = ("nl", "fr", "en", "de")

# What CLDR lists beside the countries: regions of others, unions, pseudo locales.
_NO_COUNTRY: Final = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])

# Names in use that CLDR writes otherwise, folded. EL is the European Union's own code for Greece.
ALSO_KNOWN_AS: Final[Mapping[str, str]] = {
    "el": "GR",
    "holland": "NL",
    "the netherlands": "NL",
    "koninkrijk der nederlanden": "NL",
    "hollande": "NL",
    "belgie belgique": "BE",
    "koninkrijk belgie": "BE",
    "groothertogdom luxemburg": "LU",
    "bondsrepubliek duitsland": "DE",
    "bundesrepublik deutschland": "DE",
    "brd": "DE",
    "groot brittannie": "GB",
    "grande bretagne": "GB",
    "great britain": "GB",
    "grossbritannien": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "engeland": "GB",
    "angleterre": "GB",
    "england": "GB",
    "schotland": "GB",
    "ecosse": "GB",
    "scotland": "GB",
    "schottland": "GB",
    "wales": "GB",
    "noord ierland": "GB",
    "irlande du nord": "GB",
    "northern ireland": "GB",
    "nordirland": "GB",
    "ierse republiek": "IE",
    "republic of ireland": "IE",
    "tsjechische republiek": "CZ",
    "republique tcheque": "CZ",
    "czech republic": "CZ",
    "tschechische republik": "CZ",
    "slowaakse republiek": "SK",
    "slovak republic": "SK",
    "macedonie": "MK",
    "macedonia": "MK",
    "mazedonien": "MK",
    "wit rusland": "BY",
    "weissrussland": "BY",
    "russische federatie": "RU",
    "russian federation": "RU",
    "federation de russie": "RU",
    "russische foderation": "RU",
    "republic of moldova": "MD",
    "turkey": "TR",
    "vaticaan": "VA",
    "verenigde staten van amerika": "US",
    "etats unis d amerique": "US",
    "united states of america": "US",
    "vereinigte staaten von amerika": "US",
    "amerika": "US",
    "u s a": "US",
    "volksrepubliek china": "CN",
    "people s republic of china": "CN",
    "hong kong": "HK",
    "hongkong": "HK",
    "macau": "MO",
    "macao": "MO",
    "republic of korea": "KR",
    "swaziland": "SZ",
    "birma": "MM",
    "burma": "MM",
}

_READING: Final = threading.Lock()
"""So that the names are read once, and not by each of the threads that come first."""

_SIGNS: Final = re.compile(r"[\W_]+")


@lru_cache(maxsize=1024)
def country_code(value: str | None) -> str | None:
    """
    The two-letter code of a country from a code (two or three letters) or a name in Dutch, French, English or German.

    None for what is not known. Spelling is read kindly: case, accents and signs do not count.

    >>> country_code("be"), country_code("NLD"), country_code("Duitsland"), country_code("Pays-Bas")
    ('BE', 'NL', 'DE', 'NL')
    >>> country_code("Atlantis") is None
    True
    """
    with _READING:
        known = _by_name()
    return known.get(_plain(value))


def country_key(value: str | None) -> str:
    """
    The code, for comparison; a country that is not known stays as its name, so that it is not lost.

    >>> country_key("België"), country_key(" Atlantis "), country_key(None)
    ('BE', 'atlantis', '')
    """
    return country_code(value) or choice_key(value)


def country_name_nl(code: str | None) -> str | None:
    """
    The Dutch name of a country by its two-letter code, None for what is no country.

    >>> country_name_nl("BE"), country_name_nl("xx")
    ('België', None)
    """
    return _dutch().get((code or "").strip().upper())


def _plain(value: str | None) -> str:
    return _SIGNS.sub(" ", folded(value)).strip()


@cache
def _dutch() -> dict[str, str]:
    return {
        code: name
        for code, name in Locale("nl").territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    }


@cache
def _by_name() -> dict[str, str]:
    """Every name and code that is known, folded, to the code. Read from CLDR once, in some ten milliseconds."""
    countries = _dutch().keys()
    names = {
        _plain(name): code
        for language in LANGUAGES
        for code, name in Locale(language).territories.items()
        if code in countries
    }
    # Old and three-letter codes; one that stands for several countries of today is left out.
    codes = {
        alias.lower(): now[0]
        for alias, now in get_global("territory_aliases").items()
        if alias.isalpha() and len(now) == 1 and now[0] in countries
    }
    return {**codes, **names, **ALSO_KNOWN_AS, **{code.lower(): code for code in countries}}
