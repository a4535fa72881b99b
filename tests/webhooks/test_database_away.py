"""The database goes away, hangs, restarts: 503 in time, nothing that was accepted is lost, and it heals by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import pytest
from sqlalchemy import text

from tests.webhooks.conftest import Served, make_settings, serving, token_of, wait_until
from tests.webhooks.line import Line, line_to
from webhooks.group_commit import Limits

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def over_a_line(url: str, engine: Engine, limits: Limits | None = None) -> Iterator[tuple[Served, Line]]:
    """A receiver whose way to the database can be disturbed; the test's own engine goes straight there."""
    with line_to(url) as (line, far), serving(make_settings(far), engine, limits=limits) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        yield served, line
        line.mend()


def test_a_database_that_was_cut_off_is_a_503_and_then_all_is_well_again(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine) as (served, line):
        served.event("before")
        line.cut()
        begun = time.monotonic()
        answer = served.event("during")
        took = time.monotonic() - begun
        line.mend()
        wait_until(lambda: served.event("after").status_code in (200, 202))

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"
        assert took < 1.9
        assert served.event("during").status_code == 202
        assert {row[0] for row in served.rows("SELECT event_id FROM inbox_event")} == {"before", "during", "after"}
        assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 3


@pytest.mark.slow
def test_a_database_that_is_silent_is_a_503_within_the_senders_patience(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine) as (served, line):
        line.silence()
        took: list[float] = []
        statuses: list[int] = []

        def send(number: int) -> None:
            begun = time.monotonic()
            statuses.append(served.event(f"e-{number}").status_code)
            took.append(time.monotonic() - begun)

        end = time.monotonic() + 5
        number = 0
        while time.monotonic() < end:
            threads = [threading.Thread(target=send, args=(number + one,)) for one in range(8)]
            number += 8
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        line.mend()
        wait_until(lambda: served.event("after").status_code in (200, 202))

        assert set(statuses) == {503}
        assert max(took) < 1.9
        stored = {row[0] for row in served.rows("SELECT event_id FROM inbox_event")}
        assert "after" in stored
        assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == len(stored)


def test_an_answer_of_the_database_that_is_lost_makes_no_second_event(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine) as (served, line):
        served.event("warm")
        with engine.connect() as blocker:
            # The statement is on its way and waits; then the line is cut, and the database goes on.
            blocker.execute(text("LOCK TABLE event_tally IN ACCESS EXCLUSIVE MODE"))
            result: list[int] = []
            sender = threading.Thread(target=lambda: result.append(served.event("e-1").status_code))
            sender.start()
            wait_until(lambda: _is_waiting(engine))
            line.cut()
            blocker.rollback()
        sender.join()
        line.mend()
        wait_until(lambda: served.event("other").status_code in (200, 202))

        again = served.event("e-1")

        assert result == [503]
        assert again.status_code in (200, 202)
        assert served.rows("SELECT count(*) FROM inbox_event WHERE event_id = 'e-1'")[0][0] == 1
        received = served.rows("SELECT sum(received) FROM event_tally")[0][0]
        assert received == served.rows("SELECT count(*) FROM inbox_event")[0][0]


def _is_waiting(engine: Engine) -> bool:
    with engine.connect() as connection:
        waiting = connection.execute(
            text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'event_tally'::regclass")
        ).scalar_one()
    return bool(waiting)


def test_more_than_can_be_held_is_a_503_at_once(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine, Limits(waiting_events=3)) as (served, _line), engine.connect() as blocker:
        served.event("warm")
        blocker.execute(text("LOCK TABLE inbox_key IN ACCESS EXCLUSIVE MODE"))
        answers: list[tuple[int, str]] = []

        def send(number: int) -> None:
            answer = served.event(f"e-{number}")
            answers.append((answer.status_code, answer.text))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answers) >= 10)
        blocker.rollback()
        for thread in threads:
            thread.join()

        refused = [body for status, body in answers if status == 503]
        assert any("more events wait" in body for body in refused)
        accepted = sum(status == 202 for status, _ in answers)
        assert accepted == served.rows("SELECT count(*) FROM inbox_event")[0][0] - 1


def test_the_same_event_many_times_in_one_batch_is_accepted_once(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine) as (served, _line), engine.connect() as blocker:
        served.event("warm")
        blocker.execute(text("LOCK TABLE inbox_key IN ACCESS EXCLUSIVE MODE"))
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(served.event("e-1").status_code)) for _ in range(12)]
        for thread in threads:
            thread.start()
        wait_until(lambda: "contactsync_accept_waiting_events 12" in served.http.get("/metrics").text)
        blocker.rollback()
        for thread in threads:
            thread.join()

        assert sorted(statuses) == [200] * 11 + [202]
        assert served.rows("SELECT count(*) FROM inbox_event WHERE event_id = 'e-1'")[0][0] == 1
        assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 2


def test_two_receivers_with_the_same_events_store_each_once(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine) as one, serving(make_settings(migrated_url), engine) as two:
        wait_until(lambda: all(each.http.get("/readyz").status_code == 200 for each in (one, two)))
        statuses: list[int] = []

        def send(served: Served, numbers: range) -> None:
            statuses.extend(served.event(f"e-{number}").status_code for number in numbers)

        threads = [
            threading.Thread(target=send, args=(served, order))
            for served in (one, two)
            for order in (range(40), range(39, -1, -1))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses.count(202) == 40
        assert statuses.count(200) == 120
        assert one.rows("SELECT count(*), count(DISTINCT event_id) FROM inbox_event") == [(40, 40)]


def test_a_start_without_a_database_waits_for_it(migrated_url: str, engine: Engine) -> None:
    with line_to(migrated_url) as (line, far):
        line.cut()
        with serving(make_settings(far), engine) as served:
            alive = served.http.get("/healthz").status_code
            ready = served.http.get("/readyz")
            event = served.event("e-1").status_code
            line.mend()
            wait_until(lambda: served.http.get("/readyz").status_code == 200)

            assert (alive, ready.status_code, event) == (200, 503, 503)
            assert set(orjson.loads(ready.content)["missing"]) == {"database"}
            assert served.event("e-1").status_code == 202


def test_figures_and_page_say_that_the_database_is_away(migrated_url: str, engine: Engine) -> None:
    with over_a_line(migrated_url, engine) as (served, line):
        line.cut()
        wait_until(lambda: "contactsync_summary_read 0" in served.http.get("/metrics").text)

        metrics = served.http.get("/metrics")
        page = served.http.get("/", auth=("anyone", token_of("viewer-token")))
        api = served.api("/summary")

        assert metrics.status_code == 200
        assert "contactsync_links" not in metrics.text
        assert (page.status_code, "The database is away" in page.text) == (200, True)
        assert (api.status_code, api.headers["retry-after"]) == (503, "5")
