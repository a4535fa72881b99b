"""What the network does becomes an error by name; what comes back is a plain value."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace

import httpx
import pytest

from worker.errors import CredentialsRejected, OutcomeUnknown, TransientError, VendorBroken, VendorUnavailable
from worker.vendors.transport import Request, Response, Session, Unmetered, make_client, retry_after_seconds


def session(handler: httpx.MockTransport) -> Session:
    return Session("rompslomp", make_client("https://vendor.example", handler), Unmetered(), timeout_seconds=5)


def failing(error: httpx.HTTPError) -> httpx.MockTransport:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(fail)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("no route"), httpx.PoolTimeout("no connection free")],
    ids=["refused", "connect timeout", "pool"],
)
def test_a_create_that_was_never_sent_is_no_unknown_outcome(error: httpx.HTTPError) -> None:
    with pytest.raises(VendorUnavailable) as caught:
        session(failing(error)).send(Request("create", "POST", "/contacts", creates=True, writes=True), "key")

    assert caught.value.word == "unreachable"


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("no answer"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.WriteError("broken pipe"),
    ],
    ids=["timeout", "reset", "closed", "while writing"],
)
def test_a_write_that_may_have_arrived_is_an_unknown_outcome(error: httpx.HTTPError) -> None:
    with pytest.raises(OutcomeUnknown):
        session(failing(error)).send(Request("update", "PATCH", "/contacts/1", writes=True), "key")


def test_a_read_without_an_answer_is_only_unavailable() -> None:
    with pytest.raises(VendorUnavailable):
        session(failing(httpx.ReadTimeout("no answer"))).send(Request("read", "GET", "/contacts/1"))


def test_every_exchange_is_kept_answered_or_not() -> None:
    way = session(failing(httpx.ReadTimeout("no answer")))

    with pytest.raises(VendorUnavailable):
        way.send(Request("read", "GET", "/contacts/1"))

    [exchange] = way.exchanges
    assert (exchange.status, exchange.error) == (None, "ReadTimeout: no answer")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 0.0),
        ("1e999", None),
        ("nan", None),
        ("999999999999", 30 * 86_400.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, expected: float | None) -> None:
    assert retry_after_seconds(value, now=10.0) == expected


def answer(body: bytes, content_type: str = "application/json", *, creates: bool = False) -> Response:
    request = Request("create" if creates else "read", "POST" if creates else "GET", "/x", creates=creates)
    return Response(200, {"content-type": content_type}, body, request)


def test_html_is_never_parsed_as_json() -> None:
    with pytest.raises(VendorBroken):
        answer(b"{}", "text/html").json()


def test_a_create_answered_with_rubbish_is_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown):
        answer(b'{"contact": {', creates=True).json()


def test_nul_characters_of_a_vendor_do_not_reach_the_database() -> None:
    assert answer(b'{"na\\u0000me": ["a\\u0000b", {"c": "\\u0000"}]}').json() == {"na�me": ["ab", {"c": ""}]}


@pytest.mark.parametrize(
    "request_",
    [
        Request("read", "GET", "/x", headers={"Authorization": "Bearer a-secret-token"}),
        Request("read", "GET", "/x", headers={"Authorization": "Basic YXBpOmEtc2VjcmV0LXRva2Vu"}),
        Request("token", "POST", "/x", secrets=("a-secret-token",)),
    ],
    ids=["bearer", "basic", "in the body"],
)
def test_an_answer_that_quotes_the_request_is_kept_without_its_credentials(request_: Request) -> None:
    body = f"{'-' * 4090} a-secret-token YXBpOmEtc2VjcmV0LXRva2Vu".encode()
    quoted = b'{"sent": "Basic YXBpOmEtc2VjcmV0LXRva2Vu, or a-secret-token", "name": "De Linde"}'

    kept = [Response(500, {}, text, request_).excerpt for text in (body, quoted)]

    assert [excerpt for excerpt in kept if "a-secret-token" in excerpt or "a-sec" in excerpt] == []
    assert '"name": "De Linde"' in kept[1]
    assert "YXBp" not in kept[1] or "Basic" not in request_.headers.get("Authorization", "")


@pytest.mark.parametrize("status", [200, 406])
def test_whoever_reads_an_answer_reads_no_credential(status: int) -> None:
    request = Request("read", "GET", "/x", headers={"Authorization": "Bearer a-secret-token-2024"})
    body = b'{"message": "you sent Authorization: Bearer a-secret-token-2024"}'
    headers = {"content-type": "application/json", "x-reason": "a-secret-token-2024"}

    response = Response(status, headers, body, request)

    assert response.json() == {"message": "you sent Authorization: Bearer [removed]"}
    assert response.headers["x-reason"] == "[removed]"
    assert b"a-secret" not in response.body


def test_a_password_that_is_a_word_is_no_gap_in_a_record() -> None:
    request = Request("token", "POST", "/x", secrets=("Antwerpen",))
    body = b'{"city": "Antwerpen"}'

    record = Response(200, {"content-type": "application/json"}, body, request)
    refusal = Response(400, {"content-type": "application/json"}, body, request)

    assert record.json() == {"city": "Antwerpen"}
    assert "Antwerpen" not in record.excerpt
    assert refusal.json() == {"city": "[removed]"}


def shown(error: BaseException) -> str:
    """What the log shows of an error and of those it came from, without the lines of this file."""
    return "\n".join(line for line in traceback.format_exception(error) if not line.startswith("  File"))


@pytest.mark.parametrize("writes", [False, True])
def test_a_request_that_cannot_be_formed_was_never_sent_and_is_not_quoted(*, writes: bool) -> None:
    error = httpx.LocalProtocolError("Illegal header value b'Bearer a-secret-token\n'")
    error.__cause__ = ValueError("Illegal header value b'Bearer a-secret-token\n'")
    way = session(failing(error))
    request = Request("create", "POST", "/x", creates=writes, writes=writes)

    with pytest.raises(TransientError) as caught:
        way.send(replace(request, headers={"Authorization": "Bearer a-secret-token"}), "key")

    assert not isinstance(caught.value, VendorUnavailable | OutcomeUnknown)
    assert caught.value.word == "internal_error"
    assert "not sent" in str(caught.value)
    assert way.exchanges == []
    assert "a-secret-token" not in shown(caught.value)


@pytest.mark.parametrize("token", ["a-secret-token ", "caf\N{LATIN SMALL LETTER E WITH ACUTE}-token", "", "two\nlines"])
@pytest.mark.parametrize("header", ["Authorization", "X-Tenant"])
def test_credentials_that_no_header_can_carry_stop_the_system_before_anything_is_sent(token: str, header: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    way = session(httpx.MockTransport(answer))

    with pytest.raises(CredentialsRejected) as caught:
        way.send(Request("create", "POST", "/x", headers={header: f"Bearer {token}"}, creates=True), "key")

    assert caught.value.word == "credentials"
    assert "rompslomp" in caught.value.message
    assert not token.strip() or token.strip() not in shown(caught.value)
    assert (asked, way.exchanges) == ([], [])


def test_what_cannot_stand_in_an_address_was_never_sent() -> None:
    way = session(httpx.MockTransport(lambda _request: httpx.Response(200)))

    with pytest.raises(TransientError, match="could not be formed") as caught:
        way.send(Request("read", "GET", "/x\0y", headers={"Authorization": "Bearer a-secret-token"}))

    assert "a-secret" not in shown(caught.value)


def test_an_error_that_nobody_foresaw_quotes_no_credential() -> None:
    token = "a-secret-token"

    def fail(_request: httpx.Request) -> httpx.Response:
        raise ValueError(f"what to do with {token}?")

    with pytest.raises(ValueError, match="what to do") as caught:
        session(httpx.MockTransport(fail)).send(
            Request("read", "GET", "/x", headers={"Authorization": f"Bearer {token}"})
        )

    assert token not in shown(caught.value)


@pytest.mark.parametrize(
    "hidden",
    [
        '["BE68539007547034", "twelve"]',
        '{"number": "BE68539007547034", "at": ["twelve"]}',
        '[{"iban": "twelve"}, {"x": {"y": "BE68539007547034"}}]',
    ],
)
def test_a_hidden_member_is_hidden_whatever_it_holds(hidden: str) -> None:
    request = Request("read", "GET", "/x", hidden=("comment",))
    body = f'{{"name": "De Linde", "bank": {hidden}, "comment": {hidden}, "city": "Gent"}}'

    excerpt = Response(200, {"content-type": "application/json"}, body.encode(), request).excerpt

    assert json.loads(excerpt) == {"name": "De Linde", "bank": "[removed]", "comment": "[removed]", "city": "Gent"}


def test_a_record_that_is_written_back_is_read_as_it_came() -> None:
    body = b'{"id": 1, "extra": "BE68 5390 0754 7034", "iban": "twelve"}'
    plain, whole = Request("read", "GET", "/x"), Request("read", "GET", "/x", written_back=True)

    read = [Response(200, {"content-type": "application/json"}, body, one) for one in (plain, whole)]

    assert read[0].json() == {"id": 1, "extra": ""}
    assert read[1].json() == json.loads(body)
    assert [one for one in read if "5390" in one.excerpt or "twelve" in one.excerpt] == []


def test_a_credential_that_is_too_short_to_be_one_blanks_nothing() -> None:
    request = Request("read", "GET", "/x", headers={"Authorization": "Bearer a"})

    assert Response(500, {}, b"a failure", request).excerpt == "a failure"


# ---------------------------------------------------------------------------------------------------- idempotency keys
CHANGE = Request("update", "PATCH", "/contacts/1", body=b'{"city":"Gent"}', writes=True)


def sent_under(request: Request, key: str | None = "change", names: tuple[str, ...] = ("Idempotency-Key",)) -> Request:
    """The request as the log keeps it, after it left."""
    way = Session(
        "rompslomp",
        make_client("https://vendor.example", httpx.MockTransport(lambda _: httpx.Response(200))),
        Unmetered(),
        idempotency_headers=names,
    )
    way.send(request, key)
    return way.exchanges[0].request


def test_a_write_carries_its_key_in_every_header_of_the_settings_and_in_the_log() -> None:
    sent = sent_under(CHANGE, names=("Idempotency-Key", "X-Other"))

    assert sent.idempotency_key
    assert sent.headers == {"Idempotency-Key": sent.idempotency_key, "X-Other": sent.idempotency_key}


def test_without_header_names_none_is_sent_and_the_log_has_the_key_all_the_same() -> None:
    sent = sent_under(CHANGE, names=())

    assert (dict(sent.headers), bool(sent.idempotency_key)) == ({}, True)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(CHANGE, body=b'{"city":"Aalst"}'), id="another body"),
        pytest.param(replace(CHANGE, path="/contacts/2"), id="another record"),
        pytest.param(replace(CHANGE, method="PUT"), id="another method"),
        pytest.param(replace(CHANGE, method="DELETE", body=None), id="a removal"),
    ],
)
def test_each_request_of_one_change_has_a_key_of_its_own(other: Request) -> None:
    assert sent_under(CHANGE).idempotency_key == sent_under(CHANGE).idempotency_key
    assert sent_under(CHANGE).idempotency_key != sent_under(other).idempotency_key
    assert sent_under(CHANGE).idempotency_key != sent_under(CHANGE, "another change").idempotency_key


def test_a_key_that_the_request_names_itself_is_sent_as_it_is() -> None:
    assert sent_under(replace(CHANGE, idempotency_key="mine"), None).headers == {"Idempotency-Key": "mine"}


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(CHANGE, id="a change"),
        pytest.param(Request("create", "POST", "/contacts", creates=True), id="a create"),
        pytest.param(Request("remove", "DELETE", "/contacts/1", writes=True), id="a removal"),
        pytest.param(Request("search", "POST", "/contacts"), id="a method that writes, and that is not declared"),
    ],
)
def test_a_write_without_a_key_never_leaves(request_: Request) -> None:
    with pytest.raises(ValueError, match="is a write: it needs an idempotency key"):
        sent_under(request_, None)


@pytest.mark.parametrize("request_", [Request("read", "GET", "/contacts/1"), Request("token", "POST", "/token")])
def test_what_changes_nothing_carries_no_key(request_: Request) -> None:
    sent = sent_under(request_, None)

    assert (sent.idempotency_key, dict(sent.headers)) == (None, {})


@pytest.mark.parametrize("key", ["x" * 129, "a b\n", "sleutél"])
def test_a_key_that_a_header_cannot_carry_is_a_fault_of_ours(key: str) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        sent_under(replace(CHANGE, idempotency_key=key))
