"""The demo's story, second part: what people do in the other systems, and what was there before contactsync."""

from __future__ import annotations

from typing import Final

from worker.cli import demo_verdict as verdict
from worker.cli.demo_story import Story, office
from worker.sandbox.seed import person

KNOWN: Final = "Drukkerij Maas"
BOOKS_PHONE: Final = "+32 11 20 00 06"


class People(Story):
    """The chapters in which people work elsewhere too."""

    def a_person(self, client: str) -> None:
        """A contact person arrives where there is a place for one; where there is none, that is said."""
        self.chapter(
            "A contact person", "Robaws sends no webhook for persons; the client's next save brings the news along."
        )
        robaws = self.sandbox.world.robaws
        robaws.add_person(client, **person("Sofie", "Maes", "Boekhouding", "sofie@delinde.example"))
        self.changed(client, "adds Sofie Maes to the client, and saves it")
        there = self.agree(client)
        link = self.watch.link(client, "recras")
        names = verdict.persons(self.sandbox, link.external_id or "0") if link else {}
        self.tell(
            there and "Sofie Maes" in names,
            f"Recras has {', '.join(sorted(names))}; what the others cannot hold is listed, not lost silently",
            f"Recras has {', '.join(sorted(names))}: {self.why_not(client)}",
        )

    def their_own(self, client: str) -> None:
        """What a person changed on purpose in another system survives."""
        self.chapter(
            "People work there too", "Bookkeeper and planner keep things of their own, which Robaws must not wipe."
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
        self.tell(
            there and survived and "Tom Claes" in names,
            "Robaws's change arrived; the bookkeeper's address and note and the planner's Tom Claes are still there",
            f"Rompslomp holds {held['contact_person_email_address']!r} and {held['free_1']!r}, Recras has "
            f"{', '.join(sorted(names))}: {self.why_not(client)}",
        )

    def known_already(self) -> None:
        """A record that is there already is linked by its VAT number; what differs is asked, and a person answers."""
        self.chapter(
            "The books know this client already",
            "Somebody typed it into Rompslomp long ago: the same VAT number, another phone number.",
        )
        members = office(6, KNOWN, "3600", "Genk")
        vat = str(members["vatIdNumber"])
        address = members["address"]
        books_id = self.sandbox.simulators[
            "rompslomp"
        ].add_record(  # type: ignore[attr-defined]
            company_name=KNOWN.upper(),
            vat_number=f"{vat[:2]} {vat[2:6]}.{vat[6:9]}.{vat[9:]}",
            phone=BOOKS_PHONE,
            address=address["addressLine1"],
            zipcode=address["postalCode"],
            city=address["city"],
            country_code=address["country"],
        )
        self.by_hand += 1
        client = self.made(members)
        self.kept[client] = {"rompslomp": ("phone",)}
        asked = self.watch.until(lambda _links: bool(self._questions(client)) and self._rest_is_in(client), 15.0)
        questions = self._questions(client)
        records = len(verdict.find(self.sandbox, "rompslomp", KNOWN))
        self.tell(
            asked and len(questions) == 1 and records == 1,
            "found by its VAT number, so no second record is made; about the phone a person is asked",
            f"{records} records, questions {questions}: {self.why_not(client)}",
        )
        if not questions:
            return
        review = questions[0]
        self.screen.line("person", f"answers “theirs” to review {review}: the number in the books is right")
        self.watch.api(f"reviews/{review}/resolve", {"choose": "theirs", "reason": "the bookkeeper called them"})
        self.answered += 1
        there = self.agree(client)
        held = verdict.records(self.sandbox, "rompslomp")[books_id]
        self.tell(
            there and held["phone"] == BOOKS_PHONE and not self._questions(client),
            f"Rompslomp keeps {BOOKS_PHONE}, as a person decided; Recras and Workspace have {members['tel']}",
            f"Rompslomp holds {held['phone']!r}: {self.why_not(client)}",
        )

    def _questions(self, client: str) -> list[str]:
        """The ids of the open questions about a client."""
        return [one["id"] for one in self.watch.api("reviews")["items"] if one["contact"]["source_id"] == client]

    def _rest_is_in(self, client: str) -> bool:
        return self.watch.settled(self.watch.look(), client, ("recras", "workspace"))
