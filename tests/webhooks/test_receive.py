"""`POST /webhooks/robaws`, from the outside: what is answered, and what then stands in the database."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.webhooks.conftest import SECRET, Served, make_settings, serving, wait_until
from worker.core.signature import sign

if TYPE_CHECKING:
    from sqlalchemy import Engine

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def fresh_id() -> str:
    return f"event-{secrets.token_hex(8)}"


def body_of(event_id: Any, kind: Any = "client.updated", source_id: Any = "1834") -> bytes:
    return orjson.dumps({"id": event_id, "event": kind, "data": {"id": source_id}})


def test_an_event_is_stored_verbatim_before_it_is_answered(served: Served) -> None:
    body = b'{ "id": "e-1",  "event": "client.updated", "data": {"id": "1834", "name": "De Linde"} }'

    answer = served.post(body, Robaws_Extra="kept", X_Other="not kept", User_Agent="Robaws")

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "event_id": "e-1"})
    [row] = served.rows("SELECT * FROM inbox_event")
    assert (bytes(row.body), row.kind, row.source_id, row.state) == (body, "client.updated", "1834", "new")
    assert set(row.headers) == {"content-type", "user-agent", "robaws-signature", "robaws-extra"}
    assert len(row.correlation_id) == 32
    assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 1


def test_an_event_that_was_seen_before_is_not_stored_again(served: Served) -> None:
    served.event("e-1")

    answer = served.event("e-1", source_id="99")

    assert (answer.status_code, answer.json()) == (200, {"status": "duplicate", "event_id": "e-1"})
    assert served.rows("SELECT source_id FROM inbox_event") == [("1834",)]
    assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 1


def test_the_senders_trace_goes_on(served: Served) -> None:
    served.post(body_of("e-1"), traceparent=TRACE)
    served.post(body_of("e-2"), traceparent="nonsense")
    served.post(body_of("e-3"), traceparent=f"00-{'0' * 32}-00f067aa0ba902b7-01")

    traces = [row[0] for row in served.rows("SELECT correlation_id FROM inbox_event ORDER BY event_id")]
    assert traces[0] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert all(len(trace) == 32 and trace != "0" * 32 for trace in traces)
    assert len(set(traces)) == 3


@pytest.mark.parametrize("source_id", [1834, "1834", 0, "00", "0001834"])
def test_a_record_is_named_by_digits_as_text_or_as_a_number(shared: Served, source_id: Any) -> None:
    event_id = fresh_id()

    answer = shared.post(body_of(event_id, source_id=source_id))

    assert answer.status_code == 202
    stored = shared.rows("SELECT source_id FROM inbox_event WHERE event_id = :id", id=event_id)
    assert stored == [(str(int(source_id)),)]


@pytest.mark.parametrize("source_id", ["1834", 1834, "8f14e45f-ceea-4672-a7f3-1c2b3d4e5f60", "../users", 1.5])
def test_events_of_other_kinds_are_stored_whatever_their_id_looks_like(shared: Served, source_id: Any) -> None:
    event_id = fresh_id()

    answer = shared.post(body_of(event_id, kind="document.created", source_id=source_id))

    assert answer.status_code == 202
    stored = shared.rows("SELECT kind, source_id FROM inbox_event WHERE event_id = :id", id=event_id)
    assert stored == [("document.created", str(source_id))]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (body_of(""), "`id` is empty"),
        (body_of("x" * 201), "more than 200"),
        (body_of(7), "`id` is not a text"),
        (body_of(None), "`id` is missing"),
        (body_of("e", kind=None), "`event` is missing"),
        (body_of("e", source_id="../users"), "digits"),
        (body_of("e", source_id="١٢"), "digits"),
        (body_of("e", source_id=True), "digits"),
        (body_of("e", source_id=1.5), "digits"),
        (body_of("e", source_id=-1), "digits"),
        (b'{"id":"e","event":"client.updated"}', "`data` is missing"),
        (b'{"id":"e","id":"f","event":"client.updated","data":{"id":"1"}}', "twice"),
        (b'{"id":"e\\u0000","event":"client.updated","data":{"id":"1"}}', "NUL"),
        (b'{"id":"e\\ud800","event":"client.updated","data":{"id":"1"}}', "not JSON"),
        (b'{"id":"e","event":"client.updated","data":{"id":"1","x":' + b"[" * 600 + b"]" * 600 + b"}}", "deep"),
    ],
)
def test_what_is_no_event_is_refused_and_kept_for_a_look(shared: Served, body: bytes, told: str) -> None:
    [(rejected, received)] = shared.rows("SELECT sum(rejected), sum(received) FROM event_tally")

    answer = shared.post(body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    [kept] = shared.rows("SELECT body, problem FROM inbox_reject ORDER BY id DESC LIMIT 1")
    assert (bytes(kept.body), kept.problem) == (body, answer.json()["detail"])
    assert shared.rows("SELECT sum(rejected), sum(received) FROM event_tally") == [(rejected + 1, received)]


def test_the_quarantine_is_bounded_and_the_oldest_go_first(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url, receiver={"quarantine_limit": 3}), engine) as served:
        for number in range(7):
            served.post(b"%d" % number)

        kept = [bytes(row.body) for row in served.rows("SELECT body FROM inbox_reject ORDER BY id")]
        rejected = served.rows("SELECT sum(rejected) FROM event_tally")[0][0]

    assert kept == [b"4", b"5", b"6"]
    assert rejected == 7


def test_a_large_body_that_is_no_event_is_kept_in_part(served: Served) -> None:
    served.post(b"[" + b" " * 500_000)

    assert served.rows("SELECT octet_length(body) FROM inbox_reject") == [(65_536,)]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("v1=abc", "not of the form"),
        ("nonsense", "not of the form"),
        (f"t=1,v1={'0' * 64}", "too far from ours"),
    ],
)
def test_a_body_that_is_not_signed_is_not_even_read_as_json(shared: Served, header: str | None, told: str) -> None:
    headers = {"Content-Type": "application/json"} | ({} if header is None else {"Robaws-Signature": header})
    [(rejected,)] = shared.rows("SELECT sum(rejected) FROM event_tally")

    answer = shared.http.post("/webhooks/robaws", content=b"{", headers=headers)

    assert answer.status_code == 401
    assert told in answer.json()["detail"]
    assert shared.rows("SELECT sum(rejected) FROM event_tally") == [(rejected,)]


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (310, 401), (-280, 202), (280, 202)])
def test_a_signature_is_good_for_five_minutes_either_way(shared: Served, seconds: int, status: int) -> None:
    body = body_of(fresh_id())

    answer = shared.post(body, Robaws_Signature=sign(SECRET, int(time.time()) + seconds, body))

    assert answer.status_code == status


def test_blanks_capitals_unknown_parts_and_several_signatures_are_fine(shared: Served) -> None:
    body = body_of(fresh_id())
    moment, digest = sign(SECRET, int(time.time()), body).split(",")

    answer = shared.post(body, Robaws_Signature=f"{moment} , v1={'0' * 64}, v2=x ,  v1 = {digest[3:].upper()}")

    assert answer.status_code == 202


def test_a_changed_body_fits_no_signature(shared: Served) -> None:
    body = body_of(fresh_id())

    answer = shared.post(body + b" ", Robaws_Signature=sign(SECRET, int(time.time()), body))

    assert answer.status_code == 401


def test_any_of_the_configured_secrets_may_have_signed(migrated_url: str, engine: Engine) -> None:
    settings = make_settings(migrated_url, systems={"robaws": {"webhook_secrets": ["old-secret", "new-secret"]}})
    body = body_of("e-1")
    with serving(settings, engine) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        answers = [
            served.post(body, Robaws_Signature=sign(secret, int(time.time()), body)).status_code
            for secret in ("old-secret", "new-secret", "another")
        ]

    assert answers == [202, 200, 401]


def test_without_a_secret_nothing_is_believed_and_the_answer_says_what_to_set(
    migrated_url: str, engine: Engine
) -> None:
    with serving(make_settings(migrated_url, systems={}), engine) as served:
        answer = served.event("e-1")

    assert answer.status_code == 401
    assert "systems.robaws.webhook_secrets" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_told_which_one_it_is(shared: Served, method: str) -> None:
    answer = shared.http.request(method, "/webhooks/robaws")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("Application/JSON ;charset=UTF-8", 202),
        ("application/cloudevents+json", 202),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonx", 415),
        ("json", 415),
        ("", 415),
    ],
)
def test_an_event_is_sent_as_json(shared: Served, content_type: str, status: int) -> None:
    assert shared.post(body_of(fresh_id()), Content_Type=content_type).status_code == status


def test_every_answer_that_is_none_of_an_event_is_a_problem(shared: Served) -> None:
    answers = [
        shared.http.get("/webhooks/robaws"),
        shared.http.post("/webhooks/robaws", content=b"{}"),
        shared.http.post("/webhooks/robaws", content=b"{}", headers={"Content-Type": "application/json"}),
        shared.post(b"{}"),
        shared.post(b" " * 1_100_000),
    ]

    assert [answer.status_code for answer in answers] == [405, 415, 401, 400, 413]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"title", "status", "detail", "reason"}
        assert answer.json()["status"] == answer.status_code


def test_the_worker_is_nudged_after_the_answer_and_only_for_what_is_new(served: Served) -> None:
    served.event("e-1")
    wait_until(lambda: served.nudges.said == [("intake",)])

    served.event("e-1")
    served.post(b"no event")
    served.event("e-2")

    wait_until(lambda: served.nudges.said == [("intake",), ("intake",)])
