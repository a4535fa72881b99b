"""
Every I/O boundary of receive, nudge, fetch, deliver, resolve, sweep and write-back, read from the code.

Nothing here is a list that somebody keeps: a new transaction, a new request of a vendor's client, a new nudge or a new
named hook is a new point, and a point without a story fails the build.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FLOWS: Final = ROOT / "worker" / "flows"
VENDORS: Final = ROOT / "worker" / "vendors"
RECEIVER: Final = ROOT / "webhooks"
SYSTEMS: Final = ("robaws", "rompslomp", "recras", "workspace")
NUDGES: Final = ("intake", "fetch", "deliver", "announce")

CALLED_BY_COMMANDS: Final = ("checking.py",)
"""Flows that serve a command and change nothing: a crash there leaves nothing behind."""


@dataclass(frozen=True, order=True)
class Point:
    """One boundary: its name as the hook hears it, and where in the code it stands."""

    name: str
    where: str


def all_points() -> list[Point]:
    """Every point, by name."""
    found = [*_commits(), *_hooks(), *_requests(), *_nudges(), *_receiver()]
    return sorted({point.name: point for point in found}.values())


def _sources(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.glob("*.py")):
        if path.name not in CALLED_BY_COMMANDS:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def _called(node: ast.Call) -> str:
    """The last part of what is called."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _commits() -> Iterator[Point]:
    for path, tree in _sources(FLOWS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in ("transaction", "statement"):
                name = _text(node.args[0])
                assert name is not None, f"{path}:{node.lineno}: a transaction needs a name that can be read here"
                for side in ("before_commit", "after_commit"):
                    yield Point(f"{name}.{side}", f"{path}:{node.lineno}")


def _hooks() -> Iterator[Point]:
    for path, tree in _sources(FLOWS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "hook":
                name = _text(node.args[0])
                assert name is not None, f"{path}:{node.lineno}: a hook needs a name that can be read here"
                yield Point(name, f"{path}:{node.lineno}")


# ------------------------------------------------------------------------------------------------ requests to vendors
def _requests() -> Iterator[Point]:
    """The operations of each vendor's client that the flows can come to, through whichever helpers."""
    of_source, of_targets = _client_methods()
    for system in SYSTEMS:
        functions = _functions(VENDORS / system)
        reached = _closure(of_source if system == "robaws" else of_targets, functions)
        places = _operation_places(functions)
        for name in sorted(reached):
            for path, function in functions[name]:
                for operation, line in _operations(function, places):
                    for side in ("before_send", "after_answer"):
                        yield Point(f"{system}.{operation}.{side}", f"{path}:{line}")


def _client_methods() -> tuple[set[str], set[str]]:
    """
    What flows call on the source's client and on a target's: `runtime.client(SOURCE).fetch(…)`, and
    `delivery.client.create(…)`, which in the write-back is the source's again.
    """
    of_source: set[str] = set()
    of_targets: set[str] = set()
    for path, tree in _sources(FLOWS):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            if isinstance(owner, ast.Call) and _called(owner) == "client":
                of_source.add(node.func.attr)
            elif isinstance(owner, ast.Attribute) and owner.attr == "client":
                (of_source if path.endswith("writing_back.py") else of_targets).add(node.func.attr)
    return of_source, of_targets


Functions = dict[str, list[tuple[str, ast.FunctionDef]]]


def _functions(folder: Path) -> Functions:
    """The functions and methods of a vendor's folder by name, the simulator's left out."""
    found: Functions = {}
    for path, tree in _sources(folder):
        if "simulator" in path:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append((path, node))
    return found


def _closure(wanted: set[str], functions: Functions) -> set[str]:
    """All functions that these call, and those that they call, by name."""
    reached: set[str] = set()
    left = [name for name in wanted if name in functions]
    while left:
        name = left.pop()
        if name in reached:
            continue
        reached.add(name)
        for _, function in functions[name]:
            mentioned = {
                node.attr if isinstance(node, ast.Attribute) else node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute | ast.Name)
            }
            left += [other for other in mentioned if other in functions]
    return reached


def _operation_places(functions: Functions) -> dict[str, int]:
    """Where each function takes the operation of the request that it makes; `Request` takes it first."""
    places = {"Request": 0}
    for name, versions in functions.items():
        for _, function in versions:
            names = [argument.arg for argument in function.args.args if argument.arg != "self"]
            if "operation" in names:
                places[name] = names.index("operation")
    return places


def _operations(function: ast.FunctionDef, places: dict[str, int]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or _called(node) not in places:
            continue
        place = places[_called(node)]
        given = [word.value for word in node.keywords if word.arg == "operation"]
        given += [node.args[place]] if len(node.args) > place else []
        for argument in given:
            operation = _text(argument)
            if operation is not None:
                yield operation, node.lineno


# ------------------------------------------------------------------------------------------------------------- nudges
def _nudges() -> Iterator[Point]:
    """Each place that announces something to the broker, before and after."""
    for path, tree in [*_sources(FLOWS), (str(Path("webhooks/nudge.py")), _parsed(RECEIVER / "nudge.py"))]:
        module = path.removesuffix(".py").replace("/", ".")
        for qualified, node in _calls_in(tree, ()):
            if _called(node) in NUDGES and _announces(node):
                for side in ("before", "after"):
                    yield Point(f"{module}:{qualified}:{_called(node)}.{side}", f"{path}:{node.lineno}")


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _announces(node: ast.Call) -> bool:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id == "announce"
    assert isinstance(function, ast.Attribute)
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name == "publisher" or function.attr == "announce"


def _calls_in(node: ast.AST, inside: tuple[str, ...]) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the qualified name of the function that it stands in; lambdas are somebody else's call."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _calls_in(child, (*inside, child.name))
            continue
        if isinstance(child, ast.Call):
            yield ".".join(inside), child
        yield from _calls_in(child, inside)


# ----------------------------------------------------------------------------------------------------------- receiver
def _receiver() -> Iterator[Point]:
    """The receiver's commits: what is written goes through `_guarded`, which names it."""
    path = RECEIVER / "group_commit.py"
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Call) and _called(node) == "_guarded":
            name = _text(node.args[0])
            assert name is not None, f"{path.name}:{node.lineno}: a commit needs a name that can be read here"
            for side in ("before_commit", "after_commit"):
                yield Point(f"{name}.{side}", f"webhooks/group_commit.py:{node.lineno}")
