"""
JSON Merge Patch (RFC 7396): the least patch between two documents, laying one over, and strict JSON equality.

Absent means leave alone, null means remove, an object merges, anything else (arrays too) replaces whole. Who may
change a field and what counts as the same text is decided elsewhere (`planning`, `normalise`).

Source: https://www.rfc-editor.org/rfc/rfc7396
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, overload

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"
"""What `json.loads` gives, read-only; a tuple counts as an array."""

_ARRAY = (list, tuple)


def equal(a: JSON, b: JSON) -> bool:
    """
    Tell whether two JSON values are the same.

    Python's `==` takes True for 1, which would hide a change between them. JSON has one kind of number (RFC 8259
    section 6), so 1 and 1.0 are equal. The order of an object's members does not count. A null is not an absent member.

    >>> equal(True, 1), equal(1, 1.0), equal({"a": None}, {})
    (False, True, False)
    """
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        if not (isinstance(a, Mapping) and isinstance(b, Mapping) and len(a) == len(b)):
            return False
        return all(name in b and equal(value, b[name]) for name, value in a.items())
    if isinstance(a, _ARRAY) or isinstance(b, _ARRAY):
        if not (isinstance(a, _ARRAY) and isinstance(b, _ARRAY) and len(a) == len(b)):
            return False
        return all(equal(one, other) for one, other in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


@overload
def diff(before: JSON, after: Mapping[str, JSON]) -> dict[str, Any]: ...
@overload
def diff(before: JSON, after: JSON) -> Any: ...
def diff(before: JSON, after: JSON) -> Any:
    """
    The least merge patch that turns `before` into `after`; `{}` when they are equal objects.

    A merge patch cannot set a member to null: a null in `after` is taken as "not there" and removes the member. Only
    an object can be changed in part; where `after` is none, the patch is `after` itself, also when nothing changed.
    The patch shares no object or array with the arguments.

    >>> diff({"city": "Gent", "gsm": "1", "tel": "2"}, {"city": "Genk", "tel": "2"})
    {'city': 'Genk', 'gsm': None}
    """
    if not isinstance(after, Mapping) or not isinstance(before, Mapping):
        return without_nulls(after)
    patch: dict[str, Any] = {}
    for name, value in after.items():
        old = before.get(name)
        if value is None:
            if old is not None:
                patch[name] = None
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            if inner := diff(old, value):
                patch[name] = inner
        elif not equal(old, value):
            patch[name] = without_nulls(value)
    patch.update((name, None) for name in before if name not in after)
    return patch


@overload
def apply(patch: Mapping[str, JSON], target: JSON) -> dict[str, Any]: ...
@overload
def apply(patch: JSON, target: JSON) -> Any: ...
def apply(patch: JSON, target: JSON) -> Any:
    """
    What `target` becomes under `patch` (RFC 7396 section 2). Neither argument is changed or shared with the result.

    >>> apply({"address": {"city": "Gent"}, "gsm": None}, {"address": {"city": "Genk", "country": "BE"}, "gsm": "1"})
    {'address': {'country': 'BE', 'city': 'Gent'}}
    """
    if not isinstance(patch, Mapping):
        return _copy(patch)
    old: Mapping[str, JSON] = target if isinstance(target, Mapping) else {}
    result: dict[str, Any] = {name: _copy(value) for name, value in old.items() if name not in patch}
    for name, value in patch.items():
        if value is not None:
            result[name] = apply(value, old.get(name))
    return result


def paths(patch: JSON) -> list[str]:
    """
    The dotted paths that a patch touches, in its own order; `[""]` for a patch that replaces the whole document.

    A point inside a member's name is not escaped: meant for canonical paths, whose names have none, and for people.

    >>> paths({"name": "Ada", "address": {"city": None, "country": "BE"}})
    ['name', 'address.city', 'address.country']
    """
    if not isinstance(patch, Mapping):
        return [""]
    return list(_paths(patch, ""))


def without_nulls(value: JSON) -> Any:
    """
    A copy in which no object has a null member: the nearest document that a merge patch can express.

    Arrays are replaced whole, so what they hold is kept as it is, nulls included (RFC 7396 section 1).

    >>> without_nulls({"a": None, "b": {"c": None}, "d": [None, {"e": None}]})
    {'b': {}, 'd': [None, {'e': None}]}
    """
    if isinstance(value, Mapping):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return _copy(value)


def _paths(patch: Mapping[str, JSON], prefix: str) -> Iterator[str]:
    for name, value in patch.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _copy(value: JSON) -> Any:
    """Deep for objects and arrays. Far cheaper than `copy.deepcopy`, which also looks for shared parts."""
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    if isinstance(value, _ARRAY):
        return [_copy(inner) for inner in value]
    return value
