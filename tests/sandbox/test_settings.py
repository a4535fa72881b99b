"""The settings that the sandbox prints: they can be pasted, and the product takes them."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from worker.config.load import load_settings
from worker.sandbox.settings import as_environment, as_toml
from worker.sandbox.world import World


@pytest.fixture
def systems() -> dict[str, dict[str, Any]]:
    world = World()
    world.url = "http://127.0.0.1:9000"
    return world.settings()


def test_the_toml_says_what_the_simulators_say(systems: dict[str, dict[str, Any]]) -> None:
    assert tomllib.loads(as_toml(systems)) == {"systems": systems}


def test_toml_holds_quotes_and_tables() -> None:
    odd = {"workspace": {"token": 'a"b\\c', "on_missing": {"email": "review"}, "rate_per_second": 1.5, "empty": {}}}

    assert tomllib.loads(as_toml(odd)) == {"systems": odd}


def test_the_product_starts_with_the_toml(systems: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "contactsync.toml").write_text(as_toml(systems))

    settings = load_settings({}, tmp_path)

    for name, given in systems.items():
        system = getattr(settings.systems, name)
        assert (system.enabled, system.base_url) == (True, given["base_url"])


def test_the_product_starts_with_the_environment(systems: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    lines = as_environment(systems).splitlines()
    environment = dict(word.split("=", 1) for line in lines for word in shlex.split(line))

    settings = load_settings(environment, tmp_path)

    (secret,) = settings.systems.robaws.webhook_secrets
    assert [secret.get_secret_value()] == systems["robaws"]["webhook_secrets"]
    assert list(settings.systems.routix.branches) == systems["routix"]["branches"]
    assert settings.systems.rompslomp.company_id == systems["rompslomp"]["company_id"]
