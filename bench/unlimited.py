"""
A worker (or scheduler) of the product without the vendors' rates, which its settings rightly refuse to lift.

    python -m bench.unlimited worker|scheduler

Everything else is the product as it is. With BENCH_SAMPLES=FILE a thread looks 200 times a second at what the others
do, for as long as FILE.on exists, and writes to FILE how often it saw what.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from worker.config import Settings

SYSTEMS: Final = ("robaws", "rompslomp", "recras", "workspace")
EVERY_SECONDS: Final = 0.005

_WHERE: Final = (
    ("HTTP", ("/httpx/", "/httpcore/", "/h11/")),
    ("SQL", ("/sqlalchemy/", "/psycopg/", "/psycopg_binary/")),
    ("broker and budget", ("/celery/", "/kombu/", "/redis/", "/billiard/", "/vine/")),
    ("our own", ("/worker/", "/models/")),
)


def unlimited(settings: Settings) -> Settings:
    """The settings with rates that nothing here reaches."""
    free = {"rate_per_second": 1e6, "burst": 1_000_000, "daily_requests": None}
    systems = {name: settings.system(name).model_copy(update=free) for name in SYSTEMS}
    return settings.model_copy(update={"systems": settings.systems.model_copy(update=systems)})


class Sampler:
    """Counts by kind of work what the threads are seen at; a thread that waits for work counts as idle."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        """For ever; the file is written every quarter of a second."""
        own, switch = threading.get_ident(), Path(f"{self.file}.on")
        while True:
            if not switch.exists():
                time.sleep(0.1)
                continue
            until = time.monotonic() + 0.25
            while time.monotonic() < until:
                time.sleep(EVERY_SECONDS)
                for ident, frame in sys._current_frames().items():
                    if ident != own:
                        self.seen[_kind(frame)] += 1
            self.file.write_text(json.dumps(self.seen))


def _kind(frame: FrameType) -> str:
    """The library nearest to the point where the thread is; a thread in none of our flows waits for work."""
    names = list(_names(frame))
    if not any("/worker/flows/" in name for name in names):
        handling = any("/celery/app/trace.py" in name for name in names)
        return "broker and budget" if handling else "idle"
    for name in names:
        for kind, parts in _WHERE:
            if any(part in name for part in parts):
                return kind
    return "idle"


def _names(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def main(part: str) -> int:
    """Run the part until SIGTERM."""
    from worker.config import load_settings
    from worker.processes.schedule import run_scheduler
    from worker.processes.work import run_worker

    settings = unlimited(load_settings())
    file = os.environ.get("BENCH_SAMPLES")
    if file:
        threading.Thread(target=Sampler(Path(file)).run, name="sampler", daemon=True).start()
    run: dict[str, Any] = {"worker": run_worker, "scheduler": run_scheduler}
    return int(run[part](settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
