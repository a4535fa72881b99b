"""A part of the model checker in every test run; `make model` goes further (docs/model-checker.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulation.exhaustive.__main__ import explore_one
from simulation.exhaustive.scenarios import BEGINNINGS, scenarios
from simulation.exhaustive.step import Bound
from simulation.exhaustive.world import TARGETS

if TYPE_CHECKING:
    from simulation.database import Databases

DEPTH = 3
SECONDS = 5.0
"""For each: a slow machine tries less."""


@pytest.mark.slow
@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_every_promise_is_kept_whatever_the_order_of_a_few_steps(
    databases: Databases, beginning: str, system: str
) -> None:
    [scenario] = scenarios(Bound(), (system,), (beginning,))

    explored = explore_one(scenario, databases, DEPTH, SECONDS)

    assert [(violation.what, violation.path) for violation in explored.violations] == []
    assert explored.complete >= 1
    assert explored.states > 10
