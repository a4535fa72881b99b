"""The demo's story, first part: a client that is made, changed, saved without a change, and saved fifty times."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.cli import demo_verdict as verdict
from worker.cli.demo_board import Counter
from worker.cli.demo_watch import TARGETS
from worker.cli.demo_words import NAMES, times
from worker.sandbox.seed import belgian_address, belgian_vat, person

if TYPE_CHECKING:
    from worker.cli.demo_screen import Screen
    from worker.cli.demo_watch import Watch
    from worker.sandbox.server import SandboxServer

# Nobody's: VAT numbers over bases of zeros, phone numbers of zeros, addresses that end in .example.
FIRST: Final[Mapping[str, Any]] = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": "+32 9 200 00 01",
    "vatIdNumber": "BE0000000196",
    "address": belgian_address("Kerkstraat 12", "9000", "Gent"),
    "language": "nl",
    "contacts": [person("An", "Peeters", "Zaakvoerder", "an@delinde.example", isPrimary=True)],
}

SAVES: Final = 50


def office(number: int, name: str, postcode: str = "1000", city: str = "Brussel", **more: Any) -> dict[str, Any]:
    """A made-up client; its VAT number has valid check digits over zeros."""
    host = f"klant{number}.example"
    return {
        "name": name,
        "email": f"info@{host}",
        "tel": f"+32 9 200 01 {number:02d}",
        "vatIdNumber": belgian_vat(number),
        "address": belgian_address(f"Dorpsplein {number}", postcode, city),
        **more,
    }


class Story:
    """
    What all chapters share, and the first three.

    `clients` are the ids of those that were made; `kept` the fields, by client and system, that a person there changed
    or kept on purpose; `by_hand` how many records were there before their client; `answered` how many questions a
    person has answered; `first_seconds` how long the first client took.
    """

    def __init__(self, sandbox: SandboxServer, watch: Watch, screen: Screen) -> None:
        self.sandbox = sandbox
        self.watch = watch
        self.screen = screen
        self.clients: list[str] = []
        self.kept: dict[str, dict[str, tuple[str, ...]]] = {}
        self.by_hand = 0
        self.answered = 0
        self.first_seconds = 0.0
        self.chapters = 0

    # ------------------------------------------------------------------------------------------------- what is shared

    def chapter(self, title: str, text: str) -> None:
        """A new chapter, with the next number."""
        self.chapters += 1
        self.screen.chapter(self.chapters, title, text)

    def tell(self, kept: bool, text: str, otherwise: str = "") -> None:
        """Whether a promise was kept; lines and panel show what is known by then."""
        self.watch.catch_up()
        self.screen.tell(kept, text, otherwise)

    def made(self, members: Mapping[str, Any]) -> str:
        """A person at the office makes a client."""
        client_id = self.sandbox.world.robaws.add_client(**members)
        self.clients.append(client_id)
        self.screen.line("person", f"makes the client {members['name']} in Robaws ({client_id})")
        return client_id

    def changed(self, client_id: str, what: str, **members: Any) -> None:
        """A person at the office changes a client."""
        self.screen.line("person", f"{what} in Robaws")
        self.sandbox.world.robaws.change_client(client_id, **members)

    def agree(self, client_id: str, seconds: float = 20.0) -> bool:
        """Wait until every system holds the client as it is in Robaws."""
        kept = self.kept.get(client_id)
        return self.watch.until(
            lambda links: (
                self.watch.settled(links, client_id) and not verdict.differences(self.sandbox, client_id, kept)
            ),
            seconds,
        )

    def why_not(self, client_id: str) -> str:
        """What differs, as the end of a sentence."""
        found = verdict.differences(self.sandbox, client_id, self.kept.get(client_id))
        states = [
            f"{NAMES[system]}: {link.state}" for system in TARGETS if (link := self.watch.link(client_id, system))
        ]
        return "; ".join(found or states)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Requests and writes that each vendor has seen so far."""
        return {name: (self.watch.calls(name), self.watch.writes(name)) for name in ("robaws", *TARGETS)}

    def since(self, before: Mapping[str, tuple[int, int]]) -> tuple[dict[str, int], dict[str, int]]:
        """Reads and writes that each vendor has seen since these counts."""
        now = self.counts()
        writes = {name: now[name][1] - before[name][1] for name in now}
        return {name: now[name][0] - before[name][0] - writes[name] for name in now}, writes

    # ---------------------------------------------------------------------------------------------------- the chapters

    def everywhere(self) -> str:
        """A client is made once and is everywhere."""
        self.chapter("A new client", "The office types it once, in Robaws. Nobody retypes it anywhere.")
        began = time.monotonic()
        client = self.made(FIRST)
        there = self.agree(client)
        self.first_seconds = time.monotonic() - began
        ids = [f"{NAMES[name]} {link.external_id}" for name in TARGETS if (link := self.watch.link(client, name))]
        self.tell(
            there,
            f"in every system after {self.first_seconds:.2f} s: {', '.join(ids)}",
            f"not everywhere: {self.why_not(client)}",
        )
        wanted = {name: link.external_id for name in TARGETS if (link := self.watch.link(client, name))}
        written = self.watch.until(lambda _links: self._written_back(client) == wanted, 10.0)
        self.tell(written, "and Robaws shows the number that the client has in each of them")
        return client

    def _written_back(self, client_id: str) -> dict[str, str]:
        extra = self.sandbox.world.robaws.client(client_id).get("extraFields") or {}
        fields = {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"}
        return {name: extra[field]["stringValue"] for name, field in fields.items() if field in extra}

    def only_the_change(self, client: str) -> None:
        """A change travels alone."""
        self.chapter("It moves", "A new address and a new phone. Only these travel; all else is left alone.")
        self.watch.until(lambda _links: self.watch.events_are_in(), 10.0)
        before = self.counts()
        address = {"addressLine1": "Havenweg 3", "postalCode": "3600", "city": "Genk"}
        self.changed(client, "moves the client to Genk, with a new phone", tel="+32 89 20 00 02", address=address)
        there = self.agree(client)
        reads, writes = self.since(before)
        self.tell(
            there,
            f"everywhere, for {times(reads['robaws'], 'read')} at Robaws and "
            + ", ".join(f"{times(writes[name], 'write')} at {NAMES[name]}" for name in TARGETS),
            f"not everywhere: {self.why_not(client)}",
        )

    def nothing(self, client: str) -> None:
        """A save without a change costs one look."""
        self.watch.until(lambda _links: self.watch.events_are_in(), 10.0)
        before, skipped = self.counts(), self.watch.summary()["events"]["skipped"]
        self.changed(client, "opens the client, changes nothing and saves it")
        ended = self.watch.until(lambda _links: self.watch.summary()["events"]["skipped"] > skipped, 10.0)
        reads, writes = self.since(before)
        calls = sum(reads[name] for name in TARGETS) + sum(writes.values())
        self.tell(
            ended and reads["robaws"] == 1 and not calls,
            "a change of nothing costs one read at Robaws and no other call; its event ends as skipped",
            f"a change of nothing cost {times(reads['robaws'], 'read')} at Robaws and {calls} other calls",
        )

    def burst(self, client: str) -> None:
        """Fifty webhooks are not fifty synchronisations."""
        self.chapter(
            "Fifty webhooks in a second", "An import saves one client fifty times, and some webhooks come twice."
        )
        before, heard, posts = self.counts(), self.watch.delivered(), len(self.sandbox.sender.deliveries)
        self.sandbox.world.robaws.fail_webhooks("repeat", times=10)
        self.screen.line("person", "starts an import, which saves the client fifty times")
        self.watch.quiet = True
        began = time.monotonic()
        for number in range(1, SAVES + 1):
            self.sandbox.world.robaws.change_client(client, tel=f"+32 89 20 01 {number:02d}")
            self._count_reads(number, before)
            self.watch.look()
            self.screen.rest(max(0.0, began + number / SAVES - time.monotonic()))
        self.screen.line("person", f"the import ends after {time.monotonic() - began:.1f} s; the phone is now … 01 50")
        there = self.agree(client)
        reads, writes = self.since(before)
        self._count_reads(SAVES, before)
        most = max(writes[name] for name in TARGETS)
        events = self.watch.delivered() - heard
        text = (
            f"{len(self.sandbox.sender.deliveries) - posts} webhooks of {events} events → "
            f"{times(reads['robaws'], 'read')} at Robaws, {times(most, 'write')} a system at most"
        )
        self.tell(there and events >= SAVES and reads["robaws"] < events, text, f"{text}: {self.why_not(client)}")
        self.watch.quiet = False

    def _count_reads(self, saved: int, before: Mapping[str, tuple[int, int]]) -> None:
        reads, writes = self.since(before)
        most = max(writes[name] for name in TARGETS)
        led_to = f"→ {times(reads['robaws'], 'read')}, {times(most, 'write')} a system"
        self.screen.board.counter = Counter("webhooks", saved, SAVES, led_to)
