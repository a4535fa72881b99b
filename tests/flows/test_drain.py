"""A lane's places: no thread waits, no nudge is forgotten."""

from __future__ import annotations

import threading

from typing_extensions import override

from worker.flows.drain import Lane


def test_a_nudge_that_finds_all_places_taken_is_looked_for_by_a_holder() -> None:
    lane = Lane(1)

    entered = lane.enter()
    turned_away = lane.enter()
    stays = lane.leave(done=True)
    leaves = lane.leave(done=True)

    assert (entered, turned_away, stays, leaves) == (True, False, True, False)
    assert lane.taken == 0


def test_a_holder_that_breaks_off_gives_its_place_back() -> None:
    lane = Lane(2)
    lane.enter()
    lane.enter()
    lane.enter()

    lane.leave(done=False)

    assert lane.taken == 1
    assert lane.enter()


class ToldLock:
    """A lock that says when somebody has to wait for it."""

    def __init__(self) -> None:
        self.waited_for = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class InterruptedLane(Lane):
    """A lane at which a second nudge comes while the first one looks whether a place is free."""

    def __init__(self, places: int) -> None:
        super().__init__(places)
        self.told = ToldLock()
        self._lock = self.told  # type: ignore[assignment]
        self.second: bool | None = None
        self.thread: threading.Thread | None = None

    @property  # type: ignore[explicit-override]
    @override
    def taken(self) -> int:
        seen = self._taken
        if self.thread is None:
            self.thread = threading.Thread(target=self._come_second)
            self.thread.start()
            assert self.told.waited_for.wait(timeout=60)
        return seen

    @taken.setter
    @override
    def taken(self, value: int) -> None:
        self._taken = value

    def _come_second(self) -> None:
        self.second = self.enter()
        self.told.waited_for.set()  # it did not have to wait: then it has gone through all the same


def test_two_nudges_at_once_never_share_the_last_place() -> None:
    lane = InterruptedLane(1)

    first = lane.enter()
    assert lane.thread is not None
    lane.thread.join(timeout=60)

    assert (first, lane.second) == (True, False)
    assert lane.taken == 1


def test_as_many_nudges_as_there_are_places_are_let_in() -> None:
    lane = Lane(3)

    entered = [lane.enter() for _ in range(8)]

    assert entered == [True] * 3 + [False] * 5
    assert lane.taken == 3
