"""Failures grouped by cause: what differs from record to record must not count, what differs in cause must."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.fingerprint import fingerprint, normalise_message


@pytest.mark.parametrize(
    ("message", "normalised"),
    [
        pytest.param(None, "", id="none"),
        pytest.param("  ", "", id="blank"),
        pytest.param("Contact  not\nfound.", "contact not found.", id="blanks and case"),
        pytest.param("Contact 4711 not found.", "contact <n> not found.", id="number"),
        pytest.param("page 1 of 12", "page <n> of <n>", id="single figures"),
        pytest.param("waited 1.5 s, -3 left", "waited <n> s, <n> left", id="fraction and sign"),
        pytest.param("at 2025-10-11", "at <n>", id="date"),
        pytest.param("contactpersonen.email1 missing", "contactpersonen.email1 missing", id="figure of a name stays"),
        pytest.param("RB-1834 is taken", "rb<n> is taken", id="our reference"),
        pytest.param("VAT BE0403170701 wrong", "vat be<n> wrong", id="number with letters before"),
        pytest.param('"An" is unknown', "<value> is unknown", id="double quotes"),
        pytest.param("'An Peeters' is unknown", "<value> is unknown", id="single quotes"),
        pytest.param(
            "« An » / “An” / \u2018An\u2019 / `An`", "<value> / <value> / <value> / <value>", id="other quotes"
        ),
        pytest.param("foto's en video's", "foto's en video's", id="apostrophes are no quotes"),
        pytest.param("mail to an@delinde.example failed", "mail to <email> failed", id="e-mail"),
        pytest.param("see https://vendor.example/docs?x=1 now", "see <url> now", id="address"),
        pytest.param("id 0b5f3c1e-9d54-4a59-8a34-0c6f3c2b7a10 gone", "id <uuid> gone", id="uuid"),
        pytest.param("trace 9F86D081884c7d65 lost", "trace <hex> lost", id="hex"),
        pytest.param("the facade decade", "the facade decade", id="a word of hex letters stays"),
        pytest.param(
            "Contact is invalid: Company name moet opgegeven zijn.",
            "contact is invalid: company name moet opgegeven zijn.",
            id="a vendor's sentence stays",
        ),
    ],
)
def test_what_differs_by_record_is_taken_out(message: str | None, normalised: str) -> None:
    assert normalise_message(message) == normalised


ONE = ("recras", "create", 406, "Person 48: Required.", "contactpersonen[0].voornaam")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("recras", "create", 406, "Person 97: Required.", "contactpersonen[0].voornaam"), id="number"),
        pytest.param(("recras", "create", 406, "person  48: required.", "contactpersonen[0].voornaam"), id="spelling"),
        pytest.param(("recras", "create", 406, "Person 48: Required.", "contactpersonen[7].voornaam"), id="index"),
    ],
)
def test_the_same_cause_has_the_same_fingerprint(other: tuple[str, str, int, str, str]) -> None:
    assert fingerprint(*other) == fingerprint(*ONE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("rompslomp", "create", 406, "Person 48: Required.", "contactpersonen[0].voornaam"), id="system"),
        pytest.param(("recras", "update", 406, "Person 48: Required.", "contactpersonen[0].voornaam"), id="operation"),
        pytest.param(("recras", "create", 500, "Person 48: Required.", "contactpersonen[0].voornaam"), id="status"),
        pytest.param(("recras", "create", None, "Person 48: Required.", "contactpersonen[0].voornaam"), id="no status"),
        pytest.param(("recras", "create", 406, "Person 48: Too long.", "contactpersonen[0].voornaam"), id="message"),
        pytest.param(("recras", "create", 406, None, "contactpersonen[0].voornaam"), id="no message"),
        pytest.param(("recras", "create", 406, "Person 48: Required.", "contactpersonen[0].email1"), id="field"),
        pytest.param(("recras", "create", 406, "Person 48: Required.", None), id="no field"),
    ],
)
def test_another_cause_has_another_fingerprint(other: tuple[str, str, int | None, str | None, str | None]) -> None:
    assert fingerprint(*other) != fingerprint(*ONE)


def test_numbered_members_of_a_record_are_different_fields() -> None:
    assert fingerprint("recras", "create", 406, None, "email1") != fingerprint("recras", "create", 406, None, "email2")


def test_parts_cannot_be_moved_from_one_argument_to_the_next() -> None:
    assert fingerprint("a", "b c", None, "d", None) != fingerprint("a b", "c", None, "d", None)


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    # sha256sum of ["workspace","update",400,"something went wrong while saving the data.",""], its beginning
    assert (
        fingerprint("workspace", "update", 400, "Something went wrong while saving the data.", None)
        == "595fb4cc04211565"
    )


@given(
    message=st.text() | st.text(alphabet=string.hexdigits + "-@'\"“” .:/", max_size=3000),
    field=st.none() | st.text(),
    status=st.none() | st.integers(),
)
@settings(deadline=None)
def test_any_message_has_a_fingerprint(message: str, field: str | None, status: int | None) -> None:
    value = fingerprint("recras", "create", status, message, field)

    assert len(value) == 16
    assert set(value) <= set("0123456789abcdef")
