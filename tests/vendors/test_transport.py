"""What the network does becomes an error by name; what comes back is a plain value."""

from __future__ import annotations

import httpx
import pytest

from worker.errors import OutcomeUnknown, VendorBroken, VendorUnavailable
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
        session(failing(error)).send(Request("create", "POST", "/contacts", creates=True, writes=True))

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
        session(failing(error)).send(Request("update", "PATCH", "/contacts/1", writes=True))


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


def test_a_credential_that_is_too_short_to_be_one_blanks_nothing() -> None:
    request = Request("read", "GET", "/x", headers={"Authorization": "Bearer a"})

    assert Response(500, {}, b"a failure", request).excerpt == "a failure"
