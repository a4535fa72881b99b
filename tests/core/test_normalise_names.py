"""Names: what makes two of them candidates for each other, and where one is cut in two."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.normalise import folded, join_name, name_key, split_name, text_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("Dakwerken De Linde", "dakwerken de linde", id="plain"),
        pytest.param("Dakwerken De Linde BV", "dakwerken de linde", id="BV"),
        pytest.param("Dakwerken De Linde b.v.", "dakwerken de linde", id="with points"),
        pytest.param("Dakwerken De Linde B. V.", "dakwerken de linde", id="with blanks"),
        pytest.param("Dakwerken De Linde (B.V.B.A.)", "dakwerken de linde", id="in brackets"),
        pytest.param("Dakwerken De Linde, n.v.", "dakwerken de linde", id="after a comma"),
        pytest.param("Dupont S.à r.l.", "dupont", id="two words with an accent"),
        pytest.param("Dupont SRL", "dupont", id="Belgian"),
        pytest.param("Jansen V.O.F.", "jansen", id="VOF"),
        pytest.param("Müller GmbH & Co. KG", "muller", id="German, four words"),
        pytest.param("Meyer UG (haftungsbeschränkt)", "meyer", id="German, spelt out"),
        pytest.param("Acme Holding Ltd.", "acme holding", id="English"),
        pytest.param("Jansen Beheer B.V. N.V.", "jansen beheer", id="two forms"),
        pytest.param("BV", "bv", id="a form alone is the name"),
        pytest.param("B.V. N.V.", "bv", id="forms alone leave the first"),
        pytest.param("AG Insurance", "ag insurance", id="a form in front stays"),
        pytest.param("Voetbalclub De Linde SC", "voetbalclub de linde sc", id="a club is no form"),
        pytest.param("L'Été d'Or", "lete dor", id="apostrophes join"),
        pytest.param("L\u2019Été d\u2018Or", "lete dor", id="typographic apostrophes too"),
        pytest.param("Jansen & Zonen", "jansen zonen", id="signs part"),
        pytest.param("Jansen/Zonen-Groep", "jansen zonen groep", id="slash and dash part"),
        pytest.param("A.B.C. Bouw", "abc bouw", id="initials"),
        pytest.param("Østergård Łódź Straße", "ostergard lodz strasse", id="letters of other languages"),
        pytest.param("ﬁrma \uff21\uff22\uff23", "firma abc", id="compatibility forms"),
        pytest.param("ヤマハ株式会社", "ヤマハ株式会社", id="another script"),
        pytest.param("***", "", id="signs alone match nothing"),
        pytest.param(None, "", id="none"),
    ],
)
def test_a_name_for_matching(name: str | None, key: str) -> None:
    assert name_key(name) == key


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        pytest.param("An Peeters", "An", "Peeters", id="two words"),
        pytest.param("Jan Willem Jansen", "Jan Willem", "Jansen", id="cut at the last blank"),
        pytest.param("Jan van der Berg", "Jan", "van der Berg", id="two particles"),
        pytest.param("Jan Van Den Berg", "Jan", "Van Den Berg", id="particles in capitals"),
        pytest.param("Jan in 't Veld", "Jan", "in 't Veld", id="apostrophe"),
        pytest.param("Jan in \u2019t Veld", "Jan", "in \u2019t Veld", id="typographic apostrophe"),
        pytest.param("An De Smet", "An", "De Smet", id="Flemish"),
        pytest.param("An Peeters-De Smet", "An", "Peeters-De Smet", id="a double surname"),
        pytest.param("Marie d'Hondt", "Marie", "d'Hondt", id="joined particle"),
        pytest.param("Elio Di Rupo", "Elio", "Di Rupo", id="Italian"),
        pytest.param("Karl von und zu Linde", "Karl von und", "zu Linde", id="und is no particle"),
        pytest.param("van der Berg", "", "van der Berg", id="a surname alone"),
        pytest.param("Peeters", "", "Peeters", id="one word"),
        pytest.param("Van Anh Nguyen", "Van Anh", "Nguyen", id="a particle as first name"),
        pytest.param("  An \n Peeters ", "An", "Peeters", id="blanks"),
        pytest.param("", "", "", id="empty"),
        pytest.param(None, "", "", id="none"),
    ],
)
def test_a_name_is_cut_before_the_surname(full: str | None, first: str, last: str) -> None:
    assert split_name(full) == (first, last)


@given(full=st.text() | st.lists(st.sampled_from(["An", "van", "der", "de", "'t", "Peeters-De", "Berg"])).map(" ".join))
@settings(deadline=None)
def test_the_two_parts_joined_are_the_name_again(full: str) -> None:
    first, last = split_name(full)

    assert join_name(first, last) == text_key(full)


def test_a_part_that_is_missing_leaves_no_blank() -> None:
    assert [join_name("An", None), join_name(" ", "Peeters"), join_name(None, None)] == ["An", "Peeters", ""]


@pytest.mark.parametrize(
    ("text", "plain"), [("ÉÈÊ", "eee"), ("İı", "ii"), ("ǅ", "dz"), ("\u00b4", ""), ("Ærø", "aero"), ("ЖУК", "жук")]
)
def test_text_without_case_and_accents(text: str, plain: str) -> None:
    assert folded(text) == plain
