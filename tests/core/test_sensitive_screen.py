"""The screen passes over no document from which the exact code removes something, however that is written."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban
from stdnum.nl import bsn

from tests.core.json_values import objects
from worker.core.sensitive import REMOVED, _Cleaner, clean
from worker.core.sensitive_names import PARTS, WHOLE, WORDS
from worker.core.sensitive_numbers import SEPARATORS, STRUCTURES
from worker.core.sensitive_screen import may_hold, may_hold_number

KINDS = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_letters + string.digits}
BLANKS = ["", *(one for one in SEPARATORS if len(one) == 1 and one not in "_+\t")]
EDGES = ["", " ", "é", "(", '"', "\\", "\n", "\x1f", "\N{NO-BREAK SPACE}", "%20", "%C3", "&nbsp;", "\\n", "\\\\t"]
EDGES += ["\\u00a0", "+", "@", ".", "a", "Z", "7", "iban", "xIBAN", "漢", "\x7f"]
CITIZEN = [
    "bsn",
    "BSN",
    "b\N{LATIN SMALL LETTER LONG S}n",
    "burgerservicenummer",
    "Burger service nummer",
    "BURGER\x1fSERVİCE\n-NUMMER",
]
INSIDE = ["-", "_", ". ", "1", "\n", "\x1f", '"', "\\", "\N{EN DASH}", "\N{SOFT HYPHEN}", "\N{COMBINING ACUTE ACCENT}"]
LONG = re.sub(r"\(\?<!inter\)|\(\?:|\)|\$", " ", PARTS.pattern).replace("|", " ").split()
LONG += ["ibannummer", "bankaccount", "kontoinhaber", "cartedidentite", "carteidentite", "nationalid", "passportnr"]
LONG += ["rijbewijsnummer", "identiteitskaart", "betaalkaart", "internationalnumber", *sorted(WHOLE)]
LOOKS_LIKE: dict[str, list[str]] = {}
for character in map(
    chr, [*range(0x80, 0x250), *range(0x1D00, 0x2400), *range(0xF900, 0xFFF0), *range(0x1D400, 0x1D500)]
):
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode().lower()
    LOOKS_LIKE.setdefault(letters, []).append(character)


def account_number(source: Random) -> str:
    country = source.choice(sorted(STRUCTURES))
    kinds = re.findall(r"([0-9]+)!?([nac])", STRUCTURES[country])[1:]
    digits = "".join("".join(source.choices(KINDS[kind], k=int(count))) for count, kind in kinds)
    whole = country + iban.calc_check_digits(f"{country}00{digits}") + digits
    size, always = source.choice([(1, ""), (4, "".join(source.choices(SEPARATORS, k=source.randint(0, 2))))])
    between = [always or "".join(source.choices(["", "", *SEPARATORS], k=2)) for _ in whole]
    written = whole[:4] + "".join(between[at] + whole[at : at + size] for at in range(4, len(whole), size))
    return written.lower() if source.random() < 0.3 else written


def national_number(source: Random) -> str:
    year, month, number = (
        source.randint(30, 99),
        source.randint(1, 12) + source.choice([0, 0, 20, 40]),
        source.randint(1, 997),
    )
    first = f"{year:02}{month:02}{source.randint(1, 28):02}{number:03}"
    whole = f"{first}{97 - int(first) % 97:02}"
    one, two, three = source.choice(BLANKS), "".join(source.choices(BLANKS, k=3)), source.choice(BLANKS)
    return f"{whole[:2]}{one}{whole[2:4]}{one}{whole[4:6]}{two}{whole[6:9]}{three}{whole[9:]}"


def citizen_number(source: Random) -> str:
    numbers = (f"{source.randint(10**8, 10**9 - 1)}" for _ in range(1_000))
    return (
        source.choice(CITIZEN)
        + "".join(source.choices(INSIDE, k=source.randint(0, 4)))
        + next(filter(bsn.is_valid, numbers))
    )


def number(source: Random) -> Any:
    """A number of any of the kinds, in a text or by itself, with anything around."""
    if source.random() < 0.1:
        digits = int(re.sub("[^0-9]", "", national_number(source)))
        return source.choice([digits, -digits, float(digits), digits / 10**5, digits / 10**9])
    made = source.choice([account_number, national_number, citizen_number])(source)
    return source.choice(EDGES) + made + source.choice(EDGES)


def name(source: Random) -> str:
    """A name that may be sensitive, with accents, in camel case and with anything between and around its letters."""
    word = source.choice([*sorted(WORDS), *LONG, *LONG])
    spelt = ""
    while word:
        count = 2 if word[:2] in LOOKS_LIKE and source.random() < 0.1 else 1
        alike = LOOKS_LIKE.get(word[:count], []) if source.random() < 0.2 else []
        spelt += source.choice(alike or [word[:count]])
        spelt += source.choice(INSIDE) if source.random() < 0.1 else ""
        word = word[count:]
    spelt = source.choice([spelt, spelt, spelt.upper(), spelt.title()])
    before = source.choice(["", "", "my", "My", "x" * source.randint(80, 100), *INSIDE])
    return before + spelt + source.choice(["", "", "Nr", "nr", "s", *INSIDE])


def document(source: Random, depth: int) -> Any:
    if depth == 0:
        value = source.choice(
            [None, "", False, [], {}, 0, 0.5, "x", "De Linde", number(source), number(source), name(source)]
        )
        return json.dumps({"a": value}, ensure_ascii=source.random() < 0.5) if source.random() < 0.2 else value
    inner = document(source, depth - 1)
    title, key = source.choice(["name", "label", "code"]), source.choice(["a", name(source), str(number(source))])
    return source.choice(
        [[inner], {key: inner}, {"a": 1, key: inner}, {title: name(source), "value": inner}, {"n": {"a": inner}}]
    )


@given(st.randoms(use_true_random=False), st.integers(0, 3), objects(nulls=True))
def test_nothing_is_passed_over_from_which_something_is_removed(source: Random, depth: int, more: Any) -> None:
    value = [document(source, depth), more]
    written = orjson.dumps(value)
    exactly = _Cleaner(frozenset(), REMOVED, numbers=True).value(value, "", 0)

    assert clean(value, encoded=written) == exactly
    assert clean(value) == exactly
    assert may_hold(written) or exactly == value


@pytest.mark.parametrize("blank", ["\n", "\x1f", "\\n", "\\u00a0", "%20", " ", "\N{NO-BREAK SPACE}"])
@pytest.mark.parametrize("found", ["BE68539007547034", "85.07.30-033.28", "85073003328", "bsn 111222333"])
def test_a_number_behind_whatever_is_written_of_a_blank_is_noticed(blank: str, found: str) -> None:
    assert may_hold_number(orjson.dumps({"notes": f"aan{blank}{found}"}))
    assert may_hold_number(orjson.dumps({"payload": json.dumps({"notes": f"aan{blank}{found}"})}))


@pytest.mark.parametrize(
    "name",
    [
        *("Reke-ning nr", "my\nIban", 'reke\x1fning"nr', "clientIBAN", "XIban"),
        *("ïban", "i\N{SOFT HYPHEN}ban", "\N{FULLWIDTH LATIN CAPITAL LETTER I}BAN", "rĳbewijsnummer", "№ bic"),
        *("x" * 95 + "-ibanx", "-" * 92 + "rekeningx"),
    ],
)
def test_a_name_is_noticed_however_it_is_spelt(name: str) -> None:
    assert clean({name: "12-34"}) == {name: REMOVED}
    assert may_hold(orjson.dumps({"fields": [{"name": name, "value": "12-34"}]}))


def test_an_ordinary_event_is_passed_over() -> None:
    data = {
        "id": "1834",
        "name": "Rénovation L’Étoile – Zoé",
        "tel": "+32475123456",
        "vatIdNumber": "BE0403170701",
        "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "latitude": 51.05434},
        "iban": None,
        "creditInfo": "",
        "accountManager": {"publicId": 7, "internationalNumbers": ""},
        "notes": 'belt op 12/10/25 om 10:30\n"dringend" \\o/',
        "extraFields": {str(UUID(int=7 * one)): {"type": "TEXT", "stringValue": "blauw"} for one in range(60)},
    }
    event = {"id": "a480ffbb-8800-48a1-97c9-45f5300ff4b8", "event": "client.updated", "data": data}

    assert not may_hold(orjson.dumps(event))


def test_documents_of_every_kind_take_no_more_memory_than_it_has(capfd: pytest.CaptureFixture[str]) -> None:
    """RE2 says so on the terminal, and is slow from then on."""
    for seed in range(2_000):
        may_hold(orjson.dumps([document(Random(seed), 2) for _ in range(5)]))

    assert capfd.readouterr().err == ""
