"""
Make one system agree with one contact: claim the link, read where the plan needs it, plan, act, commit each step.

A create is decided once: its intent is committed before the request leaves, the external id the moment it comes back.
A create that may have arrived is looked for before anything else happens to that link, and is never repeated blindly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import structlog

from worker.errors import BudgetExhausted, LeaseLost, OutcomeUnknown, RateLimited, SyncError
from worker.flows import creating, linking, probing, updating, writing_back
from worker.flows.delivery import Delivery, Ended
from worker.flows.gate import Gate, Way
from worker.flows.lease import lasting_seconds
from worker.flows.outcome import Outcome, after_crashes, judge, unexpected
from worker.runtime import SOURCE
from worker.store import links, reviews
from worker.store.reviews import Question

if TYPE_CHECKING:
    from datetime import datetime

    from worker.runtime import Runtime
    from worker.store.links import LinkClaim

log = structlog.get_logger()

FILTERED = "the filter in the settings leaves this client out"

KINDS = {"gone": "gone", "unusable": "unusable"}
"""The kind of a question about a record, where it is not which record a client is."""


@dataclass(frozen=True)
class Delivered:
    """What came of a delivery: how the link ended, `none` where there was nothing to claim, `lost` with the lease."""

    result: Literal["synced", "review", "excluded", "failed", "none", "lost"]
    again: bool = False
    called: bool = False
    """Whether the system was called."""
    wait_seconds: float = 0.0
    """For how long its budget leaves no turn; others that are due would find none either."""


def deliver(runtime: Runtime, gate: Gate, system: str, link_id: int | None = None) -> Delivered:
    """Deliver one link that is due: this one, or the system's next. Safe to run twice, or in two places."""
    way = gate.way(system)
    if way == "held":
        return Delivered("none")
    delivered = _claim_and_run(runtime, gate, system, link_id, way)
    if way == "probe" and not delivered.called:
        # Nothing was due, or nothing had to be sent: what was won is a trial of the system all the same.
        probing.probe(runtime, gate, system)
    gate.leave(system)
    return delivered


def _claim_and_run(runtime: Runtime, gate: Gate, system: str, link_id: int | None, way: Way) -> Delivered:
    now, begun = runtime.now(), runtime.elapsed()
    view = gate.view(system)
    creates = view.creates_allowed(now)
    # Of the one that may enter, nobody says which it is: the one that was begun, else the most urgent.
    link_id = None if way == "entry" else link_id
    lease = float(runtime.settings.worker.lease_seconds)
    timeout = float(runtime.settings.system(system).timeout_seconds)
    slack = max(0.0, lasting_seconds(runtime, system, timeout) - timeout)
    with runtime.statement("deliver.claim") as connection:
        claim = links.claim(
            connection,
            system,
            now,
            lease,
            link_id=link_id,
            begun=view.recovery.link if way == "entry" and view.recovery else None,
            creates=creates,
            slack_seconds=slack,
            timeout_seconds=timeout,
        )
    if claim is None:
        return Delivered("none")
    with structlog.contextvars.bound_contextvars(
        contact=claim.source_id, system=system, link=claim.id, correlation_id=claim.correlation_id
    ):
        delivery = Delivery(runtime, claim, begun)
        delivered = _run(delivery, gate)
        return replace(delivered, called=bool(delivery.session.exchanges))


def _run(delivery: Delivery, gate: Gate) -> Delivered:
    runtime, claim = delivery.runtime, delivery.claim
    try:
        if (outcome := _after_crashes(delivery)) is not None:
            _end(delivery, outcome)
            return Delivered("failed")
        ended = _steps(delivery)
    except LeaseLost as error:
        log.warning("deliver.lease_lost", reason=error.word)
        return Delivered("lost")
    except SyncError as error:
        return _failed(delivery, gate, error)
    except Exception as error:
        log.exception("deliver.unexpected")
        return _failed(delivery, gate, unexpected(error))
    if delivery.session.exchanges:
        gate.succeeded(claim.system)
    if ended.again:
        runtime.publisher.deliver(claim.system, claim.id)
    log.info("deliver.done", result=ended.state, calls=len(delivery.session.exchanges))
    return Delivered(ended.state, ended.again)


def _steps(delivery: Delivery) -> Ended:
    match step_of(delivery.claim):
        case "gone":
            return delivery.end_gone()
        case "write_back":
            return writing_back.write_back(delivery)
        case "filtered":
            return delivery.end("excluded", reason="filtered", message=FILTERED)
        case "resolve" if not creating.resolve(delivery):
            return delivery.end_gone() if delivery.claim.gone else creating.repeat(delivery)
    if delivery.claim.external_id is None:
        return linking.first_link(delivery)
    return updating.update(delivery)


def step_of(claim: LinkClaim) -> Literal["gone", "write_back", "filtered", "resolve", "deliver"]:
    """What a delivery does first, by what is known before anything is read."""
    if claim.gone and claim.intent is None and (claim.external_id is None or claim.system == SOURCE):
        return "gone"
    if claim.system == SOURCE:
        return "write_back"
    if not claim.taking_part and claim.external_id is None and claim.intent is None:
        return "filtered"
    return "resolve" if claim.intent is not None else "deliver"


def _failed(delivery: Delivery, gate: Gate, error: SyncError) -> Delivered:
    runtime, claim = delivery.runtime, delivery.claim
    error = gate.excused(error, delivery.session)
    now = runtime.now()
    outcome = judge(
        error,
        system=claim.system,
        operation=delivery.operation,
        attempts=claim.attempts,
        own_failures=claim.own_failures,
        policy=runtime.policy,
        now=now,
        draw=runtime.draw(),
    )
    outcome = gate.slow_down(claim.system, outcome, delivery.session.exchanges)
    outcome = _look_soon(delivery, outcome, error)
    settles_at = _settles_at(delivery, error)
    if settles_at is not None and outcome.at is not None:
        outcome = replace(outcome, state="unknown", at=max(outcome.at, settles_at))
    reads = delivery.reads.to_json() if isinstance(error, RateLimited | BudgetExhausted) else None
    try:
        sent = delivery.in_flight if delivery.may_have_changed(error) else ()
        state = delivery.commit(partial(_end, delivery, outcome, sent, settles_at, reads))
    except LeaseLost as lost:
        log.warning("deliver.lease_lost", reason=lost.word)
        return Delivered("lost")
    gate.learn(claim.system, outcome, now, claim.id)
    log.warning("deliver.failed", reason=outcome.reason, state=state, fingerprint=outcome.fingerprint)
    wait = error.wait_seconds if isinstance(error, BudgetExhausted) else 0.0
    return Delivered("review" if state == "review" else "failed", wait_seconds=wait)


def _look_soon(delivery: Delivery, outcome: Outcome, error: SyncError) -> Outcome:
    """An open create whose resolution is put off (budget, a read that failed) is still an unknown outcome."""
    if delivery.claim.intent is None or outcome.state not in ("due", "waiting"):
        return outcome
    if isinstance(error, OutcomeUnknown):
        return outcome
    return replace(outcome, state="unknown")


def _settles_at(delivery: Delivery, error: SyncError) -> datetime | None:
    """
    Until when a change that was not answered may yet be made: nothing newer leaves before that, or it would be
    overtaken.
    """
    if not delivery.may_come_late(error):
        return None
    settle = float(delivery.runtime.settings.system(delivery.claim.system).unknown_settle_seconds)
    return delivery.runtime.now() + timedelta(seconds=settle)


def _open_create(delivery: Delivery) -> dict[str, Any]:
    """Which create a question is about, if one is open, and from when on it would have been made."""
    intent = delivery.claim.intent
    if intent is None:
        return {}
    settle = float(delivery.runtime.settings.system(delivery.claim.system).unknown_settle_seconds)
    return {"create": intent.get("key"), "settled_at": float(intent.get("sent_at") or 0.0) + settle}


def _after_crashes(delivery: Delivery) -> Outcome | None:
    claim = delivery.claim
    return after_crashes(
        claim.crashes,
        crashed=claim.crashed,
        what=f"delivering client {claim.source_id} to {claim.system}",
        attempts=claim.attempts,
        own_failures=claim.own_failures,
        is_open=claim.intent is not None,
        policy=delivery.runtime.policy,
        now=delivery.runtime.now(),
        draw=delivery.runtime.draw(),
    )


def _end(
    delivery: Delivery,
    outcome: Outcome,
    sent: Sequence[str] = (),
    settles_at: datetime | None = None,
    reads: dict[str, Any] | None = None,
) -> str:
    """
    Commit the end of a delivery that failed; the state that the link has now. `sent` are the paths of a change that may
    have been made without our knowing it, until `settles_at`.
    """
    claim, now = delivery.claim, delivery.runtime.now()
    with delivery.runtime.transaction("deliver.failed") as connection:
        state = links.postpone(
            connection,
            claim,
            state=outcome.state,
            at=outcome.at,
            attempts=outcome.attempts,
            own_failures=outcome.own_failures,
            reason=outcome.reason,
            message=outcome.message,
            now=now,
            operation=delivery.operation,
            status=outcome.status,
            fields=outcome.fields,
            fingerprint=outcome.fingerprint,
            repair=sorted(delivery.repair.union(sent)),
            reads=reads,
            settles_at=settles_at,
        )
        if state == "review":
            kind, detail = KINDS.get(outcome.reason, "match"), delivery.evidence | _open_create(delivery)
            question = Question(kind, "", outcome.reason, outcome.message, detail)
            reviews.ask(connection, claim.id, [question], now)
        delivery.log_attempts(connection)
    return state
