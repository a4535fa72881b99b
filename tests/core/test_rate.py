"""GCRA: never more than promised in any window, and never less than the rate for who waits as told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.rate import (
    DECREASE,
    FLOOR_PER_SECOND,
    RISE_SECONDS,
    Turn,
    after_call,
    after_refusal,
    configured_rate,
    gcra,
    pace,
)

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


# ------------------------------------------------------------------------------------------------- the learned rate
def refusals_of(vendor_rate: float, configured: float, burst: int, seconds: float) -> tuple[list[float], list[float]]:
    """
    When calls were refused and answered by a vendor that spaces calls evenly, for a caller that always has work.
    """
    now, tat, learned = START, None, None
    vendor_tat: float | None = None
    refused: list[float] = []
    answered: list[float] = []
    while now < START + seconds:
        rate, at_once = pace(learned, configured, burst)
        turn = gcra(tat, now, rate, at_once)
        tat = turn.new_tat
        if not turn.allowed:
            now += turn.wait_seconds
            continue
        learned = after_call(learned, configured)
        vendor = gcra(vendor_tat, now, vendor_rate, 4)
        if vendor.allowed:
            vendor_tat = vendor.new_tat
            answered.append(now - START)
        else:
            refused.append(now - START)
            learned = after_refusal(learned, configured)
            now += max(1.0, vendor.wait_seconds)
    return refused, answered


@given(vendor=st.floats(0.3, 8.0), configured=st.floats(0.5, 15.0), burst=bursts)
@settings(deadline=None, max_examples=40)
def test_the_rate_settles_near_what_the_vendor_allows(vendor: float, configured: float, burst: int) -> None:
    refused, answered = refusals_of(vendor, configured, burst, seconds=3_600.0)

    allowed = min(vendor, configured)
    between = RISE_SECONDS * allowed * (1 - DECREASE) / configured
    assert sum(at > 600 for at in answered) >= 0.5 * allowed * 3_000
    assert sum(at > 600 for at in refused) <= 3_000 / between + 3


@given(refusals=st.integers(0, 60), configured=st.floats(0.01, 50.0))
def test_it_never_falls_below_the_floor(refusals: int, configured: float) -> None:
    learned: float | None = None
    for _ in range(refusals):
        learned = after_refusal(learned, configured)
        assert min(FLOOR_PER_SECOND, configured) <= learned <= configured


@given(refusals=st.integers(1, 8), configured=st.floats(0.2, 15.0))
@settings(deadline=None, max_examples=30)
def test_steady_calls_without_a_refusal_bring_the_configured_rate_back(refusals: int, configured: float) -> None:
    learned: float | None = None
    for _ in range(refusals):
        learned = after_refusal(learned, configured)

    seconds = 0.0
    while learned is not None:
        seconds += 1 / learned
        risen = after_call(learned, configured)
        assert risen is None or learned < risen < configured
        learned = risen

    # A call at the lowest rates is far from the next, and its step is as large: a little sooner than by the second.
    # Far below the configured rate it grows in proportion to itself, which takes some minutes more.
    assert 0.3 * RISE_SECONDS <= seconds <= 1.3 * RISE_SECONDS


def test_a_rate_that_was_configured_far_too_high_is_not_tried_again_and_again() -> None:
    refused, answered = refusals_of(1.0, 500.0, 100, seconds=3_600.0)

    later = [at for at in answered if at > 600]
    assert len(later) >= 0.7 * 3_000
    assert sum(at > 600 for at in refused) <= 0.02 * len(later)


def test_a_system_without_a_configured_rate_learns_one() -> None:
    assert after_refusal(None, 0.0) == configured_rate(0.0) * DECREASE
    assert after_call(None, 0.0) is None
    assert pace(None, 0.0, 5) == (0.0, 5)


def test_who_was_refused_gets_no_burst() -> None:
    assert pace(None, 10.0, 5) == (10.0, 5)
    assert pace(2.0, 10.0, 5) == (2.0, 1)
