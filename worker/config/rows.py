"""Every key with its kind, its default and its meaning, taken from the models: what docs/settings.md is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretStr

from worker.config.keys import Key, bare, known_keys

NONE = "–"


class SettingRow(NamedTuple):
    """One key as the documentation shows it; `default` is written as in TOML, `–` where there is none."""

    key: str
    type: str
    default: str
    meaning: str


def describe() -> list[SettingRow]:
    """All keys, in the order of the models."""
    return [
        SettingRow(
            key=key.name,
            type=_type(key),
            default=_toml(key.field.get_default(call_default_factory=True)),
            meaning=key.field.description or "",
        )
        for key in known_keys().values()
        if key.shape != "section"
    ]


def _type(key: Key) -> str:
    kind = bare(key.field.annotation)
    words = _words(kind)
    if key.path[-1].endswith("_seconds"):
        return words.replace("number", "seconds")
    if key.secret and kind is str:
        return "secret"
    if get_origin(kind) is Literal and kind is not key.field.annotation:
        return f"{words}, `none`"
    return words


_PLAIN: Mapping[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret",
}


def _words(kind: Any) -> str:
    kind = bare(kind)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return f"list of {_words(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return "table"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "tables"
    return _PLAIN[kind]


def _toml(value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
