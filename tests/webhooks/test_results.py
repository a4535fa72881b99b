"""What became of webhooks that left no event: kept over a restart, however many were refused, at the price of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.conftest import SECRET, Served, make_settings, serving, token_of, wait_until
from webhooks.results import Results
from worker.core.signature import sign
from worker.store.arrivals import Added, Arrivals, Refused

if TYPE_CHECKING:
    from sqlalchemy import Engine

BODY = b'{"id":"e-1","event":"client.updated","data":{"id":"1834"}}'
KEPT = "SELECT result, requests FROM webhook_result ORDER BY result"


def wrong(served: Served, secret: str = "not-the-secret") -> int:
    return served.post(BODY, Robaws_Signature=sign(secret, int(time.time()), BODY)).status_code


def webhooks(served: Served) -> Any:
    return served.api("/summary", token="viewer-token").json()["webhooks"]


def test_a_wrong_secret_is_seen_after_a_restart_and_until_an_event_comes(migrated_url: str, engine: Engine) -> None:
    settings = make_settings(migrated_url)
    with serving(settings, engine) as served:
        assert {wrong(served) for _ in range(300)} == {401}
    with serving(settings, engine) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        found = webhooks(served)
        page = served.http.get("/", auth=("anybody", token_of("viewer-token")))
        metrics = served.http.get("/metrics").text

    assert [(one["reason"], one["requests"]) for one in found["refused"]] == [("signature_wrong", 300)]
    assert found["last_event_seconds"] is None
    assert "300 refused, the latest" in page.text
    assert "the signature fits no webhook secret" in page.text
    assert "No event has come yet" in page.text
    assert 'contactsync_webhooks_refused{reason="signature_wrong"} 300.0' in metrics
    assert "contactsync_webhooks_obstructed 1.0" in metrics


def test_a_flood_is_a_row_an_hour_for_each_reason(served: Served) -> None:
    for _ in range(50):
        served.http.post("/webhooks/robaws", content=BODY)
        served.http.get("/webhooks/robaws")
        served.http.get(f"/webhooks/robaws/{time.monotonic_ns()}")
        served.http.post("/webhooks/robaws", content=BODY, headers={"Host": "stranger.example"})
        served.http.get("/", headers={"Host": "stranger.example"})

    rows = [("content_type", 50), ("host", 50)]
    wait_until(lambda: sorted(merged(served).items()) == rows)
    assert len(served.rows("SELECT FROM webhook_result")) <= 2 * len(rows)  # an hour may have ended meanwhile


def merged(served: Served) -> dict[str, int]:
    return {
        row.result: int(row.requests)
        for row in served.rows("SELECT result, sum(requests) AS requests FROM webhook_result GROUP BY result")
    }


def test_nothing_is_written_for_events_that_arrive(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        assert served.event("e-1").status_code == 202
        assert served.event("e-1").status_code == 200
        assert webhooks(served)["last_event_seconds"] is not None
    with engine.connect() as connection:
        assert connection.exec_driver_sql(KEPT).all() == []


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_could_not_be_written_is_counted_again() -> None:
    clock = Clock()
    results = Results(clock)
    results.count("host")
    clock.now += 10
    results.count("host")
    taken = results.take()
    clock.now += 5
    results.count("host")
    results.give_back(taken)
    clock.now += 1

    assert taken == [Added("host", 2, 10.0, 0.0)]
    assert results.take() == [Added("host", 3, 16.0, 1.0)]
    assert results.take() == []


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        (Arrivals(refused=[Refused("signature_wrong", 2, 90, 30)]), "signature_wrong"),
        (Arrivals(60, refused=[Refused("signature_wrong", 2, 90, 30)]), "signature_wrong"),
        (Arrivals(20, refused=[Refused("signature_wrong", 2, 90, 30)]), None),
        (Arrivals(None, 20, [Refused("host", 2, 90, 30)]), None),
        (Arrivals(None, 20, [Refused("signature_wrong", 2, 90, 30)]), "signature_wrong"),
        (Arrivals(refused=[Refused("signature_missing", 2, 90, 30), Refused("content_type", 1, 9, 9)]), None),
        (Arrivals(refused=[Refused("content_type", 1, 9, 9), Refused("host", 2, 90, 30)]), "host"),
        (Arrivals(refused=[Refused("signature_wrong", 2, 90_000, 86_401)]), None),
    ],
    ids=[
        "no event yet",
        "nothing since",
        "an event since",
        "a test since",
        "a test with our own secret since",
        "strangers",
        "behind a stranger's",
        "old",
    ],
)
def test_only_what_a_wrong_set_up_refuses_needs_a_person(arrivals: Arrivals, expected: str | None) -> None:
    found = arrivals.obstacle

    assert (None if found is None else found.reason) == expected


def test_every_word_of_the_receiver_has_its_sentence() -> None:
    from webhooks import hosts, receive
    from worker.core.refused import REASONS, reason

    words = {f"signature_{word}" for word in receive._UNAUTHORISED}
    words |= {hosts._MISSING.kind, hosts._UNKNOWN.kind}
    words |= {"content_type", "too_large", "full", "away", "unstorable", "invalid"}
    assert words == set(REASONS)
    assert reason("of_a_newer_release").sentence == "of a newer release"
    assert SECRET not in repr(REASONS)
