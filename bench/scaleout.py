"""
Scale out: one, two and four worker processes; one and two receivers. All of it is on this machine's cores.

Where vendors answer at once the cores bind, and on two of them more processes can gain nothing. So the same is measured
where waiting binds, as it does with real vendors: four threads a process and vendors that take 100 ms a call. After
each, every target must hold every client once, under its last name.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

from bench.processes import Load, answers, free_port, part, wait_until, write_requests
from bench.product import TARGETS, Product, product
from bench.report import Figure, Section, median
from bench.settings import Effort
from bench.throughput import one_round, round_name

WORKERS: Final = (1, 2, 4)
SLOW_THREADS: Final = 4
SLOW_SECONDS: Final = 0.1
CONNECTIONS: Final = 32


def run(effort: Effort) -> Section:
    """Workers, then receivers."""
    section = Section("scaleout")
    for workers in WORKERS:
        _workers(section, workers, min(effort.changes, 150), waiting=False)
    for workers in WORKERS:
        _workers(section, workers, 20 * workers, waiting=True)
    _receivers(section, effort)
    return section


def _workers(section: Section, workers: int, changes: int, *, waiting: bool) -> None:
    """So many workers over so many changes, three times."""
    with product(workers, concurrency=SLOW_THREADS if waiting else None) as made:
        ids = made.clients(changes)
        made.settle(300)
        if waiting:
            for system in ("robaws", *TARGETS):
                made.sandbox.simulators[system].fail("delay", times=-1, seconds=SLOW_SECONDS)
        rates = [len(ids) / one_round(made, ids, number)[0] for number in (1, 2, 3)]
        section.void = section.void or made.wrong([round_name(client, 3) for client in ids])
    words = f"changes a second, {workers} worker process{'es' if workers > 1 else ''}"
    words += f", {1000 * SLOW_SECONDS:.0f} ms a call" if waiting else ""
    section.add(Figure(words, round(median(rates), 1), "changes/s", runs=tuple(rates)))


def _receivers(section: Section, effort: Effort) -> None:
    with product(receiver_only=True, webhook=False) as made, ExitStack() as stack:
        second = free_port()
        stack.enter_context(part({**made.env, "CONTACTSYNC_RECEIVER__PORT": str(second)}, "receiver"))
        wait_until(lambda: answers(f"http://127.0.0.1:{second}/readyz"), 30, "the second receiver is ready")
        found: dict[int, list[float]] = {1: [], 2: []}
        accepted = 0
        for _ in range(3):
            for count, ports in ((1, [made.port]), (2, [made.port, second])):
                results = _loads(made, ports, min(effort.seconds, 3.0))
                found[count].append(sum(one["rate"] for one in results))
                accepted += sum(int(one["statuses"].get("202", 0)) for one in results)
        stored = made.count("SELECT count(DISTINCT event_id) FROM inbox_event")
        doubled = made.count("SELECT count(*) FROM inbox_event") - stored
        if stored != accepted or doubled:
            section.void = section.void or f"{accepted} events were accepted, {stored} stored, {doubled} of them twice"
    for count, rates in found.items():
        words = f"events a second, {count} receiver{'s' if count > 1 else ''}"
        section.add(Figure(words, round(median(rates)), "/s", runs=tuple(rates)))


def _loads(made: Product, ports: list[int], seconds: float) -> list[dict[str, Any]]:
    load = Load(made.home)
    for port in ports:
        write_requests(made.home / f"requests-{port}", int(12_000 * seconds / len(ports)), port, secret=made.secret)

    def one(port: int) -> dict[str, Any]:
        connections = CONNECTIONS // len(ports)
        return load.run(port, made.home / f"requests-{port}", connections=connections, seconds=seconds)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, ports))
