"""
Changing a Recras customer and its contact persons: the PUTs, and what is made of a refusal (Recras sheets 5.3 and 15).

Page: https://demo.recras.nl/docs/api/endpoints/klanten.html.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from worker.core.contact import Json
from worker.core.persons import PersonChange
from worker.errors import RecordGone, StaleRead, VendorRejected
from worker.vendors.recras import bodies, rules

if TYPE_CHECKING:
    from worker.vendors.transport import Session


@dataclass
class Changes:
    """
    The changes of one Recras; shared by the threads of a process.

    `full`: a PUT names all that the record holds. `hidden`: `landcode` and `btw_nummer` may be changed.
    `confirm_address` rules out that a 404 means the address. `key` stands for the whole change, of which each PUT is a
    part under a key of its own.
    """

    requests: rules.Requests
    full: bool
    hidden: bool
    confirm_address: Callable[[Session], None]
    _list_demanded: bool = False
    _not_taken: set[str] = field(default_factory=set)

    def person(self, session: Session, change: PersonChange, after: Json, key: str) -> bool:
        """Change one person and lay the answer over `after`; False where the answer did not show it."""
        shown = after.get(bodies.PERSONS) or []
        place = next(at for at, person in enumerate(shown) if str(person["id"]) == change.external_id)
        body = bodies.for_person(shown[place], change.patch, full=self.full)

        def send(members: Json) -> Json | None:
            response = session.send(self.requests.update_person(change.external_id, members), key)
            return rules.record_if_shown(response, change.external_id)

        try:
            answer, body = self._without_what_was_only_held(send, body, change.patch)
        except RecordGone as error:
            self.confirm_address(session)
            raise StaleRead(f"contact person {change.external_id} is not there any more") from error
        changed = {**shown[place], **body, **(answer or {})}
        after[bodies.PERSONS] = [*shown[:place], changed, *shown[place + 1 :]]
        return answer is not None

    def klant(
        self, session: Session, external_id: str, patch: Mapping[str, Any], listing: list[Json], after: Json, key: str
    ) -> bool:
        """Change the customer and lay the answer over `after`; False where persons or members are to be read."""
        body = bodies.for_klant(after, patch, full=self.full, hidden=self.hidden)
        body = {member: value for member, value in body.items() if member in patch or member not in self._not_taken}
        if listing:
            body[bodies.PERSONS] = listing
        held = dict(after)
        answer, body = self._without_what_was_only_held(
            lambda members: self._put(session, external_id, members, held, key), body, {*patch, bodies.PERSONS}
        )
        persons = bodies.after_listing(after, listing)
        after.update({member: value for member, value in body.items() if member != bodies.PERSONS})
        after.update(answer or {})
        told = bool(answer and answer.get(bodies.PERSONS))
        if not told:
            after[bodies.PERSONS] = persons
        return answer is not None and (persons is not None or told)

    def _without_what_was_only_held(
        self, send: Callable[[Json], Json | None], body: Json, ours: Collection[str]
    ) -> tuple[Json | None, Json]:
        """
        Send a body, and once more without the members that it only sends back and that Recras refuses: the answer, and
        the body that was taken.

        People type what a write would not take, and kinds of customer are taken off the company's list; such a value
        must not keep every change of ours from a customer. What is refused of ours is for the caller.
        """
        try:
            return send(body), body
        except VendorRejected as error:
            refused = {name.partition(".")[0] for name in error.fields}
            if not refused or not refused <= body.keys() - set(ours):
                raise
            self._not_taken |= refused & bodies.SHOWN_ELSEWHERE
        taken = {member: value for member, value in body.items() if member not in refused}
        return send(taken), taken

    def _put(self, session: Session, external_id: str, body: Json, held: Json, key: str) -> Json | None:
        """
        One PUT. A Recras that demands the list of persons in each of them (possible by sheet 5.3) gets the one that
        was just read, from then on at once.
        """
        same = bodies.same_persons(held.get(bodies.PERSONS) or [])
        if self._list_demanded and same:
            body.setdefault(bodies.PERSONS, same)
        try:
            return rules.record_if_shown(session.send(self.requests.update(external_id, body), key), external_id)
        except RecordGone:
            self.confirm_address(session)
            raise
        except VendorRejected as error:
            if bodies.PERSONS in body or bodies.PERSONS not in error.fields or not same:
                raise
        self._list_demanded = True
        return self._put(session, external_id, body, held, key)
