"""The demo's story, third part: what goes wrong, and how it comes right."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter as Counted
from typing import TYPE_CHECKING, Final

from worker.cli import demo_verdict as verdict
from worker.cli.demo_board import Counter
from worker.cli.demo_people import People
from worker.cli.demo_story import office
from worker.cli.demo_watch import TARGETS
from worker.cli.demo_words import NAMES
from worker.vendors.rompslomp import simulator_errors as rompslomp_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.cli.demo_screen import Screen
    from worker.cli.demo_watch import Watch
    from worker.sandbox.server import SandboxServer
    from worker.store.feed import LinkNow

UNKNOWN_VAT: Final = "BE0000000295"
RIGHT_VAT: Final = "BE0000000394"
RUSH: Final = (
    ("Zagerij De Kempen", "3600", "Genk"),
    ("Tuinen De Vaart", "8000", "Brugge"),
    ("Schilders Van Eik", "9000", "Gent"),
    ("Transport De Brug", "2000", "Antwerpen"),
    ("Garage Zuiderhof", "3000", "Leuven"),
    ("Installatie Waterkant", "8500", "Kortrijk"),
)
"""Names and places unlike each other: the product asks a person before it makes what may be there already."""


class Trouble(People):
    """
    The chapters with trouble. `kill` ends the worker process as a crash would; `empty_redis` forgets every nudge.

    `killed` and `corrected` count the kills, and the refused values that came right.
    """

    def __init__(
        self,
        sandbox: SandboxServer,
        watch: Watch,
        screen: Screen,
        *,
        kill: Callable[[], int | None],
        empty_redis: Callable[[], None],
    ) -> None:
        super().__init__(sandbox, watch, screen)
        self.kill = kill
        self.empty_redis = empty_redis
        self.killed = 0
        self.corrected = 0

    def vendor_down(self, client: str) -> None:
        """One vendor is away; the others do not notice."""
        self.chapter("Recras is down", "It answers every request with a 503 page, as vendors do at night.")
        recras = self.sandbox.simulators["recras"]
        recras.fail("html", times=-1, status=503)
        self.screen.line("recras", "is down")
        self.changed(client, "changes the street", address={"addressLine1": "Molenlaan 9"})
        others = [name for name in TARGETS if name != "recras"]
        waits = self.watch.until(
            lambda links: (
                self.watch.settled(links, client, others)
                and any(one.source_id == client and one.system == "recras" and one.state == "waiting" for one in links)
            ),
            15.0,
        )
        self.tell(
            waits,
            "the other two have the new street; Recras's waits in the retry queue",
            f"not so: {self.why_not(client)}",
        )
        broken = self.watch.until(lambda _links: self.watch.summary()["systems"]["recras"]["state"] != "running", 15)
        self.tell(broken, "after three failures it is left alone, but for a probe every two seconds")
        recras.clear_faults()
        self.screen.line("recras", "is back")
        began = time.monotonic()
        there = self.agree(client, 30.0)
        self.tell(
            there,
            f"Recras has caught up by itself, {time.monotonic() - began:.1f} s after it came back",
            f"not caught up: {self.why_not(client)}",
        )

    def lost_answers(self) -> None:
        """A create whose answer is lost is not made twice."""
        self.chapter("Lost answers", "All three make the new client, and the line drops before any of them can say so.")
        for name in TARGETS:
            self.sandbox.simulators[name].fail("drop_after", method="POST")
        client = self.made(office(7, "Bouwgroep Ter Heide"))
        there = self.agree(client, 40.0)
        found = {name: len(verdict.find(self.sandbox, name, "Bouwgroep Ter Heide")) for name in TARGETS}
        told = ", ".join(f"{NAMES[name]} {count}" for name, count in found.items())
        self.tell(
            there and set(found.values()) == {1},
            f"looked for before it was sent again, so each holds one record and no duplicate ({told})",
            f"records: {told}; {self.why_not(client)}",
        )

    def refused(self) -> None:
        """What a vendor refuses waits with the vendor's words, and comes back when the cause is gone."""
        self.chapter("Refused", "The books do not accept its VAT number, and Workspace requires an e-mail address.")
        self._refuse_unknown_vat()
        client = self.made(office(8, "Bakkerij Zonnehof", vatIdNumber=UNKNOWN_VAT, email=None))
        wanted = {"rompslomp": "review", "recras": "synced", "workspace": "review"}
        stuck = self.watch.until(
            lambda links: (
                {one.system: one.state for one in links if one.source_id == client and one.system in wanted} == wanted
            ),
            15.0,
        )
        reasons = {
            system: link.message or ""
            for system in TARGETS
            if (link := self.watch.link(client, system)) is not None and link.state == "review"
        }
        self.tell(
            stuck and set(reasons) == {"rompslomp", "workspace"} and all(reasons.values()),
            "Recras has the client, Rompslomp all but the number; both others say in the queue what is wrong",
            f"not so: {self.why_not(client)}",
        )
        self.changed(
            client,
            "corrects the VAT number and adds an e-mail address",
            vatIdNumber=RIGHT_VAT,
            email="info@klant8.example",
        )
        there = self.agree(client)
        self.corrected += len(reasons) if there else 0
        self.tell(
            there,
            "corrected where it is kept, in Robaws, and both came back by themselves",
            f"not back: {self.why_not(client)}",
        )

    def _refuse_unknown_vat(self) -> None:
        """The simulated Rompslomp does not know which VAT numbers exist; from here on it refuses this one."""
        refusal = rompslomp_errors.invalid_record(["Vat number is ongeldig"])
        self.sandbox.simulators["rompslomp"].fail(
            "status",
            times=-1,
            sent=UNKNOWN_VAT,
            status=refusal.status,
            body=json.dumps(rompslomp_errors.error_body(refusal.kind, refusal.message), ensure_ascii=False),
        )

    def crash(self) -> None:
        """The worker is killed and Redis forgets everything, in the middle of work."""
        self.chapter(
            "Pull the plug",
            f"{len(RUSH)} clients are coming in; the worker is killed (kill -9) and Redis is emptied.",
        )
        for name in TARGETS:
            self.sandbox.simulators[name].fail("delay", times=len(RUSH), method="POST", seconds=0.4)
        self.watch.quiet = True
        made = [self.made(office(20 + number, *place)) for number, place in enumerate(RUSH, start=1)]
        self.watch.until(lambda _links: self._begun(made), 10.0)
        pid = self.kill()
        self.empty_redis()
        self.killed += 1
        self.screen.line("contactsync", f"worker {pid} is killed, Redis is empty")
        began = time.monotonic()
        there = self.watch.until(lambda links: self._count_there(made, links) == len(made), 45.0)
        there = all(self.agree(client, 10.0) for client in made) if there else False
        self.screen.line("contactsync", "a new worker has gone on where the other one ended")
        doubles = sum(verdict.doubles(self.sandbox).values())
        self.tell(
            there and not doubles,
            f"all {len(RUSH)} are everywhere {time.monotonic() - began:.1f} s later, and none of them twice",
            f"duplicates: {doubles}; " + "; ".join(self.why_not(client) for client in made),
        )
        self.watch.quiet = False

    def _count_there(self, clients: list[str], links: list[LinkNow]) -> int:
        """How many of these clients are everywhere, which the panel shows too."""
        synced = Counted(link.source_id for link in links if link.state == "synced" and link.system in TARGETS)
        there = sum(synced[client] == len(TARGETS) for client in clients)
        self.screen.board.counter = Counter("clients everywhere", there, len(clients))
        return there

    def _begun(self, clients: list[str]) -> bool:
        """Whether some system has made a record of one of these clients; its answer is still on its way."""
        robaws = self.sandbox.world.robaws
        names = [robaws.client(client)["name"] for client in clients]
        return any(verdict.find(self.sandbox, system, name) for system in TARGETS for name in names)


def kill_hard(pid: int | None) -> int | None:
    """SIGKILL, which no process can catch."""
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return pid
