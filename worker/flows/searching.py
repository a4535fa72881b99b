"""What a system already holds that could be a contact: by our reference and by natural keys, compared here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from worker.core.matching import Candidate, Match, Verdict, decide
from worker.core.references import MarkedRecords, marked_records, robaws_id_of
from worker.errors import VendorBroken
from worker.flows.reading import Reading, shown
from worker.runtime import SOURCE
from worker.store import contacts, directory, holders, links
from worker.store.holders import Holder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from worker.vendors.contract import Capabilities, Record

log = structlog.get_logger()


def search(
    reading: Reading,
    reference: str | None,
    gone: str | None = None,
    sent_into: tuple[str, Mapping[str, Any]] | None = None,
) -> Verdict:
    """
    What the system already holds that could be this contact, compared here and not there.

    `sent_into` is a record that the vendor merged a create of ours into, with the values that were sent, by canonical
    path: that it holds them says nothing about whose it is.

    VendorBroken where the record that is `gone` is found all the same: the 404 was not what it said.
    """
    capabilities: Capabilities = reading.client.capabilities
    found = _ask_vendor(reading, reference) if capabilities.search else _look_up(reading, reference, gone)
    candidates = found.candidates
    if any(one.external_id == gone and one.usable and gone not in reading.answers.refused for one in candidates):
        raise VendorBroken(f"record {gone} is not there when it is asked for, and is found when it is searched for")
    candidates = [candidate for candidate in candidates if candidate.external_id != gone]
    if sent_into is not None:
        record_id, sent = sent_into
        candidates = [one.without(sent, reference) if one.external_id == record_id else one for one in candidates]
    reading.candidates = candidates
    with reading.runtime.engine.connect() as connection:
        held = holders.of_records(connection, reading.claim.system, sorted(reading.found), reading.claim.id)
        references = [candidate.reference for candidate in candidates if candidate.reference]
        being_made = links.open_references(connection, reading.claim.system, references, reading.claim.id)
        marked = _marked(reading, connection, candidates, reference)
    reading.holders = held
    taken = frozenset(external_id for external_id, holder in held.items() if not holder.free)
    taken |= {candidate.external_id for candidate in candidates if candidate.reference in being_made}
    if found.cut:
        reading.evidence = {"cut": found.cut}
    verdict = decide(
        reading.claim.contact,
        candidates,
        reference=reference,
        reference_is_unique=capabilities.reference_is_unique,
        taken=taken | marked.taken,
        refused=reading.answers.refused,
        others=marked.unknown,
        cut=found.cut,
    )
    return _not_by_itself(verdict, held)


def _not_by_itself(verdict: Verdict, held: Mapping[str, Holder]) -> Verdict:
    """The record of a client that is gone or left out is never taken over but by a person's word."""
    holder = held.get(verdict.external_id or "")
    if verdict.action != "link" or holder is None:
        return verdict
    text = f"the record that matches belongs to client {holder.source_id}; {holder.free}, so it may be taken over"
    return dataclasses.replace(verdict, action="review", external_id=None, reason="match_taken", message=text)


def _marked(
    reading: Reading, connection: Connection, candidates: Sequence[Candidate], reference: str | None
) -> MarkedRecords:
    """The records that carry the reference of another contact of ours."""
    sample = reading.client.reference_for({"references": {"robaws_id": "1"}})
    marked = [
        (candidate, owner)
        for candidate in candidates
        if candidate.reference != reference and (owner := robaws_id_of(candidate.reference, sample)) is not None
    ]
    if not marked:
        return MarkedRecords()
    names = contacts.names(connection, SOURCE, sorted({owner for _, owner in marked}))
    return marked_records(marked, names, sample)


def _look_up(reading: Reading, reference: str | None, gone: str | None) -> directory.Found:
    refresh_directory(reading, force=gone is not None)
    with reading.runtime.engine.connect() as connection:
        return directory.find(connection, reading.claim.system, reading.claim.contact, reference)


def _ask_vendor(reading: Reading, reference: str | None) -> directory.Found:
    """All that the vendor's searches bring; no further than a record with our reference that is certain."""
    found: list[Candidate] = []
    unique = reading.client.capabilities.reference_is_unique
    for record in reading.client.search(reading.session, reading.claim.contact, reference):
        candidate = reading.client.candidate(record)
        found.append(candidate)
        if unique and reference and candidate.reference == reference:
            verdict = decide(reading.claim.contact, [candidate], reference=reference, reference_is_unique=True)
            if verdict.action == "link":
                break
    return directory.Found(found)


def refresh_directory(reading: Reading, *, force: bool = False) -> None:
    """Read the whole list again where the directory is too old for this contact."""
    runtime, system = reading.runtime, reading.claim.system
    cap = float(runtime.settings.system(system).directory_max_age_seconds)
    asked = runtime.now()
    with runtime.engine.connect() as connection:
        age = directory.age(connection, system)
    if not force and age.fresh_enough(asked, cap):
        return
    records: list[Record] = list(reading.client.list_records(reading.session))
    candidates = [reading.client.candidate(record) for record in records]
    seconds = (runtime.now() - asked) / timedelta(seconds=1)
    remarks = reading.session.remarks
    if remarks:
        log.warning("directory.unreadable", system=system, records=len(remarks), first=remarks[0])
    with runtime.transaction("directory.replace") as connection:
        directory.replace(connection, system, candidates, asked, seconds, remarks)
        reading.log_attempts(connection)


def shown_with_holder(reading: Reading, match: Match) -> dict[str, Any]:
    """A candidate, with the client that it belongs to."""
    holder = reading.holders.get(match.candidate.external_id)
    return shown(match) | ({"held_by": holder.shown()} if holder is not None else {})
