"""What strangers wrote is shown and never obeyed: by a terminal, by a log, by whoever reads JSON on a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.printable import printable, printable_json

ANYTHING = st.text(st.characters(), max_size=200)
STEERS = {"Cc", "Cs", "Zl", "Zp"}
BIDIRECTIONAL = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def unsafe(text: str, but: str = "") -> set[str]:
    """The characters of a text that steer a terminal or turn the order of what is read."""
    return {one for one in text if unicodedata.category(one) in STEERS or one in BIDIRECTIONAL} - set(but)


@given(ANYTHING)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    assert not unsafe(printable(text))
    assert not unsafe(printable(text, lines=True), but="\n\t")


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=200))
def test_every_other_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.dictionaries(ANYTHING, ANYTHING | st.lists(ANYTHING)))
def test_a_json_document_holds_the_same_values(value: dict[str, object]) -> None:
    document = printable_json(json.dumps(value, ensure_ascii=False, indent=2))

    assert not unsafe(document, but="\n")
    assert json.loads(document) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;cm0gLXJmIH4=\x07", r"\x1b]52;c;cm0gLXJmIH4=\x07"),
        ("\x9b2Jgone", r"\x9b2Jgone"),
        ("first\nsecond", r"first\nsecond"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("Zoë van \u00a0 Ñandú 株式会社", "Zoë van \u00a0 Ñandú 株式会社"),
    ],
    ids=["OSC 52", "C1", "another line", "from right to left", "names of many languages"],
)
def test_an_escape_sequence_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
