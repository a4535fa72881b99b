"""Routix's access token: asked for once, renewed in time, and the refusals of its endpoint."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.vendors.routix.client_wire import BASE_URL, ONE, answered, organisation, stored, wire
from worker.errors import (
    ConfigurationError,
    CredentialsRejected,
    RateLimited,
    VendorBroken,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.routix import answers, calls

FIXTURES = Path(__file__).parent / "fixtures"
JSON = {"content-type": "application/json"}
ACCESS = calls.Access("7a1e", "routix_made_up", f"{BASE_URL}/oauth-token")


def test_the_token_is_asked_for_as_the_vendor_s_examples_do_it() -> None:
    request = calls.token(ACCESS)

    asked = json.loads((FIXTURES / "token_request.json").read_text())
    assert (request.method, request.path) == ("POST", f"{BASE_URL}/oauth-token")
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or b"").keys() == asked.keys()
    assert json.loads(request.body or b"")["grant_type"] == asked["grant_type"]
    assert request.budget == "token"


def test_the_sheet_s_token_is_read_and_used_until_shortly_before_its_end() -> None:
    answer = answered(200, (FIXTURES / "token_answer.json").read_bytes(), JSON)

    token = answers.token(answer, asked_at=1_000.0)

    assert token.value.startswith("eyJ")
    assert token.good_until == 1_000 + 3_600 - 60


@pytest.mark.parametrize(
    ("expires_in", "good_for"),
    [(600, 540), ("600", 540), (100, 90), (None, 270), (0, 270), (-5, 270), (True, 270), ("soon", 270), (1e12, 86_340)],
)
def test_how_long_a_token_is_used(expires_in: Any, good_for: float) -> None:
    body = json.dumps({"access_token": "a.b.c", "expires_in": expires_in}).encode()

    assert answers.token(answered(200, body, JSON), asked_at=0.0).good_until == good_for


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"a.b.c"',
        b'{"access_token": null}',
        b'{"access_token": ""}',
        b'{"access_token": 7}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\nX-Evil: 1"}',
        '{"access_token": "a\u00e9"}'.encode(),
        json.dumps({"access_token": "x" * 20_000}).encode(),
    ],
)
def test_an_answer_without_a_usable_token_is_vendor_trouble(body: bytes) -> None:
    with pytest.raises(VendorBroken):
        answers.token(answered(200, body, JSON), asked_at=0.0)


def test_one_token_serves_many_calls_and_its_endpoint_has_a_budget_of_its_own() -> None:
    routix, clock = organisation()

    with wire(routix, clock) as at:
        for _ in range(5):
            at.client.list_accounts(at.session, ONE)

    assert len(routix.calls(path="oauth-token")) == 1
    assert at.budget.asked == ["token", "", "", "", "", ""]


def test_a_token_is_renewed_before_it_ends() -> None:
    routix, clock = organisation(token_seconds=600)

    with wire(routix, clock) as at:
        at.client.list_accounts(at.session, ONE)
        clock.now += 541
        at.client.list_accounts(at.session, ONE)

    assert len(routix.calls(path="oauth-token")) == 2
    assert all(call.response.status == 200 for call in routix.calls())


def test_a_token_that_ended_early_is_renewed_once_on_401() -> None:
    routix, clock = organisation()

    with wire(routix, clock) as at:
        at.client.list_accounts(at.session, ONE)
        routix.revoke_tokens()
        at.client.list_accounts(at.session, ONE)

    assert [call.response.status for call in routix.calls("GET")] == [200, 401, 200]
    assert len(routix.calls(path="oauth-token")) == 2


def test_a_401_right_after_a_fresh_token_stops_at_once() -> None:
    routix, clock = organisation()
    routix.fail("status", times=-1, status=401, body='{"error": "invalid_token"}', method="GET")

    with wire(routix, clock) as at, pytest.raises(CredentialsRejected) as caught:
        at.client.list_accounts(at.session, ONE)

    assert caught.value.word == "credentials"
    assert len(routix.calls()) == 2


def test_a_held_token_that_is_refused_twice_stops_too_and_is_forgotten() -> None:
    routix, clock = organisation()

    with wire(routix, clock) as at:
        at.client.list_accounts(at.session, ONE)
        routix.fail("status", times=2, status=401, body="{}", method="GET")
        with pytest.raises(CredentialsRejected):
            at.client.list_accounts(at.session, ONE)
        at.client.list_accounts(at.session, ONE)

    assert len(routix.calls(path="oauth-token")) == 3


@pytest.mark.parametrize("status", [400, 401])
def test_a_wrong_secret_is_told_with_the_vendor_s_words(status: Any) -> None:
    routix, clock = organisation(bad_client_status=status)

    with wire(routix, clock, client_secret="routix_wrong") as at, pytest.raises(CredentialsRejected) as caught:
        at.client.list_accounts(at.session, ONE)

    assert "Unknown client or wrong secret" in caught.value.message
    assert (caught.value.word, caught.value.status) == ("credentials", status)


def test_a_revoked_app_is_told() -> None:
    routix, clock = organisation(app_revoked=True)

    with wire(routix, clock) as at, pytest.raises(CredentialsRejected):
        at.client.list_accounts(at.session, ONE)


@pytest.mark.parametrize(
    ("fault", "settings", "expected"),
    [
        ("status", {"status": 404, "body": "{}"}, WrongAddress),
        ("status", {"status": 500, "body": "{}"}, VendorUnavailable),
        ("html", {"status": 502}, VendorUnavailable),
        ("html", {"status": 400}, VendorBroken),
        ("html", {"status": 200}, VendorBroken),
        ("throttle", {}, RateLimited),
        ("drop_after", {}, VendorUnavailable),
        ("truncate", {}, VendorBroken),
    ],
)
def test_every_way_to_fail_at_the_token_endpoint_has_its_error(
    fault: Any, settings: dict[str, Any], expected: type[Exception]
) -> None:
    routix, clock = organisation()
    routix.fail(fault, path="oauth-token", **settings)

    with wire(routix, clock) as at, pytest.raises(expected):
        at.client.list_accounts(at.session, ONE)


def test_threads_that_need_a_token_at_once_ask_for_one() -> None:
    asked: list[str] = []
    second_came = threading.Event()

    def hold_until_a_second_one_comes() -> None:
        asked.append("token")
        if len(asked) > 1:
            second_came.set()
        second_came.wait(0.2)

    empty = {"data": [], "pagination": {"total": 0}, "version": "v2"}
    with stored(lambda _: httpx.Response(200, json=empty), hold_until_a_second_one_comes) as at:
        threads = [threading.Thread(target=at.client.list_accounts, args=(at.session, ONE)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(at.session.exchanges) == 9
    assert asked == ["token"]


def test_neither_secret_nor_token_is_in_anything_that_is_kept() -> None:
    with stored(lambda _: httpx.Response(200, json={"data": [], "pagination": {"total": 0}, "version": "v2"})) as at:
        at.client.list_accounts(at.session, ONE)

    kept = repr(at.session.exchanges) + repr(at.client.access) + repr(vars(at.client._tokens))
    kept += str([exchange.request.logged for exchange in at.session.exchanges])
    assert "routix_made_up" not in kept
    assert "a.b.c" not in kept


def test_the_token_address_may_be_set() -> None:
    routix, clock = organisation()

    with wire(routix, clock, token_url=f"{BASE_URL}/nowhere") as at, pytest.raises(WrongAddress):
        at.client.list_accounts(at.session, ONE)

    assert routix.calls()[0].request.path.endswith("/nowhere")


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "branches"])
def test_it_is_not_built_without_what_it_needs(missing: str) -> None:
    routix, _ = organisation()
    nothing: Any = [] if missing == "branches" else None

    with pytest.raises(ConfigurationError, match=missing), wire(routix, **{missing: nothing}):
        pass
