"""One target for so many seconds, in processes of its own, begun again after each crash; what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.fuzzing import corpus
from tools.fuzzing.targets import CORPUS, DATABASE_VARIABLE, ROOT

WORK: Final = ROOT / ".cache" / "fuzz"
"""What earlier runs on this machine found; a run goes on from there. `make clean` does not know the difference."""

MOST_CRASHES: Final = 10
HANG_SECONDS: Final = 20
MOST_MEGABYTES: Final = 1_024
LONGEST_INPUT: Final = 12_000
LIMITS: Final = (f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MOST_MEGABYTES}", f"-max_len={LONGEST_INPUT}")
"""One input that takes longer than this, or a process that grows beyond it, counts as a crash."""

_TRIED: Final = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)
_REACHED: Final = re.compile(r"^#\d+\s.*?cov: (\d+) ft: (\d+)", re.MULTILINE)
_RAISED: Final = re.compile(r"=== Uncaught Python exception: ===\n(.*)")


class EngineFailed(Exception):
    """The fuzzer itself did not start, or broke off."""


@dataclass(frozen=True)
class Found:
    """What came of one target. `crashes` are the files of what crashed, with what was raised."""

    name: str
    seconds: float
    tried: int
    edges: int
    features: int
    entries: int
    crashes: tuple[tuple[Path, str], ...] = field(default=())


def fuzz(name: str, seconds: float, database: str | None = None) -> Found:
    """Try inputs of one target. EngineFailed where the fuzzer itself broke."""
    work = WORK / name
    work.mkdir(parents=True, exist_ok=True)
    before, begun = len(list(work.iterdir())), time.monotonic()
    tried = edges = features = 0
    crashes: list[tuple[Path, str]] = []
    while (left := seconds - (time.monotonic() - begun)) >= 1 and len(crashes) < MOST_CRASHES:
        with tempfile.TemporaryDirectory() as folder:
            said = _run(
                [name, str(work), str(CORPUS / name), *LIMITS, f"-max_total_time={int(left)}", "-print_final_stats=1",
                 f"-artifact_prefix={folder}/"],
                database,
            )  # fmt: skip
            tried += sum(int(number) for number in _TRIED.findall(said))
            reached = [(int(edge), int(feature)) for edge, feature in _REACHED.findall(said)]
            if not reached or not _TRIED.search(said):
                raise EngineFailed(said[-2_000:])
            edges, features = max(edges, reached[-1][0]), max(features, reached[-1][1])
            raised = _RAISED.search(said)
            why = raised[1] if raised else "a hang, or memory without bounds"
            new = [(corpus.keep_crash(name, path), why) for path in Path(folder).iterdir()]
        crashes += new
        if not new:
            break
    entries = len(list(work.iterdir())) - before
    return Found(name, time.monotonic() - begun, tried, edges, features, entries, tuple(crashes))


def keep(name: str, database: str | None = None) -> int:
    """Take into the kept corpus what reaches code that the kept inputs do not; how many."""
    with tempfile.TemporaryDirectory() as folder:
        thinned = Path(folder) / "thinned"
        thinned.mkdir()
        old = sorted((CORPUS / name).iterdir())
        for path in old:
            (thinned / path.name).write_bytes(path.read_bytes())
        _run([name, str(thinned), str(WORK / name), "-set_cover_merge=1", *LIMITS], database)
        for path in old:
            (thinned / path.name).unlink(missing_ok=True)
        return corpus.adopt(name, thinned)


def _run(arguments: Sequence[str], database: str | None) -> str:
    """The engine's output."""
    environment = {**os.environ, **({DATABASE_VARIABLE: database} if database else {})}
    command = [sys.executable, "-m", "tools.fuzzing.engine", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return ended.stdout.decode("utf-8", "replace")
