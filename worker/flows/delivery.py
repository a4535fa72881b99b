"""One delivery in hand: the claim, the session, and the steps that end it. The decisions are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from worker.core.planning import Decision, Snapshot
from worker.core.sent import Planned
from worker.errors import AmbiguousMatch
from worker.flows.lease import LinkLease
from worker.flows.reading import Reading, shown
from worker.runtime import SOURCE
from worker.store import attempts, create_locks, departures, directory, links, operating_reviews, reviews, source_link
from worker.store.engine import retried
from worker.store.reviews import Question

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.core.mapping import VendorMapping
    from worker.core.persons import PersonPlan
    from worker.core.wire import Exchange
    from worker.errors import SyncError, VendorRejected
    from worker.runtime import Runtime
    from worker.store.links import LinkClaim
    from worker.vendors.contract import Intent

T = TypeVar("T")

GATEWAY_TIMEOUT = 504
EndState = Literal["synced", "review", "excluded"]


@dataclass(frozen=True)
class Ended:
    """How a delivery ended. `again`: the link is due already, as the contact changed in the meantime."""

    state: EndState
    again: bool = False


class Delivery(Reading):
    """A claimed link, its delivery, and the steps that commit what becomes of it."""

    def __init__(self, runtime: Runtime, claim: LinkClaim, begun: float) -> None:
        super().__init__(runtime, claim, LinkLease(runtime, claim, begun))
        self.in_flight: Sequence[str] = ()

    def leave_out(self, error: VendorRejected, sent: Mapping[str, Any]) -> bool:
        """
        Whether a refused request may leave once more, without what the vendor names: optional values of those sent.

        Only once in a delivery. They are then asked about, with the vendor's own words.
        """
        given = {path for path, value in sent.items() if value not in (None, "")} - self.ours.required
        optional = {row.vendor for row in self.mapping.rows if row.vendor in given and row.write == "always"}
        if self._refused or not error.fields or not optional.issuperset(error.fields):
            return False
        system = self.claim.system
        self._refused = {
            path: f"{self.mapping.row(path).label}: {system} refuses it: {text}" for path, text in error.fields.items()
        }
        self._ours = None
        return True

    def intend(self, intent: Intent | None, *, unlisted: bool = False) -> None:
        """
        Commit the intent (None takes it back: it is known that nothing was made). `unlisted`: the vendor knows a
        record that the directory does not show, so that it is read anew by whoever searches next.

        AlreadyBeingMade or AmbiguousMatch, and nothing committed, where another contact that has the same number, or
        e-mail and name, is being made there or was made since this delivery searched.
        """
        value = intent.to_json() if intent is not None else None
        withdrawn = value is not None and self.claim.asked
        with self.runtime.transaction("deliver.intend") as connection:
            links.intend(connection, self.claim, value)
            if unlisted:
                directory.expire(connection, self.claim.system)
            if value is not None and self.claim.intent is None:
                self._take_keys(connection)
            if withdrawn:
                # What was asked before was which record it is: an answer to that would leave the one that is made now.
                reviews.ask(connection, self.claim.id, (), self.runtime.now())
            self.log_attempts(connection)
        self.claim = replace(self.claim, intent=value, asked=self.claim.asked and not withdrawn)

    def _take_keys(self, connection: Connection) -> None:
        known = self.found | self.answers.refused
        made = create_locks.take(connection, self.claim, self.runtime.now(), known=known)
        if made is not None:
            self.evidence = {"candidates": [shown(made)]}
            external_id, because = made.candidate.external_id, made.because
            raise AmbiguousMatch(
                f"record {external_id} was made for another client a moment ago, and may be this one's too: {because}",
                reason="match_taken",
            )

    def bind(self, external_id: str, snapshot: Snapshot | None) -> None:
        """Commit which record it is, at once, and that its id is to be written back where the settings want that."""
        value = snapshot.to_json() if snapshot is not None else None

        def commit() -> list[tuple[int, str]]:
            with self.runtime.transaction("deliver.bind") as connection:
                self._lock_source_too(connection)
                links.bind(connection, self.claim, external_id, snapshot=value)
                due = self._tell_source(connection)
                if self.claim.asked:
                    # Which record it is is known now, whatever becomes of the rest of this delivery.
                    reviews.ask(connection, self.claim.id, (), self.runtime.now())
                self.log_attempts(connection)
            return due

        due = self.commit(commit)
        self.take(external_id, value)
        self.runtime.announce(due)

    def expect(self, snapshot: Snapshot, paths: Sequence[str]) -> None:
        """
        Commit what a change is about to bring there, where it could not be recognised as ours afterwards.

        `paths` hold it only once the change has arrived.
        """
        self.repair = self.repair | frozenset(paths)
        with self.runtime.transaction("deliver.expect") as connection:
            links.expect(connection, self.claim, snapshot.to_json(), sorted(self.repair))
            self.log_attempts(connection)

    def may_have_changed(self, error: SyncError) -> bool:
        """
        Whether a change of the linked record may have been made, or made in part, before this error.

        Then the snapshot is not what stands there: should the contact take the change back before it is repeated,
        nothing would seem to have changed. A create is not meant; its intent tells what it brought.
        """
        return any(one.status is None or not 400 <= one.status < 500 for one in self._changes(error))

    def may_come_late(self, error: SyncError) -> bool:
        """
        Whether a change of the linked record left and may still be at work: we, or a proxy before the vendor, waited no
        longer. A connection that was closed on us is no such thing: whoever closed it was done, or had given up.
        """
        return any(
            one.status == GATEWAY_TIMEOUT or (one.status is None and "Timeout" in (one.error or ""))
            for one in self._changes(error)
        )

    def _changes(self, error: SyncError) -> list[Exchange]:
        """The changes that left, creates aside; the last one may have been refused a connection."""
        changes = [one for one in self.session.exchanges if one.request.writes and not one.request.creates]
        if changes and error.word == "unreachable" and changes[-1] is self.session.exchanges[-1]:
            changes.pop()
        return changes

    def end(
        self,
        state: EndState,
        *,
        snapshot: Snapshot | None = None,
        parked: Mapping[str, Any] | None = None,
        questions: Sequence[Question] = (),
        reason: str | None = None,
        message: str | None = None,
        decisions: Sequence[Decision] = (),
        settled: bool = False,
    ) -> Ended:
        """
        Commit the end of this delivery, with the questions that stay open and the log of its requests.

        `settled`: every field was decided about, so that a person's choice of our value has been carried out.
        """
        now = self.runtime.now()
        ask = bool(questions) or self.claim.asked

        def finish(connection: Connection) -> bool:
            return links.finish(
                connection,
                self.claim,
                state=state,
                snapshot=snapshot.to_json() if snapshot is not None else self.claim.snapshot,
                parked=parked or {},
                unheld=self.ours.unheld if self.claim.system != SOURCE else (),
                reason=reason,
                message=message,
                now=now,
                logged=attempts.values(self._fresh(), self._context(), self.plans.why(self._logged, decisions)),
                settled=settled,
            )

        tells = settled and bool(self.answers.linked)

        def commit() -> tuple[bool, list[tuple[int, str]]]:
            if not ask and not tells:
                with self.runtime.statement("deliver.finish") as connection:
                    return finish(connection), []
            with self.runtime.transaction("deliver.finish") as connection:
                if tells:
                    self._lock_source_too(connection)
                again = finish(connection)
                if ask:
                    reviews.ask(connection, self.claim.id, questions, now)
                due = self._tell_source(connection) if tells else []
                if questions and "due" in operating_reviews.by_rules(connection, self.claim.id, now):
                    due.append((self.claim.id, self.claim.system))
                return again, due

        again, due = self.commit(commit)
        self._logged = len(self.session.exchanges)
        self.runtime.announce(due)
        return Ended(state, again)

    def _lock_source_too(self, connection: Connection) -> None:
        """Where the link to the source is to change as well: both locked, in the order that everybody keeps."""
        if self.claim.system in self.runtime.settings.systems.robaws.write_back:
            source_link.lock_both(connection, self.claim.contact_id, self.claim.system)

    def _tell_source(self, connection: Connection) -> list[tuple[int, str]]:
        """Owe the source the id of the record, where the settings want that; what is due then."""
        if self.claim.system not in self.runtime.settings.systems.robaws.write_back:
            return []
        now, correlation = self.runtime.now(), self.claim.correlation_id
        back = source_link.want_write_back(connection, self.claim.contact_id, now, correlation)
        return [(back, SOURCE)] if back is not None else []

    def end_gone(self) -> Ended:
        """The client is gone from the source: nothing is made for it, and nothing asked."""
        return self.end("excluded", reason="gone", message=departures.MESSAGE)

    def commit(self, work: Callable[[], T]) -> T:
        """Run a transaction of this delivery, again where it met another one; its requests are logged once."""
        logged = self._logged

        def once() -> T:
            self._logged = logged
            return work()

        return retried(once)

    def plan(self, decisions: Sequence[Decision], persons: PersonPlan | None) -> None:
        """The requests that follow carry this out; the log tells each of them from it."""
        self.plans.add(Planned(decisions, persons, self.mapping.persons, self.base))


def written_decisions(mapping: VendorMapping, fields: Mapping[str, Any]) -> tuple[Decision, ...]:
    """A create's fields as decisions, so that a create and an update settle their snapshot in one way."""
    return tuple(
        Decision(row.vendor, "write", fields[row.vendor], None, "new record")
        for row in mapping.rows
        if row.vendor in fields
    )
