"""One delivery in hand: the claim, the session, and the steps that end it. The decisions are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from worker.core import merge_patch, planning
from worker.core.answers import Answers
from worker.core.echo import content_hash
from worker.core.mapping import EVERYTHING
from worker.core.persons import find_sent
from worker.core.planning import Decision, Snapshot
from worker.core.sent import Planned
from worker.errors import AmbiguousMatch
from worker.flows.lease import LinkLease
from worker.flows.plans import Plans
from worker.runtime import BACKGROUND, SOURCE
from worker.store import attempts, create_locks, departures, directory, links, reviews, source_link
from worker.store.attempts import AttemptContext
from worker.store.engine import retried
from worker.store.reviews import Question
from worker.vendors.recent_reads import RecentReads

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.core.contact import Json
    from worker.core.mapping import Ours, Owner, VendorMapping
    from worker.core.matching import Match
    from worker.core.matching_keys import Candidate
    from worker.core.persons import PersonPlan
    from worker.core.wire import Exchange
    from worker.errors import SyncError, VendorRejected
    from worker.runtime import Runtime
    from worker.store.holders import Holder
    from worker.store.links import LinkClaim
    from worker.vendors.contract import Intent, Record

T = TypeVar("T")

GATEWAY_TIMEOUT = 504
EndState = Literal["synced", "review", "excluded"]


@dataclass(frozen=True)
class Ended:
    """How a delivery ended. `again`: the link is due already, as the contact changed in the meantime."""

    state: EndState
    again: bool = False


class Delivery:
    """
    A claimed link with what its delivery needs.

    `claim` is replaced as things are learned and committed. `operation` is the word for what is being done, for the
    log and the fingerprint; `evidence` is what a review shows if this delivery ends in one. `candidates` are the
    records that its search compared, None before a search.
    """

    def __init__(self, runtime: Runtime, claim: LinkClaim, begun: float) -> None:
        self.runtime = runtime
        self.claim = claim
        self.client: Any = runtime.client(claim.system)
        lane: Literal["live", "background"] = "background" if claim.priority >= BACKGROUND else "live"
        # What was read before a create, or before somebody asked for a fresh look, says nothing now.
        stale = claim.intent is not None or claim.restore
        self.reads = RecentReads.from_json(None if stale else claim.reads)
        self.session = runtime.session(claim.system, lane, LinkLease(runtime, claim, begun), self.reads)
        self.operation = "deliver"
        self.evidence: dict[str, Any] = {}
        self.must_read = claim.reason in ("outcome_unknown", "unusable") or claim.crashes > 0
        self.in_flight: Sequence[str] = ()
        self.candidates: Sequence[Candidate] | None = None
        self.holders: Mapping[str, Holder] = {}
        self._logged = 0
        self.plans = Plans(self.session)
        self._ours: Ours | None = None
        self._refused: Mapping[str, str] = {}

    @property
    def mapping(self) -> VendorMapping:
        """The system's table."""
        mapping: VendorMapping = self.client.mapping
        return mapping

    @property
    def ours(self) -> Ours:
        """What the system should hold."""
        if self._ours is None:
            self._ours = self.mapping.outward(self.claim.contact)
            self._ours = self._ours.without({**self._refused_before(self._ours), **self._refused})
        return self._ours

    def _refused_before(self, ours: Ours) -> dict[str, str]:
        """What the system refused when it was sent last, while it is the same value and nobody asks to try again."""
        parked = {} if self.claim.restore else self.claim.parked
        known = {path: one for path, one in parked.items() if isinstance(one, dict) and one.get("refused")}
        keys = {path: self.mapping.row(path).key for path in known if path in ours.fields}
        return {
            path: str(known[path]["refused"])
            for path, key in keys.items()
            if key(ours.fields[path]) == key(known[path].get("ours"))
        }

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

    @property
    def owners(self) -> dict[str, Owner]:
        """Who owns each field there; a field for which a person chose our value is Robaws's for this delivery."""
        chosen: dict[str, Owner] = dict.fromkeys(self.answers.ours, "robaws")
        return {**self.runtime.owners(self.claim.system), **chosen}

    @property
    def answers(self) -> Answers:
        """What a person decided about this link."""
        return Answers.from_json(self.claim.decided)

    @property
    def base(self) -> Snapshot | None:
        """What both sides last agreed on."""
        return Snapshot.from_json(self.claim.snapshot)

    @property
    def held_back(self) -> Sequence[str]:
        """The fields that a question about many emptied ones is open about."""
        members: Sequence[str] = (self.claim.parked.get(EVERYTHING) or {}).get("members") or ()
        return members

    @cached_property
    def repair(self) -> frozenset[str]:
        """
        What a change of ours that was not answered, or whose worker was lost, may have written there, by path.

        Of a lost worker it is known which contents it had: those of now, or earlier ones. What the contents of now
        would write is written again in any case; what earlier ones would have written and these would not, is here.
        """
        base, found = self.base, set(self.claim.repair)
        contents: Json = self.claim.contact
        for patch in self.claim.overtaken:
            contents = merge_patch.apply(patch, contents)
            if base is not None and self.claim.system != SOURCE:
                found |= planning.may_have_written(self.mapping, self.mapping.outward(contents), base)
        return frozenset(found)

    def key(self, operation: str, content: Any) -> str:
        """The idempotency key of one intended change: the same for every repeat of it, another for other content."""
        return content_hash({"link": self.claim.id, "operation": operation, "content": content})

    @property
    def found(self) -> frozenset[str]:
        """The external ids of the records that its search compared."""
        return frozenset(candidate.external_id for candidate in self.candidates or ())

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
        self.claim = replace(self.claim, external_id=external_id, intent=None, snapshot=value, repair=[], overtaken=[])
        self.claim = replace(self.claim, asked=False)
        self.repair = frozenset()
        self.runtime.announce(due)

    def find_persons(self, record: Record) -> None:
        """Give the persons of a create that has just been read their ids there, so that they are ours from now on."""
        base, table = self.base, self.mapping.persons
        if base is not None and table is not None and record.persons is not None:
            base = replace(base, persons=find_sent(table, base, record.persons))
            self.claim = replace(self.claim, snapshot=base.to_json())

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
                return again, self._tell_source(connection) if tells else []

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

    def log_attempts(self, connection: Connection) -> None:
        """Add the requests that were not logged yet to this transaction."""
        attempts.add(connection, self._fresh(), self._context(), self.plans.why(self._logged))
        self._logged = len(self.session.exchanges)

    def plan(self, decisions: Sequence[Decision], persons: PersonPlan | None) -> None:
        """The requests that follow carry this out; the log tells each of them from it."""
        self.plans.add(Planned(decisions, persons, self.mapping.persons, self.base))

    def _fresh(self) -> Sequence[Exchange]:
        return self.session.exchanges[self._logged :]

    def _context(self) -> AttemptContext:
        return AttemptContext(
            contact_id=self.claim.contact_id,
            link_id=self.claim.id,
            correlation_id=self.claim.correlation_id,
            contact_version=self.claim.version,
            mapping_version=self.mapping.version if self.claim.system != SOURCE else None,
            fence=self.claim.fence,
        )


def shown(match: Match) -> dict[str, Any]:
    """A record that may be the contact, as a question shows it."""
    candidate = match.candidate
    return {
        "external_id": candidate.external_id,
        "name": candidate.name,
        "reference": candidate.reference,
        "values": dict(candidate.values),
        "emails": list(candidate.emails),
        "strength": match.strength,
        "evidence": [{"field": row.field, "says": row.says, "for": row.speaks_for} for row in match.evidence],
    }


def written_decisions(mapping: VendorMapping, fields: Mapping[str, Any]) -> tuple[planning.Decision, ...]:
    """A create's fields as decisions, so that a create and an update settle their snapshot in one way."""
    return tuple(
        Decision(row.vendor, "write", fields[row.vendor], None, "new record")
        for row in mapping.rows
        if row.vendor in fields
    )
