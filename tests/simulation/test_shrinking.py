"""Scripts are data: the same for a seed, and shrunk by leaving happenings out."""

from __future__ import annotations

from simulation.run import Outcome
from simulation.script import Script, write_script
from simulation.shrink import shrink


def test_a_seed_writes_the_same_script_each_time_and_another_seed_another() -> None:
    assert write_script(7) == write_script(7)
    assert write_script(7) != write_script(8)


def test_the_happenings_of_a_script_are_in_the_order_of_their_times() -> None:
    for seed in range(50):
        times = [item.at for item in write_script(seed).items]
        assert times == sorted(times)


def test_shrinking_keeps_only_what_the_failure_needs() -> None:
    script = next(one for one in map(write_script, range(100)) if len(one.items) >= 12)
    needed = [script.items[2], script.items[9]]

    def tell(candidate: Script) -> Outcome:
        broken = all(item in candidate.items for item in needed)
        return Outcome(candidate.seed, promise="made up" if broken else None)

    shrunk = shrink(script, tell(script), tell)

    assert shrunk.script.items == (script.items[2], script.items[9])
    assert shrunk.kept == (2, 9)


def test_shrinking_does_not_take_another_failure_for_the_same() -> None:
    script = next(one for one in map(write_script, range(100)) if len(one.items) >= 4)

    def tell(candidate: Script) -> Outcome:
        return Outcome(candidate.seed, promise="made up" if len(candidate.items) == len(script.items) else "other")

    shrunk = shrink(script, tell(script), tell)

    assert shrunk.script.items == script.items
