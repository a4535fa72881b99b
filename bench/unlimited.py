"""
A worker (or scheduler) of the product without the vendors' rates, which its settings rightly refuse to lift.

    python -m bench.unlimited worker|scheduler

Everything else is the product as it is. With BENCH_LAYERS=FILE the time of its tasks is charged to the layers
(`bench.layers`), and FILE holds the sums.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.layers import Layers, watch

if TYPE_CHECKING:
    from worker.config import Settings

SYSTEMS: Final = ("robaws", "rompslomp", "recras", "workspace")
EVERY_SECONDS: Final = 0.25


def unlimited(settings: Settings) -> Settings:
    """The settings with rates that nothing here reaches."""
    free = {"rate_per_second": 1e6, "burst": 1_000_000, "daily_requests": None}
    systems = {name: settings.system(name).model_copy(update=free) for name in SYSTEMS}
    return settings.model_copy(update={"systems": settings.systems.model_copy(update=systems)})


def report(layers: Layers, file: Path) -> None:
    """For ever: what has been charged so far and the process's own sum, into the file, which is always whole."""
    while True:
        told = {**layers.totals(), "process": time.process_time()}
        fresh = file.with_suffix(".fresh")
        fresh.write_text(json.dumps(told))
        fresh.replace(file)
        time.sleep(EVERY_SECONDS)


def main(part: str) -> int:
    """Run the part until SIGTERM."""
    from worker.config import load_settings
    from worker.processes.schedule import run_scheduler
    from worker.processes.work import run_worker

    settings = unlimited(load_settings())
    file = os.environ.get("BENCH_LAYERS")
    if file:
        layers = Layers()
        watch(layers)
        threading.Thread(target=report, args=(layers, Path(file)), name="layers", daemon=True).start()
    run: dict[str, Any] = {"worker": run_worker, "scheduler": run_scheduler}
    return int(run[part](settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
