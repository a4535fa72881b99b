"""The first link: search the system by our reference and by natural keys before anything is created there."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from worker.core.matching import Candidate, Match, Verdict, decide
from worker.errors import VendorBroken
from worker.flows import creating, updating
from worker.flows.delivery import Delivery, Ended
from worker.store import directory, links
from worker.store.reviews import Question

if TYPE_CHECKING:
    from worker.vendors.contract import Capabilities, Record

log = structlog.get_logger()


def first_link(delivery: Delivery, gone: str | None = None) -> Ended:
    """
    Link exactly one certain match, ask about a doubtful one, create where there is neither.

    `gone` is the record that the link has had, and that is not there any more.
    """
    delivery.operation = "search"
    reference = delivery.client.reference_for(delivery.claim.contact)
    verdict = search(delivery, reference, gone)
    if verdict.action == "link" and verdict.external_id is not None:
        delivery.bind(verdict.external_id, None)
        return updating.update(delivery)
    if verdict.action == "review":
        return ask_match(delivery, verdict)
    return creating.create(delivery, reference)


def search(delivery: Delivery, reference: str | None, gone: str | None = None) -> Verdict:
    """
    What the system already holds that could be this contact, compared here and not there.

    VendorBroken where the record that is `gone` is found all the same: the 404 was not what it said.
    """
    capabilities: Capabilities = delivery.client.capabilities
    if capabilities.search:
        candidates = _ask_vendor(delivery, reference)
    else:
        refresh_directory(delivery, force=gone is not None)
        with delivery.runtime.engine.connect() as connection:
            candidates = directory.find(connection, delivery.claim.system, delivery.claim.contact, reference)
    with delivery.runtime.engine.connect() as connection:
        ids = [candidate.external_id for candidate in candidates]
        taken = links.taken_ids(connection, delivery.claim.system, ids, delivery.claim.id)
        references = [candidate.reference for candidate in candidates if candidate.reference]
        being_made = links.open_references(connection, delivery.claim.system, references, delivery.claim.id)
    taken |= {candidate.external_id for candidate in candidates if candidate.reference in being_made}
    refused = delivery.answers.refused
    candidates = [candidate for candidate in candidates if candidate.external_id not in refused]
    if any(candidate.external_id == gone and candidate.usable for candidate in candidates):
        raise VendorBroken(f"record {gone} is not there when it is asked for, and is found when it is searched for")
    candidates = [candidate for candidate in candidates if candidate.external_id != gone]
    return decide(
        delivery.claim.contact,
        candidates,
        reference=reference,
        reference_is_unique=capabilities.reference_is_unique,
        taken=taken,
    )


def _ask_vendor(delivery: Delivery, reference: str | None) -> list[Candidate]:
    found: list[Candidate] = []
    for record in delivery.client.search(delivery.session, delivery.claim.contact, reference):
        candidate = delivery.client.candidate(record)
        found.append(candidate)
        if reference and candidate.reference == reference and delivery.client.capabilities.reference_is_unique:
            break
    return found


def refresh_directory(delivery: Delivery, *, force: bool = False) -> None:
    """Read the whole list again where the directory is too old for this contact."""
    runtime, system = delivery.runtime, delivery.claim.system
    cap = float(runtime.settings.system(system).directory_max_age_seconds)
    asked = runtime.now()
    with runtime.engine.connect() as connection:
        age = directory.age(connection, system)
    if not force and age.fresh_enough(asked, cap):
        return
    records: list[Record] = list(delivery.client.list_records(delivery.session))
    candidates = [delivery.client.candidate(record) for record in records]
    seconds = (runtime.now() - asked) / timedelta(seconds=1)
    remarks = delivery.session.remarks
    if remarks:
        log.warning("directory.unreadable", system=system, records=len(remarks), first=remarks[0])
    with runtime.transaction("directory.replace") as connection:
        directory.replace(connection, system, candidates, asked, seconds, remarks)
        delivery.log_attempts(connection)


def ask_match(delivery: Delivery, verdict: Verdict) -> Ended:
    """Park the link until a person says which record it is, or that it is none of them."""
    detail = {"candidates": [_candidate(match) for match in verdict.matches]}
    question = Question("match", "", verdict.reason, verdict.message, detail)
    return delivery.end(
        "review",
        questions=[question],
        reason=verdict.reason,
        message=verdict.message,
    )


def _candidate(match: Match) -> dict[str, Any]:
    shown = dataclasses.asdict(match.candidate)
    return {
        "external_id": shown["external_id"],
        "name": shown["name"],
        "reference": shown["reference"],
        "values": dict(shown["values"]),
        "emails": list(shown["emails"]),
        "strength": match.strength,
        "evidence": list(match.evidence),
    }
