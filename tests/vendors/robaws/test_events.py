"""From a webhook's body to the event that it is, or to the sentence that says why it is none."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.errors import InvalidEvent
from worker.vendors.robaws.events import WebhookEvent, is_source_id, parse_event

FIXTURES = Path(__file__).parent / "fixtures"


def body(**changed: Any) -> bytes:
    """A good event, with members replaced; None leaves one out."""
    members = {"id": "0b5f3c1e", "event": "client.updated", "data": {"id": "1834"}} | changed
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(InvalidEvent) as caught:
        parse_event(text)
    assert caught.value.word == "invalid_event"
    return caught.value.message


def test_the_payload_as_robaws_sends_it_is_an_event() -> None:
    text = (FIXTURES / "webhook_client_updated.json").read_bytes()

    event = parse_event(text)

    assert event == WebhookEvent(
        "0b5f3c1e-9d54-4a59-8a34-0c6f3c2b7a10", "client.updated", "1834", json.loads(text)["data"], text
    )
    assert event.about_client


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("1834", "1834"),
        (1834, "1834"),
        ("0", "0"),
        (0, "0"),
        ("001834", "1834"),
        ("00", "0"),
        ("9" * 20, "9" * 20),
        (2**64 - 1, str(2**64 - 1)),
    ],
)
def test_the_record_id_may_be_digits_as_text_or_a_whole_number(given_id: Any, expected: str) -> None:
    assert parse_event(body(data={"id": given_id})).source_id == expected


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " 1834",
        "1834\n",
        "+1834",
        "-1",
        "18.34",
        "1e3",
        "../webhook-endpoints",
        "1834?include=x",
        "1834/contacts",
        "\u0661\u0662",
        "\u00b2",
        "9" * 21,
        -1,
        1834.0,
        1e3,
        2**64,
        True,
        False,
        [],
        ["1834"],
        {},
        {"id": "1834"},
        None,
    ],
)
def test_a_record_id_of_any_other_kind_is_no_event(odd: Any) -> None:
    text = json.dumps({"id": "e-1", "event": "client.updated", "data": {"id": odd}}).encode()

    assert "data.id" in refusal(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (body(id=None), "`id` is missing"),
        (body(id=7), "`id` is not a text"),
        (body(id=""), "`id` is empty"),
        (body(id="x" * 201), "more than 200"),
        (body(event=None), "`event` is missing"),
        (body(event=["client.updated"]), "`event` is not a text"),
        (body(event=""), "`event` is empty"),
        (body(event="x" * 201), "more than 200"),
        (body(data=None), "`data` is missing"),
        (body(data=[{"id": "1834"}]), "`data` is not an object"),
        (body(data="1834"), "`data` is not an object"),
        (body(data={}), "`data.id` is missing"),
        (b"[]", "not a JSON object"),
        (b'"client.updated"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"7", "not a JSON object"),
    ],
)
def test_a_body_of_the_wrong_shape_says_what_is_wrong(text: bytes, word: str) -> None:
    assert word in refusal(text)


def test_an_event_id_may_have_two_hundred_characters_of_any_script() -> None:
    event_id = "é" * 199 + "\N{GRINNING FACE}"

    assert parse_event(body(id=event_id)).event_id == event_id


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"   ",
        b"{",
        body()[:-1],
        body() + b"}",
        body() + body(),
        b"id=1834&event=client.updated",
        b"<html>",
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        body(id="caf\u00e9").decode().encode("latin-1").replace(b"\\u00e9", b"\xe9"),
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "n": NaN}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "n": Infinity}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "n": 1e999}}',
        b"{'id': 'e-1', 'event': 'client.updated', 'data': {'id': '1834'}}",
        b'{"id": "e\x001", "event": "client.updated", "data": {"id": "1834"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "name": "\\ud800"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "\\udc00": 1}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "name": "\xed\xa0\x80"}}',
    ],
)
def test_a_body_that_is_not_json_in_utf_8_is_no_event(text: bytes) -> None:
    assert "not JSON" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": "e-1", "id": "e-2", "event": "client.updated", "data": {"id": "1834"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "id": "99"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1"}, "data": {"id": "2"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "address": {"city": "a", "city": "a"}}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "list": [{"x": 1, "x": 1}]}}',
        # The second name is written with an escape, and is the same name all the same.
        b'{"id": "e-1", "\\u0069d": "e-2", "event": "client.updated", "data": {"id": "1834"}}',
        # Colons in values, as themselves and as escapes, do not hide it.
        b'{"id": "e-1", "id": "a:b", "event": "client.updated", "data": {"id": "1834"}}',
        b'{"id": "e-1", "id": "e-2", "event": "client.updated", "data": {"id": "1834", "url": "https\\u003a//x"}}',
        b'{"id": "e-1", "id": "e-2", "event": "client.updated", "data": {"id": "1834", "url": "https\\u003A//x"}}',
    ],
)
def test_a_name_that_occurs_twice_is_refused_at_any_depth(text: bytes) -> None:
    assert "twice" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        body(data={"id": "1834", "a:b": {"c:d": ":::"}, "url": "https://delinde.example:8443/?a=b:c"}),
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "url": "https\\u003a//delinde.example"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "n": ' + b"9" * 300 + b', "s": "\\u003a"}}',
        b' \n{\t"id" : "e-1" ,\r\n"event":"client.updated", "data" : { "id" : 1834 } } \n',
    ],
)
def test_colons_and_blanks_anywhere_else_are_no_second_name(text: bytes) -> None:
    assert parse_event(text).source_id == "1834"


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": "e\\u00001", "event": "client.updated", "data": {"id": "1834"}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "lines": [["\\u0000"]]}}',
        b'{"id": "e-1", "event": "client.updated", "data": {"id": "1834", "x\\u0000": 1}}',
    ],
)
def test_a_nul_character_in_any_text_or_name_is_refused(text: bytes) -> None:
    assert "NUL" in refusal(text)


def test_a_backslash_before_u0000_is_text_and_no_nul() -> None:
    assert parse_event(body(data={"id": "1834", "path": "C:\\u0000"})).data["path"] == "C:\\u0000"


@pytest.mark.parametrize("levels", [300, 2_000, 500_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused_without_an_error_of_another_kind(levels: int, opening: bytes, closing: bytes) -> None:
    nested = opening * levels + b"1" + closing * levels

    message = refusal(b'{"id": "e-1", "event": "client.updated", "data": {"id": "1", "x": ' + nested + b"}}")

    assert "nested too deeply" in message or "depth limit" in message


def test_the_nesting_of_real_records_is_no_problem() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = {"inner": [deep]}

    assert parse_event(body(data={"id": "1834", "deep": deep})).source_id == "1834"


@pytest.mark.parametrize("kind", ["client.created", "client.updated", "client.recalculated", "client."])
def test_any_client_event_is_about_a_client(kind: str) -> None:
    assert parse_event(body(event=kind)).about_client


@pytest.mark.parametrize("kind", ["offer.created", "clients.updated", "Client.updated", "client", "x.client.updated"])
def test_other_kinds_are_events_but_not_about_a_client(kind: str) -> None:
    event = parse_event(body(event=kind))

    assert (event.kind, event.about_client) == (kind, False)


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("8f14e45f-ceea-4672-a7f3-1c2b3d4e5f60", "8f14e45f-ceea-4672-a7f3-1c2b3d4e5f60"),
        ("../users", "../users"),
        ("", ""),
        (1834, "1834"),
        (-1, "-1"),
        (18.5, "18.5"),
        ("é" * 300, "é" * 200),
    ],
)
def test_the_id_of_another_kind_of_record_is_any_text_or_number(given_id: Any, expected: str) -> None:
    event = parse_event(body(event="document.created", data={"id": given_id}))

    assert (event.source_id, event.about_client) == (expected, False)


@pytest.mark.parametrize("odd", [None, True, [], {}, ["1"]])
def test_an_event_of_another_kind_still_needs_an_id(odd: Any) -> None:
    text = json.dumps({"id": "e-1", "event": "offer.created", "data": {"id": odd}}).encode()

    assert "data.id" in refusal(text)


def test_the_refusal_never_quotes_what_was_sent() -> None:
    for text in (body(id=""), body(data={"id": "geheim"}), b'{"geheim"', b'{"geheim": 1, "geheim": 2}'):
        assert "geheim" not in refusal(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)


@given(text=st.binary(max_size=300))
@example(text=b"\x00")
def test_whatever_bytes_come_nothing_but_invalid_event_is_raised(text: bytes) -> None:
    with contextlib.suppress(InvalidEvent):
        parse_event(text)


@given(members=st.dictionaries(st.sampled_from(["id", "event", "data", "x"]), JSON_VALUES | st.just({"id": "1"})))
def test_whatever_json_comes_an_accepted_event_keeps_its_promises(members: dict[str, Any]) -> None:
    try:
        event = parse_event(json.dumps(members).encode())
    except InvalidEvent:
        return

    assert 1 <= len(event.event_id) <= 200
    assert is_source_id(event.source_id) or not event.about_client
    assert len(event.source_id) <= 200
    assert isinstance(event.data, dict)


@given(
    pairs=st.lists(st.tuples(st.sampled_from(["a", "b", "a:", "\u003a"]), JSON_VALUES), max_size=4),
    escaped=st.booleans(),
)
def test_a_repeated_name_is_found_exactly_when_there_is_one(pairs: list[tuple[str, Any]], escaped: bool) -> None:
    members = ", ".join(f"{json.dumps(name)}: {json.dumps(value, allow_nan=True)}" for name, value in pairs)
    if escaped:
        members = members.replace('"a:"', '"a\\u003A"')
    text = f'{{"id": "e-1", "event": "x", "data": {{"id": "1", "deep": {{{members}}}}}}}'.encode()

    try:
        parse_event(text)
        twice = False
    except InvalidEvent as error:
        twice = "twice" in error.message
        if not twice:
            return  # something else is wrong with it: NaN, a NUL, half a surrogate pair

    assert twice == (len({name for name, _ in pairs}) != len(pairs))


@given(text=st.text(max_size=25))
def test_a_source_id_never_holds_anything_but_ascii_digits(text: str) -> None:
    assert is_source_id(text) == (0 < len(text) <= 20 and all(character in "0123456789" for character in text))
