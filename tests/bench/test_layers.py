"""To whom a worker's time is charged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bench.layers import OWN, Layers


class Clock:
    """A clock that goes on only where it is told to, one for all threads."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def layers(clock: Clock) -> Layers:
    return Layers(cpu=clock, wall=lambda: 10 * clock.now)


def test_time_between_the_doors_is_our_own_and_time_behind_one_is_its_layers(clock: Clock, layers: Layers) -> None:
    select = layers.wrapped("SQL", lambda: clock.spend(4))

    layers.begin()
    clock.spend(1)
    select()
    clock.spend(2)
    layers.end()

    assert layers.totals() == {"cpu": {OWN: 3.0, "SQL": 4.0}, "wall": {OWN: 30.0, "SQL": 40.0}}


def test_a_door_behind_a_door_takes_its_own_part_and_gives_back_when_it_raises(clock: Clock, layers: Layers) -> None:
    def refused() -> None:
        clock.spend(5)
        raise TimeoutError

    ask = layers.wrapped("budget", refused)

    def send() -> None:
        clock.spend(1)
        with pytest.raises(TimeoutError):
            ask()
        clock.spend(2)

    layers.begin()
    layers.wrapped("HTTP", send)()
    clock.spend(7)
    layers.end()

    assert layers.totals()["cpu"] == {"HTTP": 3.0, "budget": 5.0, OWN: 7.0}


def test_what_is_done_between_tasks_is_charged_to_nobody(clock: Clock, layers: Layers) -> None:
    listen = layers.wrapped("broker and budget", lambda: clock.spend(9))

    listen()
    layers.begin()
    clock.spend(1)
    layers.end()
    clock.spend(50)
    listen()

    assert layers.totals()["cpu"] == {OWN: 1.0}


def test_every_thread_has_its_own_book_and_all_are_summed(clock: Clock, layers: Layers) -> None:
    def task() -> None:
        layers.begin()
        clock.spend(2)
        layers.end()

    for _ in range(3):
        _in_a_thread(task)

    assert layers.totals()["cpu"] == {OWN: 6.0}


def test_a_wrapped_function_gives_what_it_gave(layers: Layers) -> None:
    def joined(*words: str, by: str) -> str:
        return by.join(words)

    layers.begin()

    assert layers.wrapped("SQL", joined)("a", "b", by="-") == "a-b"
    assert layers.wrapped("SQL", joined).__name__ == "joined"


def _in_a_thread(function: Callable[[], Any]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
