"""Wrong tokens are counted by address and in all, for a minute."""

from __future__ import annotations

import pytest

from webhooks.throttle import MOST_OF_ALL, MOST_OF_ONE, WINDOW_SECONDS, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def send(throttle: Throttle, address: str, times: int) -> None:
    for _ in range(times):
        throttle.wrong(address)


def test_an_address_waits_after_ten_wrong_tokens_and_others_do_not(throttle: Throttle, clock: Clock) -> None:
    send(throttle, "203.0.113.9", MOST_OF_ONE - 1)
    before = throttle.wait_seconds("203.0.113.9")
    clock.now += 20.5
    send(throttle, "203.0.113.9", 1)

    assert before == 0
    assert throttle.wait_seconds("203.0.113.9") == 40, "whole seconds, and never too few"
    assert throttle.wait_seconds("203.0.113.10") == 0


def test_the_wait_ends_with_the_minute(throttle: Throttle, clock: Clock) -> None:
    send(throttle, "203.0.113.9", MOST_OF_ONE)
    clock.now += throttle.wait_seconds("203.0.113.9")

    assert throttle.wait_seconds("203.0.113.9") == 0
    send(throttle, "203.0.113.9", MOST_OF_ONE - 1)
    assert throttle.wait_seconds("203.0.113.9") == 0
    send(throttle, "203.0.113.9", 1)
    assert throttle.wait_seconds("203.0.113.9") == WINDOW_SECONDS


def test_many_addresses_share_one_count(throttle: Throttle, clock: Clock) -> None:
    for number in range(MOST_OF_ALL):
        assert throttle.wait_seconds(f"203.0.113.{number}") == 0
        throttle.wrong(f"203.0.113.{number}")

    assert throttle.wait_seconds("198.51.100.1") == WINDOW_SECONDS
    clock.now += WINDOW_SECONDS
    assert throttle.wait_seconds("198.51.100.1") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.8", False),
        ("", "", True),
    ],
)
def test_what_counts_as_one_address(throttle: Throttle, one: str, other: str, *, same: bool) -> None:
    send(throttle, one, MOST_OF_ONE)

    assert (throttle.wait_seconds(other) > 0) is same


def test_what_it_remembers_stays_small(throttle: Throttle, clock: Clock) -> None:
    for number in range(500):
        clock.now += 1
        throttle.wrong(f"address-{number}")

    assert len(throttle._addresses) < 3 * WINDOW_SECONDS
