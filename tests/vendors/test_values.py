"""Values that more than one vendor wants in the same form."""

from __future__ import annotations

from typing import Any

import pytest

from worker.core.contact import build
from worker.vendors.values import kvk_number, name_to_search, vat_number, vat_spellings


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"vat_number": "be 0403.170.701"}, "BE0403170701"),
        ({"vat_number": "0403.170.701", "address.country": "België"}, "BE0403170701"),
        ({"vat_number": "0403.170.701"}, "0403170701"),
        ({}, None),
    ],
)
def test_a_vat_number_is_written_without_blanks_and_points(values: dict[str, Any], expected: str | None) -> None:
    assert vat_number(build(values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"vat_number": "be 0403.170.701"}, ["BE0403170701", "0403170701", "0403.170.701"]),
        ({"vat_number": "403.170.701"}, ["403170701", "0403170701", "0403.170.701"]),
        ({"vat_number": "NL 0044.95.445.B01"}, ["NL004495445B01", "004495445B01"]),
        ({"vat_number": "BE0403170702"}, ["BE0403170702"]),
        ({"vat_number": "n.v.t."}, ["NVT"]),
        ({}, []),
    ],
)
def test_a_vat_number_is_looked_for_in_its_spellings(values: dict[str, Any], expected: list[str]) -> None:
    assert vat_spellings(build(values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"registration_number": "KvK 1234.5678"}, "12345678"),
        ({"registration_number": "12345678", "address.country": "NL"}, "12345678"),
        ({"registration_number": "12345678", "address.country": "Denemarken"}, None),
        ({"registration_number": "12345678", "vat_number": "DK12345678"}, None),
        ({"registration_number": "12345678", "vat_number": "NL000000000B00"}, "12345678"),
        ({"registration_number": "0403.170.701"}, None),
        ({}, None),
    ],
)
def test_only_a_dutch_number_is_one_of_the_dutch_chamber(values: dict[str, Any], expected: str | None) -> None:
    assert kvk_number(build(values)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dakwerken De Linde B.V.", "Dakwerken De Linde"),
        ("Société Dupont S.à r.l.", "Société Dupont"),
        ("De Linde", "De Linde"),
        ("BV", "BV"),
        ("  ", None),
        (None, None),
    ],
)
def test_a_name_is_searched_without_its_legal_form_and_with_its_accents(name: str | None, expected: str | None) -> None:
    assert name_to_search(name) == expected
