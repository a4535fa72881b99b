"""What an error means for the row and for the system: one table, from error to what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from worker.core import sensitive
from worker.core.fingerprint import fingerprint
from worker.core.retry import ErrorKind, RetryPolicy, decide
from worker.errors import (
    AlreadyBeingMade,
    AmbiguousMatch,
    BudgetExhausted,
    Busy,
    CredentialsRejected,
    CredentialsReplaced,
    MaybeRejected,
    NoAttempt,
    NotYetKnown,
    OutcomeUnknown,
    PermanentError,
    QuotaReached,
    RateLimited,
    SyncError,
    TransientError,
    VendorBroken,
    VendorError,
    VendorUnavailable,
    WrongAddress,
)
from worker.store.engine import is_away, is_contended

RowState = Literal["due", "waiting", "unknown", "review", "dead"]
Effect = Literal["none", "failure", "answered", "throttle", "refuse", "creates"]

SHORT_WAIT_SECONDS = 5.0
THROTTLE_SECONDS = 30.0
QUOTA_PAUSE_SECONDS = 900.0
LONGEST_THROTTLE_SECONDS = 86_400.0

POISON_CRASHES = 4
"""What has ended so many workers, twice of them at a time of its own, is not tried again."""
FIRST_CRASH_APART = 2
FAILED_BY_VENDOR = VendorUnavailable | VendorBroken | OutcomeUnknown | Busy
"""The vendor's own trouble: it is waited for as long as it lasts, and leads to no dead letter."""


@dataclass(frozen=True)
class Outcome:
    """
    What becomes of the row (`state`, `at`, `attempts`, and how many of those were no fault of the vendor's) and of the
    system (`effect`, until `system_until`).

    `failure` counts for the breaker, `answered` shows that the vendor lives, `throttle` holds the whole system,
    `refuse` pauses it for its credentials, `creates` pauses creates only.
    """

    state: RowState
    at: datetime | None
    attempts: int
    own_failures: int
    reason: str
    message: str
    effect: Effect
    system_until: datetime | None = None
    status: int | None = None
    fields: Mapping[str, str] | None = None
    fingerprint: str = ""
    rate: float | None = None
    """The calls a second that are allowed after a 429, where that was learned."""


def unexpected(error: Exception) -> SyncError:
    """
    An error that nobody foresaw, as it stands in the row. What a driver says quotes the statement and values, which are
    no operator's business: of such an error only its kind is told, and the log has the rest. One that lies between two
    transactions, or in a database that is away, costs no attempt.
    """
    if not isinstance(error, SQLAlchemyError):
        return TransientError(f"unexpected {type(error).__name__}: {error}", reason="internal_error")
    kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
    text = f"the database did not do what was asked ({kind}); the log of the worker says more"
    if is_contended(error) or is_away(error):
        return NoAttempt(text, reason="internal_error")
    return TransientError(text, reason="internal_error")


def judge(
    error: SyncError,
    *,
    system: str,
    operation: str,
    attempts: int,
    own_failures: int = 0,
    policy: RetryPolicy,
    now: datetime,
    draw: float,
) -> Outcome:
    """What follows from an error of a delivery, a fetch or a call without a row; the counts are before this one."""
    state, at = _row(error, attempts, own_failures, policy, now, draw)
    effect, until = _effect(error, at, now)
    status = error.status if isinstance(error, VendorError) else None
    fields = error.fields if isinstance(error, VendorError) else None
    first = next(iter(fields), None) if fields else None
    counts = _counts(error)
    return Outcome(
        state,
        at,
        attempts + counts,
        own_failures + (counts and not isinstance(error, FAILED_BY_VENDOR)),
        error.word,
        sensitive.clean_text(error.message),
        effect,
        until,
        status,
        fields or None,
        fingerprint(system, operation, status, error.message, first),
    )


def after_crashes(
    crashes: int,
    *,
    crashed: bool,
    what: str,
    attempts: int,
    own_failures: int,
    is_open: bool,
    policy: RetryPolicy,
    now: datetime,
    draw: float,
) -> Outcome | None:
    """
    What becomes of a row that was in work when its worker ended, so many times; None: it is tried now.

    A worker takes everything with it that it had in work, and all of that would be claimed again at the same moment:
    together with the one row that ends workers. So from the second time on a row waits for a time of its own, on the
    ladder, and only one that ended its workers there as well is dead. `crashed`: the row was found so just now.
    `is_open`: a create may have been sent.
    """
    if not crashed or crashes < FIRST_CRASH_APART:
        return None
    message = f"{what} ended its worker {crashes} times"
    if crashes >= POISON_CRASHES:
        return Outcome("dead", None, attempts, own_failures, "crashed", message, "none")
    wait = policy.ladder_seconds[min(crashes, len(policy.ladder_seconds)) - 1]
    at = now + timedelta(seconds=1 + wait * (1 + draw))
    message = f"{message}, or was in work when something else did; it is tried again, apart from the others"
    return Outcome("unknown" if is_open else "waiting", at, attempts, own_failures, "crashed", message, "none")


def _row(
    error: SyncError, attempts: int, own_failures: int, policy: RetryPolicy, now: datetime, draw: float
) -> tuple[RowState, datetime | None]:
    if isinstance(error, AmbiguousMatch):
        return "review", None
    if isinstance(error, CredentialsRejected | CredentialsReplaced | WrongAddress):
        return "due", now
    if isinstance(error, QuotaReached):
        return "waiting", now + timedelta(seconds=QUOTA_PAUSE_SECONDS)
    if isinstance(error, RateLimited):
        # Also a short wait is shown in the retry queue: it may be one of many.
        return "waiting", now + timedelta(seconds=_told(error))
    if isinstance(error, BudgetExhausted | AlreadyBeingMade):
        at = now + timedelta(seconds=_told(error))
        return ("due" if at <= now + timedelta(seconds=SHORT_WAIT_SECONDS) else "waiting"), at
    if isinstance(error, NotYetKnown):
        rung = policy.ladder_seconds[min(attempts, len(policy.ladder_seconds) - 1)]
        return "unknown", now + timedelta(seconds=max(0.05, min(rung, error.wait_seconds)))
    failures = attempts if isinstance(error, FAILED_BY_VENDOR) else own_failures
    decision = decide(policy, failures + 1, _kind(error), None, now, draw)
    if decision.state == "dead":
        return "dead", None
    return ("unknown" if isinstance(error, OutcomeUnknown) else "waiting"), decision.next_attempt_at


def _kind(error: SyncError) -> ErrorKind:
    if isinstance(error, FAILED_BY_VENDOR):
        return "outage"
    if isinstance(error, MaybeRejected):
        return "doubtful"
    if isinstance(error, PermanentError):
        return "permanent"
    return "postponed" if isinstance(error, NoAttempt) else "transient"


def _counts(error: SyncError) -> bool:
    """Whether it counts as an attempt: not what waits as told, and not what a person must look at."""
    if isinstance(error, AmbiguousMatch | WrongAddress | NotYetKnown):
        return False
    return isinstance(error, Busy) or not isinstance(error, NoAttempt)


def _told(error: RateLimited | BudgetExhausted | AlreadyBeingMade) -> float:
    if isinstance(error, BudgetExhausted | AlreadyBeingMade):
        return max(0.05, error.wait_seconds)
    told = error.retry_after_seconds
    return min(LONGEST_THROTTLE_SECONDS, THROTTLE_SECONDS if told is None else max(told, 0.05))


def _effect(error: SyncError, at: datetime | None, now: datetime) -> tuple[Effect, datetime | None]:
    if isinstance(error, RateLimited) or (isinstance(error, BudgetExhausted) and error.word == "daily_quota"):
        return "throttle", at
    if isinstance(error, CredentialsRejected | WrongAddress):
        return "refuse", None
    if isinstance(error, QuotaReached):
        return "creates", now + timedelta(seconds=QUOTA_PAUSE_SECONDS)
    if isinstance(error, NotYetKnown):
        return "answered", None
    if isinstance(error, VendorUnavailable | VendorBroken | OutcomeUnknown):
        return "failure", None
    if isinstance(error, VendorError):
        return "answered", None
    return "none", None
