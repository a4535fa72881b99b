"""Requests and refusals of Robaws as pure functions: stored answers in, errors and values out."""

from __future__ import annotations

import contextlib
import datetime
import json
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.robaws.client_wire import answered, stored, wire
from worker.core.wire import Request
from worker.errors import (
    Busy,
    CredentialsRejected,
    MappingError,
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
from worker.vendors.robaws import answers, calls
from worker.vendors.robaws.refusals import Quota, failure, nearly_spent, quota, require_ok
from worker.vendors.robaws.simulator import RobawsSimulator

FIXTURES = Path(__file__).parent / "fixtures"
JSON = {"content-type": "application/json"}
ACCESS = calls.Access("api", "made-up")
KEY = "3f7f0f0e-6f0c-4a6b-8d1d-1c6f1f1c9a77"


@pytest.mark.parametrize(
    ("status", "headers", "expected", "word"),
    [
        (400, {}, VendorRejected, "rejected"),
        (401, {}, CredentialsRejected, "credentials"),
        (401, {"x-robaws-unauthorized-reason": "temp-blocked"}, CredentialsRejected, "temp_blocked"),
        (401, {"x-robaws-unauthorized-reason": " Temp-Blocked "}, CredentialsRejected, "temp_blocked"),
        (401, {"x-robaws-unauthorized-reason": "no-such-user"}, CredentialsRejected, "credentials"),
        (403, {}, CredentialsRejected, "no_right"),
        (404, {}, RecordGone, "gone"),
        (405, {}, WrongAddress, "wrong_address"),
        (408, {}, VendorUnavailable, "server_error"),
        (409, {}, VendorRejected, "rejected"),
        (410, {}, RecordGone, "gone"),
        (413, {}, VendorRejected, "rejected"),
        (415, {}, VendorRejected, "rejected"),
        (422, {}, VendorRejected, "rejected"),
        (429, {}, RateLimited, "rate_limited"),
        (429, {"x-ratelimit-daily-remaining": "0"}, RateLimited, "daily_quota"),
        (429, {"x-ratelimit-daily-remaining": "17"}, RateLimited, "rate_limited"),
        (301, {"location": "https://robaws.example"}, VendorBroken, "broken_answer"),
        (500, {}, VendorUnavailable, "server_error"),
        (502, {}, VendorUnavailable, "server_error"),
        (504, {}, VendorUnavailable, "server_error"),
    ],
)
def test_the_status_alone_decides_on_the_kind_of_error(
    status: int, headers: dict[str, str], expected: type[VendorError], word: str
) -> None:
    error = failure(answered(status, b"{}", {**JSON, **headers}))

    assert type(error) is expected
    assert (error.word, error.status) == (word, status)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 422, 302])
def test_a_web_page_with_any_status_says_nothing_of_the_record(status: int) -> None:
    error = failure(answered(status, b" <!DOCTYPE html><h1>x</h1>", {"content-type": "text/html"}))

    assert type(error) is VendorBroken


def test_409_under_an_idempotency_key_means_that_the_first_one_is_still_in_work() -> None:
    with_key = answered(409, b"{}", JSON, method="POST", path="/clients", idempotency_key=KEY, creates=True)
    without_key = answered(409, b"{}", JSON)

    assert type(failure(with_key)) is Busy
    assert type(failure(without_key)) is VendorRejected


def test_a_create_that_ended_in_a_server_error_may_have_been_done() -> None:
    for status in (408, 500, 502, 504):
        assert type(failure(answered(status, b"", creates=True))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "rubbish"}, 1.0),
        ({"retry-after": "inf"}, 1.0),
        ({"retry-after": "nan"}, 1.0),
        ({"x-ratelimit-daily-remaining": "9", "x-ratelimit-daily-reset": "14210"}, 1.0),
        ({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "14210"}, 14_210.0),
        ({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "14210", "retry-after": "1"}, 14_210.0),
        ({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "0"}, 1.0),
        ({"x-ratelimit-daily-remaining": "0", "retry-after": "60"}, 60.0),
        ({"x-ratelimit-daily-remaining": "0"}, 3_600.0),
        ({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "1760000000"}, 86_400.0),
        ({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "soon"}, 3_600.0),
    ],
)
def test_how_long_a_429_waits(headers: dict[str, str], seconds: float) -> None:
    error = failure(answered(429, b"", headers))

    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == seconds


def test_the_day_s_quota_is_read_from_the_headers_of_any_answer() -> None:
    headers = {
        "x-ratelimit-daily-limit": "10000",
        "x-ratelimit-daily-remaining": "9412",
        "x-ratelimit-daily-reset": "14210",
    }

    assert quota(answered(200, b"{}", headers)) == Quota(10_000, 9_412, 14_210.0)
    assert quota(answered(200, b"{}", {"x-ratelimit-remaining": "3"})) is None
    assert quota(answered(500, b"", {"x-ratelimit-daily-remaining": "x"})) is None
    assert quota(answered(200, b"", {"x-ratelimit-daily-remaining": "-1"})) is None


@pytest.mark.parametrize("name", ["X-RateLimit-Remaining", "x-ratelimit-remaining", "X-Ratelimit-Remaining"])
@pytest.mark.parametrize(
    ("left", "nearly"), [("0", True), ("2", True), ("3", False), ("14", False), ("-1", False), ("soon", False)]
)
def test_a_second_that_is_nearly_spent_shows_in_the_headers_of_any_answer(name: str, left: str, nearly: bool) -> None:
    for status in (200, 404, 429):
        answer = httpx.Response(status, headers={name: left})
        with stored(partial(_same, answer)) as at:
            response = at.session.send(Request("read", "GET", "/clients/1"))

        assert nearly_spent(response) is nearly


def _same(answer: httpx.Response, _request: httpx.Request) -> httpx.Response:
    return answer


def test_the_error_bodies_of_the_sheet_are_read() -> None:
    no_right = failure(answered(403, (FIXTURES / "error_403_no_module.json").read_bytes(), JSON))
    refused = failure(answered(400, (FIXTURES / "error_400_validation.json").read_bytes(), JSON))

    assert no_right.message == "the API user has no right to `clients` at Robaws: Forbidden"
    assert no_right.correlation_id == "2d1f6f53-0000-4000-8000-000000000001"
    assert refused.message == "Robaws refuses the request with status 400: name: must not be blank"
    assert refused.correlation_id == "2d1f6f53-0000-4000-8000-000000000002"
    assert "must not be blank" in (refused.excerpt or "")


@pytest.mark.parametrize(
    ("body", "text", "fields"),
    [
        ({"message": "m", "error": "e"}, "m", {}),
        ({"message": "  ", "detail": "d", "title": "t"}, "d", {}),
        ({"title": "t", "error": "e"}, "t", {}),
        ({"error": "Bad Request"}, "Bad Request", {}),
        ({"error": {"code": 1}}, "", {}),
        ({"errors": ["one", "two"]}, "one; two", {}),
        ({"errors": [{"field": "name", "message": "blank"}]}, "name: blank", {"name": "blank"}),
        ({"errors": [{"property": "tel", "defaultMessage": "odd"}]}, "tel: odd", {"tel": "odd"}),
        (
            {"errors": [{"field": "a", "message": "x"}, {"field": "a", "message": "y"}]},
            "a: x; a: y",
            {"a": "x, y"},
        ),
        (
            {"errors": {"name": ["blank", "short"], "tel": "odd"}},
            "name: blank, short; tel: odd",
            {"name": "blank, short", "tel": "odd"},
        ),
        ({"errors": [1, None, []]}, "", {}),
        ({"errors": "x"}, "", {}),
        ([], "", {}),
        ("text", "", {}),
        (None, "", {}),
    ],
)
def test_the_vendor_s_words_are_found_wherever_they_stand(body: Any, text: str, fields: dict[str, str]) -> None:
    error = failure(answered(422, json.dumps(body).encode(), JSON))

    assert error.message == "Robaws refuses the request with status 422" + (f": {text}" if text else "")
    assert error.fields == fields


def test_an_endless_error_is_cut() -> None:
    body = {"message": "x" * 100_000, "errors": {f"f{number}": "y" * 5_000 for number in range(200)}}

    error = failure(answered(400, json.dumps(body).encode(), JSON))

    assert len(error.message) < 1_200
    assert len(error.fields) == 50
    assert max(map(len, error.fields.values())) == 1_000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ANY_BODY = st.binary(max_size=80) | st.builds(
    lambda members: json.dumps(members).encode(),
    st.dictionaries(st.sampled_from(["message", "errors", "error", "id", "items", "correlationId"]), JSON_VALUES),
)


@given(
    status=st.integers(300, 599),
    body=ANY_BODY,
    content_type=st.sampled_from(["application/json", "text/html", "", "application/problem+json"]),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-daily-remaining", "x-ratelimit-daily-reset"]),
        st.text(max_size=8),
        max_size=3,
    ),
)
def test_whatever_the_refusal_holds_it_is_an_error_of_the_tree(
    status: int, body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    with pytest.raises(SyncError):
        require_ok(answered(status, body, {"content-type": content_type, **headers}))


@given(body=ANY_BODY, content_type=st.sampled_from(["application/json", "text/html"]))
def test_whatever_a_2xx_holds_it_is_a_value_or_an_error_of_the_tree(body: bytes, content_type: str) -> None:
    answer = answered(200, body, {"content-type": content_type}, creates=True)

    for read in (
        lambda: answers.client(answer, "1834"),
        lambda: answers.patched_client(answer, "1834"),
        lambda: answers.created_client(answer),
        lambda: list(answers.listed_clients(answer)),
        lambda: [answers.endpoint(item, answer) for item in answers.page(answer)],
        lambda: answers.registered_endpoint(answer),
        lambda: answers.total(answer),
    ):
        with contextlib.suppress(SyncError):
            read()


def keys_sent(robaws: RobawsSimulator, **settings: Any) -> list[dict[str, str]]:
    """The idempotency headers of a create, a change, a registration and its end."""
    with wire(robaws, settings=settings) as at:
        made = at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)
        at.client.patch_client(at.session, str(made.external_id), {"gsm": None}, f"{KEY}-2")
        endpoint = at.client.register_webhook(at.session, "https://contactsync.example/webhooks/robaws", f"{KEY}-3")
        at.client.remove_webhook(at.session, endpoint.endpoint_id)
    headers = [one.request.headers for one in robaws.calls() if one.request.method != "GET"]
    return [{name: value for name, value in sent.items() if "idempotency" in name} for sent in headers]


def test_both_idempotency_headers_carry_the_same_value() -> None:
    robaws = RobawsSimulator()

    sent = keys_sent(robaws)

    assert [set(one) for one in sent] == [{"idempotency-key", "x-robaws-idempotency-key"}] * 4
    assert [set(one.values()) for one in sent[:3]] == [{KEY}, {f"{KEY}-2"}, {f"{KEY}-3"}]
    assert robaws.key_problems == []


def test_the_names_of_the_idempotency_headers_come_from_the_settings() -> None:
    sent = keys_sent(RobawsSimulator(), idempotency_headers=("Idempotency-Key",))

    assert [set(one) for one in sent] == [{"idempotency-key"}] * 4


@pytest.mark.parametrize("key", ["", "x" * 129, "a b\n", "sleutél", "a\x00"])
def test_a_key_that_robaws_would_not_take_is_a_fault_of_ours(key: str) -> None:
    robaws = RobawsSimulator()

    with wire(robaws) as at, pytest.raises(ValueError, match="128"):
        at.client.create_client(at.session, {"name": "x"}, key)

    assert robaws.calls() == []


def test_a_patch_is_the_sheet_s_merge_patch_under_exactly_one_content_type() -> None:
    patch = json.loads((FIXTURES / "client_merge_patch.json").read_text())

    request = calls.patch_client(ACCESS, "1834", patch, KEY)

    assert (request.method, request.path) == ("PATCH", "/clients/1834")
    assert json.loads(request.body or b"") == patch
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert [name.lower() for name in request.headers].count("content-type") == 1
    assert not request.creates


def test_a_create_is_the_sheet_s_post() -> None:
    body = json.loads((FIXTURES / "client_create.json").read_text())

    request = calls.create_client(ACCESS, body, KEY)

    assert (request.method, request.path, request.headers["Content-Type"]) == ("POST", "/clients", "application/json")
    assert json.loads(request.body or b"") == body
    assert request.creates


def test_a_list_pages_by_page_and_size_and_never_by_limit() -> None:
    since = datetime.datetime(2025, 10, 1, tzinfo=datetime.UTC)

    request = calls.list_clients(ACCESS, 3, updated_from=since, sort=True, mode="replica")

    assert dict(request.query) == {
        "page": "3",
        "size": "100",
        "sort": "id:asc",
        "updatedFrom": "2025-10-01T00:00:00.000Z",
    }
    assert request.headers["Database-Mode"] == "replica"
    assert request.budget == "replica"


def test_nothing_but_a_read_is_ever_sent_to_the_replica() -> None:
    writes = (
        calls.create_client(ACCESS, {"name": "x"}, KEY),
        calls.patch_client(ACCESS, "1", {}, KEY),
        calls.register_endpoint(ACCESS, "https://sync.example.org", ["client.updated"], KEY),
        calls.remove_endpoint(ACCESS, "7d0f7c0e"),
        calls.read_client(ACCESS, "1"),
        calls.list_persons(ACCESS, "1", 0),
    )

    assert all("Database-Mode" not in request.headers and request.budget == "" for request in writes)


@pytest.mark.parametrize("endpoint_id", ["", "a/b", "../clients/1", "a?b", "x" * 65, "a b", "a\n"])
def test_the_id_of_an_endpoint_stays_one_part_of_the_address(endpoint_id: str) -> None:
    with pytest.raises(MappingError):
        calls.remove_endpoint(ACCESS, endpoint_id)


def test_the_sheet_s_list_page_is_read() -> None:
    page = answered(200, (FIXTURES / "client_list_page.json").read_bytes(), JSON)

    assert list(answers.listed_clients(page)) == [
        ("1834", "2025-10-09T08:53:20.000Z"),
        ("1840", "2025-10-08T17:02:11.000Z"),
    ]
    assert answers.total(page) == 5


def test_the_sheet_s_registration_is_read_and_its_secret_is_in_no_repr() -> None:
    answer = answered(201, (FIXTURES / "webhook_endpoint_answer.json").read_bytes(), JSON, hidden=("secret",))

    endpoint = answers.registered_endpoint(answer)

    assert endpoint.endpoint_id == "7d0f7c0e-58a5-4c0e-9d57-2f1a3f0b9e11"
    assert endpoint.events == ("client.created", "client.updated")
    assert endpoint.secret == "11111111-2222-4333-8444-555555555555"
    assert endpoint.secret not in repr(endpoint) + answer.excerpt


def test_an_answer_to_a_create_without_an_id_is_an_unknown_outcome() -> None:
    for body in (b"{}", b"[]", b"", b'{"id": null}', b'{"id": "new"}'):
        with pytest.raises(OutcomeUnknown):
            answers.created_client(answered(201, body, JSON, creates=True))
