"""Countries, e-mail and web addresses."""

from __future__ import annotations

import phonenumbers
import pytest
from babel import Locale

from worker.core.normalise import (
    countries,
    country_code,
    country_name_nl,
    email_key,
    email_keys,
    folded,
    url_absolute,
    url_key,
)
from worker.core.normalise.countries import LANGUAGES

_EUROPE = (
    "AD AL AT BA BE BG BY CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS"
    " RU SE SI SK SM TR UA VA XK"
)
EUROPE = _EUROPE.split()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        pytest.param("BE", "BE", id="code"),
        pytest.param(" nl ", "NL", id="code in small letters"),
        pytest.param("BEL", "BE", id="three letters"),
        pytest.param("UK", "GB", id="code that is not ISO's"),
        pytest.param("EL", "GR", id="the Union's code for Greece"),
        pytest.param("België", "BE", id="Dutch"),
        pytest.param("belgie", "BE", id="without its accent"),
        pytest.param("BELGIQUE", "BE", id="French, in capitals"),
        pytest.param("België / Belgique", "BE", id="both"),
        pytest.param("Nederland", "NL", id="the Netherlands in Dutch"),
        pytest.param("The Netherlands", "NL", id="with its article"),
        pytest.param("Pays-Bas", "NL", id="with a dash"),
        pytest.param("Pays Bas", "NL", id="without a dash"),
        pytest.param("Holland", "NL", id="as people say"),
        pytest.param("Deutschland", "DE", id="German"),
        pytest.param("Tsjechische Republiek", "CZ", id="its longer name"),
        pytest.param("Groot-Brittannië", "GB", id="Great Britain"),
        pytest.param("Verenigde Staten van Amerika", "US", id="America"),
        pytest.param("U.S.A.", "US", id="America with points"),
        pytest.param("Zuid-Korea", "KR", id="far away"),
        pytest.param("Congo", None, id="two countries"),
        pytest.param("SU", None, id="a code that became many countries"),
        pytest.param("EU", None, id="a union"),
        pytest.param("ZZ", None, id="CLDR's word for unknown"),
        pytest.param("Gent", None, id="a city"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_a_country_is_known_by_code_or_name(written: str | None, code: str | None) -> None:
    assert country_code(written) == code


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_of_europe_is_known_by_its_name(language: str) -> None:
    names = Locale(language).territories

    assert [country_code(names[code]) for code in EUROPE] == EUROPE


def test_no_name_means_two_countries() -> None:
    meanings: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if country_name_nl(code):
                meanings.setdefault(folded(name), set()).add(code)

    assert {name: codes for name, codes in meanings.items() if len(codes) > 1} == {}


def test_every_country_has_a_dutch_name_that_leads_back_to_it() -> None:
    codes = sorted(code for code in phonenumbers.SUPPORTED_REGIONS if code not in {"AC", "TA"})

    assert [country_code(country_name_nl(code)) for code in codes] == codes


@pytest.mark.parametrize(
    ("code", "name"), [("BE", "België"), (" nl", "Nederland"), ("XX", None), ("EU", None), ("", None)]
)
def test_a_code_has_a_dutch_name(code: str, name: str | None) -> None:
    assert country_name_nl(code) == name


@pytest.mark.parametrize(
    ("written", "key"),
    [
        pytest.param(" Info@DeLinde.example ", "info@delinde.example", id="case and blanks"),
        pytest.param("info@xn--bcher-kva.example", "info@bücher.example", id="punycode"),
        pytest.param("info@BÜCHER.example", "info@bücher.example", id="accents in capitals"),
        pytest.param("Jose\u0301@delinde.example", "jos\u00e9@delinde.example", id="composed or not"),
        pytest.param("info+facturen@delinde.example", "info+facturen@delinde.example", id="a tag counts"),
        pytest.param("Not An Address", "not an address", id="no address"),
        pytest.param("a@b@c", "a@b@c", id="two signs"),
        pytest.param("a@b.example; c@d.example", "a@b.example; c@d.example", id="two addresses"),
        pytest.param("info@localhost", "info@localhost", id="a domain that no mail reaches"),
    ],
)
def test_an_email_address_has_one_key(written: str, key: str) -> None:
    assert email_key(written) == key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        pytest.param("https://delinde.example", "https://delinde.example", id="plain"),
        pytest.param("delinde.example", "https://delinde.example", id="no scheme"),
        pytest.param("//delinde.example", "https://delinde.example", id="scheme left out"),
        pytest.param("HTTP://DeLinde.Example/", "http://delinde.example", id="case and slash"),
        pytest.param("https://delinde.example:443/a/", "https://delinde.example/a", id="usual port"),
        pytest.param("https://delinde.example:8443", "https://delinde.example:8443", id="another port"),
        pytest.param("http://delinde.example:443", "http://delinde.example:443", id="the other scheme's port"),
        pytest.param("delinde.example/Over-Ons?A=B#C", "https://delinde.example/Over-Ons?A=B#C", id="case of the rest"),
        pytest.param("www.delinde.example", "https://www.delinde.example", id="www counts"),
        pytest.param("https://User@Delinde.example", "https://User@delinde.example", id="a login keeps its case"),
        pytest.param("https://[broken", "https://[broken", id="broken"),
        pytest.param("geen", "https://geen", id="a word"),
        pytest.param("/", "/", id="a slash"),
    ],
)
def test_a_web_address_has_one_key(written: str, key: str) -> None:
    assert url_key(written) == key


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        (" delinde.example/Pad/ ", "https://delinde.example/Pad/"),
        ("HTTP://delinde.example/", "HTTP://delinde.example/"),
        ("ftp://delinde.example", "ftp://delinde.example"),
        ("delinde.example:8080", "https://delinde.example:8080"),
        (None, ""),
    ],
)
def test_an_absolute_address_changes_no_more_than_the_scheme(written: str | None, absolute: str) -> None:
    assert url_absolute(written) == absolute


def test_the_names_kept_here_are_only_those_that_cldr_has_not() -> None:
    cldr = {
        folded(name).replace("-", " "): code
        for language in LANGUAGES
        for code, name in Locale(language).territories.items()
    }

    assert {name for name, code in countries.ALSO_KNOWN_AS.items() if cldr.get(name) == code} == set()
    assert all(country_code(name) == code for name, code in countries.ALSO_KNOWN_AS.items())


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        pytest.param("Info@DeLinde.example", {"info@delinde.example"}, id="one"),
        pytest.param("a@x.example; b@x.example", {"a@x.example", "b@x.example"}, id="by a semicolon"),
        pytest.param("a@x.example,b@x.example", {"a@x.example", "b@x.example"}, id="by a comma"),
        pytest.param("a@x.example b@x.example", {"a@x.example", "b@x.example"}, id="by a blank"),
        pytest.param("a@x.example\nb@x.example", {"a@x.example", "b@x.example"}, id="by a line"),
        pytest.param("a@delinde.be/b@delinde.be", {"a@delinde.be", "b@delinde.be"}, id="by a slash"),
        pytest.param("Jan <jan@x.example>", {"jan@x.example"}, id="with a name"),
        pytest.param("mailto:jan@x.example", {"jan@x.example"}, id="as a link"),
        pytest.param("geen", set(), id="a word"),
        pytest.param("-", set(), id="a placeholder"),
        pytest.param("@", set(), id="a sign"),
        pytest.param(None, set(), id="none"),
    ],
)
def test_the_addresses_in_one_field(written: str | None, keys: set[str]) -> None:
    assert email_keys(written) == keys
