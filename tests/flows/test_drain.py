"""A lane's places: no thread waits, no nudge is forgotten."""

from __future__ import annotations

import threading

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


def test_many_nudges_at_once_never_take_more_places_than_there_are() -> None:
    lane = Lane(3)
    most = 0
    guard = threading.Lock()

    def nudge() -> None:
        nonlocal most
        for _ in range(200):
            if lane.enter():
                with guard:
                    most = max(most, lane.taken)
                while lane.leave(done=True):
                    pass

    threads = [threading.Thread(target=nudge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lane.taken == 0
    assert most <= 3
