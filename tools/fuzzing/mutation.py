"""
Changes of documents: values replaced, moved, repeated and wrapped, so that what is tried gets past the JSON parser.

A fuzzer that flips bits mostly tries what is no JSON, and never sees the code behind the parser. So two changes of
three are made to values; the rest is libFuzzer's own, on the text of a single value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tools.fuzzing import documents

Bytes = Callable[[bytes, int], bytes]
"""libFuzzer's own mutation: bytes and the most that they may become."""

Slot = tuple[Any, Any]
"""A container of the document, and the name or place in it."""

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**64, -(2**63) - 1, 0.5, 1e300, -0.0,
    "", " ", "0", "-1", "null", "1834", "٣", "\uff19", "é", "\u0000", "a\u0000b", "\ud800", "\udc80", "\u202e", "İ",
    "ß", "x" * 300, "9" * 25, "9" * 5_000, "1e999", "NaN", "<html>", "a:b", "'", "%", "\r\n", "🙂",
    "2025-01-01T00:00:00", "9999-12-31T23:59:59-14:00", [], {}, [None], [[]], {"": None}, [{}], {"id": 1}, {"id": "1"},
)  # fmt: skip

STATUSES: Final = (200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 415, 422, 429,
                   500, 502, 503, 504, 599, 999)  # fmt: skip

HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("content-type", "application/json"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-type", "text/plain"),
    ("retry-after", "3"),
    ("retry-after", "Mon, 01 Jan 2035 00:00:00 GMT"),
    ("retry-after", "Mon, 01 Jan 2035 00:00:00 +2500"),
    ("location", "/klanten/83"),
    ("link", '<https://recras.test/api2/klanten?id%3E=9>; rel="next"'),
    ("x-total", "3"),
    ("x-total-count", "3"),
    ("x-page-size", "2"),
    ("x-ratelimit-daily-remaining", "0"),
    ("x-ratelimit-daily-reset", "60"),
    ("x-robaws-unauthorized-reason", "temp-blocked"),
)

HEADER_VALUES: Final = (
    "", " ", "-1", "0", "1.5", "NaN", "1e999", "٣", "9" * 25, "9" * 5_000, "//[", "<//[>; rel=next", "<", "a, b; c=d",
    "Mon, 01 Jan 2035 00:00:00 +" + "9" * 20, "Mon, 32 Jan 2035 25:00:00 GMT", "Mon, 01 Jan 0000 00:00:00 GMT",
)  # fmt: skip

DEPTHS: Final = (8, 100, 253, 255, 300, 600, 1_000, 1_025, 4_000)
_HOLE: Final = "\ue000hole\ue000"


def mutate(data: bytes, most: int, seed: int, bytes_: Bytes) -> bytes:
    """Another input, made from this one."""
    rng = Random(seed)
    for _ in range(4):
        document = documents.read(data)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            _change(document, rng, bytes_)
        made = documents.write(document)
        if len(made) <= most:
            return made
    return documents.write({"body": {"text": documents.text_of(bytes_(data, max(1, most // 8)))}})[:most]


def cross(one: bytes, other: bytes, most: int, seed: int) -> bytes:
    """One input with a part of another."""
    rng = Random(seed)
    document, source = documents.read(one), documents.read(other)
    if isinstance(document.get("answers"), list) and isinstance(source.get("answers"), list) and rng.random() < 0.5:
        document["answers"] = [*document["answers"], *source["answers"]][: rng.randint(1, 6)]
    else:
        holder, place = rng.choice(slots(document) or [(document, "body")])
        from_, there = rng.choice(slots(source) or [(source, "body")])
        holder[place] = from_.get(there) if isinstance(from_, dict) else from_[there]
    made = documents.write(document)
    return made if len(made) <= most else one


def slots(document: Any) -> list[Slot]:
    """Every place of a document that holds a value."""
    found: list[Slot] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        for place in list(holder) if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, place))
            if isinstance(holder[place], dict | list):
                waiting.append(holder[place])
    return found


def _change(document: documents.Document, rng: Random, bytes_: Bytes) -> None:
    places = slots(document)
    if not places:
        document["body"] = {"text": ""}
        return
    bodies = [slot for slot in places if slot[1] in ("json", "text")]
    if bodies and rng.random() < 0.1:
        _break_body(*rng.choice(bodies), rng, bytes_)
    elif rng.random() < 0.2:
        _envelope(document, rng, bytes_)
    else:
        _change_value(*rng.choice(places), rng, bytes_, places)


def _envelope(document: documents.Document, rng: Random, bytes_: Bytes) -> None:
    """Status and headers of one answer: what every client looks at first."""
    answers = document.get("answers")
    answer = rng.choice(answers) if isinstance(answers, list) and answers else document
    if not isinstance(answer, dict):
        return
    if rng.random() < 0.5:
        answer["status"] = rng.choice(STATUSES)
    elif isinstance(answer.get("headers"), dict):
        name, value = rng.choice(HEADERS)
        if rng.random() < 0.4:
            value = documents.text_of(bytes_(value.encode(), 2 * len(value)))
        elif rng.random() < 0.4:
            value = rng.choice(HEADER_VALUES)
        answer["headers"][name] = value


def _break_body(holder: Any, place: Any, rng: Random, bytes_: Bytes) -> None:
    """A body as its text: cut short, with a value nested beyond reason, with a name twice, or with bits flipped."""
    body = documents.bytes_of(holder)
    kind = rng.randrange(4)
    if kind == 0 and body:
        body = body[: rng.randrange(len(body))]
    elif kind == 1:
        body = _nested(holder.get("json"), rng)
    elif kind == 2:
        body = body.replace(b",", b',"id":"7",', 1) if b"," in body else body * 2
    else:
        body = bytes_(body or b"{}", len(body) + 64)
    holder.pop(place)
    holder["text"] = documents.text_of(body)


def _nested(value: Any, rng: Random) -> bytes:
    """A value with a part of it nested so deeply that whoever walks through it by recursion runs out of room."""
    value = json.loads(json.dumps(value))
    hole = _hole(rng)
    if isinstance(value, dict | list) and (places := slots(value)):
        holder, place = rng.choice(places)
        holder[place] = _HOLE
        return json.dumps(value).encode().replace(json.dumps(_HOLE).encode(), hole)
    return hole


def _hole(rng: Random) -> bytes:
    depth = rng.choice(DEPTHS)
    inside = rng.choice((b"", b"1", b'"\\u0000"', b'{"id":1}'))
    if rng.random() < 0.5:
        return b"[" * depth + inside + b"]" * depth
    return b'{"message":' * depth + (inside or b"null") + b"}" * depth


def _change_value(holder: Any, place: Any, rng: Random, bytes_: Bytes, places: list[Slot]) -> None:
    value = holder[place]
    kind = rng.randrange(8)
    if kind == 0:
        holder[place] = _copy(rng.choice(VALUES))
    elif kind == 1:
        del holder[place]
    elif kind == 2:
        from_, there = rng.choice(places)
        if (isinstance(from_, dict) and there in from_) or (isinstance(from_, list) and there < len(from_)):
            holder[place] = _copy(from_[there])
    elif kind == 3:
        holder[place] = rng.choice(([value], {"id": value}, [value, _copy(value)], str(value)[:200]))
    elif kind == 4 and isinstance(holder, dict):
        holder[_name(places, rng)] = _copy(value)
    elif kind == 5 and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), _copy(value))
    else:
        holder[place] = _another(value, rng, bytes_)


def _name(places: list[Slot], rng: Random) -> str:
    names = [place for _, place in places if isinstance(place, str)]
    return rng.choice([*names, "id", ""]) if rng.random() < 0.9 else str(rng.choice(VALUES))[:50]


def _another(value: Any, rng: Random, bytes_: Bytes) -> Any:
    """A value of the same kind."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, int | float):
        return rng.choice(
            (value + 1, value - 1, -value, value * 1_000, str(value), float(value) if value < 1e300 else 0)
        )
    if isinstance(value, str):
        if rng.random() < 0.2:
            return value + str(rng.choice(VALUES))[:300]
        return documents.text_of(bytes_(value.encode("utf-8", "replace") or b"x", len(value) * 2 + 16))
    if isinstance(value, list):
        return [one for one in value for _ in range(rng.randrange(3))][:50]
    names = list(value)
    rng.shuffle(names)
    return {name: value[name] for name in names}


def _copy(value: Any) -> Any:
    """A value of its own, so that a later change is made in one place only."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
