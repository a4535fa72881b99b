"""What stored answers of Recras mean, without sending anything (Recras sheets 4 and 6)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.recras.stored import FOLDER, answer
from worker.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorError,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.recras import rules
from worker.vendors.recras.refusals import fields_of
from worker.vendors.transport import Response, json_body

REFUSALS = [
    ("401", "read", CredentialsRejected, "credentials"),
    ("403", "update", CredentialsRejected, "no_right"),
    ("404_html", "read", RecordGone, "gone"),
    ("404_json", "update", RecordGone, "gone"),
    ("404_html", "list", WrongAddress, "wrong_address"),
    ("404_html", "create", WrongAddress, "wrong_address"),
    ("406_validation", "create", VendorRejected, "rejected"),
    ("406_nested", "update", VendorRejected, "rejected"),
    ("406_syntax", "create", VendorRejected, "rejected"),
    ("406_text", "update", VendorRejected, "rejected"),
    ("406_html", "update", VendorRejected, "rejected"),
    ("429_with_retry_after", "update", RateLimited, "rate_limited"),
    ("500_html", "read", VendorUnavailable, "server_error"),
    ("500_html", "create", OutcomeUnknown, "server_error"),
    ("503_html", "update", VendorUnavailable, "server_error"),
    ("302_html", "read", VendorBroken, "broken_answer"),
    ("302_html", "create", VendorBroken, "broken_answer"),
    ("200_html", "read", VendorBroken, "broken_answer"),
    ("200_html", "update", VendorBroken, "broken_answer"),
    ("200_html", "create", OutcomeUnknown, "outcome_unknown"),
    ("200_wrong_types", "read", VendorBroken, "broken_answer"),
    ("200_wrong_types", "create", OutcomeUnknown, "outcome_unknown"),
]


@pytest.mark.parametrize(("name", "operation", "kind", "word"), REFUSALS)
def test_each_refusal_is_its_own_error(name: str, operation: str, kind: type[SyncError], word: str) -> None:
    with pytest.raises(kind) as raised:
        rules.record_of_answer(answer(name, operation))

    assert type(raised.value) is kind
    assert raised.value.word == word


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[345]*.json")), ids=lambda path: path.stem)
def test_every_refusal_keeps_status_and_the_vendors_own_words(path: Path) -> None:
    stored = answer(path.stem)

    error = rules.refusal(stored)

    assert error.status == stored.status
    assert error.excerpt == stored.excerpt


def test_the_next_step_differs_between_the_ways_to_be_kept_out() -> None:
    steps = [rules.refusal(answer(name, "list")).message.partition(": ")[2] for name in ("401", "403", "404_html")]

    assert steps == [rules.KEY_STEP, rules.RIGHT_STEP, rules.PATH_STEP]


@pytest.mark.parametrize(("name", "seconds"), [("429_with_retry_after", 12.0), ("429_without_retry_after", 30.0)])
def test_a_429_waits_as_told_and_half_a_minute_when_nothing_is_told(name: str, seconds: float) -> None:
    error = rules.refusal(answer(name))

    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (
            "406_validation",
            {"contactpersonen": "Required.", "limit": "Could not validate extra field"},
            "contactpersonen: Required.; limit: Could not validate extra field",
        ),
        (
            "406_nested",
            {"contactpersonen.voornaam": "Invalid.", "contactpersonen.hoofdcontact": "Required."},
            "contactpersonen.voornaam: Invalid.; contactpersonen.hoofdcontact: Required.",
        ),
        ("406_syntax", {}, "Syntax error"),
        ("406_object", {"postcode": "Too long., Invalid."}, "postcode: Too long., Invalid."),
        ("406_text", {}, "Not allowed: plaats"),
        ("406_html", {}, "refused without a word"),
    ],
)
def test_the_faults_of_a_refusal_are_read_in_whatever_shape_they_come(
    name: str, fields: dict[str, str], message: str
) -> None:
    error = rules.refusal(answer(name, "update"))

    assert error.fields == fields
    assert error.message == message


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"message": "Refused", "errors": [{"field": "naam", "message": "Required."}]}, {"naam": "Required."}),
        ([{"field": "naam"}], {"naam": "refused"}),
        ({"error": {"message": "Refused"}}, {}),
        ({"naam": "Required."}, {"naam": "Required."}),
        ([{"field": "naam", "message": "A"}, {"field": "naam", "message": "A"}], {"naam": "A"}),
        ("Refused", {}),
        (None, {}),
    ],
)
def test_faults_of_odd_shapes(body: Any, fields: dict[str, str]) -> None:
    assert fields_of(body) == fields


@pytest.mark.parametrize("name", ["klant_created", "klant_created_truncated", "klant_created_silent"])
def test_the_id_of_a_new_record_is_in_the_body_or_in_the_header(name: str) -> None:
    external_id, shown = rules.created_id(answer(name, "create"))

    assert external_id == "83"
    assert (shown is None) is (name != "klant_created")


def test_a_create_is_known_by_its_id_whatever_else_its_answer_holds() -> None:
    """It was made: an odd member must not make an unknown outcome of it."""
    made = answer("klant_created", "create")
    body = json.dumps({**made.json(), "plaats": {"naam": "Gent"}}).encode()
    odd = replace(made, headers={"content-type": "application/json"}, body=body)

    assert rules.created_id(odd) == ("83", None)


def test_an_address_after_a_200_is_not_taken_for_a_record_that_was_made() -> None:
    stored = replace(answer("klant_created_silent", "create"), status=200)

    with pytest.raises(OutcomeUnknown):
        rules.created_id(stored)


def test_a_record_of_another_id_is_not_believed() -> None:
    with pytest.raises(VendorBroken):
        rules.record_of_answer(answer("klant"), "84")


def test_an_update_that_answers_nothing_shows_nothing() -> None:
    silent = Response(200, {}, b"", answer("klant", "update").request)

    assert rules.record_if_shown(silent, "83") is None


# ------------------------------------------------------------------------------------------------------------- lists
def test_the_next_page_is_asked_by_its_query_alone() -> None:
    stored = answer("klanten_page", "list")

    assert rules.following(stored, 2, {"62", "83"}) == (("id>", "1"), ("page", "2"))


@pytest.mark.parametrize(
    ("headers", "items", "following"),
    [
        ({}, 99, None),
        ({}, 100, (("id>", "500"),)),
        ({"x-page-size": "10"}, 10, (("id>", "500"),)),
        ({"x-page-size": "none"}, 10, None),
        ({"x-total-count": "3"}, 100, None),
        ({"x-total-count": "4"}, 100, (("id>", "500"),)),
        ({"link": '<https://x.example/api2/klanten?page=1>; rel="last"'}, 100, None),
    ],
)
def test_a_list_goes_on_by_link_else_by_the_highest_id(
    headers: dict[str, str], items: int, following: tuple[tuple[str, str], ...] | None
) -> None:
    response = replace(answer("klanten_page", "list"), headers={"content-type": "application/json", **headers})

    assert rules.following(response, items, {"7", "500", "62"}) == following


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[{}]", b'[{"id": true}]', b'[{"id": "1/2"}]', b"[", b"null"])
def test_a_list_of_another_shape_is_vendor_trouble(body: bytes) -> None:
    with pytest.raises(VendorBroken):
        rules.list_of_answer(replace(answer("klanten_page", "list"), body=body))


# ---------------------------------------------------------------------------------------------------------- requests
def test_the_key_and_the_types_are_in_the_headers_and_the_key_is_not_printed() -> None:
    requests = rules.Requests("very-secret")

    read, write = requests.read("83"), requests.update("83", {"naam": "De Linde"})

    assert read.headers == {"Authorization": "Bearer very-secret", "Accept": "application/json"}
    assert write.headers == {**read.headers, "Content-Type": "application/json"}
    assert "very-secret" not in repr((requests, read, write))


def test_an_empty_parameter_is_never_sent() -> None:
    assert rules.Requests("key").customers("list", (("id>", ""), ("page", "2"))).query == (("page", "2"),)


@pytest.mark.parametrize("external_id", ["", "1/../../me", "1?x=1", "\u0661"])
def test_an_id_that_is_no_number_never_becomes_part_of_an_address(external_id: str) -> None:
    with pytest.raises(VendorRejected):
        rules.Requests("key").read(external_id)


# -------------------------------------------------------------------------------------------------------------- fuzz
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "naam", "field", "message", "errors", "contactpersonen"]), inner)
    ),
    max_leaves=12,
)


@given(status=st.sampled_from([200, 201, 302, 404, 406, 500]), body=_JSON | st.binary(max_size=40))
def test_an_answer_of_any_shape_is_a_value_or_an_error_of_ours(status: int, body: Any) -> None:
    raw = body if isinstance(body, bytes) else json_body(body)
    for operation in ("read", "create", "list"):
        response = replace(answer("klant", operation), status=status, body=raw)
        for read in (rules.record_of_answer, rules.list_of_answer, rules.created_id):
            with suppress(VendorError):
                read(response)
