"""Reads docker-compose.yml for the tests: anchors and merges resolved, variables at their defaults."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OURS = {"migrate", "receiver", "worker", "scheduler", "sandbox"}
SERVERS = {"postgres", "redis"}
ONE_SHOT = {"migrate"}


def load(name: str = "docker-compose.yml") -> dict[str, Any]:
    """The file as compose sees it when no variable is set."""
    text = re.sub(r"(?<!\$)\$\{\w+:-([^}]*)\}", r"\1", (ROOT / name).read_text()).replace("$$", "$")
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load()["services"]
    return found


def flags(command: list[str]) -> Mapping[str, str]:
    """`--name value` pairs of a command."""
    return {name: value for name, value in itertools.pairwise(command) if name.startswith("--")}
