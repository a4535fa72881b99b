"""The kept inputs: what a run brought is thinned out to what reaches further, and what crashed is kept for ever."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from tools.fuzzing.targets import CORPUS, CRASHES

MOST_BYTES: Final = 32_000
"""Of the kept corpus of one target; the seeds are the half of it."""


def adopt(name: str, found: Path) -> int:
    """Copy what a merge found into the kept corpus, the smallest first; how many there was room for."""
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    room = MOST_BYTES - sum(path.stat().st_size for path in kept.iterdir())
    taken = 0
    for path in sorted(found.iterdir(), key=lambda one: one.stat().st_size):
        room -= path.stat().st_size
        if room < 0:
            break
        shutil.copy(path, kept / f"{_digest(path)}.json")
        taken += 1
    return taken


def keep_crash(name: str, path: Path) -> Path:
    """Keep an input that crashed, and give its place."""
    place = CRASHES / name / f"{_digest(path)}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, place)
    return place


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
