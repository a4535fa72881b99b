"""Scale out: one, two and four worker processes; one and two receivers. All of it is on this machine's cores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

from bench.processes import Load, answers, free_port, part, wait_until, write_requests
from bench.product import Product, product
from bench.report import Figure, Section, median
from bench.settings import Effort
from bench.throughput import one_round, round_name

WORKERS: Final = (1, 2, 4)
CONNECTIONS: Final = 32


def run(effort: Effort) -> Section:
    """Workers, then receivers."""
    section = Section("scaleout")
    for workers in WORKERS:
        with product(workers) as made:
            ids = made.clients(effort.changes)
            made.settle(300)
            rates = [len(ids) / one_round(made, ids, number)[0] for number in (1, 2, 3)]
            section.void = section.void or made.wrong([round_name(client, 3) for client in ids])
        words = f"changes a second, {workers} worker process{'es' if workers > 1 else ''}"
        section.add(Figure(words, round(median(rates), 1), "changes/s", runs=tuple(rates)))
    _receivers(section, effort)
    return section


def _receivers(section: Section, effort: Effort) -> None:
    with product(receiver_only=True, webhook=False) as made, ExitStack() as stack:
        second = free_port()
        stack.enter_context(part({**made.env, "CONTACTSYNC_RECEIVER__PORT": str(second)}, "receiver"))
        wait_until(lambda: answers(f"http://127.0.0.1:{second}/readyz"), 30, "the second receiver is ready")
        found: dict[int, list[float]] = {1: [], 2: []}
        accepted = 0
        for _ in range(effort.rounds):
            for count, ports in ((1, [made.port]), (2, [made.port, second])):
                results = _loads(made, ports, effort.seconds)
                found[count].append(sum(one["rate"] for one in results))
                accepted += sum(int(one["statuses"].get("202", 0)) for one in results)
        stored = made.count("SELECT count(*) FROM inbox_event")
        if stored != accepted:
            section.void = section.void or f"{accepted} events were accepted and {stored} are stored"
    for count, rates in found.items():
        words = f"events a second, {count} receiver{'s' if count > 1 else ''}"
        section.add(Figure(words, round(median(rates)), "/s", runs=tuple(rates)))


def _loads(made: Product, ports: list[int], seconds: float) -> list[dict[str, Any]]:
    load = Load(made.home)
    for port in ports:
        write_requests(made.home / f"requests-{port}", int(15_000 * seconds / len(ports)), port, secret=made.secret)

    def one(port: int) -> dict[str, Any]:
        connections = CONNECTIONS // len(ports)
        return load.run(port, made.home / f"requests-{port}", connections=connections, seconds=seconds)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, ports))
