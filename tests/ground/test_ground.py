"""The files around the code say what they promise: make targets, CI, licence, what git ignores."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISED = {"setup", "demo", "test", "bench", "lint", "format", "lock", "clean"}


def make(*arguments: str) -> str:
    """What make would run, without running it."""
    command = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/.ready", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip("\0").split("\0")


def ignored(path: str) -> bool:
    return subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


def test_make_without_a_target_lists_every_promised_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout

    assert set(re.findall(r"^  make (\w+) +\S", shown, re.MULTILINE)) >= PROMISED


def test_arguments_reach_the_command_behind_a_target() -> None:
    assert make("demo", "ARGS=--exit").strip() == ".venv/bin/contactsync demo --exit"
    assert make("test", "ARGS=-k merge_patch").strip().endswith("-k merge_patch")


@pytest.mark.parametrize("tool", ["ruff check .", "ruff format --check .", "mypy", "lint-imports", "check_sizes.py"])
def test_lint_runs_every_tool(tool: str) -> None:
    assert any(line.endswith(tool) for line in make("lint").splitlines())


def test_ci_runs_what_a_developer_runs() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()

    assert [line for line in lines if line.startswith("make ")] == ["make setup", "make lint", "make test"]
    assert "set -euo pipefail" in lines
    assert (ROOT / ".ci/run").stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize(
    "path",
    [
        ".venv/x",
        ".contactsync/x",
        "contactsync.toml",
        "bench/results/x.json",
        "deploy/secrets/redis_url",
        "secrets/robaws",
        ".env",
    ],
)
def test_what_is_private_or_made_is_never_committed(path: str) -> None:
    assert ignored(path)


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    # Put together here, so that this file does not name them either.
    patterns = [
        *("--" + option for option in ("index-url", "extra-index-url", "find-links=")),
        *("py" + "pi.org/simple", "files.python" + "hosted", "registry.npm" + "js", "deb." + "debian.org"),
    ]
    machine = re.compile(r"(?<![\w.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "fa" + "rm"]) + r")\b")
    texts = {name: (ROOT / name).read_text(errors="replace") for name in tracked() if (ROOT / name).is_file()}

    named = {name for name, text in texts.items() if any(p in text for p in patterns) or machine.search(text)}

    assert named == set()


def test_every_script_for_bash_parses() -> None:
    scripts = [".ci/run", "tools/setup", "deploy/make-secrets", "deploy/pin-images"]

    results = [subprocess.run(["bash", "-n", name], cwd=ROOT, capture_output=True, check=False) for name in scripts]

    assert [result.stderr for result in results] == [b""] * len(scripts)
