"""
End to end, idle: from the webhook's leaving Robaws to the last of three systems' answer to its write.

One change at a time, the next when everything rests. Vendors that answer at once, then vendors that take 100 ms a
call, where the time is compared with the longest chain of calls that the change needed. The workers know no rates, so
that what is measured is the product and not a vendor's limit.
"""

from __future__ import annotations

import time
from typing import Final

from bench.processes import wait_until
from bench.product import TARGETS, Product, product
from bench.report import Figure, Section, median
from bench.settings import Effort

CLIENTS: Final = 20
SLOW_SECONDS: Final = 0.1


def run(effort: Effort) -> Section:
    """Both measurements on one product."""
    section = Section("e2e")
    with product() as made:
        ids = made.clients(CLIENTS)
        made.settle()
        at_once = [one_change(made, ids, number) for number in range(effort.samples)]
        _figures(section, "vendors at once", [took for took, _ in at_once], 60.0, 250.0)
        for system in ("robaws", *TARGETS):
            made.sandbox.simulators[system].fail("delay", times=-1, seconds=SLOW_SECONDS)
        slow = [one_change(made, ids, effort.samples + number) for number in range(max(20, effort.samples // 5))]
        shares = [took / (chain * SLOW_SECONDS) for took, chain in slow]
        _figures(section, "100 ms a call", [took for took, _ in slow], None, None)
        section.add(Figure("100 ms a call, against the longest chain", round(median(shares), 3), "x", 1.3, "lower"))
        section.add(Figure("calls in the longest chain", median([float(chain) for _, chain in slow]), "calls"))
        made.settle()
        last = effort.samples + len(slow) - 1
        section.void = made.wrong([name_of(ids, number) for number in range(last - CLIENTS + 1, last + 1)])
    return section


def name_of(ids: list[str], number: int) -> str:
    return f"Bench {ids[number % len(ids)]} v{number + 1}."


def one_change(
    made: Product, ids: list[str], number: int, systems: tuple[str, ...] = TARGETS, *, rest: bool = True
) -> tuple[float, int]:
    """
    One change, to its end in these systems: seconds from the webhook's leaving, and calls in the longest chain.

    `rest`: returns only when nothing is owed anywhere.
    """
    client, name = ids[number % len(ids)], name_of(ids, number)
    made.forget_calls()
    made.sandbox.sender.deliveries.clear()
    made.sandbox.world.robaws.change_client(client, name=name)
    wait_until(lambda: _written(made, name, systems) is not None, 30, f"{name} is everywhere", every=0.002)
    wait_until(lambda: len(made.sandbox.sender.deliveries) > 0, 10, "the webhook was answered", every=0.002)
    ended = _written(made, name, systems)
    assert ended is not None
    chain = len(made.calls("robaws")) + max(len(made.calls(system)) for system in systems)
    took = ended - made.sandbox.sender.deliveries[0].at
    if rest:
        made.settle()
    time.sleep(0.15)  # a contact rests a tenth of a second after a fetch; the next change is another client's anyway
    return took, chain


def _written(made: Product, name: str, systems: tuple[str, ...]) -> float | None:
    """When the last of the systems had taken the name; None while one has not."""
    latest = 0.0
    for system in systems:
        at = [
            call.at + call.response.delay_seconds
            for call in made.calls(system)
            if call.request.method != "GET" and _holds(call.request.body, name)
        ]
        if not at:
            return None
        latest = max(latest, at[-1])
    return latest


def _holds(body: bytes, name: str) -> bool:
    return name.encode() in body or name.replace(" ", "+").encode() in body or name.replace(" ", "%20").encode() in body


def _figures(section: Section, words: str, took: list[float], median_ms: float | None, p99_ms: float | None) -> None:
    ordered = sorted(1000 * one for one in took)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    section.add(Figure(f"{words}, median", round(median(ordered), 1), "ms", median_ms, "lower", tuple(ordered)))
    section.add(Figure(f"{words}, p99", round(p99, 1), "ms", p99_ms, "lower"))
