"""RFC 7396: its appendix A as a table, and what must hold for any two documents."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.core.json_values import documents, objects
from worker.core import merge_patch

# https://www.rfc-editor.org/rfc/rfc7396#appendix-A: original, patch, result
APPENDIX_A = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]

# The example of section 3, with its arrays.
SECTION_3_ORIGINAL = """{"title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"},
    "tags": ["example", "sample"], "content": "This will be unchanged"}"""
SECTION_3_PATCH = """{"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": null},
    "tags": ["example"]}"""
SECTION_3_RESULT = """{"title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"],
    "content": "This will be unchanged", "phoneNumber": "+01-123-456-7890"}"""


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [*APPENDIX_A, (SECTION_3_ORIGINAL, SECTION_3_PATCH, SECTION_3_RESULT)],
    ids=[*(f"appendix A {number}" for number in range(1, 16)), "section 3"],
)
def test_a_patch_does_what_the_rfc_says(original: str, patch: str, result: str) -> None:
    assert merge_patch.apply(json.loads(patch), json.loads(original)) == json.loads(result)


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="nothing"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="a value changed"),
        pytest.param({"a": 1}, {"a": 1, "b": 2}, {"b": 2}, id="a member more"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"b": None}, id="a member less"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}, id="deep inside"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, {"a": [1]}, id="an array is replaced whole"),
        pytest.param({"a": True}, {"a": 1}, {"a": 1}, id="true is not one"),
        pytest.param({"a": 0}, {"a": False}, {"a": False}, id="zero is not false"),
        pytest.param({"a": 1}, {"a": 1.0}, {}, id="one number, two spellings"),
        pytest.param({"a": "1"}, {"a": 1}, {"a": 1}, id="text is not a number"),
        pytest.param({"a": ""}, {"a": None}, {"a": None}, id="null removes"),
        pytest.param({"a": None}, {"a": None}, {}, id="null stays null"),
        pytest.param({}, {"a": None}, {}, id="null that was never there"),
        pytest.param({"a": None}, {"a": {}}, {"a": {}}, id="null becomes an empty object"),
        pytest.param({"a": 1}, {"a": {"b": None}}, {"a": {}}, id="a null inside a new object"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}, id="an object emptied"),
        pytest.param([1], {"a": 1}, {"a": 1}, id="an array becomes an object"),
        pytest.param({"a": 1}, [1], [1], id="an object becomes an array"),
        pytest.param([1], [1], [1], id="what is no object is sent whole"),
    ],
)
def test_the_patch_between_two_documents(before: Any, after: Any, patch: Any) -> None:
    assert merge_patch.equal(merge_patch.diff(before, after), patch)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        pytest.param(True, 1, False, id="true and one"),
        pytest.param([False], [0], False, id="false and zero in an array"),
        pytest.param({"a": {"b": True}}, {"a": {"b": 1}}, False, id="true and one deep inside"),
        pytest.param(1, 1.0, True, id="one and one point nought"),
        pytest.param(2**53 + 1, float(2**53), False, id="a number beyond what a float can hold"),
        pytest.param("1", 1, False, id="text and number"),
        pytest.param(None, "", False, id="null and empty text"),
        pytest.param({"a": None}, {}, False, id="null and absent"),
        pytest.param({"a": 1}, {"b": 1}, False, id="another name"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, id="order of members"),
        pytest.param([1, 2], [2, 1], False, id="order of an array"),
        pytest.param([1], (1,), True, id="a tuple is an array"),
        pytest.param([], {}, False, id="empty array and empty object"),
        pytest.param([], "", False, id="empty array and empty text"),
        pytest.param(["a"], "a", False, id="an array of one and its item"),
    ],
)
def test_equality_is_that_of_json(a: Any, b: Any, same: bool) -> None:
    assert merge_patch.equal(a, b) is same
    assert merge_patch.equal(b, a) is same


@pytest.mark.parametrize(
    ("patch", "touched"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"a": 1, "b": None}, ["a", "b"], id="set and removed"),
        pytest.param({"a": {"b": {"c": 1}, "d": [1]}}, ["a.b.c", "a.d"], id="nested"),
        pytest.param({"a": {}}, ["a"], id="an empty object counts itself"),
        pytest.param("whole", [""], id="the whole document"),
    ],
)
def test_the_paths_that_a_patch_touches(patch: Any, touched: list[str]) -> None:
    assert merge_patch.paths(patch) == touched


@given(before=documents(nulls=True), after=documents(nulls=False))
@settings(deadline=None)
def test_the_difference_laid_over_gives_the_other(before: Any, after: Any) -> None:
    assert merge_patch.equal(merge_patch.apply(merge_patch.diff(before, after), before), after)


@given(before=objects(nulls=False), after=objects(nulls=True))
@settings(deadline=None)
def test_a_null_in_the_other_ends_as_not_there(before: dict[str, Any], after: dict[str, Any]) -> None:
    result = merge_patch.apply(merge_patch.diff(before, after), before)

    assert merge_patch.equal(result, merge_patch.without_nulls(after))


@given(record=objects(nulls=True))
@settings(deadline=None)
def test_a_record_does_not_differ_from_itself(record: dict[str, Any]) -> None:
    assert merge_patch.diff(record, copy.deepcopy(record)) == {}


@given(patch=documents(nulls=True), target=documents(nulls=True))
@settings(deadline=None)
def test_a_patch_laid_over_twice_changes_nothing_more(patch: Any, target: Any) -> None:
    once = merge_patch.apply(patch, target)

    assert merge_patch.equal(merge_patch.apply(patch, once), once)


@given(before=objects(nulls=True), after=objects(nulls=True))
@settings(deadline=None)
def test_the_arguments_stay_as_they_were(before: dict[str, Any], after: dict[str, Any]) -> None:
    before_text, after_text = json.dumps(before), json.dumps(after)

    patch = merge_patch.diff(before, after)
    patch_text = json.dumps(patch)
    _spoil(merge_patch.apply(patch, before))
    assert json.dumps(patch) == patch_text
    _spoil(patch)

    assert (json.dumps(before), json.dumps(after)) == (before_text, after_text)


@given(before=objects(nulls=True), after=objects(nulls=False))
@settings(deadline=None)
def test_no_part_of_a_difference_could_be_left_out(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = merge_patch.diff(before, after)

    for smaller in _each_without_one_leaf(patch):
        assert not merge_patch.equal(merge_patch.apply(smaller, before), after)


def _spoil(value: Any) -> None:
    """Change every object and array inside, so that anything shared with another document shows there."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            _spoil(inner)
        value["spoilt"] = True
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoilt")


def _each_without_one_leaf(patch: dict[str, Any]) -> list[dict[str, Any]]:
    smaller: list[dict[str, Any]] = []
    for name, value in patch.items():
        rest = {other: patch[other] for other in patch if other != name}
        smaller.append(rest)
        if isinstance(value, dict):
            smaller.extend({**rest, name: inner} for inner in _each_without_one_leaf(value))
    return smaller
