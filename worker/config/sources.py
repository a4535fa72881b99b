"""
Where settings come from: the file, the environment, and files that hold one secret each.

Everything is laid into one tree, the environment over the file. What cannot be read is a problem that is noted, not
raised, so that all of them reach the person at once. Nothing is checked here that the models check.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from worker.config.keys import CONFIG_VARIABLE, ENV_PREFIX, Key, Path_, known_keys, variable_you_mean
from worker.config.systems import flatten

FILE_NAME = "contactsync.toml"
TEST_PREFIX = "CONTACTSYNC_TEST_"
_FOR_US: Final = "readable for the user that runs contactsync (uid 10001 in containers)"


MAY_COME_LATER: Final = frozenset((("systems", "robaws", "webhook_secrets"),))
"""What is told only when the rest of the settings is used: a file that is missing or empty counts as not given."""


class Unreadable(Exception):
    """A value that cannot be had; the text is the second half of the problem."""


class NothingThere(Unreadable):
    """The file of a value is missing or empty."""


@dataclass
class Tree:
    """
    What was given, by key, not yet checked.

    `origins` says which variable gave a key; `broken` holds the keys that have a problem already; `complete` is false
    when the file could not be read, as then nothing can be said about what is missing. `secret_files` are the files
    that a secret was read from, each with the key of the first one; `files` are those that hold one key whole.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path_, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    broken: set[Path_] = field(default_factory=set)
    complete: bool = True
    secret_files: dict[Path, str] = field(default_factory=dict)
    files: dict[Path_, Path] = field(default_factory=dict)

    def note(self, path: Path_, sentence: str) -> None:
        """A problem with this key; what is wrong, a colon, the next step."""
        self.broken.add(path)
        self.problems.append(f"{self.label(path)} {sentence}")

    def label(self, path: Path_) -> str:
        """The key's name, with the variable that gave it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return f"{'.'.join(path)} ({self.origins[path[:length]]})"
        return ".".join(path)

    def put(self, path: Path_, value: Any) -> None:
        """Set a value, making the tables on the way."""
        table = self.values
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value

    def get(self, path: Path_) -> Any:
        """The value at a path, None where there is none."""
        value: Any = self.values
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def remove(self, path: Path_) -> bool:
        """Take a value out; whether there was one."""
        table = self.get(path[:-1]) if path else None
        return isinstance(table, dict) and table.pop(path[-1], self) is not self


def read(environ: Mapping[str, str], cwd: Path) -> Tree:
    """The file and the environment as one tree, with all that could not be read."""
    tree = Tree()
    _read_file(tree, environ, cwd)
    _read_environment(tree, environ, cwd)
    return tree


# -------------------------------------------------------------------------------------------------------- the file
def _read_file(tree: Tree, environ: Mapping[str, str], cwd: Path) -> None:
    named = environ.get(CONFIG_VARIABLE, "").strip()
    path = located(named or FILE_NAME, cwd)
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        if not named and isinstance(error, FileNotFoundError):
            return
        step = f"make the file, or correct {CONFIG_VARIABLE}" if named else "make it readable, or remove it"
        _file_problem(tree, f"{path} cannot be read ({error.strerror}): {step}")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        _file_problem(tree, f"{path} is not UTF-8 (line {line}): save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        _file_problem(tree, f"{path}, {_place(str(error), text)}")
    else:
        secret = next((key.name for key in known_keys().values() if key.secret and _given(table, key.path)), None)
        if secret is not None:
            tree.secret_files[path] = secret
        _lay(tree, table, (), path.parent, origin=None)


def _given(table: Mapping[str, Any], path: Path_) -> bool:
    """Whether a file sets this key to more than nothing."""
    value: Any = table
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return bool(value)


def _file_problem(tree: Tree, problem: str) -> None:
    tree.problems.append(problem)
    tree.complete = False


def _place(message: str, text: str) -> str:
    """
    A TOML error with its line and column in front.

    Python says "(at line 3, column 5)" or "(at end of document)" at the end of the sentence; the latter is counted.
    """
    what, _, where = message.rpartition(" (at ")
    # A key may be a token, in the older form of ops.tokens.
    what = re.sub(r"^(Duplicate inline table key) .*", r"\1", what)
    found = re.match(r"line (\d+), column (\d+)", where)
    if found:
        line, column = int(found[1]), int(found[2])
    else:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return f"line {line}, column {column}: {what or message}. Correct the line; a text needs quotes"


def _lay(tree: Tree, table: Mapping[str, Any], path: Path_, folder: Path, origin: str | None) -> None:
    """Lay a section of a file, or of JSON, into the tree, key by key; `folder` is what names of files start from."""
    keys = known_keys()
    for name, value in table.items():
        at = (*path, name)
        key, pointed = keys.get(at), keys.get((*path, name.removesuffix("_file")))
        if key is None and pointed is not None and pointed.shape != "section":
            if name.removesuffix("_file") in table:
                tree.note(pointed.path, f"is given twice, also as {name}: keep one of them")
            else:
                _lay_pointed(tree, pointed, value, folder, origin)
        elif key is not None and key.shape == "section":
            if isinstance(value, Mapping):
                _lay(tree, value, at, folder, origin)
            else:
                tree.note(at, f"is not a table: write [{key.name}] and its keys below it")
        else:
            _lay_value(tree, at, _prepared(tree, key, value, folder) if key else value, origin)


def _lay_value(tree: Tree, path: Path_, value: Any, origin: str | None) -> None:
    tree.put(path, value)
    tree.origins.pop(path, None)
    if origin is not None:
        tree.origins[path] = origin


def _lay_pointed(tree: Tree, key: Key, value: Any, folder: Path, origin: str | None) -> None:
    if origin is not None:
        tree.origins[key.path] = origin
    try:
        _lay_value(tree, key.path, _parsed(key, _whole(tree, key, value, folder), from_file=True), origin)
    except Unreadable as problem:
        tree.note(key.path, str(problem))


def _prepared(tree: Tree, key: Key, value: Any, folder: Path) -> Any:
    """A table of paths made flat, and the secret files inside a list of tables read; all else as it is."""
    if key.entries and key.entries.dotted and isinstance(value, Mapping):
        return dict(flatten(value))
    if key.items and isinstance(value, list):
        return [_item(tree, key, item, folder) if isinstance(item, Mapping) else item for item in value]
    return value


def _item(tree: Tree, key: Key, item: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    known = key.items.model_fields if key.items else {}
    read: dict[str, Any] = {}
    for name, value in item.items():
        pointed = name.removesuffix("_file")
        if name in known or pointed not in known or not isinstance(value, str):
            read[name] = value
            continue
        try:
            read[pointed] = _content(tree, key, value, folder)
        except Unreadable as problem:
            tree.note(key.path, f"{name} {problem}")
            read[pointed] = None
    return read


# ------------------------------------------------------------------------------------------------- the environment
@dataclass(frozen=True)
class _Variable:
    """An environment variable that means a key, or one entry of a table."""

    name: str
    key: Key
    entry: str | None
    is_file: bool
    text: str

    @property
    def rank(self) -> tuple[int, bool]:
        """Whole sections first, then keys, then single entries: the narrower one is laid over the wider."""
        return (len(self.key.path) if self.key.shape == "section" else 99, self.entry is not None)


def _read_environment(tree: Tree, environ: Mapping[str, str], cwd: Path) -> None:
    found: list[_Variable] = []
    taken: dict[tuple[Path_, str | None], str] = {}
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(ENV_PREFIX) or name == CONFIG_VARIABLE or upper.startswith(TEST_PREFIX):
            continue
        variable = _recognised(name, environ[name])
        if variable is None:
            near = variable_you_mean(upper)
            step = f"did you mean {near}?" if near else "take it out, or see docs/settings.md"
            tree.problems.append(f"{name} is not a known setting: {step}")
        elif variable.text.strip():  # an empty variable counts as not set: compose files write KEY=${KEY:-}
            first = taken.setdefault((variable.key.path, variable.entry), name)
            if first == name:
                found.append(variable)
            else:
                tree.note(variable.key.path, f"is given twice, as {first} and {name}: keep one of them")
    for variable in sorted(found, key=lambda variable: variable.rank):
        _lay_variable(tree, variable, cwd)


def given_by_variables(environ: Mapping[str, str]) -> frozenset[str]:
    """
    The names of the keys and sections whose values stand in the environment itself, and not in a file that it names.
    Another process may have another environment, and none sees a change of its own.
    """
    variables = (_recognised(name, text) for name, text in environ.items() if name.upper().startswith(ENV_PREFIX))
    return frozenset(one.key.name for one in variables if one is not None and not one.is_file and one.text.strip())


def _recognised(name: str, text: str) -> _Variable | None:
    parts = name.upper().removeprefix(ENV_PREFIX).lower().split("__")
    target = _target(parts)
    if target is not None:
        return _Variable(name, *target, is_file=False, text=text)
    parts[-1], suffix = parts[-1].removesuffix("_file"), parts[-1].endswith("_file")
    target = _target(parts) if suffix else None
    if target is None or target[0].shape == "section":
        return None
    return _Variable(name, *target, is_file=True, text=text)


def _target(parts: list[str]) -> tuple[Key, str | None] | None:
    keys = known_keys()
    for length in range(len(parts), 0, -1):
        key = keys.get(tuple(parts[:length]))
        if key is None:
            continue
        rest = parts[length:]
        if not rest:
            return key, None
        return (key, ".".join(rest)) if key.entries and (key.entries.dotted or len(rest) == 1) else None
    return None


def _lay_variable(tree: Tree, variable: _Variable, cwd: Path) -> None:
    key, path = variable.key, variable.key.path
    before = tree.get(path)
    tree.origins[path if variable.entry is None else (*path, variable.entry)] = variable.name
    try:
        text = _whole(tree, key, variable.text, cwd) if variable.is_file else variable.text
        if variable.entry is not None:
            tree.put(path, {**(before if isinstance(before, Mapping) else {}), variable.entry: text})
            return
        value = _parsed(key, text, from_file=variable.is_file)
    except Unreadable as problem:
        at = path if variable.entry is None else (*path, variable.entry)
        tree.note(at, str(problem))
        if key.shape == "section":
            del tree.origins[path]
        else:
            tree.remove(at)  # what the file says of it does not count
        return
    if key.shape == "section":
        del tree.origins[path]
        _lay(tree, value, path, cwd, variable.name)
    else:
        _lay_value(tree, path, _prepared(tree, key, value, cwd), variable.name)


# ---------------------------------------------------------------------------------------------------------- values
def located(name: str | Path, folder: Path) -> Path:
    """A path as a person writes it, `~` included, counted from a folder."""
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:  # `~nobody`, or a process without a home
        return folder / name


def _whole(tree: Tree, key: Key, name: Any, folder: Path) -> str:
    """What a file holds that is named for this key alone."""
    if isinstance(name, str):
        tree.files[key.path] = located(name, folder)
    try:
        return _content(tree, key, name, folder)
    except NothingThere:
        if key.path not in MAY_COME_LATER:
            raise
        return "[]"


def _content(tree: Tree, key: Key, name: Any, folder: Path) -> str:
    """What a file holds for this key, without the line end at its end."""
    if not isinstance(name, str):
        raise Unreadable("is not the name of a file: write it in quotes")
    path = located(name, folder)
    if key.secret:
        tree.secret_files.setdefault(path, key.name)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise NothingThere(f"cannot be read from {path} ({error.strerror}): create it, {_FOR_US}") from None
    except OSError as error:
        raise Unreadable(f"cannot be read from {path} ({error.strerror}): make it a file, {_FOR_US}") from None
    except UnicodeDecodeError:
        raise Unreadable(f"cannot be read from {path} (not UTF-8): save the file as UTF-8") from None
    except ValueError:
        raise Unreadable("is not the name of a file (it holds a NUL): correct the name") from None
    text = text.rstrip("\r\n")
    if not text:
        raise NothingThere(f"is empty in {path}: write the value into the file")
    return text


def _parsed(key: Key, text: str, *, from_file: bool) -> Any:
    """A text as the key's kind wants it: lists and tables are JSON; a list in a file may also be one entry a line."""
    if key.shape == "scalar":
        return text
    opening, example = ("[", _list_like(key)) if key.shape == "list" else ("{", '{"name": "value"}')
    if key.shape == "list" and key.items is None and from_file and not text.lstrip().startswith("["):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if not text.lstrip().startswith((opening, "{") if key.or_table else opening):
        raise Unreadable(f"is not a JSON {'list' if opening == '[' else 'object'}: write it like {example}")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f", line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"is not valid JSON{place}: write it like {example}") from None


def _list_like(key: Key) -> str:
    if key.items:
        return '[{"name": "first"}, {"name": "second"}]'
    return "[5, 30.5]" if key.numbers else '["first", "second"]'
