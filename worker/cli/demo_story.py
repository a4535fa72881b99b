"""The demo's story, first half: how it is when all goes well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.cli import demo_verdict as verdict
from worker.cli.demo_watch import TARGETS

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
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
    "language": "nl",
    "contacts": [
        {
            "name": "An",
            "surname": "Peeters",
            "function": "Zaakvoerder",
            "email": "an@delinde.example",
            "isPrimary": True,
        },
    ],
}


class Fair:
    """
    The chapters without trouble. `clients` are the ids of those that were made; `kept` the fields, by client and
    system, that a person there changed on purpose.
    """

    def __init__(self, sandbox: SandboxServer, watch: Watch, screen: Screen) -> None:
        self.sandbox = sandbox
        self.watch = watch
        self.screen = screen
        self.clients: list[str] = []
        self.kept: dict[str, dict[str, tuple[str, ...]]] = {}

    # ------------------------------------------------------------------------------------------------- what is shared

    def made(self, members: Mapping[str, Any]) -> str:
        """A person at the office makes a client."""
        client_id = self.sandbox.world.robaws.add_client(**members)
        self.clients.append(client_id)
        self.screen.line("person", f"makes the client {members['name']} in Robaws ({client_id})")
        return client_id

    def changed(self, client_id: str, what: str, **members: Any) -> None:
        """A person at the office changes a client."""
        self.sandbox.world.robaws.change_client(client_id, **members)
        self.screen.line("person", f"{what} in Robaws")

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
        states = [f"{system}: {link.state}" for system in TARGETS if (link := self.watch.link(client_id, system))]
        return "; ".join(found or states)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Requests and writes that each vendor has seen so far."""
        return {name: (self.watch.calls(name), self.watch.writes(name)) for name in ("robaws", *TARGETS)}

    # ---------------------------------------------------------------------------------------------------- the chapters

    def everywhere(self) -> str:
        """A client is made once and is everywhere."""
        self.screen.chapter(1, "A new client", "The office types it once, in Robaws. Nobody retypes it anywhere.")
        began = time.monotonic()
        client = self.made(FIRST)
        there = self.agree(client)
        seconds = time.monotonic() - began
        ids = [f"{name} {link.external_id}" for name in TARGETS if (link := self.watch.link(client, name))]
        self.screen.tell(
            there,
            f"in every system after {seconds:.2f} s: {', '.join(ids)}",
            f"not everywhere: {self.why_not(client)}",
        )
        wanted = {name: link.external_id for name in TARGETS if (link := self.watch.link(client, name))}
        written = self.watch.until(lambda _links: self._written_back(client) == wanted, 10.0)
        self.screen.tell(written, "and Robaws shows the number that the client has in each of them")
        return client

    def _written_back(self, client_id: str) -> dict[str, str]:
        extra = self.sandbox.world.robaws.client(client_id).get("extraFields") or {}
        fields = {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"}
        return {name: extra[field]["stringValue"] for name, field in fields.items() if field in extra}

    def only_the_change(self, client: str) -> None:
        """A change travels alone."""
        self.screen.chapter(2, "It moves", "A new address and a new phone. Only these travel; all else is left alone.")
        self.watch.until(lambda _links: self.watch.events_are_in(), 10.0)
        before = self.counts()
        address = {"addressLine1": "Havenweg 3", "postalCode": "3600", "city": "Genk"}
        self.changed(client, "moves the client to Genk, with a new phone", tel="+32 89 20 00 02", address=address)
        there = self.agree(client)
        reads, writes = self._since(before)
        self.screen.tell(
            there,
            f"everywhere, for {_times(reads['robaws'], 'read')} at Robaws and "
            + ", ".join(f"{_times(writes[name], 'write')} at {name.capitalize()}" for name in TARGETS),
            f"not everywhere: {self.why_not(client)}",
        )

    def nothing(self, client: str) -> None:
        """A save without a change costs one look."""
        self.watch.until(lambda _links: self.watch.events_are_in(), 10.0)
        before, skipped = self.counts(), self.watch.api("summary")["events"]["skipped"]
        self.changed(client, "opens the client, changes nothing and saves it")
        ended = self.watch.until(lambda _links: self.watch.api("summary")["events"]["skipped"] > skipped, 10.0)
        reads, writes = self._since(before)
        calls = sum(reads[name] for name in TARGETS) + sum(writes.values())
        self.screen.tell(
            ended and reads["robaws"] == 1 and not calls,
            "a change of nothing costs one read at Robaws and no other call; its event ends as skipped",
            f"a change of nothing cost {reads['robaws']} reads at Robaws and {calls} other calls",
        )

    def _since(self, before: Mapping[str, tuple[int, int]]) -> tuple[dict[str, int], dict[str, int]]:
        now = self.counts()
        writes = {name: now[name][1] - before[name][1] for name in now}
        return {name: now[name][0] - before[name][0] - writes[name] for name in now}, writes

    def burst(self, client: str) -> None:
        """Fifty webhooks are not fifty synchronisations."""
        self.screen.chapter(
            3, "Fifty webhooks in a second", "An import saves one client fifty times, and some webhooks come twice."
        )
        before, heard, posts = self.counts(), self.watch.delivered(), len(self.sandbox.sender.deliveries)
        self.sandbox.world.robaws.fail_webhooks("repeat", times=10)
        self.watch.quiet = True
        began = time.monotonic()
        for number in range(1, 51):
            self.sandbox.world.robaws.change_client(client, tel=f"+32 89 20 01 {number:02d}")
            self.watch.look()
            self.screen.rest(max(0.0, began + number / 50 - time.monotonic()))
        self.screen.line("person", f"the import ends after {time.monotonic() - began:.1f} s; the phone is now … 01 50")
        there = self.agree(client)
        self.watch.quiet = False
        reads, writes = self._since(before)
        most = max(writes[name] for name in TARGETS)
        events = self.watch.delivered() - heard
        text = (
            f"{len(self.sandbox.sender.deliveries) - posts} webhooks of {events} events → "
            f"{_times(reads['robaws'], 'read')} at Robaws, {_times(most, 'write')} a system at most"
        )
        self.screen.tell(there and events >= 50 and reads["robaws"] < events, text, f"{text}: {self.why_not(client)}")

    def a_person(self, client: str) -> None:
        """A contact person arrives where there is a place for one; where there is none, that is said."""
        self.screen.chapter(
            4, "A contact person", "Robaws sends no webhook for persons; the client's next save brings the news along."
        )
        robaws = self.sandbox.world.robaws
        robaws.add_person(client, name="Sofie", surname="Maes", function="Boekhouding", email="sofie@delinde.example")
        self.changed(client, "adds Sofie Maes to the client, and saves it")
        there = self.agree(client)
        link = self.watch.link(client, "recras")
        names = verdict.persons(self.sandbox, link.external_id or "0") if link else {}
        self.screen.tell(
            there and "Sofie Maes" in names,
            f"Recras has {', '.join(sorted(names))}; what the others cannot hold is listed, not lost silently",
            f"Recras has {', '.join(sorted(names))}: {self.why_not(client)}",
        )

    def their_own(self, client: str) -> None:
        """What a person changed on purpose in another system survives."""
        self.screen.chapter(
            5, "People work there too", "Bookkeeper and planner keep things of their own, which Robaws must not wipe."
        )
        rompslomp, recras = self.sandbox.simulators["rompslomp"], self.sandbox.simulators["recras"]
        books, planning = self.watch.link(client, "rompslomp"), self.watch.link(client, "recras")
        assert books is not None  # noqa: S101 - chapter 1 has made them
        assert planning is not None  # noqa: S101
        books_id, planning_id = str(books.external_id), str(planning.external_id)
        mine = {"contact_person_email_address": "facturen@delinde.example", "free_1": "betaalt altijd laat"}
        rompslomp.edit_record(books_id, mine)
        self.screen.line("person", "the bookkeeper gives Rompslomp an e-mail address for invoices and a note")
        recras.add_person(planning_id, voornaam="Tom", achternaam="Claes", telefoon1="+32 470 00 00 03")  # type: ignore[attr-defined]
        self.screen.line("person", "the planner adds Tom Claes in Recras, whom Robaws does not know")
        self.kept[client] = {"rompslomp": ("email",)}
        self.changed(client, "changes phone and e-mail address", tel="+32 89 20 00 04", email="kantoor@delinde.example")
        there = self.agree(client)
        held = verdict.records(self.sandbox, "rompslomp")[books_id]
        survived = all(held[name] == value for name, value in mine.items())
        names = verdict.persons(self.sandbox, planning_id)
        self.screen.tell(
            there and survived and "Tom Claes" in names,
            "Robaws's change arrived; the bookkeeper's address and note and the planner's Tom Claes are still there",
            f"Rompslomp holds {held['contact_person_email_address']!r} and {held['free_1']!r}, Recras has "
            f"{', '.join(sorted(names))}: {self.why_not(client)}",
        )


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
