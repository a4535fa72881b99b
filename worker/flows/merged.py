"""
A create that the vendor answered with a record that is not this client's: what it may have put into that record.

The vendor merges what was sent into the record that it takes for the same (Recras 200). What it overwrote of the other
client's is put right by that client's next delivery; what it added, such as a contact person, nobody can tell from what
people typed, so that it is named in the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.errors import AmbiguousMatch
from worker.flows.searching import shown_with_holder
from worker.store import holders

if TYPE_CHECKING:
    from worker.core.matching import Verdict
    from worker.flows.delivery import Delivery
    from worker.store.holders import Holder
    from worker.vendors.contract import Intent, Record


def ask(
    delivery: Delivery, intent: Intent, external_id: str, holder: Holder | None, verdict: Verdict
) -> AmbiguousMatch:
    """
    The question about it, with whose record it is and what speaks for and against it. `verdict` is what a search says
    now that the vendor named it.

    The record is read once more, and its holder's link is due where a field of it holds what was sent for this client.
    """
    system, refused = delivery.claim.system, external_id in delivery.answers.refused
    record: Record = delivery.client.read(delivery.session, external_id)
    candidate: dict[str, Any] = {"external_id": external_id, "name": record.name, "evidence": []}
    others = [shown_with_holder(delivery, match) for match in verdict.matches]
    candidate = next((one for one in others if one["external_id"] == external_id), candidate)
    candidate["evidence"] = [{"field": "", "says": "the vendor's own match", "for": True}, *candidate["evidence"]]
    said = f"{system} made no new record: it says that this client is its record {external_id}"
    if holder is not None:
        candidate["held_by"] = holder.shown()
        said += f", which belongs to client {holder.source_id}" + (f" ({holder.free})" if holder.free else "")
    elif refused:
        said += ", which a person said is somebody else"
    elif verdict.message:
        said += f", and {verdict.message}"
    put_there = _put_there(delivery, intent, record, holder)
    shown = [candidate, *(one for one in others if one["external_id"] != external_id)]
    delivery.evidence = {"candidates": shown, "put_there": put_there}
    told = ", ".join(put_there) or "nothing that can be told apart"
    reason = "match_refused" if refused else "match_taken" if holder is not None else verdict.reason or "doubtful_match"
    return AmbiguousMatch(f"{said}. Of this client it now holds: {told}. Look there", reason=reason)


def _put_there(delivery: Delivery, intent: Intent, record: Record, holder: Holder | None) -> list[str]:
    """What the record holds of this client: fields and contact persons, by names for people."""
    rows = {row.vendor: row for row in delivery.mapping.rows}
    fields = [
        path
        for path, sent in intent.body.items()
        if path in rows and path in record.fields and rows[path].key(record.fields[path]) == rows[path].key(sent) != ""
    ]
    if holder is not None:
        with delivery.runtime.engine.begin() as connection:
            before = holders.agreed(connection, holder.link_id)
            # What the other client's record held anyway is equal by itself.
            fields = [path for path in fields if rows[path].key(before.get(path)) != rows[path].key(intent.body[path])]
            if fields and not holder.free:
                holders.look_again(connection, holder.link_id, fields, delivery.runtime.now())
    sent_persons = [dict(person.get("fields") or {}) for person in intent.persons]
    persons = [
        _name(person.fields)
        for person in record.persons or ()
        if any(all(person.fields.get(name) == value for name, value in one.items() if value) for one in sent_persons)
    ]
    return [*(rows[path].label for path in fields), *(f"the contact person {name}" for name in persons if name)]


def _name(fields: Any) -> str:
    values = [str(value) for name, value in fields.items() if value and "naam" in name]
    return " ".join(values)
