"""The first link: one certain record is linked, a doubtful one asked about, and one made where there is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import AlreadyBeingMade
from worker.flows import creating, updating
from worker.flows.searching import search, shown_with_holder
from worker.store import create_locks, reviews
from worker.store.reviews import Question

if TYPE_CHECKING:
    from worker.core.matching import Verdict
    from worker.flows.delivery import Delivery, Ended
    from worker.flows.reading import Reading


def first_link(delivery: Delivery, gone: str | None = None) -> Ended:
    """
    Link exactly one certain match, ask about a doubtful one, create where there is neither.

    `gone` is the record that the link has had, and that is not there any more. While a question is open whose answer a
    person took back, nothing is concluded.
    """
    if delivery.answers.match_again:
        with delivery.runtime.engine.connect() as connection:
            question = reviews.open_match(connection, delivery.claim.id, delivery.answers.match_again)
        if question is not None:
            return delivery.end("review", questions=[question], reason=question.reason, message=question.message)
    verdict, reference = decide(delivery, gone)
    if verdict.action == "link" and verdict.external_id is not None:
        delivery.bind(verdict.external_id, None)
        return updating.update(delivery)
    if verdict.action == "review":
        return ask_match(delivery, verdict)
    return creating.create(delivery, reference)


def decide(reading: Reading, gone: str | None = None) -> tuple[Verdict, str | None]:
    """Which record it is, or that there is none; and the reference that a new one would carry."""
    reading.operation = "search"
    if reading.claim.reason == AlreadyBeingMade.reason:
        with reading.runtime.engine.connect() as connection:
            create_locks.look(connection, reading.claim, reading.runtime.now())
    reference = reading.client.reference_for(reading.claim.contact)
    return search(reading, reference, gone), _free(reading, reference)


def _free(reading: Reading, reference: str | None) -> str | None:
    """Our reference; None where a record that is somebody else's carries it, and the system takes it only once."""
    unique = reading.client.capabilities.reference_is_unique
    return None if unique and any(one.reference == reference for one in reading.candidates or ()) else reference


def ask_match(delivery: Delivery, verdict: Verdict) -> Ended:
    """Park the link until a person says which record it is, or that it is none of them."""
    detail = delivery.evidence | {"candidates": [shown_with_holder(delivery, match) for match in verdict.matches]}
    question = Question("match", "", verdict.reason, verdict.message, detail)
    return delivery.end(
        "review",
        questions=[question],
        reason=verdict.reason,
        message=verdict.message,
    )
