"""
Everything that can go wrong, as one tree.

    SyncError(reason)         reason: one stable word, used for metrics and for the dead letter
    ├ ConfigurationError      at start-up, all problems at once
    ├ PermanentError          dead letter now
    │   ├ InvalidEvent · MappingError · AmbiguousMatch · UnsafePlan
    │   ├ VendorRejected      the vendor refuses the data; carries its own field messages
    │   └ RecordGone          404 on a record that we knew
    └ TransientError          comes back later
        ├ VendorUnavailable   never arrived, or arrived and failed without effect
        ├ VendorBroken        answered, but not as its page says (HTML, truncated JSON, wrong types)
        ├ StaleRead           read and plan anew
        ├ RateLimited, QuotaReached, CredentialsRejected, Busy    wait as told, or until a person acts; no attempt
        ├ CredentialsReplaced refused under credentials that are others by now: at once, under those of now; no attempt
        ├ AlreadyBeingMade    another contact that may be the same is being created; wait; no attempt
        └ OutcomeUnknown      sent but unanswered: read back, or repeat under the same idempotency key

What is expected (nothing to do, an echo, wait until then) is a value and not in this tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import ClassVar, Final

MOST_MESSAGE_CHARACTERS: Final = 4_000
MOST_FIELDS: Final = 50
MOST_FIELD_CHARACTERS: Final = 1_000


class SyncError(Exception):
    """Something that this product knows by name. `reason` is the one stable word for metrics, filters and rows."""

    reason: ClassVar[str] = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.word = reason or type(self).reason


class ConfigurationError(SyncError):
    """The settings or the surroundings do not allow a start. `problems` lists all of them, each with its next step."""

    reason = "configuration"

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class NotReachable(SyncError):
    """A part that is needed (database, Redis, a vendor) does not answer; a command ends with status 3."""

    reason = "not_reachable"


class PermanentError(SyncError):
    """Trying again cannot help until somebody changes something."""

    reason = "permanent"


class InvalidEvent(PermanentError):
    """What came in is not a webhook event; `problem` is the sentence for the sender."""

    reason = "invalid_event"


class MappingError(PermanentError):
    """A record cannot be brought into the other system's shape."""

    reason = "mapping"


class AmbiguousMatch(PermanentError):
    """More than one record, or a doubtful one, could be this contact; a person must choose."""

    reason = "ambiguous_match"


class UnsafePlan(PermanentError):
    """A plan would change more than is allowed without a person's word."""

    reason = "unsafe_plan"


class VendorError(SyncError):
    """
    What a vendor's answer (or its silence) means. `status` is the HTTP status, None without an answer.

    `fields` are the vendor's own messages by the vendor's field name; `excerpt` is the beginning of the answer's
    body, kept for ops; `correlation_id` is what the vendor's support will ask for. Message and fields are cut to what
    a row of the retry queue should hold, since a vendor may say as much as it likes.
    """

    reason = "vendor"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        excerpt: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message[:MOST_MESSAGE_CHARACTERS], reason=reason)
        self.status = status
        told = islice((fields or {}).items(), MOST_FIELDS)
        self.fields = {name[:MOST_FIELD_CHARACTERS]: text[:MOST_FIELD_CHARACTERS] for name, text in told}
        self.excerpt = excerpt
        self.correlation_id = correlation_id


class VendorRejected(VendorError, PermanentError):
    """The vendor refuses the data. Dead at once; revives when the contact changes."""

    reason = "rejected"


class MaybeRejected(VendorRejected):
    """A refusal that may be the vendor's own trouble (Workspace's 400): once more, later, then dead."""

    reason = "rejected_unclear"


class RecordGone(VendorError, PermanentError):
    """The record that we knew is not there (404)."""

    reason = "gone"


class WrongAddress(VendorError, PermanentError):
    """The path itself is wrong (404 of the address kind): configuration, never "the record is gone"."""

    reason = "wrong_address"


class TransientError(SyncError):
    """Comes back later by itself."""

    reason = "transient"


class VendorUnavailable(VendorError, TransientError):
    """The request was never sent, or the vendor failed (5xx)."""

    reason = "unavailable"


class VendorBroken(VendorError, TransientError):
    """An answer that is not what the vendor's page says; kept for ops, never written onward."""

    reason = "broken_answer"


class StaleRead(TransientError):
    """The record changed between reading and writing: read and plan anew."""

    reason = "stale_read"


class NoAttempt(TransientError):
    """Waits as told and costs no attempt."""

    reason = "postponed"


class RateLimited(VendorError, NoAttempt):
    """429: the whole system waits. `retry_after_seconds` is what the vendor said, None when it said nothing."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_after_seconds: float | None, daily: bool = False, **more: object) -> None:
        super().__init__(message, reason="daily_quota" if daily else None, **more)  # type: ignore[arg-type]
        self.retry_after_seconds = retry_after_seconds
        self.daily = daily


class QuotaReached(VendorError, NoAttempt):
    """The subscription holds no more records: creates at that system pause, updates go on."""

    reason = "quota_reached"


class CredentialsRejected(VendorError, NoAttempt):
    """401, 403 or a block: the whole system is paused and says so."""

    reason = "credentials"


class CredentialsReplaced(NoAttempt):
    """A call was refused under credentials that are others by now; it goes out again under those."""

    reason = "credentials_replaced"


class Busy(VendorError, NoAttempt):
    """The same request is still in flight (409 on an idempotency key), or another worker holds the row."""

    reason = "busy"


class BudgetExhausted(NoAttempt):
    """Our own budget has no turn soon enough; `wait_seconds` until it has."""

    reason = "budget"

    def __init__(self, message: str, *, wait_seconds: float, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.wait_seconds = wait_seconds


class AlreadyBeingMade(NoAttempt):
    """
    Another contact with the same number, or the same e-mail and name, is being made there; `wait_seconds` until a
    new look.
    """

    reason = "being_made"

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class OutcomeUnknown(VendorError, TransientError):
    """Sent, but unanswered or answered with rubbish: the work may have been done."""

    reason = "outcome_unknown"


class NotYetKnown(OutcomeUnknown):
    """Looked for and not found, but too early to say; `wait_seconds` until it may be sent again."""

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class LeaseLost(TransientError):
    """Another worker has taken the row over; what this one learned is not written."""

    reason = "lease_lost"
