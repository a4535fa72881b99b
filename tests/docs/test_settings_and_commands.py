"""Settings, commands and make targets that a page names are real."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from tests.docs.pages import ROOT, blocks, code_words, pages
from worker.cli.entry import GROUPS, build
from worker.config import SYSTEM_NAMES, describe
from worker.config.systems import SystemSettings

PAGES: Final = [str(page.relative_to(ROOT)) for page in pages()]
KEYS: Final = {row.key for row in describe()}
SECTIONS: Final = {key.partition(".")[0] for key in KEYS}
COMMAND: Final = re.compile(r"(?:^|[\s/`])contactsync +([a-z][^`|;&>)\n]*)", re.MULTILINE)
TASKS: Final = (ROOT / "worker" / "tasks.py").read_text()
LOGGED: Final = (ROOT / "webhooks" / "refusals.py").read_text()
SETTING: Final = re.compile(r"[a-z]+(?:\.[a-z_<>]+)+")


# ------------------------------------------------------------------------------------------------------------ settings
def known_setting(name: str) -> bool:
    """Whether a dotted name is a key, the beginning of keys, or an entry of a table."""
    if name.startswith("systems.<name>."):
        return name.removeprefix("systems.<name>.").partition(".")[0] in {"<key>", *SystemSettings.model_fields}
    return any(key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.") for key in KEYS)


def settings_in(text: str) -> Iterator[str]:
    """Words between backticks that look like a setting; modules, tasks and log lines look alike and are left out."""
    for word in code_words(text):
        if SETTING.fullmatch(word) and word.partition(".")[0] in SECTIONS:
            module = ROOT / word.replace(".", "/")
            if not module.is_dir() and not module.with_suffix(".py").is_file() and f'"{word}"' not in TASKS + LOGGED:
                yield word


def keys_of(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys of a settings file; a secret's `_file` stands for the secret."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and not known_setting(key.removesuffix("_file")):
            yield key
        elif isinstance(value, dict) and key not in KEYS:
            yield from keys_of(value, f"{key}.")
        else:
            yield key if key in KEYS or not key.endswith("_file") else key.removesuffix("_file")


@pytest.mark.parametrize("name", PAGES)
def test_the_settings_that_a_page_names_exist(name: str) -> None:
    text = (ROOT / name).read_text()

    assert [word for word in settings_in(text) if not known_setting(word)] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_settings_files_that_a_page_shows_are_right(name: str) -> None:
    text = (ROOT / name).read_text()
    shown = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]
    for table in shown:
        table.pop("conformance", None)  # of a test tenant's file, which is settings but for this

    assert [key for table in shown for key in keys_of(table) if not known_setting(key)] == []


def test_a_setting_that_is_not_there_would_be_found() -> None:
    assert list(settings_in("`retry.ladder_secs` `worker.core` `systems.recras.apikey`")) == [
        "retry.ladder_secs",
        "systems.recras.apikey",
    ]
    assert not known_setting("retry.ladder_secs")
    assert not known_setting("systems.<name>.apikey")
    assert known_setting("systems.<name>.burst")
    assert list(keys_of(tomllib.loads("[systems.recras]\napi_key_file = 'x'\nwrong = 1"))) == [
        "systems.recras.api_key",
        "systems.recras.wrong",
    ]


# ------------------------------------------------------------------------------------------------------------ commands
def commands_in(text: str) -> Iterator[list[str]]:
    """Each call of the command, in blocks of code and between backticks, as its words."""
    for shown in (*blocks(text), *(f"`{word}`" for word in code_words(text))):
        for found in COMMAND.findall(shown):
            words = found.split("#")[0].split()
            if words != ["conformance"]:  # the name of the records that the conformance suite makes
                yield words


def wrong_in(words: list[str]) -> str | None:
    """What is wrong with a call: a command, a subcommand or an option that does not exist; None where nothing is."""
    if words[0] not in GROUPS:
        return f"there is no command {words[0]}"
    command: Any = typer.main.get_command(build(words[0]))
    depth = 0
    while (inner := getattr(command, "commands", None)) is not None:
        if depth == len(words) or not re.fullmatch(r"[a-z][a-z-]*", words[depth]):
            break
        if words[depth] not in inner:
            return f"there is no {' '.join(words[: depth + 1])}"
        command, depth = inner[words[depth]], depth + 1
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help"}
    wrong = [word for word in words[depth:] if word.startswith("--") and word.partition("=")[0] not in options]
    return f"{' '.join(words[:depth])} has no {wrong[0]}" if wrong else None


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_that_a_page_names_exist(name: str) -> None:
    text = (ROOT / name).read_text()

    assert [wrong for words in commands_in(text) if (wrong := wrong_in(words)) is not None] == []


def test_a_command_that_is_not_there_would_be_found() -> None:
    text = "`contactsync nothing` `contactsync worker --all` and\n```\n.venv/bin/contactsync up --logs\n```\n"

    assert [wrong_in(words) for words in commands_in(text)] == [
        None,
        "there is no command nothing",
        "worker has no --all",
    ]


# -------------------------------------------------------------------------------------------------------------- README
def test_the_make_targets_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for page in pages()
        for shown in (*blocks(page.read_text()), *code_words(page.read_text()))
        for target in re.findall(r"(?:^|[`\n])make ([a-z]+)", shown)
    }

    assert {"demo", "test", "setup"} <= named
    assert named - targets == set()


def test_files_that_pages_name_exist() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    named = {
        word
        for page in pages()
        for word in code_words(page.read_text())
        if re.fullmatch(
            r"(?:tests|docs|worker|webhooks|models|tools|deploy|alembic)/[\w./-]+\.(?:py|md|toml|yml)", word
        )
        and "acme" not in word  # the sixth system of the walkthrough
    }

    assert named - set(tracked) == set()


def test_each_system_has_its_pages() -> None:
    for system in SYSTEM_NAMES:
        assert Path(ROOT / "docs" / "vendors" / f"{system}.md").is_file()
