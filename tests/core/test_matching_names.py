"""Names that could be the same, and records that hold what a lost create sent."""

from __future__ import annotations

from typing import Any

import pytest

from worker.core.matching import names_alike, recognise


# ------------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Dakwerken De Linde", "dakwerken de linde b.v.b.a.", True),
        ("Dakwerken De Linde", "De Linde Dakwerken", True),
        ("Dakwerken De Linde", "Dakwerken De Lindt", True),
        ("Société Générale du Bois", "Societe Generale du Bois SA", True),
        ("De Linde", "Dakwerken De Linde", True),
        ("Peeters", "Bakkerij Peeters", False),
        ("Filiaal 1", "Filiaal 2", False),
        ("Filiaal 1", "Filiaal", False),
        ("Bakkerij Het Zuiden", "Dakwerken De Linde", False),
        ("", "", False),
        (None, "De Linde", False),
        ("B.V.", "...", False),
    ],
)
def test_names_that_could_be_the_same(one: str | None, other: str | None, alike: bool) -> None:
    assert names_alike(one, other) is alike
    assert names_alike(other, one) is alike


# ---------------------------------------------------------------------------------------------------- a lost create
KEYS = {"name": "text", "mail": "email"}
SENT = {"name": "De Linde", "mail": "info@delinde.example"}


@pytest.mark.parametrize(
    ("members", "found"),
    [
        pytest.param({"name": " De  Linde ", "mail": "INFO@delinde.example"}, True, id="all agree"),
        pytest.param({"name": "De Linde"}, True, id="what is not shown is not held against it"),
        pytest.param({"name": "De Linde", "mail": None}, False, id="what is shown empty is"),
        pytest.param({"name": "De Els", "mail": "info@delinde.example"}, False, id="another name"),
        pytest.param({}, False, id="nothing is shown"),
        pytest.param({"city": "Gent"}, False, id="nothing that could tell"),
    ],
)
def test_a_record_that_holds_what_a_lost_create_sent(members: dict[str, Any], found: bool) -> None:
    assert recognise(SENT, [("1", members)], KEYS) == (["1"] if found else [])


def test_two_records_that_hold_nothing_are_not_recognised() -> None:
    assert recognise({"name": None, "mail": ""}, [("1", {"name": "", "mail": None})], KEYS) == []
