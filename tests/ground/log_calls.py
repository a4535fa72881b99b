"""Every call of a logger in the product, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
ERRORS = {"error", "lost", "failure", "refusal", "problem"}
"""What errors are called in this code."""


@dataclass(frozen=True)
class LogCall:
    """One call, and where it stands."""

    place: str
    node: ast.Call

    @override
    def __str__(self) -> str:
        """With the place, for whoever has to put it right."""
        return f"{self.place}: {ast.unparse(self.node)}"

    def quotes(self) -> bool:
        """Whether a value is an error's own text, or the message of something."""
        values = [*self.node.args, *(keyword.value for keyword in self.node.keywords)]
        return any(_is_sentence(part) for value in values for part in ast.walk(value))


def log_calls(source: str | None = None) -> Iterator[LogCall]:
    """The calls of `log.warning(…)` and the like in a text, or in the whole product."""
    if source is not None:
        yield from _calls("text", source)
        return
    for package in ("worker", "webhooks"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _calls(str(path.relative_to(ROOT)), path.read_text("utf-8"))


def _calls(name: str, source: str) -> Iterator[LogCall]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            yield LogCall(f"{name}:{node.lineno}", node)


def _is_sentence(part: ast.AST) -> bool:
    if isinstance(part, ast.Attribute) and part.attr == "message":
        return not (isinstance(part.value, ast.Name) and part.value.id == "rest")  # why a client rests: no values in it
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in ("str", "repr"):
        return any(isinstance(one, ast.Name) and one.id in ERRORS for one in part.args)
    return isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.value.id in ERRORS
