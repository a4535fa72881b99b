"""The settings that point at a sandbox, written as TOML and as environment variables, to be printed and pasted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

_ABOUT_SECRET = (
    "# webhook_secrets: the sandbox gives this secret to the first endpoint that is registered, so it is right",
    "# before there is one. Every further registration has a secret of its own, told in its answer.",
)


def as_toml(systems: Mapping[str, Mapping[str, Any]]) -> str:
    """One `[systems.<name>]` table for each system."""
    lines: list[str] = []
    for name, settings in systems.items():
        if lines:
            lines.append("")
        lines.append(f"[systems.{name}]")
        for key, value in settings.items():
            if key == "webhook_secrets":
                lines += _ABOUT_SECRET
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def as_environment(systems: Mapping[str, Mapping[str, Any]]) -> str:
    """One `CONTACTSYNC_SYSTEMS__<NAME>__<KEY>=…` a line, quoted for a shell; lists and tables are JSON."""
    lines = [
        f"CONTACTSYNC_SYSTEMS__{name.upper()}__{key.upper()}={shlex.quote(_text(value))}"
        for name, settings in systems.items()
        for key, value in settings.items()
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    match value:
        case Mapping():
            inner = ", ".join(f"{json.dumps(str(key))} = {_toml(entry)}" for key, entry in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() | tuple():
            return f"[{', '.join(_toml(entry) for entry in value)}]"
        case _:
            # TOML's basic strings, numbers and booleans are written as JSON's are (toml.io/en/v1.0.0).
            return json.dumps(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
