"""What strangers repeat at will is logged once a minute, with a count."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import CapturingLogger

from webhooks import sampled_log
from webhooks.sampled_log import SECONDS, SampledLog


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    logger = CapturingLogger()
    monkeypatch.setattr(sampled_log, "log", logger)
    return logger


def lines(written: CapturingLogger) -> list[dict[str, Any]]:
    return [{"event": call.args[0], **call.kwargs} for call in written.calls]


def test_the_first_of_a_kind_is_logged_at_once_and_the_others_with_their_count(
    written: CapturingLogger, clock: Clock
) -> None:
    log = SampledLog("receiver.refused", clock)

    for number in range(1_000):
        log.note("unknown", address=f"203.0.113.{number % 256}")
        clock.now += 0.01
    log.note("role", "An", token="An")
    log.note("role", "Bo", token="Bo")
    at_once = lines(written)
    log.flush()
    too_early = lines(written)
    clock.now += SECONDS
    log.flush()
    log.flush()

    assert at_once == too_early
    assert at_once == [
        {"event": "receiver.refused", "kind": "unknown", "count": 1, "address": "203.0.113.0"},
        {"event": "receiver.refused", "kind": "role", "count": 1, "token": "An"},
        {"event": "receiver.refused", "kind": "role", "count": 1, "token": "Bo"},
    ]
    assert lines(written)[3:] == [
        {"event": "receiver.refused", "kind": "unknown", "count": 999, "address": "203.0.113.231"}
    ]


def test_what_goes_on_is_one_line_a_minute(written: CapturingLogger, clock: Clock) -> None:
    log = SampledLog("receiver.refused", clock)

    for _ in range(10 * 60 * 10):
        log.note("unknown")
        clock.now += 0.1
    log.flush(everything=True)

    counts = [line["count"] for line in lines(written)]
    assert sum(counts) == 6_000
    assert len(counts) in (11, 12)
