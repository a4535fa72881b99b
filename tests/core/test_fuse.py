"""The loop fuse: what counts as a return, when it blows, how it rests, and when it forgets."""

from __future__ import annotations

from typing import Any

import pytest

from worker.core import fuse
from worker.core.fuse import FusePolicy, Memory, Rest

POLICY = FusePolicy(returns=6, within_seconds=3600, rest_seconds=(30, 300, 3600))
A, B, C = ({"address": {"city": city}} for city in ("Gent", "Aalst", "Brugge"))


def play(patches: list[dict[str, Any]], every: float = 10.0, policy: FusePolicy = POLICY) -> tuple[Memory, Rest | None]:
    """Versions 2, 3, … with these patches, one after the other, until it blows."""
    memory, rest = Memory(), None
    for number, patch in enumerate(patches):
        memory = fuse.changed(memory, policy, number + 2, patch, number * every)
        memory, rest = fuse.judge(memory, policy, calm=False)
        if rest is not None:
            break
    return memory, rest


@pytest.mark.parametrize(
    ("patches", "blown_at"),
    [
        ([A, B] * 10, 8),
        ([A, B, C] * 10, 9),
        ([A | {"name": f"nummer {number}"} if number % 2 else B for number in range(20)], 8),
        ([{"persons": [{"name": "An"}]}, {"persons": []}] * 10, 8),
        ([{"phone": "+32 9 000 00 01"}, {"phone": None}] * 10, 8),
    ],
    ids=["two values", "three values", "beside a counter", "persons", "emptied and filled"],
)
def test_a_field_that_goes_to_and_fro_blows_it(patches: list[dict[str, Any]], blown_at: int) -> None:
    memory, rest = play(patches)

    assert rest is not None
    assert rest.seconds == 30
    assert len(memory.seen) == blown_at
    assert memory.rests == 1


@pytest.mark.parametrize(
    "patches",
    [
        [A, B] * 3,
        [{"name": f"nummer {number}"} for number in range(100)],
        [A, {"phone": "1"}, B, {"phone": "2"}, A, {"phone": "1"}, B, {"phone": "2"}, A],
    ],
    ids=["a person who changes her mind five times", "ever new values", "two fields, a little each"],
)
def test_what_people_do_does_not_blow_it(patches: list[dict[str, Any]]) -> None:
    assert play(patches)[1] is None


def test_slow_changes_are_forgotten() -> None:
    memory, rest = play([A, B] * 20, every=900)

    assert rest is None
    assert len(memory.seen) == 4


def test_each_rest_is_longer_while_it_goes_on_and_the_last_repeats() -> None:
    memory, rest = play([A, B] * 4)
    assert rest is not None
    seconds = [rest.seconds]

    for version in range(10, 14):
        memory = fuse.changed(memory, POLICY, version, A if version % 2 else B, version * 4000.0)
        memory, rest = fuse.judge(memory, POLICY, calm=False)
        assert rest is not None
        seconds.append(rest.seconds)

    assert seconds == [30, 300, 3600, 3600, 3600]


def test_a_look_that_finds_it_unchanged_though_somebody_spoke_of_it_is_not_calm() -> None:
    memory, _ = play([A, B] * 4)

    memory, rest = fuse.judge(memory, POLICY, calm=False)

    assert rest is not None
    assert (rest.seconds, memory.rests) == (300, 2)


def test_calm_forgets_everything() -> None:
    memory, _ = play([A, B] * 4)

    memory, rest = fuse.judge(memory, POLICY, calm=True)

    assert (memory, rest, memory.to_json()) == (Memory(), None, None)


def test_an_unchanged_contact_that_does_not_rest_keeps_its_memory() -> None:
    memory, _ = play([A, B])

    assert fuse.judge(memory, POLICY, calm=True) == (memory, None)


def test_the_evidence_names_fields_and_versions_and_no_values() -> None:
    _, rest = play([A, B] * 4)

    assert rest is not None
    assert rest.message == (
        "the client goes to and fro, from 00:00:00 to 00:01:10 UTC: "
        "address.city came back 6 times (versions 2 = 4 = 6 = 8, 3 = 5 = 7 = 9)."
    )


def test_what_is_remembered_is_bounded_and_comes_back_from_the_row() -> None:
    policy = FusePolicy(returns=30, within_seconds=1e6)
    memory, _ = play([{"name": f"nummer {number}"} for number in range(500)], policy=policy)

    value = memory.to_json()

    assert len(memory.seen) == fuse.MOST_REMEMBERED
    assert Memory.from_json(value) == memory
    assert "nummer" not in str(value)


def test_it_can_be_switched_off() -> None:
    memory, rest = play([A, B] * 50, policy=FusePolicy(returns=0))

    assert (memory.to_json(), rest) == (None, None)
