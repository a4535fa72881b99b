"""What Routix refuses, and what comes of an answer that is not as its page says."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.routix.client_wire import ONE, TWO, answered, organisation, stored, wire
from worker.errors import (
    ConfigurationError,
    CredentialsRejected,
    RateLimited,
    SyncError,
    VendorBroken,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.routix import answers, calls

FIXTURES = Path(__file__).parent / "fixtures"
JSON = {"content-type": "application/json"}
ACCESS = calls.Access("7a1e", "routix_made_up", "https://routix.test/functions/v1/oauth-token")


def test_a_broken_page_quotes_no_bank_data() -> None:
    body = b'{"data": [{"id": "a", "iban": "NL00GEHEIM", "comment": "gehe'

    with (
        stored(lambda _: httpx.Response(200, content=body, headers=JSON)) as at,
        pytest.raises(VendorBroken) as caught,
    ):
        at.client.list_accounts(at.session, ONE)

    assert "gehe" not in (caught.value.excerpt or "").lower()


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        [],
        {},
        {"data": [], "version": "v2"},
        {"data": [], "pagination": {}, "version": "v2"},
        {"data": [], "pagination": {"total": "3"}, "version": "v2"},
        {"data": [], "pagination": {"total": True}, "version": "v2"},
        {"data": [], "pagination": {"total": -1}, "version": "v2"},
        {"data": {}, "pagination": {"total": 0}, "version": "v2"},
        {"data": [7], "pagination": {"total": 1}, "version": "v2"},
        {"data": [{}], "pagination": {"total": 1}, "version": "v2"},
        {"data": [{"id": 7}], "pagination": {"total": 1}, "version": "v2"},
        {"data": [{"id": ""}], "pagination": {"total": 1}, "version": "v2"},
        {"data": [{"id": "x" * 101}], "pagination": {"total": 1}, "version": "v2"},
        {"data": [], "pagination": {"total": 0}, "version": "v1"},
    ],
)
def test_a_page_that_is_none_is_vendor_trouble_and_never_an_empty_list(body: Any) -> None:
    with stored(lambda _: httpx.Response(200, json=body)) as at, pytest.raises(VendorBroken):
        at.client.list_accounts(at.session, ONE)


@pytest.mark.parametrize(
    ("fixture", "status", "expected", "words"),
    [
        ("error_403_insufficient_scope", 403, CredentialsRejected, ("routix:accounts:read",)),
        ("error_405_read_only", 405, WrongAddress, ("Only GET",)),
        ("error_429_limited", 429, RateLimited, ()),
        ("error_401_expired", 400, VendorRejected, ("expired",)),
    ],
)
def test_the_sheet_s_errors_are_read(
    fixture: str, status: int, expected: type[SyncError], words: tuple[str, ...]
) -> None:
    error = answers.failure(answered(status, (FIXTURES / f"{fixture}.json").read_bytes(), JSON), ONE)

    assert type(error) is expected
    assert all(word in error.message for word in words)


def test_a_403_names_scope_and_branch_as_long_as_it_may_be_either() -> None:
    error = answers.failure(answered(403, b'{"error": "forbidden"}', JSON), ONE)

    assert "routix:accounts:read" in error.message
    assert ONE in error.message
    assert error.word == "no_right"


def test_a_missing_scope_and_a_forbidden_branch_are_refusals_of_the_credentials() -> None:
    scope, scope_clock = organisation(scopes=())
    branch, branch_clock = organisation(allowed_branches=frozenset({TWO}))

    with wire(scope, scope_clock) as at, pytest.raises(CredentialsRejected, match="scope"):
        at.client.list_accounts(at.session, ONE)
    with wire(branch, branch_clock) as at, pytest.raises(CredentialsRejected, match=ONE):
        at.client.list_accounts(at.session, ONE)


def test_a_mistyped_branch_is_a_wrong_address_and_not_an_empty_list() -> None:
    routix, clock = organisation()

    with wire(routix, clock, branches=["MISTYPED"]) as at, pytest.raises(WrongAddress, match="MISTYPED"):
        at.client.sweep(at.session)


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, None), (12.0, 12.0)])
def test_a_429_waits_as_told_and_leaves_the_back_off_to_the_caller_otherwise(
    retry_after: float | None, seconds: float | None
) -> None:
    routix, clock = organisation(requests_per_minute=0, retry_after_seconds=retry_after)

    with wire(routix, clock) as at, pytest.raises(RateLimited) as caught:
        at.client.list_accounts(at.session, ONE)

    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("fault", "settings", "expected"),
    [
        ("status", {"status": 500, "body": "{}"}, VendorUnavailable),
        ("html", {"status": 502}, VendorUnavailable),
        ("html", {"status": 404}, VendorBroken),
        ("html", {"status": 200}, VendorBroken),
        ("truncate", {}, VendorBroken),
        ("empty", {}, VendorBroken),
        ("wrong_json", {}, VendorBroken),
        ("drop_after", {}, VendorUnavailable),
        ("delay", {"seconds": 60}, VendorUnavailable),
        ("status", {"status": 400, "body": '{"msg": "limit: no"}'}, VendorRejected),
        ("status", {"status": 302, "body": ""}, VendorBroken),
    ],
)
def test_every_way_to_fail_while_listing_has_its_error(
    fault: Any, settings: dict[str, Any], expected: type[Exception]
) -> None:
    routix, clock = organisation()
    routix.add_account(company_name="Klant")
    routix.fail(fault, method="GET", **settings)

    with wire(routix, clock) as at, pytest.raises(expected):
        at.client.list_accounts(at.session, ONE)


@pytest.mark.parametrize("branch", ["", "a/b", "../x", "a?b", "x" * 33, "a b"])
def test_a_branch_stays_one_part_of_the_address(branch: str) -> None:
    with pytest.raises(ConfigurationError):
        calls.accounts(ACCESS, "a.b.c", branch, 0)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ANY_BODY = st.binary(max_size=60) | st.builds(
    lambda members: json.dumps(members).encode(),
    st.dictionaries(
        st.sampled_from(["data", "pagination", "version", "error", "error_description", "access_token", "expires_in"]),
        JSON_VALUES,
    ),
)


@given(status=st.integers(200, 599), body=ANY_BODY, content_type=st.sampled_from(["application/json", "text/html", ""]))
def test_whatever_routix_answers_it_is_a_value_or_an_error_of_the_tree(
    status: int, body: bytes, content_type: str
) -> None:
    answer = answered(status, body, {"content-type": content_type})

    for read in (lambda: answers.page(answer, "v2"), lambda: answers.token(answer, 0.0)):
        with contextlib.suppress(SyncError):
            read()
    assert isinstance(answers.failure(answer, ONE), SyncError)
