"""The page and the example say what the code does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import worker.config
from worker.config import Settings, describe
from worker.config.page import settings_page

if TYPE_CHECKING:
    from tests.config.loading import Given

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "contactsync.example.toml"
OPTIONAL_LISTS = ("webhook_secrets", "idempotency_headers")
PAGE = ROOT / "docs" / "settings.md"
# A line that would be a key if its # were taken away; prose has a blank there.
OPTIONAL = re.compile(r"^#(?=[a-z0-9_]+ = )", re.MULTILINE)


def leaves(table: Mapping[str, Any], known: set[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a file as `describe` names them, with their values."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and key not in known:
            yield from leaves(value, known, f"{key}.")
        else:
            yield key, value


def example_with_every_key() -> dict[str, Any]:
    table = tomllib.loads(OPTIONAL.sub("", EXAMPLE.read_text()))
    return dict(leaves(table, {row.key for row in describe()}))


def test_every_key_is_explained() -> None:
    assert [row.key for row in describe() if not row.meaning or not row.type] == []


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == settings_page(), "run: python -m worker.config.page > docs/settings.md"


@pytest.mark.parametrize("row", describe(), ids=lambda row: row.key)
def test_the_page_names_every_key(row: worker.config.SettingRow) -> None:
    names = {f"`{row.key}`", f"`{re.sub(r'^systems[.][a-z]+[.]', '', row.key)}`"}

    assert any(name in PAGE.read_text() for name in names)


def test_the_example_holds_every_key_and_no_other() -> None:
    assert set(example_with_every_key()) == {row.key for row in describe()}


def test_the_example_shows_the_defaults() -> None:
    shown = example_with_every_key()
    defaults = dict(leaves(Settings().model_dump(mode="json"), set(shown)))

    wrong = {key: shown[key] for key, default in defaults.items() if default is not None and shown[key] != default}

    assert wrong == {}


def test_the_example_loads_as_it_is(given: Given) -> None:
    given.file("contactsync.toml", EXAMPLE.read_bytes())

    settings = given.load()

    assert settings.model_copy(update={"home": Settings().home}) == Settings()


def test_the_example_loads_with_every_key_in_use(given: Given) -> None:
    given.toml(OPTIONAL.sub("", EXAMPLE.read_text()))

    settings = given.load()

    assert settings.database.url is not None
    assert settings.systems.recras.person_fallback_name == "Administratie"


def test_the_example_enabled_asks_for_all_that_is_empty(given: Given) -> None:
    given.toml(EXAMPLE.read_text().replace("enabled = false", "enabled = true"))

    missing = [problem.partition(" is missing")[0] for problem in given.problems()]

    empty = [key for key, value in example_with_every_key().items() if value in ("", [])]
    assert missing == [key for key in empty if key.startswith("systems.") and not key.endswith(OPTIONAL_LISTS)]


def test_the_problems_that_the_page_shows_are_what_is_said(given: Given) -> None:
    given.toml('[systems.recras]\napikey = "x"')
    given.environ["CONTACTSYNC_RECEIVER__PORT"] = "http"

    assert "\n".join(given.problems()) in PAGE.read_text()


def test_the_examples_in_docstrings_hold() -> None:
    names = [module.name for module in pkgutil.iter_modules(worker.config.__path__, "worker.config.")]

    results = [doctest.testmod(importlib.import_module(name)) for name in names]

    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
