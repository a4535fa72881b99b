"""
Take the product's guards out, one at a time, in a copy of the tree, and see that a named test or the simulation fails.

Each breakage stands in `tools/mutations/`. What is to notice one must pass without it: that is run first. Every job
works on a copy of its own with servers of its own, so that runs do not disturb each other. Status 1 where a breakage
goes unseen, where its text has changed, or where it broke more than its guard.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tools.mutations import Mutation

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "mutations.md"
COPIED: Final = ("worker", "webhooks", "models", "alembic", "simulation", "tests", "tools", "docs")
FILES: Final = ("pyproject.toml", "alembic.ini", "contactsync.example.toml", "README.md")
LIMIT_SECONDS: Final = 240.0
"""For one breakage, or for forty seeds. One that makes its test run for ever counts as not caught."""

FAILED: Final = 1
"""What pytest and the simulation answer when something did not hold; other statuses are mistakes of the set-up."""

BEYOND: Final = re.compile(r"\b(ProgrammingError|NameError|UnboundLocalError|ImportError|ModuleNotFoundError)\b")
"""Errors of a text that makes no sense: then not the missing guard was noticed, but a mistake in the table."""

_running: Final[set[subprocess.Popen[str]]] = set()

State = Literal["caught", "not caught", "out of date", "broke the set-up", "proves nothing", "did not end"]

INTRODUCTION: Final = """\
# Mutations

Would anybody notice if a guard were missing? `make mutate` takes the product's guards out one at a time, each in a copy
of the tree, and runs what is to notice: a test, or the first so many seeds of the simulation. All of them pass on the
unbroken copy. The breakages, as changes of text, are in `tools/mutations/`; a test keeps the table in step with the
code, so a guard that is rewritten wants its row rewritten too.

This page is made by `make mutate ARGS=--write`.

| taken out | the promise | in | noticed by |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Found:
    """What came of one breakage, and the line that says how."""

    mutation: Mutation
    state: State
    how: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """A run that ended, or was ended (`status` None)."""

    status: int | None
    output: str


def main() -> int:
    """Run the table, or a part of it."""
    sys.path.insert(0, str(ROOT))
    from tools.mutations import MUTATIONS
    from tools.mutations.entry import SIMULATE

    given = _arguments()
    chosen = [one for one in MUTATIONS if given.only in f"{one.name} {one.path} {one.by}"]
    if given.list:
        for one in chosen:
            print(f"{one.name}: {one.path}, {one.by}")
        return 0
    if given.write and (len(chosen) != len(MUTATIONS) or given.simulation):
        print("--write is for the whole table, noticed by what it names")
        return 2
    if given.simulation:
        chosen = [replace(one, by=f"{SIMULATE}{given.simulation}") for one in chosen]
    begun = time.monotonic()
    try:
        rows = _run(chosen, given.jobs)
    except KeyboardInterrupt:
        return 130
    missed = [found for found in rows if found.state != "caught"]
    print(f"{len(rows) - len(missed)} of {len(rows)} caught, in {time.monotonic() - begun:.0f} seconds")
    for found in missed:
        print(f"  {found.state}: {found.mutation.name}")
    if given.write and not missed:
        PAGE.write_text(page(MUTATIONS), encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
    return 1 if missed else 0


def page(mutations: Sequence[Mutation]) -> str:
    """The page's text; it is written only where every breakage was caught."""
    lines = [f"| {one.name} | {one.guard} | `{one.path}` | {_noticed(one)} |\n" for one in mutations]
    return INTRODUCTION + "".join(lines) + f"\n{len(lines)} breakages, all of them caught.\n"


def _noticed(mutation: Mutation) -> str:
    if mutation.seeds is not None:
        return f"the simulation, in {mutation.seeds} seeds"
    file, _, test = mutation.by.partition("::")
    return f"`{file}` `{test}`"


def _run(chosen: Sequence[Mutation], jobs: int) -> list[Found]:
    """Every breakage in turn, on as many copies as there are jobs."""
    with tempfile.TemporaryDirectory(prefix="contactsync-mutants-") as folder:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(max(1, jobs)):
            copies.put(_copy(Path(folder) / f"copy-{number}"))
        first = copies.get()
        unsound = _unsound(first, chosen)
        copies.put(first)

        def one(mutation: Mutation) -> Found:
            if mutation.by in unsound:
                found = Found(mutation, "proves nothing", f"fails without the breakage: {unsound[mutation.by]}")
            else:
                copy = copies.get()
                try:
                    found = attempt(copy, mutation)
                finally:
                    copies.put(copy)
            print(f"{found.state:16} {found.seconds:6.1f} s  {mutation.name}\n{'':27}{found.how}", flush=True)
            return found

        with ThreadPoolExecutor(max(1, jobs)) as pool:
            try:
                return list(pool.map(one, chosen))
            except BaseException:
                # Ctrl-C does not reach what runs in sessions of its own.
                pool.shutdown(wait=False, cancel_futures=True)
                for running in tuple(_running):
                    _end(running)
                raise


def _copy(copy: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    copy.mkdir()
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for name in FILES:
        shutil.copy2(ROOT / name, copy / name)
    # The project may be installed in the environment as well; what runs must be the copy.
    used = subprocess.run(
        [sys.executable, "-c", "import worker; print(worker.__file__)"],
        cwd=copy,
        env=_environment(copy),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    if not Path(used).is_relative_to(copy):
        raise RuntimeError(f"not the copy is used, but {used}")
    return copy


def _unsound(copy: Path, chosen: Sequence[Mutation]) -> dict[str, str]:
    """Which of the tests and seeds fail without any breakage, and how: first all in one go, then one by one."""
    tests = sorted({one.by for one in chosen if one.seeds is None})
    seeds = max((one.seeds or 0 for one in chosen), default=0)
    found: dict[str, str] = {}
    if tests and _command(copy, _pytest(tests)).status != 0:
        for test in tests:
            ended = _command(copy, _pytest([test]))
            if ended.status != 0:
                found[test] = _told(ended.output)
    if seeds:
        ended = _command(copy, _simulation(seeds), _limit(seeds))
        if ended.status != 0:
            found |= {one.by: _told(ended.output) for one in chosen if one.seeds is not None}
    print(f"without a breakage: {len(tests)} tests and {seeds} seeds, {len(found)} of them fail", flush=True)
    return found


def attempt(copy: Path, mutation: Mutation) -> Found:
    """Break the copy, run what is to notice, mend the copy."""
    path = copy / mutation.path
    whole = path.read_text("utf-8")
    try:
        broken = mutation.broken(whole)
        if path.suffix == ".py":
            ast.parse(broken)
    except ValueError as error:
        return Found(mutation, "out of date", str(error))
    except SyntaxError as error:
        return Found(mutation, "broke the set-up", str(error))
    kept = path.stat()
    path.write_text(broken, encoding="utf-8")
    begun = time.monotonic()
    try:
        seeds = mutation.seeds
        if seeds is None:
            ended = _command(copy, _pytest([mutation.by]))
        else:
            ended = _command(copy, _simulation(seeds), _limit(seeds))
    finally:
        # With its old time, so that the byte code of the breakage is not taken for that of the whole file.
        path.write_text(whole, encoding="utf-8")
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    state, how = judge(ended)
    return Found(mutation, state, how, time.monotonic() - begun)


def judge(ended: Ended) -> tuple[State, str]:
    """
    What came of a run. Caught is only what a test or a promise says in so many words.

    A run that could not even begin, or a statement that makes no sense, says nothing about the guard.
    """
    told = _told(ended.output)
    if ended.status is None or "Timeout (>" in told:
        return "did not end", "in the time that it has"
    if ended.status == 0:
        return "not caught", told
    beyond = BEYOND.search(ended.output)
    if ended.status != FAILED or beyond is not None or not told.startswith(("FAILED", "seed ")):
        return "broke the set-up", f"status {ended.status}, {beyond[1] if beyond else told}"
    return "caught", told


def _pytest(tests: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *tests]


def _simulation(seeds: int) -> list[str]:
    return [sys.executable, "-m", "simulation", "--seeds", str(seeds), "--shrink", "0", "--fail-fast"]


def _limit(seeds: int) -> float:
    return LIMIT_SECONDS * max(1, seeds / 40)


def _environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"}


def _command(copy: Path, command: Sequence[str], limit: float = LIMIT_SECONDS) -> Ended:
    """Run it in the copy, and end it with all that it has started where it does not end by itself."""
    running = subprocess.Popen(
        command,
        cwd=copy,
        env=_environment(copy),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _running.add(running)
    try:
        output, _ = running.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _end(running)
        output, _ = running.communicate()
        return Ended(None, output)
    finally:
        _running.discard(running)
    return Ended(running.returncode, output)


def _end(running: subprocess.Popen[str]) -> None:
    """It and its group; the servers of a test run end by themselves when the run is gone."""
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _told(output: str) -> str:
    """The line that says what did not hold, else the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("FAILED ", "seed "))]
    line = (told or lines[-1:] or ["nothing was printed"])[0]
    return line if len(line) <= 180 else f"{line[:179]}…"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tools/mutate.py", description=(__doc__ or "").strip())
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this text in name, file or test")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument(
        "--simulation", type=int, default=0, metavar="N", help="what the first N seeds notice, instead of a test"
    )
    parser.add_argument("--list", action="store_true", help="list them and run nothing")
    parser.add_argument("--write", action="store_true", help="write docs/mutations.md, if all are caught")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
