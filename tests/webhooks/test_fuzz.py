"""Whatever is sent, signed or not: never a 5xx, and an event is stored exactly when it was accepted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhooks.conftest import SECRET, TOKENS, Served, filled, token_of
from worker.core.signature import sign

TRIES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ALMOST_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=210) | JSON,
        "event": st.sampled_from(["client.updated", "client.created", "offer.created", ""]) | JSON,
        "data": st.fixed_dictionaries({}, optional={"id": st.text("0123456789", max_size=25) | JSON, "x": JSON}) | JSON,
        "more": JSON,
    },
)
HEADER_VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60)


@pytest.fixture(scope="module")
def target(postgres_url: str, migrated_template: str) -> Iterator[Served]:
    """A receiver of these tests' own, as they change what they can."""
    with filled(postgres_url, migrated_template) as made:
        yield made


def stored(served: Served) -> int:
    return int(served.rows("SELECT count(*) FROM inbox_event")[0][0])


def check(served: Served, answer: httpx.Response, before: int) -> None:
    assert answer.status_code in (200, 202, 400, 401, 413, 415), answer.text
    assert stored(served) - before == (answer.status_code == 202)
    if answer.status_code in (200, 202):
        assert answer.json()["status"] == ("accepted" if answer.status_code == 202 else "duplicate")
    else:
        assert answer.headers["content-type"] == "application/problem+json"


@TRIES
@given(body=st.binary(max_size=2_000))
def test_any_bytes_that_are_signed(target: Served, body: bytes) -> None:
    before = stored(target)

    check(target, target.post(body), before)


@TRIES
@given(event=ALMOST_EVENTS)
def test_anything_like_an_event_that_is_signed(target: Served, event: dict[str, Any]) -> None:
    before = stored(target)

    check(target, target.post(json.dumps(event).encode()), before)


@TRIES
@given(
    event_id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=200),
    kind=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=200),
    more=JSON,
)
def test_every_event_is_accepted_once_and_kept_as_it_came(target: Served, event_id: str, kind: str, more: Any) -> None:
    try:
        body = orjson.dumps({"id": event_id, "event": kind, "data": {"id": "1834"}, "more": _clean(more)})
    except orjson.JSONEncodeError:
        return
    first, second = target.post(body), target.post(body)

    assert first.status_code in (200, 202), first.text
    assert (second.status_code, second.json()["event_id"]) == (200, event_id)
    if first.status_code == 202:
        [row] = target.rows("SELECT body, kind FROM inbox_event WHERE event_id = :id", id=event_id)
        assert (bytes(row.body), row.kind) == (body, kind)


def _clean(value: Any) -> Any:
    """Without NUL characters, which make a body no event."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {str(name).replace("\x00", ""): _clean(one) for name, one in value.items()}
    return value


@TRIES
@given(header=HEADER_VALUES, body=st.binary(max_size=50), content_type=HEADER_VALUES)
def test_any_signature_and_content_type(target: Served, header: str, body: bytes, content_type: str) -> None:
    before = stored(target)
    headers = {
        b"content-type": content_type.encode("latin-1") if len(content_type) % 2 else b"application/json",
        b"robaws-signature": header.encode("latin-1"),
    }

    answer = target.http.post("/webhooks/robaws", content=body, headers=headers)

    assert answer.status_code in (401, 415), answer.text
    assert stored(target) == before


@TRIES
@given(name=st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=30), value=HEADER_VALUES)
def test_any_header_of_the_vendors_is_kept_or_left_out(target: Served, name: str, value: str) -> None:
    body = orjson.dumps({"id": f"h-{time.monotonic_ns()}", "event": "client.updated", "data": {"id": "1"}})
    headers = {
        b"content-type": b"application/json",
        b"robaws-signature": sign(SECRET, int(time.time()), body).encode(),
        b"robaws-x-" + name.encode(): value.encode("latin-1"),
        b"user-agent": value.encode("latin-1"),
        b"traceparent": value.encode("latin-1"),
    }

    assert target.http.post("/webhooks/robaws", content=body, headers=headers).status_code == 202


@TRIES
@given(
    path=st.sampled_from(
        ["/contacts", "/contacts/{}", "/retries", "/retries/{}", "/events", "/events/{}", "/reviews", "/bulk/{}", "/{}"]
    ),
    part=st.text(max_size=40),
    parameter=st.sampled_from(["query", "state", "system", "reason", "limit", "cursor", "source_id", "other"]),
    value=st.text(max_size=60),
    token=st.sampled_from([*TOKENS, "none"]),
)
def test_any_question_to_the_api(target: Served, path: str, part: str, parameter: str, value: str, token: str) -> None:
    address = path.replace("{}", _quoted(part))
    try:
        answer = target.api(address, token=token, params={parameter: value.encode("utf-8", "replace").decode()})
    except httpx.InvalidURL:
        return

    assert answer.status_code < 500, answer.text


@TRIES
@given(
    path=st.sampled_from(
        [
            "/contacts/1/sync",
            "/retries/link-1/retry",
            "/retries/fetch-1/discard",
            "/systems/recras/pause",
            "/systems/{}/resume",
            "/reviews/1/resolve",
            "/events/{}/replay",
            "/bulk",
        ]
    ),
    part=st.text(max_size=40),
    body=JSON
    | st.fixed_dictionaries(
        {},
        optional={
            "reason": JSON,
            "action": st.sampled_from(["retry", "discard"]) | JSON,
            "filter": st.dictionaries(st.sampled_from(["state", "system", "reason", "query"]), JSON) | JSON,
            "expect": JSON,
            "choose": st.sampled_from(["ours", "link", "create"]) | JSON,
            "external_id": JSON,
        },
    ),
)
def test_any_order_to_the_api(target: Served, path: str, part: str, body: Any) -> None:
    answer = target.http.post(
        f"/api/v1{path.replace('{}', _quoted(part))}",
        content=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token_of('operator-token')}"},
    )

    assert answer.status_code < 500, answer.text


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
