"""Read and decide about one link, before anything is written: the part that a delivery and a plan have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from worker.core import merge_patch, planning
from worker.core.answers import Answers
from worker.core.echo import content_hash
from worker.core.mapping import EVERYTHING
from worker.core.persons import find_sent
from worker.core.planning import Snapshot
from worker.flows.plans import Plans
from worker.runtime import BACKGROUND, SOURCE
from worker.store import attempts
from worker.store.attempts import AttemptContext
from worker.vendors.recent_reads import RecentReads

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.core.contact import Json
    from worker.core.mapping import Ours, Owner, VendorMapping
    from worker.core.matching import Match
    from worker.core.matching_keys import Candidate
    from worker.core.wire import Exchange
    from worker.runtime import Runtime
    from worker.store.holders import Holder
    from worker.store.links import LinkClaim
    from worker.vendors.contract import Record
    from worker.vendors.transport import Lease


class Reading:
    """
    A link with what a decision about it needs: what the system should hold, what was agreed on, a way to look there.

    It writes neither at the vendor nor into the link's row. `claim` is replaced as things are learned.
    `operation` is the word for what is being done, for the log and the fingerprint; `evidence` is what a review shows
    if this ends in one. `candidates` are the records that its search compared, None before a search.
    """

    def __init__(self, runtime: Runtime, claim: LinkClaim, lease: Lease) -> None:
        self.runtime = runtime
        self.claim = claim
        lane: Literal["live", "background"] = "background" if claim.priority >= BACKGROUND else "live"
        # What was read before a create, or before somebody asked for a fresh look, says nothing now.
        stale = claim.intent is not None or claim.restore
        self.reads = RecentReads.from_json(None if stale else claim.reads)
        # The session first: credentials that are renewed between the two count as newer than its own.
        self.session = runtime.session(claim.system, lane, lease, self.reads)
        self.client: Any = runtime.client(claim.system)
        self.operation = "deliver"
        self.evidence: dict[str, Any] = {}
        self.must_read = claim.reason in ("outcome_unknown", "unusable") or claim.crashes > 0
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

    def take(self, external_id: str, snapshot: dict[str, Any] | None) -> None:
        """From here on that record is this contact's; `snapshot` is what is known to stand in it."""
        self.claim = replace(
            self.claim,
            external_id=external_id,
            intent=None,
            snapshot=snapshot,
            repair=[],
            overtaken=[],
            asked=False,
        )
        self.repair = frozenset()

    def find_persons(self, record: Record) -> None:
        """Give the persons of a create that has just been read their ids there, so that they are ours from now on."""
        base, table = self.base, self.mapping.persons
        if base is not None and table is not None and record.persons is not None:
            base = replace(base, persons=find_sent(table, base, record.persons))
            self.claim = replace(self.claim, snapshot=base.to_json())

    def log_attempts(self, connection: Connection) -> None:
        """Add the requests that were not logged yet to this transaction."""
        attempts.add(connection, self._fresh(), self._context(), self.plans.why(self._logged))
        self._logged = len(self.session.exchanges)

    def _fresh(self) -> Sequence[Exchange]:
        return self.session.exchanges[self._logged :]

    def _context(self) -> AttemptContext:
        return AttemptContext(
            contact_id=self.claim.contact_id or None,
            link_id=self.claim.id or None,
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
