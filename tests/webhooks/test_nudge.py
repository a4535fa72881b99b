"""Nudges: after the answer, one at a time, and without any say in whether events are taken."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.webhooks.conftest import make_settings, serving, wait_until
from webhooks.figures import Figures
from webhooks.nudge import FLOOD_EVENTS, FLOOD_SECONDS, SPACING_SECONDS, Nudger

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Broker:
    """A publisher that can hang or fail."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None
        self.at_once = 0
        self.most_at_once = 0

    def _say(self, what: str) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.may_answer.wait()
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        self.said.append(what)

    def intake(self) -> None:
        self._say("intake")

    def fetch(self, contact_id: int) -> None:
        self._say(f"fetch {contact_id}")

    def deliver(self, system: str, link_id: int) -> None:
        self._say(f"deliver {system} {link_id}")

    def crowded(self, lane: str) -> bool:
        return False


def test_a_broker_that_hangs_changes_nothing_for_the_sender(migrated_url: str, engine: Engine) -> None:
    broker = Broker()
    broker.may_answer.clear()
    with serving(make_settings(migrated_url), engine, publisher=broker) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        begun = time.monotonic()
        statuses = [served.event(f"e-{number}").status_code for number in range(50)]
        took = time.monotonic() - begun
        broker.may_answer.set()
        wait_until(lambda: len(broker.said) >= 2)

    assert statuses == [202] * 50
    assert took < 5
    assert broker.most_at_once == 1
    assert set(broker.said) == {"intake"}
    assert len(broker.said) < 10


def test_a_broker_that_fails_is_tried_again_with_the_next_event(migrated_url: str, engine: Engine) -> None:
    broker = Broker()
    broker.error = OSError("no broker")
    with serving(make_settings(migrated_url), engine, publisher=broker) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        first = served.event("e-1").status_code
        wait_until(lambda: broker.most_at_once == 1)
        broker.error = None
        second = served.event("e-2").status_code
        wait_until(lambda: broker.said == ["intake"])

    assert (first, second) == (202, 202)


def test_what_is_asked_for_during_a_publish_becomes_one_more(migrated_url: str) -> None:
    broker, figures = Broker(), Figures()
    nudger = Nudger(lambda: broker, figures)
    broker.may_answer.clear()
    nudger.start()
    nudger.events()
    wait_until(lambda: broker.at_once == 1)

    for _ in range(1_000):
        nudger.events()
    broker.may_answer.set()
    wait_until(lambda: len(broker.said) == 2)
    nudger.stop()

    assert broker.said == ["intake", "intake"]
    assert figures.nudges_sent == 2


def test_fast_events_are_announced_with_a_breath_between_and_the_last_one_is_not_forgotten() -> None:
    broker, figures = Broker(), Figures()
    nudger = Nudger(lambda: broker, figures)
    nudger.start()
    begun = time.monotonic()
    asked = 0
    while time.monotonic() - begun < 10 * SPACING_SECONDS:
        nudger.events()
        asked += 1
    took = time.monotonic() - begun
    said = len(broker.said)
    nudger.events()

    wait_until(lambda: len(broker.said) > said)
    nudger.stop()
    assert asked > 100
    assert 1 <= said <= took / SPACING_SECONDS + 2


def test_an_operators_nudges_name_what_is_due() -> None:
    broker = Broker()
    nudger = Nudger(lambda: broker, Figures())
    nudger.start()

    nudger.fetch(7)
    nudger.deliver("recras", 9)

    wait_until(lambda: len(broker.said) == 2)
    nudger.stop()
    assert broker.said == ["fetch 7", "deliver recras 9"]


def test_an_end_does_not_wait_for_a_broker_that_hangs() -> None:
    broker = Broker()
    broker.may_answer.clear()
    nudger = Nudger(lambda: broker, Figures())
    nudger.start()
    nudger.events()
    wait_until(lambda: broker.at_once == 1)

    begun = time.monotonic()
    nudger.stop(wait_seconds=0.2)
    took = time.monotonic() - begun
    broker.may_answer.set()

    assert took < 1


def test_in_a_flood_of_events_nudges_lie_further_apart() -> None:
    broker, figures, times = Broker(), Figures(), list[float]()
    nudger = Nudger(lambda: broker, figures)
    nudger.start()
    for number in range(1, 4):
        figures.batch.observe(FLOOD_EVENTS + 1)
        nudger.events()
        wait_until(lambda count=number: len(broker.said) == count)  # type: ignore[misc]
        times.append(time.monotonic())
    nudger.stop(5)

    assert times[-1] - times[0] > 2 * FLOOD_SECONDS - 0.1
