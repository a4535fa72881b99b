"""The reason words that the code can produce, read out of its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

WORD: Final = re.compile(r"[a-z][a-z_]{2,40}")

PLACES: Final = {"Held": 1, "Verdict": 2, "Question": 2, "Review": 0, "Outcome": 4, "error": 2, "_error": 4, "skip": 2}
"""Calls that take a reason by position."""

NAMES: Final = ("reason", "word", "TOKEN_ADDRESS")
"""Variables and keywords that hold one."""


def reasons_in(root: Path) -> dict[str, str]:
    """Each word with one place where it stands; simulators, which speak for the vendors, aside."""
    found: dict[str, str] = {}
    for folder in ("worker", "webhooks"):
        for path in sorted((root / folder).rglob("*.py")):
            if "simulator" in path.name or path.name == "simulation.py" or "sandbox" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                for word in _words(node):
                    found.setdefault(word, f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}")
    return found


def _words(node: ast.AST) -> Iterator[str]:
    for value in _values(node):
        for constant in _constants(value):
            if isinstance(constant, str) and WORD.fullmatch(constant):
                yield constant


def _values(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        yield from _assigned(node)
    elif isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg in NAMES)
        place = PLACES.get(_name(node.func))
        if place is not None and len(node.args) > place:
            yield node.args[place]
    elif isinstance(node, ast.FunctionDef) and "why" in node.name:
        yield from (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value)


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.expr]:
    if node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if _name(target) in NAMES:
            yield node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for one, value in zip(target.elts, node.value.elts, strict=False):
                if _name(one) in NAMES:
                    yield value


def _constants(value: ast.expr) -> Iterator[Any]:
    if isinstance(value, ast.Constant):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _constants(value.body)
        yield from _constants(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _constants(part)


def _name(node: ast.expr) -> str:
    """The last part of a name."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
