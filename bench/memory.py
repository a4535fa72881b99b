"""
Memory and start: what the parts hold before any event, after 50,000 and after 100,000; how long until they are there.

The events are about 500 clients in which nothing changes, so each burst is received, taken in, fetched and closed. Each
half has two minutes; what is not closed by then makes the run void, and its figures are told all the same.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil

from bench.processes import ROOT, Load, environment, folder, free_port, settings_file, wait_until, write_requests
from bench.product import Product, product
from bench.report import Figure, Section, median
from bench.settings import Effort
from worker.sandbox.server import SandboxServer

CLIENTS: Final = 500
HALF_SECONDS: Final = 120.0
MOST_GROWTH: Final = 1.02
"""No growth, but for the noise of an allocator: two in a hundred between the half and the whole."""
MOST_MB: Final = {"receiver": 100.0, "worker": 150.0}


def run(effort: Effort) -> Section:
    """Memory first, then the starts."""
    section = Section("memory")
    half = effort.events // 2
    with product() as made:
        ids = made.clients(CLIENTS)
        made.settle(120)
        load, held = Load(made.home), [_resident(made)]
        for _ in range(2):
            section.void = section.void or _events(made, load, ids, half)
            held.append(_resident(made))
        section.void = section.void or made.unbalanced()
    _held(section, held, (0, half, 2 * half))
    helps = [_timed([sys.executable, "-m", "worker.cli", "--help"]) for _ in range(7)]
    section.add(Figure("contactsync --help", round(median(helps), 3), "s", 0.4, "lower", tuple(helps)))
    ups = _ups()
    section.add(Figure("contactsync up, until ready", round(median(ups), 2), "s", 6.0, "lower", tuple(ups)))
    return section


def _resident(made: Product) -> dict[str, float]:
    return {name: psutil.Process(pid).memory_info().rss / 1e6 for name, pid in made.parts.items()}


def _held(section: Section, held: list[dict[str, float]], counts: tuple[int, int, int]) -> None:
    """What each part holds at the end against its target and against the half, and what it held on the way."""
    before, half, whole = held
    for name, megabytes in whole.items():
        on_the_way = f"{before[name]:.1f} MB before any event, {half[name]:.1f} after {counts[1]:,}"
        words = f"{name}, resident after {counts[2]:,} events"
        section.add(Figure(words, round(megabytes, 1), "MB", MOST_MB.get(name), "lower", note=on_the_way))
    for name, megabytes in whole.items():
        words = f"{name}, after {counts[2]:,} against {counts[1]:,}"
        section.add(Figure(words, round(megabytes / half[name], 3), "x", MOST_GROWTH, "lower"))


def _events(made: Product, load: Load, ids: list[str], count: int) -> str:
    """Send so many events and wait until all are closed; what is wrong, in words."""
    before = made.count("SELECT count(*) FROM inbox_event")
    requests = made.home / "events"
    write_requests(requests, count, made.port, clients=ids, secret=made.secret)
    until = time.monotonic() + HALF_SECONDS
    result = load.run(made.port, requests, connections=32, seconds=HALF_SECONDS / 2)
    requests.unlink()
    accepted = int(result["statuses"].get("202", 0))
    try:
        wait_until(made.at_rest, max(1.0, until - time.monotonic()), "all events are closed", every=0.2)
    except RuntimeError as late:
        return str(late)
    stored = made.count("SELECT count(*) FROM inbox_event") - before
    return "" if accepted == stored == count else f"{count} sent, {accepted} accepted, {stored} stored"


def _timed(argv: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _ups() -> list[float]:
    """Three starts of everything in a home that has been used before."""
    with folder() as home, SandboxServer() as sandbox:
        file = settings_file(home, sandbox.settings(), free_port())
        _up(home, file)
        return [_up(home, file) for _ in range(3)]


def _up(home: Path, file: Path) -> float:
    env = environment(home, file, None)
    argv = [sys.executable, "-m", "worker.cli", "up"]
    begun = time.monotonic()
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                return time.monotonic() - begun
        raise RuntimeError("`contactsync up` ended before it was ready")
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
