"""
Worker throughput without vendors' limits: changes a second with all three systems written, one worker process.

Beside it a bare loop in the same run (`bench.bare`): the very calls that the product made, replayed from the
simulators' logs, with the same number of commits and threads. The sandbox that both call shares the machine. Where the
worker's time goes is charged in one more round, in another product, so that its clocks cost the rounds before nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bench.layers import REST
from bench.processes import ROOT, folder, wait_until
from bench.product import TARGETS, Product, product
from bench.report import Figure, Section, median
from bench.settings import Effort

SYSTEMS: Final = ("robaws", *TARGETS)
THREADS: Final = 16
KINDS: Final = {"cpu": "the worker's processor time", "wall": "its tasks' time, waiting and all"}
_DROPPED: Final = frozenset(("host", "content-length", "connection", "accept-encoding", "transfer-encoding"))


def run(effort: Effort) -> Section:
    """Rounds of product and bare loop, one after the other; then one more round that is looked into."""
    section = Section("throughput")
    seen: dict[str, list[float]] = {name: [] for name in ("rate", "cpu", "sql cpu", "bare rate", "bare cpu")}
    with product(concurrency=THREADS) as made:
        ids = made.clients(effort.changes)
        made.settle(300)
        calls = commits = 0.0
        for number in range(1, effort.rounds + 1):
            took, cpu, commits = one_round(made, ids, number)
            seen["rate"].append(len(ids) / took)
            seen["cpu"].append(1000 * cpu["worker"] / len(ids))
            seen["sql cpu"].append(1000 * cpu["postgres"] / len(ids))
            calls = sum(len(made.calls(system)) for system in SYSTEMS) / len(ids)
            bare = _bare(made, commits / len(ids))
            seen["bare rate"].append(bare["changes"] / bare["seconds"])
            seen["bare cpu"].append(1000 * bare["cpu"] / bare["changes"])
        section.void = made.wrong([round_name(client, effort.rounds) for client in ids])
    spent = _spent(min(effort.changes, 300))
    section.details = {"commits a change": commits / len(ids), "calls a change": calls, "layers": spent}
    _figures(section, seen, spent)
    return section


def _spent(changes: int) -> dict[str, dict[str, float]]:
    """Seconds of one round by layer: of the worker's processor time, and of its tasks' time with all their waiting."""
    with folder() as outside:
        file = outside / "layers.json"
        with product(concurrency=THREADS, layers=file) as made:
            ids = made.clients(changes)
            made.settle(300)
            before = _told(file)
            one_round(made, ids, 1)
            after = _told(file)
    spent = {kind: {name: after[kind][name] - before[kind].get(name, 0.0) for name in after[kind]} for kind in KINDS}
    tasks = sum(spent["cpu"].values())
    spent["cpu"][REST] = max(0.0, after["process"] - before["process"] - tasks)
    return spent


def _told(file: Path) -> dict[str, Any]:
    """What the worker wrote of itself after this moment."""
    now = time.time()
    wait_until(lambda: file.exists() and file.stat().st_mtime > now, 30, "the worker told of its layers")
    return dict(json.loads(file.read_text()))


def _figures(section: Section, seen: dict[str, list[float]], spent: dict[str, dict[str, float]]) -> None:
    ratios = [mine / bare for mine, bare in zip(seen["rate"], seen["bare rate"], strict=True)]
    section.add(Figure("changes a second, one worker", round(median(seen["rate"]), 1), "/s", runs=tuple(seen["rate"])))
    section.add(Figure("the bare loop", round(median(seen["bare rate"]), 1), "/s", runs=tuple(seen["bare rate"])))
    section.add(Figure("worker against the bare loop", round(median(ratios), 2), "x", 0.5, runs=tuple(ratios)))
    section.add(Figure("worker, processor time a change", round(median(seen["cpu"]), 2), "ms"))
    section.add(Figure("bare loop, processor time a change", round(median(seen["bare cpu"]), 2), "ms"))
    section.add(Figure("PostgreSQL, processor time a change", round(median(seen["sql cpu"]), 2), "ms"))
    for kind, words in KINDS.items():
        whole = sum(spent[kind].values())
        for name, seconds in sorted(spent[kind].items()):
            section.add(Figure(f"share of {words}: {name}", round(100 * seconds / whole, 1) if whole else None, "%"))


def round_name(client: str, number: int) -> str:
    return f"Bench {client} v{number}."


def one_round(made: Product, ids: list[str], number: int) -> tuple[float, dict[str, float], float]:
    """
    Change every client while the worker stands still, then let it go: seconds until all is delivered, processor
    seconds by part, commits.
    """
    made.forget_calls()
    events = made.count("SELECT count(*) FROM inbox_event")
    with made.halted():
        for client in ids:
            made.sandbox.world.robaws.change_client(client, name=round_name(client, number))
        wait_until(lambda: made.count("SELECT count(*) FROM inbox_event") >= events + len(ids), 60, "all events came")
        before, commits, begun = made.cpu(), made.commits(), time.monotonic()
    made.settle(300)
    took, after = time.monotonic() - begun, made.cpu()
    wait_until(made.at_rest, 5, "the commits are counted", every=1.0)
    return took, {name: after[name] - before[name] for name in after}, made.commits() - commits


def _bare(made: Product, commits: float) -> dict[str, Any]:
    """The same calls once more, from a loop that does nothing else."""
    file = made.home / "changes.json"
    file.write_text(json.dumps(_changes(made)))
    url = made.running.database_admin_url
    argv = [sys.executable, "-m", "bench.bare", str(file), str(THREADS), url, str(round(commits))]
    done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _changes(made: Product) -> list[list[Any]]:
    """What was sent, evenly dealt out to as many changes as there were fetches."""
    calls: list[list[Any]] = []
    for system in SYSTEMS:
        for call in made.calls(system):
            request = call.request
            query = f"?{request.raw_query}" if request.raw_query else ""
            headers = {name: value for name, value in request.headers.items() if name not in _DROPPED}
            address = f"{made.sandbox.url}/{system}{quote(request.path)}{query}"
            calls.append([request.method, address, headers, request.body.decode()])
    count = len(made.calls("robaws"))
    return [calls[number::count] for number in range(count)]
