"""
Bring a contact up to date with its source: claim, fetch it as it is now, give it a version, owe the systems.

An event said only that something changed; what is fetched is the truth of this moment, and it covers every event
that had come before the fetch began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import structlog

from worker.core import fuse, merge_patch
from worker.core.echo import content_hash
from worker.errors import BudgetExhausted, LeaseLost, RecordGone, SyncError
from worker.flows import probing
from worker.flows.gate import Gate
from worker.flows.outcome import Outcome, after_crashes, judge, unexpected
from worker.runtime import BACKGROUND, SOURCE
from worker.store import attempts, contacts, departures, fetched, inbox, source_link
from worker.store.attempts import AttemptContext
from worker.store.engine import retried
from worker.store.fetched import Closed, Contents, Stored

if TYPE_CHECKING:
    from datetime import datetime

    from worker.config.sections import FilterSettings
    from worker.core.contact import Json
    from worker.runtime import Runtime
    from worker.store.contacts import FetchClaim
    from worker.vendors.transport import Session

log = structlog.get_logger()

MOST_BATCHES = 40
"""So many batches of events are taken in one go: twenty thousand events, a few seconds."""


LOOK_AGAIN_SECONDS = (1.0, 3.0, 6.0)
"""The waits of a client that was never seen until it is looked for again: its webhook may be ahead of its reads."""


@dataclass(frozen=True)
class Fetched:
    """What came of a fetch: `changed`, `unchanged`, `gone`, `failed`, or `none` where there was nothing to claim."""

    result: Literal["changed", "unchanged", "gone", "failed", "none", "lost"]
    again: bool = False
    called: bool = False
    """Whether the source was called."""
    wait_seconds: float = 0.0
    """For how long its budget leaves no turn; others that are due would find none either."""


def _intake(runtime: Runtime) -> inbox.Taken:
    with runtime.transaction("intake") as connection:
        return inbox.intake(connection, runtime.now())


def take_events(runtime: Runtime) -> list[int]:
    """
    Give new events to their contacts; returns the contacts that are owed a fetch.

    All that waits is taken before anything is fetched, within reason: events about one contact that lie a batch apart
    then cost one fetch and not one each.
    """
    owed: dict[int, None] = {}
    for _ in range(MOST_BATCHES):
        taken = retried(partial(_intake, runtime))
        owed |= dict.fromkeys(taken.contact_ids)
        if taken.events < inbox.BATCH or runtime.stopping.is_set():
            break
    return list(owed)


def fetch(runtime: Runtime, gate: Gate, contact_id: int | None = None) -> Fetched:
    """Do one owed fetch: of this contact, or of the next that is due. Safe to run twice, or in two places."""
    way = gate.way(SOURCE)
    if way == "held":
        return Fetched("none")
    result = _claim_and_run(runtime, gate, contact_id)
    if way == "probe" and not result.called:
        probing.probe(runtime, gate, SOURCE)
    gate.leave(SOURCE)
    return result


def _claim_and_run(runtime: Runtime, gate: Gate, contact_id: int | None) -> Fetched:
    lease = float(runtime.settings.worker.lease_seconds)
    with runtime.statement("fetch.claim") as connection:
        claim = contacts.claim_fetch(connection, runtime.now(), lease, contact_id)
    if claim is None:
        return Fetched("none")
    with structlog.contextvars.bound_contextvars(contact=claim.source_id, correlation_id=claim.correlation_id):
        fetch = _Fetch(runtime, gate, claim)
        result = fetch.run()
        return replace(result, called=bool(fetch.session.exchanges))


class _Fetch:
    """One claimed fetch."""

    def __init__(self, runtime: Runtime, gate: Gate, claim: FetchClaim) -> None:
        self.runtime = runtime
        self.gate = gate
        self.claim = claim
        lane: Literal["live", "background"] = "background" if claim.priority >= BACKGROUND else "live"
        self.session: Session = runtime.session(SOURCE, lane)

    def run(self) -> Fetched:
        """Fetch and store; an error becomes the row's next state, never an exception."""
        try:
            if (outcome := self._after_crashes()) is not None:
                retried(partial(self._end, outcome))
                return Fetched("failed")
            try:
                canonical, raw = self.runtime.client(SOURCE).fetch(
                    self.session, self.claim.source_id, self._record_before
                )
            except RecordGone:
                return self._gone()
            return self._store(canonical, raw)
        except LeaseLost as error:
            log.warning("fetch.lease_lost", reason=error.word)
            return Fetched("lost")
        except SyncError as error:
            return self._failed(error)
        except Exception as error:
            log.exception("fetch.unexpected")
            return self._failed(unexpected(error))

    def _record_before(self) -> Mapping[str, Any] | None:
        with self.runtime.autocommit.connect() as connection:
            return contacts.record(connection, self.claim.contact_id)

    def _store(self, canonical: Json, raw: Mapping[str, Any]) -> Fetched:
        claim, now = self.claim, self.runtime.now()
        digest = content_hash(canonical)
        differs = digest != claim.content_hash
        # A client that was gone and is back is owed everywhere, as what was owed for it had ended.
        changed = differs or claim.gone
        version = claim.version + 1 if changed else claim.version
        wanted = self.runtime.settings.sync.filter
        takes_part = taking_part(wanted, canonical, raw, self.runtime.client(SOURCE).extra_value)
        patch = merge_patch.diff(claim.canonical or {}, canonical) if differs else None
        back = merge_patch.diff(canonical, claim.canonical) if differs and claim.canonical else None
        memory, rest = self._fuse(version, patch, now)
        if takes_part:
            reason = None if changed else self._why_unchanged()
        else:
            changed, reason = False, "filtered"
        stored = self._finish(
            Contents(version, digest, canonical, raw, takes_part, fuse=memory.to_json(), rest=rest, back=back),
            now,
            Closed("applied" if changed else "skipped", reason, version),
            systems=self.runtime.targets if takes_part else (),
            why=[{"changed": patch}] if patch else None,
        )
        self.runtime.announce(stored.due)
        if stored.again:
            self.runtime.publisher.fetch(claim.contact_id)
        log.info("fetch.done", changed=changed, version=version, reason=reason, due=len(stored.due))
        if rest:
            log.warning("fetch.ping_pong", seconds=rest.seconds, evidence=rest.message)
        return Fetched("changed" if changed else "unchanged", stored.again)

    def _fuse(
        self, version: int, patch: Mapping[str, Any] | None, now: datetime
    ) -> tuple[fuse.Memory, fuse.Rest | None]:
        """What is remembered of this version, and whether the contact rests now. Its first version changed nothing."""
        claim, policy = self.claim, self.runtime.fuse
        memory = fuse.Memory.from_json(claim.fuse)
        if patch is not None and claim.canonical is not None:
            memory = fuse.changed(memory, policy, version, patch, now.timestamp())
        return fuse.judge(memory, policy, calm=patch is None and claim.seq == claim.done)

    def _why_unchanged(self) -> str:
        with self.runtime.autocommit.connect() as connection:
            ours = source_link.written_back_since(connection, self.claim.contact_id, self.claim.fetched_at)
        return "echo" if ours else "unchanged"

    def _gone(self) -> Fetched:
        claim = self.claim
        if (outcome := self._look_again()) is not None:
            self._end(outcome)
            self.gate.succeeded(SOURCE)
            return Fetched("gone")
        contents = Contents(
            claim.version, claim.content_hash, claim.canonical, None, taking_part=claim.taking_part, gone=True
        )
        stored = self._finish(contents, self.runtime.now(), Closed("skipped", "gone"))
        return Fetched("gone", stored.again)

    def _look_again(self) -> Outcome | None:
        """
        A client that was never seen, and was not said to be gone: it may have been made a moment ago, and not be there
        for every read yet. None: it had its time.
        """
        claim = self.claim
        looks = claim.attempts if claim.reason == "not_there_yet" else 0
        if claim.content_hash is not None or claim.gone or looks >= len(LOOK_AGAIN_SECONDS):
            return None
        at = self.runtime.now() + timedelta(seconds=LOOK_AGAIN_SECONDS[looks])
        message = "Robaws says that there is no such client; it may have been made just now, and is looked for again"
        return Outcome("waiting", at, looks + 1, claim.own_failures, "not_there_yet", message, "none")

    def _finish(
        self,
        contents: Contents,
        now: datetime,
        closed: Closed,
        systems: Sequence[str] = (),
        why: list[dict[str, Any]] | None = None,
    ) -> Stored:
        """Commit what was found, with the log of requests; the source did what was asked."""
        # What was new is known from all answers together: it is told with the last.
        told = [*([()] * (len(self.session.exchanges) - 1)), why or ()]
        logged = attempts.values(self.session.exchanges, self._context(contents.version), told)
        kept = partial(fetched.store, claim=self.claim, contents=contents, now=now, closed=closed, systems=systems)

        def store() -> Stored:
            if not (contents.gone or self.claim.gone):
                with self.runtime.statement("fetch.store") as connection:
                    return kept(connection, logged=logged)
            with self.runtime.transaction("fetch.departure") as connection:
                stored = kept(connection, logged=logged)
                change = departures.left if contents.gone else departures.returned
                change(connection, self.claim.contact_id, now)
                return stored

        stored = retried(store)
        self.gate.succeeded(SOURCE)
        return stored

    def _after_crashes(self) -> Outcome | None:
        return after_crashes(
            self.claim.crashes,
            crashed=self.claim.crashed,
            what=f"the fetch of client {self.claim.source_id}",
            attempts=self.claim.attempts,
            own_failures=self.claim.own_failures,
            is_open=False,
            policy=self.runtime.policy,
            now=self.runtime.now(),
            draw=self.runtime.draw(),
        )

    def _failed(self, error: SyncError) -> Fetched:
        error = self.gate.excused(error, self.session)
        now = self.runtime.now()
        outcome = judge(
            error,
            system=SOURCE,
            operation="fetch",
            attempts=self.claim.attempts,
            own_failures=self.claim.own_failures,
            policy=self.runtime.policy,
            now=now,
            draw=self.runtime.draw(),
        )
        outcome = self.gate.slow_down(SOURCE, outcome, self.session.exchanges)
        try:
            state = self._end(outcome)
        except LeaseLost as lost:
            log.warning("fetch.lease_lost", reason=lost.word)
            return Fetched("lost")
        self.gate.learn(SOURCE, outcome, now)
        log.warning("fetch.failed", reason=outcome.reason, state=state, fingerprint=outcome.fingerprint)
        return Fetched("failed", wait_seconds=error.wait_seconds if isinstance(error, BudgetExhausted) else 0.0)

    def _end(self, outcome: Outcome) -> str:
        """Commit the end of a fetch that failed; the state that the contact has now."""
        claim, now = self.claim, self.runtime.now()
        with self.runtime.transaction("fetch.failed") as connection:
            state = contacts.postpone_fetch(
                connection,
                claim,
                state="waiting" if outcome.state in ("unknown", "review") else outcome.state,
                at=outcome.at or (now if outcome.state != "dead" else None),
                attempts=outcome.attempts,
                own_failures=outcome.own_failures,
                reason=outcome.reason,
                message=outcome.message,
                fingerprint=outcome.fingerprint,
                now=now,
            )
            if state == "dead":
                inbox.close(
                    connection,
                    claim.contact_id,
                    claim.seq,
                    state="dead",
                    reason=outcome.reason,
                    version=None,
                    now=now,
                )
            attempts.add(connection, self.session.exchanges, self._context(claim.version))
        return state

    def _context(self, version: int) -> AttemptContext:
        return AttemptContext(
            contact_id=self.claim.contact_id,
            correlation_id=self.claim.correlation_id,
            contact_version=version,
            fence=self.claim.fence,
        )


def taking_part(
    wanted: FilterSettings,
    canonical: Json,
    raw: Mapping[str, Any],
    extra_value: Callable[[Mapping[str, Any], str], Any],
) -> bool:
    """Whether a client takes part: every condition of `sync.filter` that is set holds."""
    if wanted.status is not None and _folded(canonical.get("status")) not in map(_folded, wanted.status):
        return False
    if wanted.type is not None and canonical.get("kind") not in wanted.type:
        return False
    return all(extra_value(raw, name) == value for name, value in wanted.extra_field.items())


def _folded(status: Any) -> str | None:
    """As `sync.private_status` is compared: a person types these texts, here and there."""
    return status.strip().casefold() if isinstance(status, str) else None
