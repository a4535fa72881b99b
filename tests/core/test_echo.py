"""Loop protection, and the hash by which two versions of a contact are told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.core.json_values import documents
from worker.core import echo, merge_patch

SNAPSHOT = {"name": "Dakwerken De Linde", "address": {"city": "Gent", "line2": None}, "persons": [{"email": None}]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, True, id="our own write"),
        pytest.param({"name": "Dakwerken Linde"}, False, id="a person's edit"),
        pytest.param({"address": {"city": "Gent", "line2": "bus 3"}}, False, id="a member filled"),
        pytest.param({"address": {"city": None, "line2": None}}, False, id="a member emptied"),
        pytest.param({"address": {"city": "Gent"}}, True, id="a null member left out"),
        pytest.param({"website": None}, True, id="a null member more"),
        pytest.param({"website": ""}, False, id="an empty text is a value"),
        pytest.param({"persons": []}, False, id="a person less"),
    ],
)
def test_an_echo_is_a_record_that_stands_as_we_left_it(change: dict[str, Any], expected: bool) -> None:
    assert echo.is_echo(SNAPSHOT, {**SNAPSHOT, **change}) is expected
    assert echo.is_echo({**SNAPSHOT, **change}, SNAPSHOT) is expected


def test_a_value_changed_and_changed_back_is_an_echo_again() -> None:
    edited = {**SNAPSHOT, "name": "Dakwerken Linde"}
    back = {**edited, "name": SNAPSHOT["name"]}

    assert not echo.is_echo(SNAPSHOT, edited)
    assert echo.is_echo(SNAPSHOT, back)


def test_the_hash_is_sha256_over_sorted_json_without_blanks() -> None:
    # sha256sum of {"a":[1,true,null],"b":"\u00e9"}
    assert (
        echo.content_hash({"b": "é", "a": [1.0, True, None]})
        == "1a1651e84759d11c327ec5d126bc02f05a48483dbcdb5f0ac7b51407423868b8"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}], ids=["nan", "inf", "deep"])
def test_what_json_has_no_number_for_has_no_hash(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        echo.content_hash(value)


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {None: 1}}, {"a": b"x"}], ids=["number", "null", "bytes"])
def test_what_is_no_json_has_no_hash(value: Any) -> None:
    with pytest.raises(TypeError):
        echo.content_hash(value)


def test_a_lone_surrogate_has_a_hash() -> None:
    assert echo.content_hash({"name": "\ud800"}) != echo.content_hash({"name": "\ud801"})


@given(a=documents(nulls=True), b=documents(nulls=True))
@settings(deadline=None, max_examples=300)
def test_two_values_share_a_hash_exactly_when_they_are_equal(a: Any, b: Any) -> None:
    assert (echo.content_hash(a) == echo.content_hash(b)) is merge_patch.equal(a, b)


@given(value=documents(nulls=True))
@settings(deadline=None)
def test_a_value_read_back_from_its_text_is_the_same(value: Any) -> None:
    assert merge_patch.equal(json.loads(echo.canonical_json(value)), value)
