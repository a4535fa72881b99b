"""GCRA: never more than promised in any window, and never less than the rate for who waits as told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.rate import Turn, gcra

# The clock of the tests stands at a real time: a float has fewer digits left there than at nought.
START = 1_760_000_000.0
SLACK = 1e-5

rates = st.sampled_from([0.1, 1.0, 2.0, 7.5, 15.0, 60 / 60])
bursts = st.integers(1, 20)


def allowed_times(gaps: list[float], rate: float, burst: int) -> list[float]:
    """When calls left, for a caller that asks after each gap whether it may."""
    tat, now, left = None, START, []
    for gap in gaps:
        now += gap
        turn = gcra(tat, now, rate, burst)
        tat = turn.new_tat
        if turn.allowed:
            left.append(now)
    return left


@pytest.mark.parametrize(
    ("tat", "now", "rate", "burst", "expected"),
    [
        pytest.param(None, 10.0, 2.0, 1, Turn(True, 10.5, 0.0), id="never used"),
        pytest.param(3.0, 10.0, 2.0, 1, Turn(True, 10.5, 0.0), id="long unused: nothing is saved up beyond the burst"),
        pytest.param(10.5, 10.0, 2.0, 1, Turn(False, 10.5, 0.5), id="one interval to wait"),
        pytest.param(10.5, 10.5, 2.0, 1, Turn(True, 11.0, 0.0), id="waited as told"),
        pytest.param(10.5, 10.0, 2.0, 2, Turn(True, 11.0, 0.0), id="the second of a burst"),
        pytest.param(11.0, 10.0, 2.0, 2, Turn(False, 11.0, 0.5), id="the burst is spent"),
        pytest.param(10.5, 10.5 - 2**-9, 2.0, 1, Turn(False, 10.5, 2**-9), id="two milliseconds are a wait"),
        pytest.param(99.0, 10.0, 2.0, 2, Turn(False, 11.0, 0.5), id="the clock was set back"),
        pytest.param(None, 10.0, 0.25, 1, Turn(True, 14.0, 0.0), id="less than one a second"),
    ],
)
def test_one_call_is_asked_for(tat: float | None, now: float, rate: float, burst: int, expected: Turn) -> None:
    assert gcra(tat, now, rate, burst) == expected


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_a_budget_that_allows_nothing_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        gcra(None, 0.0, rate, burst)


@given(gaps=st.lists(st.sampled_from([0.0, 0.001, 0.03, 0.1, 0.5, 1.0, 3.0]), max_size=150), rate=rates, burst=bursts)
@settings(deadline=None)
def test_no_second_holds_more_than_the_burst_and_the_rate(gaps: list[float], rate: float, burst: int) -> None:
    left = allowed_times(gaps, rate, burst)

    for first in left:
        in_window = sum(first <= at <= first + 1.0 for at in left)
        assert in_window <= burst + rate + SLACK


@given(rate=rates, burst=bursts)
@settings(deadline=None)
def test_an_idle_budget_lets_exactly_the_burst_through_at_once(rate: float, burst: int) -> None:
    assert len(allowed_times([0.0] * (burst + 5), rate, burst)) == burst


@given(rate=rates, burst=bursts, calls=st.integers(1, 200))
@settings(deadline=None)
def test_who_waits_as_told_gets_the_full_rate(rate: float, burst: int, calls: int) -> None:
    tat, now, left, asked = None, START, 0, 0
    while left < burst + calls:
        allowed, tat, wait = gcra(tat, now, rate, burst)
        left, asked = left + allowed, asked + 1
        now += wait

    assert math.isclose(now - START, (calls) / rate, abs_tol=1.0 / rate + SLACK * calls)
    assert asked <= 2 * (burst + calls) + calls


@given(ahead=st.floats(0, 1e9), rate=rates, burst=bursts)
@settings(deadline=None)
def test_a_clock_set_back_holds_nobody_longer_than_one_interval(ahead: float, rate: float, burst: int) -> None:
    assert gcra(START + ahead, START, rate, burst).wait_seconds <= 1 / rate + SLACK


@given(gaps=st.lists(st.floats(0, 2), max_size=60), rate=rates, burst=bursts)
@settings(deadline=None)
def test_a_refusal_takes_no_turn(gaps: list[float], rate: float, burst: int) -> None:
    tat, now = None, START
    for gap in gaps:
        now += gap
        turn = gcra(tat, now, rate, burst)
        if not turn.allowed:
            assert turn.new_tat == pytest.approx(tat, abs=SLACK)
            assert turn.wait_seconds > 0
        tat = turn.new_tat
