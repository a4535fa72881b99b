"""What fuzzing, and looking for what it should find, brought to light; each was an exception without a name before."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import Any

import httpx
import orjson
import pytest

from tools.fuzzing import documents
from tools.fuzzing.vendors import CALLS, try_answers
from worker.core.wire import Request
from worker.errors import OutcomeUnknown, VendorBroken, VendorRejected, VendorUnavailable
from worker.vendors.json_answers import MOST_LEVELS
from worker.vendors.recras import rules
from worker.vendors.rompslomp import rules as rompslomp
from worker.vendors.transport import (
    EXCERPT_BYTES,
    Response,
    Session,
    Unmetered,
    make_client,
    retry_after_seconds,
)

JSON = {"content-type": "application/json"}
READ = Request("read", "GET", "/x")


def nested(levels: int, inside: bytes = b"") -> bytes:
    return b"[" * levels + inside + b"]" * levels


@pytest.mark.parametrize("inside", [b"", b'"\\u0000"', b'{"id": 1}'])
@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 300, 1_000, 5_000])
def test_an_answer_that_is_nested_beyond_reason_is_vendor_trouble(levels: int, inside: bytes) -> None:
    # Half as deep as orjson reads, whoever walked through it ran out of Python's stack: RecursionError.
    answer = Response(200, JSON, nested(levels, inside), READ)

    with pytest.raises(VendorBroken):
        answer.json()
    assert answer.json_or_none() is None


def test_an_answer_that_is_nested_as_records_are_is_read() -> None:
    answer = Response(200, JSON, nested(MOST_LEVELS, b'"\\u0000"') + b"  ", READ)

    assert repr(answer.json()).count("[") == MOST_LEVELS


@pytest.mark.parametrize("system", CALLS)
def test_no_call_of_any_client_is_brought_down_by_a_nested_message(system: str) -> None:
    deep = b'{"message": ' * 600 + b'"no"' + b"}" * 600
    shapes = [
        b"%b",
        b'{"error": %b}',
        b'{"errors": [{"field": %b}]}',
        b'{"response": {"message": %b}}',
        b'[{"id": %b}]',
    ]

    for call in CALLS[system]:
        for status in (200, 201, 400, 404, 406, 422):
            answers = [_answer(status, shape % deep) for shape in shapes]
            for answer in answers:
                try_answers(system, documents.write({"call": call, "answers": [answer]}))


def _answer(status: int, body: bytes, **headers: str) -> dict[str, Any]:
    return {"status": status, "headers": {**JSON, **headers}, "body": {"text": documents.text_of(body)}}


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 2035 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2035 00:00:00 +2500",
        "Mon, 32 Jan 2035 25:00:00 GMT",
    ],
)
def test_a_date_to_wait_for_that_is_none_counts_as_not_told(value: str) -> None:
    # The first was an OverflowError.
    assert retry_after_seconds(value, now=10.0) is None


@pytest.mark.parametrize("times", [2, 3])
def test_an_answer_that_is_packed_twice_is_not_unpacked(times: int) -> None:
    # Packed twice, a few hundred bytes became as many gigabytes as the sender liked.
    body = b"\x00" * 50_000_000
    for _ in range(times):
        body = gzip.compress(body)
    packed = {**JSON, "content-encoding": ", ".join(["gzip"] * times)}
    answering = httpx.MockTransport(lambda _: httpx.Response(200, headers=packed, stream=httpx.ByteStream(body)))
    session = Session("rompslomp", make_client("https://vendor.example", answering), Unmetered())

    tracemalloc.start()
    try:
        with pytest.raises(VendorUnavailable):
            session.send(READ)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000


def test_an_answer_that_is_packed_once_is_read_and_asked_for_so() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        packed = httpx.ByteStream(gzip.compress(b'{"id": 1}'))
        return httpx.Response(200, headers={**JSON, "content-encoding": "gzip"}, stream=packed)

    session = Session("rompslomp", make_client("https://vendor.example", httpx.MockTransport(answer)), Unmetered())

    assert session.send(READ).json() == {"id": 1}
    assert asked == ["deflate, gzip"]


@pytest.mark.parametrize("address", ["//[", "https://[::1", "https://x]/klanten/83"])
def test_a_new_record_with_a_location_that_is_no_address_is_looked_for(address: str) -> None:
    # Was a ValueError: after a create that was made, and never looked for again.
    request = Request("create", "POST", "/klanten", creates=True, writes=True)

    with pytest.raises(OutcomeUnknown):
        rules.created_id(Response(201, {"location": address}, b"", request))


def test_a_list_whose_next_page_has_no_address_is_not_taken_for_whole() -> None:
    answer = Response(200, {**JSON, "link": '<https://[/klanten>; rel="next"'}, b"[]", READ)

    with pytest.raises(VendorBroken):
        rules.following(answer, 0, set())


def test_a_count_that_no_list_can_have_counts_as_not_told() -> None:
    # Python refuses to read more than 4,300 figures: ValueError.
    answer = Response(200, {**JSON, "x-total-count": "9" * 5_000}, b"[]", READ)

    assert rules.following(answer, 0, set()) is None


def test_what_a_vendor_says_at_length_is_cut_to_what_a_row_should_hold() -> None:
    error = VendorRejected("x" * 1_000_000, fields={f"{'f' * 5_000}{at}": "y" * 5_000 for at in range(200)})

    assert len(error.message) == len(str(error)) == 4_000
    assert max(map(len, [*error.fields, *error.fields.values()])) == 1_000
    assert len(error.fields) <= 50


@pytest.mark.parametrize("kind", ["client.", "client.No such thing", "client." + "x" * 500, "client.ü", "a.b.\n"])
def test_a_type_of_refusal_that_is_no_word_does_not_become_a_reason(kind: str) -> None:
    body = orjson.dumps({"error": {"type": kind, "message": "no"}})

    assert rompslomp.refusal(Response(422, JSON, body, READ)).word == "rejected"


def test_an_excerpt_does_not_grow_by_what_is_hidden_in_it() -> None:
    request = Request("read", "GET", "/x", hidden=("iban",))

    assert len(Response(500, JSON, b'{"iban":1,' * 1_000, request).excerpt) == EXCERPT_BYTES
