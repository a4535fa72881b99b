"""`contactsync tokens new`: a token that is shown once, and the line that lets it in."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from worker.config import load_settings
from worker.config.access import token_digest
from worker.core.entropy import estimated_bits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.command import Command


def test_the_line_lets_the_token_in_and_holds_nothing_of_it(contactsync: Command, folder: Path) -> None:
    ran = contactsync("tokens", "new", 'An "A" Peeters', "--role", "operator", "--expires", "2999-06-30")
    [token] = re.findall(r"^  (cs_\S+)$", ran.out, re.MULTILINE)
    [line] = re.findall(r"^  (\{.*\},)$", ran.out, re.MULTILINE)
    (folder / "contactsync.toml").write_text(f"[ops]\ntokens = [\n{line}\n]\n")

    [entry] = load_settings().ops.tokens

    assert (ran.status, entry.name, entry.role, entry.digest) == (
        0,
        'An "A" Peeters',
        "operator",
        token_digest(token),
    )
    assert str(entry.expires) == "2999-06-30 23:59:59.999999+00:00"
    assert estimated_bits(token) > 170
    assert token not in line
    assert list(folder.iterdir()) == [folder / "contactsync.toml"], "it is written nowhere"


def test_what_is_shown_can_be_put_into_the_settings_that_are_used(
    contactsync: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTSYNC_CONFIG", "sandbox.toml")
    ran = contactsync("tokens", "new", "An", "--role", "viewer")
    before, _, shown = ran.out.partition("  [ops]\n")
    (folder / "sandbox.toml").write_text(f"[systems.robaws]\nenabled = false\n  [ops]\n{shown}")

    settings = load_settings()

    assert [entry.name for entry in settings.ops.tokens] == ["An"]
    assert "sandbox.toml" in before
    assert "contactsync.toml" not in before


def test_each_one_is_another(contactsync: Command) -> None:
    made = [contactsync("tokens", "new", "An", "--role", "viewer", "--json").json for _ in range(3)]

    assert len({one["token"] for one in made}) == 3
    assert set(made[0]) == {"name", "role", "expires", "token", "token_hash", "settings"}
    assert tomllib.loads(f"tokens = [{made[0]['settings']}]")["tokens"] == [
        {"name": "An", "role": "viewer", "token_hash": made[0]["token_hash"]}
    ]
    assert made[0]["expires"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["An", "--role", "boss"], "--role viewer, --role operator or --role admin"),
        ([" ", "--role", "viewer"], "the name is empty"),
        (["command line (root)", "--role", "viewer"], "take another"),
        (["An", "--role", "viewer", "--expires", "tomorrow"], "--expires 2027-06-30"),
        (["An", "--role", "viewer", "--expires", "2027-06-31"], "--expires 2027-06-30"),
        (["An", "--role", "viewer", "--expires", "2020-01-01"], "is over already"),
    ],
)
def test_what_makes_no_sense_makes_no_token(contactsync: Command, arguments: list[str], says: str) -> None:
    ran = contactsync("tokens", "new", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert says in ran.err


def test_a_name_that_the_settings_hold_is_refused(contactsync: Command, folder: Path) -> None:
    line = contactsync("tokens", "new", "An", "--role", "viewer", "--json").json["settings"]
    (folder / "contactsync.toml").write_text(f"[ops]\ntokens = [{line}]\n")

    ran = contactsync("tokens", "new", "An", "--role", "operator")

    assert (ran.status, ran.out) == (2, "")
    assert "holds the name An already" in ran.err


def test_settings_that_cannot_be_read_are_no_obstacle(contactsync: Command, folder: Path) -> None:
    (folder / "contactsync.toml").write_text("[ops]\ntokens = 5\n")

    assert contactsync("tokens", "new", "An", "--role", "operator").status == 0
