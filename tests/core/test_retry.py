"""The retry decision as a table: what failed, how often, what the vendor asked for, and what follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.retry import LONGEST_WAIT_SECONDS, ErrorKind, RetryDecision, RetryPolicy, decide

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = RetryPolicy(ladder_seconds=(5, 30, 120), jitter=0.2)
KINDS: list[ErrorKind] = ["transient", "permanent", "postponed", "doubtful"]


def waiting(seconds: float) -> RetryDecision:
    return RetryDecision("waiting", NOW + timedelta(seconds=seconds), costs_attempt=True)


def postponed(seconds: float) -> RetryDecision:
    return RetryDecision("postponed", NOW + timedelta(seconds=seconds), costs_attempt=False)


DEAD = RetryDecision("dead", None, costs_attempt=True)


@pytest.mark.parametrize(
    ("attempts", "kind", "retry_after", "random", "expected"),
    [
        pytest.param(1, "transient", None, 0.5, waiting(5), id="after the first"),
        pytest.param(2, "transient", None, 0.5, waiting(30), id="after the second"),
        pytest.param(3, "transient", None, 0.5, waiting(120), id="the last wait"),
        pytest.param(4, "transient", None, 0.5, DEAD, id="the ladder is used up"),
        pytest.param(99, "transient", None, 0.5, DEAD, id="long past it"),
        pytest.param(0, "transient", None, 0.5, waiting(5), id="a count that never rose"),
        pytest.param(1, "transient", None, 0.0, waiting(4), id="jitter shortens"),
        pytest.param(2, "transient", None, 0.75, waiting(33), id="jitter lengthens"),
        pytest.param(1, "transient", 60, 0.5, waiting(60), id="the vendor asks for longer"),
        pytest.param(1, "transient", 60, 0.0, waiting(60), id="what it asks for is not shortened"),
        pytest.param(3, "transient", 1, 0.5, waiting(120), id="the vendor asks for less"),
        pytest.param(1, "transient", -5, 0.5, waiting(5), id="a wait in the past"),
        pytest.param(1, "transient", float("nan"), 0.5, waiting(5), id="no number"),
        pytest.param(1, "transient", float("inf"), 0.5, waiting(LONGEST_WAIT_SECONDS), id="for ever"),
        pytest.param(1, "transient", 1e300, 0.5, waiting(LONGEST_WAIT_SECONDS), id="nearly for ever"),
        pytest.param(4, "transient", 60, 0.5, DEAD, id="being asked to wait does not lengthen the ladder"),
        pytest.param(1, "permanent", None, 0.5, DEAD, id="permanent"),
        pytest.param(1, "permanent", 60, 0.5, DEAD, id="permanent, whatever it says"),
        pytest.param(1, "postponed", 17, 0.0, postponed(17), id="waits exactly as told"),
        pytest.param(1, "postponed", 0, 0.5, postponed(0), id="told to come at once"),
        pytest.param(50, "postponed", 17, 0.5, postponed(17), id="never dead of waiting"),
        pytest.param(50, "postponed", None, 0.5, postponed(120), id="not told, past the ladder"),
        pytest.param(0, "postponed", None, 0.5, postponed(5), id="not told, before any attempt"),
        pytest.param(2, "postponed", None, 0.0, postponed(24), id="not told: the rung, with jitter"),
        pytest.param(1, "postponed", 1e300, 0.5, postponed(LONGEST_WAIT_SECONDS), id="postponed for ever"),
        pytest.param(1, "postponed", float("nan"), 0.5, postponed(5), id="told no number"),
        pytest.param(1, "postponed", -5, 0.5, postponed(5), id="told to wait in the past"),
        pytest.param(1, "doubtful", None, 0.5, waiting(300), id="a doubtful refusal is tried once more"),
        pytest.param(2, "doubtful", None, 0.5, DEAD, id="and then believed"),
    ],
)
def test_what_follows_a_failed_attempt(
    attempts: int, kind: ErrorKind, retry_after: float | None, random: float, expected: RetryDecision
) -> None:
    assert decide(POLICY, attempts, kind, retry_after, NOW, random) == expected


def test_the_default_ladder_ends_after_seven_waits() -> None:
    policy = RetryPolicy()

    states = [decide(policy, attempts, "transient", None, NOW, 0.5).state for attempts in range(1, 9)]

    assert states == ["waiting"] * 7 + ["dead"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ladder_seconds": ()},
        {"ladder_seconds": (5, -1)},
        {"ladder_seconds": (float("nan"),)},
        {"ladder_seconds": (float("inf"),)},
        {"doubtful_wait_seconds": -1},
        {"jitter": -0.1},
        {"jitter": 1.1},
    ],
    ids=str,
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ladder|wait|jitter"):
        RetryPolicy(**wrong)


@given(
    attempts=st.integers(0, 20),
    kind=st.sampled_from(KINDS),
    retry_after=st.none() | st.floats(),
    random=st.floats(0, 1, exclude_max=True),
    jitter=st.floats(0, 1),
)
@settings(deadline=None)
def test_a_decision_is_always_whole(
    attempts: int, kind: ErrorKind, retry_after: float | None, random: float, jitter: float
) -> None:
    decision = decide(RetryPolicy((5, 30, 120), jitter), attempts, kind, retry_after, NOW, random)

    assert (decision.next_attempt_at is None) is (decision.state == "dead")
    assert decision.costs_attempt is (decision.state != "postponed")
    if decision.next_attempt_at is not None:
        assert timedelta(0) <= decision.next_attempt_at - NOW <= timedelta(seconds=LONGEST_WAIT_SECONDS)
    if decision.next_attempt_at is not None and retry_after is not None and 0 <= retry_after <= LONGEST_WAIT_SECONDS:
        assert decision.next_attempt_at >= NOW + timedelta(seconds=retry_after)


@given(random=st.floats(0, 1, exclude_max=True), attempts=st.integers(1, 3))
@settings(deadline=None)
def test_a_wait_stays_within_its_jitter(random: float, attempts: int) -> None:
    decision = decide(POLICY, attempts, "transient", None, NOW, random)

    ladder_wait = POLICY.ladder_seconds[attempts - 1]
    assert decision.next_attempt_at is not None
    waited = (decision.next_attempt_at - NOW).total_seconds()
    assert ladder_wait * 0.8 - 1e-6 <= waited <= ladder_wait * 1.2 + 1e-6
