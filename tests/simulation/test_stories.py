"""
A part of the deterministic simulation in every test run; `make simulate SEEDS=2000` tells many more stories.

What a seed has found is kept as a story of its own in tests/flows, as a seed tells another story once the scripts
change (docs/simulation.md lists what was found).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulation.report import replay_line
from simulation.run import tell
from simulation.script import write_script

if TYPE_CHECKING:
    from simulation.database import Databases

SEEDS = range(12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept_in_the_story_of_a_seed(databases: Databases, seed: int) -> None:
    outcome = tell(write_script(seed), databases)

    trace = "\n".join(outcome.trace)
    assert outcome.promise is None, f"{outcome.failure}\n{replay_line(seed)}\n{trace}"


@pytest.mark.slow
def test_a_seed_is_the_same_story_step_by_step(databases: Databases) -> None:
    first, second = (tell(write_script(104), databases) for _ in range(2))

    assert first.fingerprint == second.fingerprint
    assert first.steps == second.steps
