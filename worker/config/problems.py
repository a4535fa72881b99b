"""What pydantic refuses, said to a person: the key, what is wrong with its value, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from worker.config.keys import Key, did_you_mean, keys_in, longest_known
from worker.config.sources import Tree

SHOWN_LENGTH = 60
SHORTEST_TOKEN = 8
"""Of any release, in characters."""

_KINDS: Mapping[str, str] = {
    "int": "is {value}, not a whole number: write digits only",
    "float": "is {value}, not a number: write digits, a fraction with a point",
    "finite_number": "is {value}, not a number: write digits, a fraction with a point",
    "bool": "is {value}, neither true nor false: write one of them",
    "string_type": "is {value}, not a text: put it in quotes",
    "path_type": "is {value}, not a path: put it in quotes",
    "datetime": "is {value}, not a day: write it like 2027-06-30",
    "tuple_type": "is {value}, not a list: write it in brackets, with commas",
    "dict_type": "is {value}, not a table: write names with values",
    "model": "is {value}, not a table: write names with values",
    "missing": "is missing: add it",
    "too_short": "is empty: give at least one entry",
    "string_too_short": "is empty: give it a text",
    "string_too_long": "is too long: write at most {max_length} characters",
    "greater_than_equal": "is {value}, too small: set {ge:g} or more",
    "greater_than": "is {value}, too small: set more than {gt:g}",
    "less_than_equal": "is {value}, too large: set {le:g} or less",
    "less_than": "is {value}, too large: set less than {lt:g}",
    "literal_error": "is {value}, which is none of the choices: write {expected}",
}


def path_of(error: ErrorDetails) -> tuple[str, ...]:
    """The key that an error is about: of a list or a table, the whole of it."""
    key = longest_known(error["loc"])
    if error["type"] == "extra_forbidden" and (key is None or key.shape == "section"):
        return tuple(str(part) for part in error["loc"])
    return key.path if key else tuple(str(part) for part in error["loc"])


def explain(error: ValidationError, tree: Tree) -> list[str]:
    """One problem for each key, entry or item that was refused, in the order of the models."""
    details = error.errors(include_url=False)
    # Of a list whose entries are refused, pydantic also says that too few are left.
    problems = [_problem(detail, tree) for detail in details if detail["type"] != "too_short" or not detail["input"]]
    return list(dict.fromkeys(problems))  # a union refuses one value once for each of its kinds


def _problem(error: ErrorDetails, tree: Tree) -> str:
    key = longest_known(error["loc"])
    if error["type"] == "extra_forbidden" and (key is None or key.shape == "section"):
        name = ".".join(str(part) for part in error["loc"])
        near = did_you_mean(name)
        below = ", ".join(keys_in(key.path if key else ()))
        step = f"did you mean {near}?" if near else f"take it out; the keys of {_where(key)} are {below}"
        return f"{tree.label(path_of(error))} is not a known key: {step}"
    if key is None:
        return f"the settings are refused ({error['msg']}): see docs/settings.md"
    return f"{_label(key, error, tree)} {_sentence(key, error)}"


def _where(section: Key | None) -> str:
    return f"[{section.name}]" if section else "the settings"


def _label(key: Key, error: ErrorDetails, tree: Tree) -> str:
    rest = error["loc"][len(key.path) :]
    if not rest or (key.shape == "table" and key.secret):
        return tree.label(key.path)  # the names of this table are the secrets themselves
    if key.shape == "table":
        return tree.label((*key.path, str(rest[0])))
    if isinstance(rest[0], int):
        member = f", {rest[1]}" if len(rest) > 1 and key.items else ""
        return f"{tree.label(key.path)}, entry {rest[0] + 1}{member},"
    return tree.label(key.path)


def _sentence(key: Key, error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return "is not known there: take it out"
    if kind == "literal_error" and error["loc"][-1] == "[key]":
        return f"is not known there: write {_choices(context['expected'])}"
    pattern = _KINDS.get(kind) or _KINDS.get(kind.partition("_")[0])
    if pattern is None:
        return f"is refused ({error['msg']}): see docs/settings.md"
    expected = _choices(str(context.get("expected", "")))
    if key.secret and kind == "literal_error" and not _may_be_shown(error["input"]):
        return f"is none of the choices: write {expected}"
    hidden = key.secret and kind != "literal_error"
    shown = "a value of the wrong kind" if hidden else _shown(error["input"])
    return pattern.format(value=shown, **{**context, "expected": expected})


def _may_be_shown(value: Any) -> bool:
    """A word in the place of a choice; what is longer may be the secret beside it, in the wrong place."""
    return isinstance(value, str) and len(value) < SHORTEST_TOKEN


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value) if isinstance(value, int | float) else f'"{value}"'
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def _choices(expected: str) -> str:
    return expected.replace("'", '"')
