"""The first link: one certain record is linked, a doubtful one asked about, and one made where there is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import AlreadyBeingMade
from worker.flows import creating, updating
from worker.flows.searching import search, shown_with_holder
from worker.store import create_locks
from worker.store.reviews import Question

if TYPE_CHECKING:
    from worker.core.matching import Verdict
    from worker.flows.delivery import Delivery, Ended


def first_link(delivery: Delivery, gone: str | None = None) -> Ended:
    """
    Link exactly one certain match, ask about a doubtful one, create where there is neither.

    `gone` is the record that the link has had, and that is not there any more.
    """
    delivery.operation = "search"
    if delivery.claim.reason == AlreadyBeingMade.reason:
        with delivery.runtime.engine.connect() as connection:
            create_locks.look(connection, delivery.claim, delivery.runtime.now())
    reference = delivery.client.reference_for(delivery.claim.contact)
    verdict = search(delivery, reference, gone)
    if verdict.action == "link" and verdict.external_id is not None:
        delivery.bind(verdict.external_id, None)
        return updating.update(delivery)
    if verdict.action == "review":
        return ask_match(delivery, verdict)
    return creating.create(delivery, _free(delivery, reference))


def _free(delivery: Delivery, reference: str | None) -> str | None:
    """Our reference; None where a record that is somebody else's carries it, and the system takes it only once."""
    unique = delivery.client.capabilities.reference_is_unique
    return None if unique and any(one.reference == reference for one in delivery.candidates or ()) else reference


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
