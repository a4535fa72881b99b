"""
Accept: signed events of 4 kB, each durably committed before its 202, against four floors in the same run.

Every server is one process; all of them, the load generator, PostgreSQL and Redis share the machine. The order
alternates from round to round; each figure is the median of the rounds. After each round of the product every event
that was answered 202 is counted in the database: a run that lost or doubled one is void. With `--peers`, other
products' receivers take their turn in the same rounds (`bench.peers`).
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg

from bench import peers
from bench.processes import (
    ROOT,
    SECRET,
    Load,
    answers,
    command,
    environment,
    folder,
    free_port,
    part,
    servers,
    settings_file,
    wait_until,
    write_requests,
)
from bench.report import Figure, Section, median
from bench.settings import Effort

if TYPE_CHECKING:
    from pathlib import Path

FLOORS = ("nothing", "verify", "commit", "delay")
TARGETS = {"verify": 0.55, "commit": 2.2, "delay": 6.0}
CONNECTIONS = 32


def run(effort: Effort) -> Section:
    """Measure all servers in alternating rounds."""
    section = Section("accept")
    with ExitStack() as stack:
        home = stack.enter_context(folder())
        running = stack.enter_context(servers(home))
        load = Load(home)
        ports = {name: free_port() for name in (*FLOORS, "product")}
        others, missing = peers.start(stack, home, running) if effort.peers else ({}, {})
        ports |= {name: peer.port for name, peer in others.items()}
        _prepare(running.database_admin_url)
        urls = {"commit": running.database_admin_url, "delay": running.redis_url}
        for name in FLOORS:
            arguments = [sys.executable, "-m", "bench.floors", name, str(ports[name]), urls.get(name, "")]
            process = subprocess.Popen(arguments, cwd=ROOT)
            stack.callback(_end, process)
        env = environment(home, settings_file(home, _robaws(), ports["product"]), running)
        command(env, "migrate")
        stack.enter_context(part(env, "receiver"))
        wait_until(lambda: answers(f"http://127.0.0.1:{ports['product']}/readyz"), 30, "the receiver is ready")
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in ports}
        for number in range(effort.rounds):
            order = list(ports) if number % 2 == 0 else list(reversed(ports))
            for name in order:
                results[name].append(_one(load, home, name, ports[name], effort.seconds))
            lost = _lost(running.database_admin_url, sum(_accepted(one) for one in results["product"]))
            if lost:
                section.void = f"{lost} events were answered 202 and are not in the inbox"
                return section
        half = _half(load, home, ports["product"], median([one["rate"] for one in results["product"]]))
        missing |= {name: wrong for name, peer in others.items() if (wrong := peers.judged(peer, results[name]))}
    _figures(section, {name: runs for name, runs in results.items() if name not in missing}, half)
    for name, why in missing.items():
        section.add(Figure(f"{name}, events a second", None, "/s", note=why))
    return section


def _one(load: Load, home: Path, name: str, port: int, seconds: float) -> dict[str, Any]:
    requests = home / "requests"
    most = {"nothing": 45_000, "verify": 30_000, "product": 20_000}.get(name, 8_000)
    write_requests(requests, int(most * seconds), port)
    return load.run(port, requests, connections=CONNECTIONS, seconds=seconds)


def _half(load: Load, home: Path, port: int, most: float) -> list[dict[str, Any]]:
    """The latency at half of the product's maximum, paced, counted from when each event was due."""
    found: list[dict[str, Any]] = []
    for _ in range(5):
        requests = home / "requests"
        write_requests(requests, int(most * 2.2), port)
        found.append(load.run(port, requests, connections=64, seconds=4, rate=most / 2))
    return found


def _figures(section: Section, results: dict[str, list[dict[str, Any]]], half: list[dict[str, Any]]) -> None:
    rates = {name: [one["rate"] for one in runs] for name, runs in results.items()}
    middle = {name: median(values) for name, values in rates.items()}
    for name, values in rates.items():
        promises = peers.PEERS[name].promises if name in peers.PEERS else ""
        section.add(Figure(f"{name}, events a second", round(middle[name]), "/s", runs=tuple(values), note=promises))
    for floor, target in (*TARGETS.items(), *((name, None) for name in peers.PEERS if name in middle)):
        ratio = middle["product"] / middle[floor]
        section.add(Figure(f"product against {floor}", round(ratio, 2), "x", target))
    p99 = [one["p99_us"] / 1000 for one in half]
    section.add(Figure("p99 at half of the maximum", median(p99), "ms", 25.0, "lower", tuple(p99)))
    section.add(Figure("p50 at half of the maximum", median([one["p50_us"] / 1000 for one in half]), "ms"))
    section.details = {"results": results, "half": half, "connections": CONNECTIONS}


def _accepted(result: dict[str, Any]) -> int:
    return int(result["statuses"].get("202", 0))


def _lost(url: str, answered: int) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT event_id) FROM inbox_event").fetchone()
    stored, distinct = row or (0, 0)
    return max(answered - int(stored), int(stored) - int(distinct), 0)


def _prepare(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE floor_event (event_id text PRIMARY KEY, kind text, body bytea)")


def _robaws() -> dict[str, dict[str, Any]]:
    return {"robaws": {"enabled": True, "username": "bench", "password": "bench", "webhook_secrets": [SECRET]}}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)
