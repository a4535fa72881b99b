"""The shared budget on a real Redis: never above the rate, live before the rest, and no calls when Redis is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.core.rate import RISE_SECONDS, after_call
from worker.errors import BudgetExhausted
from worker.store.budget import Limits, RedisBudget

DAY = 86_400.0


class Clock:
    """A clock that is turned by sleeping on it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.lock = threading.Lock()

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


def make(server: redis.Redis, clock: Clock, limits: Limits, used: int = 0) -> RedisBudget:
    def used_within(_system: str, _seconds: float) -> int:
        return used

    return RedisBudget(server, {"robaws": limits}, used_within, clock=clock.time, sleep=clock.sleep)


def test_turns_come_at_the_rate_however_many_are_asked_for(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 3))
    taken: list[float] = []

    for _ in range(40):
        budget.acquire("robaws", "live", 60)
        taken.append(clock.now)

    for start in taken:
        assert sum(start <= at < start + 1 for at in taken) <= 10 + 3
    assert taken[-1] - taken[0] >= (40 - 3 - 1) / 10


def test_a_caller_without_patience_is_told_how_long_to_wait(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1, 1))
    budget.acquire("robaws", "live", 0)

    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 0.5)

    assert caught.value.wait_seconds == pytest.approx(1.0, abs=0.01)
    clock.sleep(1.0)
    budget.acquire("robaws", "live", 0)


def test_background_calls_take_no_turn_that_must_be_waited_for(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1, 1))
    budget.acquire("robaws", "background", 10)

    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "background", 10)
    budget.acquire("robaws", "live", 10)


def test_an_emptied_redis_gives_no_second_burst(server: redis.Redis) -> None:
    clock = Clock()
    logged: list[float] = []

    def used_within(_system: str, seconds: float) -> int:
        return sum(at >= clock.now - seconds for at in logged)

    budget = RedisBudget(server, {"robaws": Limits(1, 5)}, used_within, clock=clock.time, sleep=clock.sleep)
    for _ in range(5):
        budget.acquire("robaws", "live", 0)
        logged.append(clock.now)

    server.flushall()

    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 0.5)


def test_a_fresh_start_has_its_burst(server: redis.Redis) -> None:
    budget = make(server, Clock(), Limits(1, 5))

    for _ in range(5):
        budget.acquire("robaws", "live", 0)

    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 0)


def test_the_days_quota_counts_what_the_log_of_requests_says_after_redis_was_emptied(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1000, 1000, daily_requests=100), used=99)

    budget.acquire("robaws", "live", 0)

    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 0)
    assert caught.value.word == "daily_quota"


def test_what_the_vendor_says_of_its_day_wins(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1000, 1000, daily_requests=100))
    budget.learn("robaws", "", 0, 3_600)

    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 1)

    assert caught.value.wait_seconds == pytest.approx(3_600, abs=1)
    clock.sleep(3_601)
    budget.acquire("robaws", "live", 0)


def test_a_pause_holds_everybody(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 10))
    budget.pause("robaws", 30)

    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 5)

    assert caught.value.wait_seconds == pytest.approx(30, abs=0.1)


def test_two_processes_share_one_budget(server: redis.Redis) -> None:
    clock = Clock()
    budgets = [make(server, clock, Limits(5, 1)) for _ in range(2)]
    taken: list[float] = []

    for number in range(20):
        budgets[number % 2].acquire("robaws", "live", 60)
        taken.append(clock.now)

    assert taken[-1] - taken[0] >= 18 / 5


def away() -> redis.Redis:
    """A Redis that is not there, told at once."""
    return redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))


def test_without_redis_nothing_is_called() -> None:
    budget = RedisBudget(away(), {"robaws": Limits(10, 10)}, lambda _system, _seconds: 0)

    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 5)

    assert caught.value.word == "redis_away"


def test_a_system_without_limits_is_not_held(server: redis.Redis) -> None:
    budget = make(server, Clock(), Limits(10, 10))

    budget.acquire("recras", "live", 0)


def test_an_emptied_redis_still_knows_how_many_calls_there_were_today(server: redis.Redis) -> None:
    budget = make(server, Clock(), Limits(100, 100), used=41)

    budget.acquire("robaws", "live", 0)

    assert budget.usage("robaws") == (42, None)


def test_machines_whose_clocks_differ_share_one_budget(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets = [RedisBudget(server, {"robaws": Limits(10, 1)}, lambda _system, _seconds: 0) for _ in range(2)]
    budgets[0].acquire("robaws", "live", 1)
    real = time.time

    monkeypatch.setattr(time, "time", lambda: real() + 3_600)
    budgets[1].acquire("robaws", "live", 1)
    monkeypatch.undo()

    with pytest.raises(BudgetExhausted) as caught:
        budgets[0].acquire("robaws", "live", 0)
    assert 0 < caught.value.wait_seconds <= 0.1


def test_a_clock_that_ran_ahead_holds_nobody_once_it_is_right(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1, 2, daily_requests=100), used=0)
    clock.now += 3 * DAY
    for _ in range(3):
        budget.acquire("robaws", "live", 60)
    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 0)
    budget.learn("robaws", "", 0, 3_600)
    budget.pause("robaws", 30)

    clock.now -= 3 * DAY

    begun = clock.now
    budget.acquire("robaws", "live", 5)
    assert clock.now - begun <= 2
    clock.sleep(5)
    budget.acquire("robaws", "background", 0)
    assert budget.usage("robaws")[0] == 2


def test_a_new_day_begins_a_new_count(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(1000, 1000, daily_requests=3))
    for _ in range(3):
        budget.acquire("robaws", "live", 0)
    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("robaws", "live", 0)

    clock.sleep(caught.value.wait_seconds)

    budget.acquire("robaws", "live", 0)
    assert budget.usage("robaws")[0] == 1


# ------------------------------------------------------------------------------------------------- the learned rate
def taken_in(budget: RedisBudget, clock: Clock, seconds: float, kind: str = "") -> int:
    """How many turns a caller gets that always wants one."""
    until, taken = clock.now + seconds, 0
    while clock.now < until:
        budget.acquire("robaws", "live", 60, kind)
        taken += 1
    return taken


def test_after_a_refusal_calls_go_out_at_half_the_rate_without_a_burst(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 5))
    budget.acquire("robaws", "live", 1)

    rate = budget.refused("robaws", 0.0)
    clock.sleep(10)

    assert rate == 5.0
    assert budget.learned("robaws") == (True, 5.0)
    assert 9 <= taken_in(budget, clock, 2.0) <= 12


def test_calls_that_were_refused_together_count_once(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(8, 5))

    rates = [budget.refused("robaws", 0.3)]
    clock.sleep(0.1)
    rates += [budget.refused("robaws", 0.2), budget.refused("robaws", 0.4)]
    clock.sleep(1)
    rates.append(budget.refused("robaws", 0.1))

    assert rates == [4.0, 4.0, 4.0, 2.0]


def test_the_rate_rises_as_the_specification_says(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(2, 3))
    budget.acquire("robaws", "live", 1)
    expected: float | None = budget.refused("robaws", 0.0)

    for _ in range(50):
        budget.acquire("robaws", "live", 60)
        expected = after_call(expected, 2)

    assert budget.learned("robaws")[1] == pytest.approx(expected, abs=1e-4)


def test_the_configured_rate_holds_again_in_the_end_with_its_burst(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(2, 3))
    budget.acquire("robaws", "live", 1)
    budget.refused("robaws", 0.0)

    taken_in(budget, clock, RISE_SECONDS)
    clock.sleep(10)
    at_once = clock.now
    for _ in range(3):
        budget.acquire("robaws", "live", 0)

    assert budget.learned("robaws") == (True, None)
    assert clock.now == at_once


def test_an_emptied_redis_gets_the_rate_back_from_the_row(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 5))
    budget.learned_rate = {"robaws": 0.5}.get

    server.flushall()
    budget.acquire("robaws", "live", 10)

    assert budget.learned("robaws")[1] == pytest.approx(0.5, abs=0.02)
    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 1.5)


def test_another_kind_of_budget_keeps_its_own_rate(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 5))
    budget.refused("robaws", 0.0)

    assert budget.learned("robaws", "replica") == (False, None)


def test_a_rest_sets_every_turn_back_and_breaks_none_off(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(10, 5))
    budget.acquire("robaws", "live", 0)

    budget.rest("robaws", 1.0)
    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 0.5)
    asked = clock.now
    budget.acquire("robaws", "live", 1.5)

    assert clock.now - asked == pytest.approx(1.0, abs=0.01)


def test_a_rest_of_a_system_without_a_rate_is_a_pause(server: redis.Redis) -> None:
    clock = Clock()
    budget = make(server, clock, Limits(0, 1))

    budget.rest("robaws", 1.0)

    with pytest.raises(BudgetExhausted):
        budget.acquire("robaws", "live", 0.5)
    clock.sleep(1.01)
    budget.acquire("robaws", "live", 0)


def test_without_redis_no_rate_is_learned(server: redis.Redis) -> None:
    budget = RedisBudget(away(), {"robaws": Limits(10, 5)}, lambda _system, _seconds: 0)

    budget.rest("robaws", 1.0)

    assert budget.refused("robaws", 0.0) is None
    assert budget.learned("robaws") == (False, None)
