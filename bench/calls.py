"""
Calls per change: what each kind of change costs at each vendor, read from the simulators' own logs.

Vendors' limits are the ceiling of all this (fifteen calls a second are 54,000 an hour), so this is the figure to save.
A read is a GET, everything else is a write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.processes import Load, wait_until, write_requests
from bench.product import TARGETS, Product, product
from bench.report import Figure, Section
from bench.settings import Effort

SYSTEMS = ("robaws", *TARGETS)
BURST = 50


def run(_effort: Effort) -> Section:
    """Every kind of change once, on a client of its own."""
    section = Section("calls")
    with product() as made:
        table = {kind: _calls(made, change) for kind, change in _kinds(made).items()}
        section.void = made.unbalanced()
    for kind, by_system in table.items():
        words = ", ".join(f"{name} {reads}+{writes}" for name, (reads, writes) in by_system.items())
        total = sum(reads + writes for reads, writes in by_system.values())
        section.add(Figure(kind, total, "calls", note=f"reads+writes: {words}"))
    burst = table[f"{BURST} events on one client"]
    section.add(Figure("a burst: reads of a system, at most", max(r for r, _ in burst.values()), "calls", 2, "lower"))
    section.add(Figure("a burst: writes of a system, at most", max(w for _, w in burst.values()), "calls", 1, "lower"))
    section.details = {"table": table}
    return section


def _kinds(made: Product) -> dict[str, Callable[[], Any]]:
    robaws = made.sandbox.world.robaws
    client = made.clients(1, "Kosten")[0]
    made.settle()

    def burst() -> None:
        for number in range(BURST):
            robaws.change_client(client, name=f"Kosten golf {number}.")

    # Robaws sends no event for a person, so something of the client changes with it, which no system takes.
    persons: list[str] = []

    def person() -> None:
        persons.append(robaws.add_person(client, name="Bo", surname="Kosten", email="bo@kosten.example"))
        robaws.change_client(client, paymentConditionId="7")

    def person_changes() -> None:
        robaws.change_person(persons[0], email="bo2@kosten.example")
        robaws.change_client(client, paymentConditionId="8")

    return {
        "a new client, known nowhere": lambda: made.clients(1, "Kosten nieuw"),
        "a new client with a person": lambda: robaws.add_client(
            name="Kosten met persoon",
            email="info@persoon.example",
            tel="+32 9 200 11 22",
            address={"addressLine1": "Kerkstraat 1", "postalCode": "9000", "city": "Gent", "country": "BE"},
            contacts=[{"name": "An", "surname": "Kosten", "email": "an@persoon.example", "isPrimary": True}],
        ),
        "its name": lambda: robaws.change_client(client, name="Kosten anders."),
        "its address": lambda: robaws.change_client(client, address={"addressLine1": "Havenweg 7"}),
        "a telephone number": lambda: robaws.change_client(client, tel="+32 9 200 33 44"),
        "a person more": person,
        "a person's e-mail": person_changes,
        "an event and nothing changed": lambda: _again(made),
        f"{BURST} events on one client": burst,
    }


def _again(made: Product) -> None:
    """One more event about a client, with nothing new in it: its own, under another id."""
    client = next(iter(made.sandbox.world.robaws.state()["clients"]))
    requests = made.home / "again"
    write_requests(requests, 1, made.port, clients=[client], secret=made.secret)
    Load(made.home).run(made.port, requests, connections=1, seconds=5)


def _calls(made: Product, change: Callable[[], Any]) -> dict[str, tuple[int, int]]:
    """Reads and writes by system of one change, once everything rests."""
    before = made.count("SELECT count(*) FROM inbox_event")
    made.forget_calls()
    change()
    wait_until(lambda: made.count("SELECT count(*) FROM inbox_event") > before, 10, "the event has come")
    made.settle()
    # Later calls of the same change would come within the rest that a contact takes between two fetches.
    wait_until(made.at_rest, 5, "it stays at rest", every=1.5)
    found: dict[str, tuple[int, int]] = {}
    for system in SYSTEMS:
        seen = [call.request.method for call in made.calls(system)]
        found[system] = (seen.count("GET"), len(seen) - seen.count("GET"))
    return found
