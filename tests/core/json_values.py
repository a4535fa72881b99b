"""Hypothesis strategies for JSON values, shared by the tests of the pure core."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

# Few names and few values, so that two documents drawn apart have much in common.
NAMES = st.sampled_from(["a", "b", "c", "", "a.b", "é"])
FLAT = st.one_of(st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, -0.5, "", "x", "1", "é"]))


def documents(*, nulls: bool) -> st.SearchStrategy[Any]:
    """Any JSON value, an object more often than not; without `nulls` no null stands anywhere outside an array."""
    flat = FLAT | st.none() if nulls else FLAT
    anything = st.recursive(FLAT | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=6)
    return st.recursive(
        flat, lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(anything, max_size=3), max_leaves=12
    )


def objects(*, nulls: bool) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects: what a record is."""
    return st.dictionaries(NAMES, documents(nulls=nulls), max_size=5)
