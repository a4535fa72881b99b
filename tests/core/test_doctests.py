"""The examples in the docstrings of the pure core hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import worker.core

MODULES = sorted(module.name for module in pkgutil.walk_packages(worker.core.__path__, "worker.core."))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_hold() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)

    examples = [one for name in MODULES for one in finder.find(importlib.import_module(name)) if one.examples]

    assert len(examples) >= len(MODULES)
