"""
A webhook of Robaws: from the body as it came to the few words that count.

Everything else in the payload is kept but for bank data and identity numbers, and never believed: it may be hours old,
and its extra fields are keyed by GUID (Robaws sheet 3.2 and trap 8;
https://support.robaws.com/nl/article/webhooks-1kqzzp7). The signature has been checked before
(`worker.core.signature`). This runs for every webhook inside the two seconds that Robaws waits, so it parses once, in
linear time, and raises `InvalidEvent` and nothing else, whatever the body holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from worker.core import sensitive
from worker.errors import InvalidEvent

WEBHOOK_PATH: Final = "/webhooks/robaws"
"""Where the receiver takes the webhooks of Robaws."""
MOST_ID_CHARACTERS: Final = 200
MOST_KIND_CHARACTERS: Final = 200
MOST_SOURCE_ID_DIGITS: Final = 20
"""A 64-bit number has at most 20 digits; the ids that were seen have four or five (Robaws sheet 9)."""

_CLIENT: Final = "client."

# A name or a text may hold a colon written as an escape, which our own writing of it would not repeat.
_ESCAPED_COLONS: Final = (b"\\u003a", b"\\u003A")
_ESCAPED_NUL: Final = b"\\u0000"


class WebhookEvent(NamedTuple):
    """
    What a webhook said. `source_id` is the id of the record that changed, of a client always digits; `data` is the
    payload's entity. `body` is what may be stored of it: as it came, or written anew without bank data and identity
    numbers.

    A tuple, since one is made for every webhook.
    """

    event_id: str
    kind: str
    source_id: str
    data: Mapping[str, Any]
    body: bytes

    @property
    def about_client(self) -> bool:
        """Whether it is a hint to fetch a client; `client.` and anything counts, other kinds are stored and skipped."""
        return self.kind.startswith(_CLIENT)


def parse_event(body: bytes) -> WebhookEvent:
    """
    The event that a body is. InvalidEvent tells the sender what is wrong with it, and never quotes the body.

    An object with `id` (text, 1 to 200 characters), `event` (text) and `data`, an object with `id`: of a client digits,
    as text or as a whole number, of any other record any text or number. Names that occur twice are refused at any
    depth: which of the two counts is anyone's guess.

    >>> parse_event(b'{"id": "e-1", "event": "client.updated", "data": {"id": "001834"}}').source_id
    '1834'
    """
    event, written = _parsed(body)
    if not isinstance(event, dict):
        raise InvalidEvent("the body is not a JSON object")
    event_id = _text(event, "id", MOST_ID_CHARACTERS)
    kind = _text(event, "event", MOST_KIND_CHARACTERS)
    data = event.get("data")
    if not isinstance(data, dict):
        raise InvalidEvent("`data` is missing" if data is None else "`data` is not an object")
    source_id = _source_id(data) if kind.startswith(_CLIENT) else _other_id(data)
    kept = sensitive.clean(event, encoded=written)
    return WebhookEvent(event_id, kind, source_id, data, body if kept is event else orjson.dumps(kept))


def _parsed(body: bytes) -> tuple[Any, bytes]:
    """The value, and the same as our own writing has it."""
    try:
        # Refuses NaN, a number beyond all bounds, half a surrogate pair, a byte order mark and anything not UTF-8.
        value = orjson.loads(body)
        written = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent(f"the body is not JSON: {error.msg}") from None
    except orjson.JSONEncodeError:
        # Reading allows 1,024 levels, writing 254: the lower one is the limit here.
        raise InvalidEvent("the body is nested too deeply") from None
    escaped = b"\\" in body
    if _repeats_a_name(body, written, escaped=escaped):
        raise InvalidEvent("a name occurs twice in one object")
    if escaped and _ESCAPED_NUL in body and _holds_nul(value):
        raise InvalidEvent("a text holds a NUL character")
    return value, written


def _repeats_a_name(body: bytes, written: bytes, *, escaped: bool) -> bool:
    """
    Tell whether an object has a member twice.

    Of two members of one name the parser keeps the last. Every member has one colon, and writing the parsed value adds
    none and loses none of the others; so the colons are fewer exactly when a member was lost. That costs a tenth of a
    parse that looks at each pair, which is kept for bodies with an escaped colon.
    """
    if not escaped or not any(colon in body for colon in _ESCAPED_COLONS):
        return body.count(b":") != written.count(b":")
    try:
        json.loads(body, object_pairs_hook=_once)
    except _RepeatedName:
        return True
    return False


class _RepeatedName(Exception):
    """An object has a member twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RepeatedName
    return members


def _holds_nul(value: Any) -> bool:
    """Whether any name or text holds a NUL, which PostgreSQL stores in no text. (`\\\\u0000` in a body holds none.)"""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\x00" in item:
                return True
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


def _text(event: Mapping[str, Any], name: str, most: int) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        raise InvalidEvent(f"`{name}` is missing" if value is None else f"`{name}` is not a text")
    if not value:
        raise InvalidEvent(f"`{name}` is empty")
    if len(value) > most:
        raise InvalidEvent(f"`{name}` has more than {most} characters")
    return value


def _source_id(data: Mapping[str, Any]) -> str:
    """
    The record's id. It becomes part of an address, so nothing but digits gets through.

    Robaws sends it as text (Robaws sheet 3.2 and trap 17); a whole number is taken as well, True is none. Noughts
    before it are left out: they would make two contacts of one client.
    """
    value = data.get("id")
    text = str(value) if type(value) is int else value
    if not isinstance(text, str):
        raise InvalidEvent("`data.id` is missing" if text is None else "`data.id` is not a text of digits")
    if not is_source_id(text):
        raise InvalidEvent(f"`data.id` is not made of 1 to {MOST_SOURCE_ID_DIGITS} digits")
    return text.lstrip("0") or "0" if text[0] == "0" else text


def _other_id(data: Mapping[str, Any]) -> str:
    """
    The id of a record that is not a client, which is stored and never asked for: ids of documents and comments may be
    UUIDs (Robaws sheet 15). Cut where it is longer than any id; the body keeps the whole.
    """
    value = data.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidEvent("`data.id` is missing" if value is None else "`data.id` is neither a text nor a number")
    return str(value)[:MOST_ID_CHARACTERS]


def is_source_id(text: str) -> bool:
    """
    Whether a text can be the id of a record at Robaws: digits only, so that it may become part of an address.

    >>> is_source_id("1834"), is_source_id("../users"), is_source_id("١٢")
    (True, False, False)
    """
    return 0 < len(text) <= MOST_SOURCE_ID_DIGITS and text.isascii() and text.isdigit()
