"""Change a record that is there: plan, write only what must change, keep what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker.core.expected import expected
from worker.core.field_merge import RESTORED
from worker.core.persons import PersonPlan, settle_persons
from worker.core.planning import (
    Decision,
    Nothing,
    Snapshot,
    Update,
    agree,
    needs_read,
    plan_update,
    written_paths,
)
from worker.errors import AmbiguousMatch, RecordGone, VendorRejected
from worker.flows import answered, linking
from worker.flows.delivery import Delivery, Ended
from worker.flows.parking import park_questions, parked_fields
from worker.store import reviews

if TYPE_CHECKING:
    from worker.flows.reading import Reading
    from worker.vendors.contract import Record


def update(delivery: Delivery, record: Record | None = None) -> Ended:
    """Bring the linked record in line, with at most one read before the write; `record` is one just read."""
    if record is None:
        try:
            record = read(delivery)
        except RecordGone as gone:
            return _gone(delivery, gone)
    plan = decide(delivery, record)
    if isinstance(plan, Nothing):
        return _nothing(delivery, plan, record)
    return _write(delivery, plan, record)


def read(reading: Reading) -> Record | None:
    """The linked record as it is there now, where the plan depends on it, else None. RecordGone where it is gone."""
    must = (
        reading.must_read
        or reading.claim.restore
        or bool(reading.repair or reading.answers.ours or reading.answers.values)
    )
    if not (
        must
        or needs_read(
            reading.mapping,
            reading.ours,
            reading.owners,
            reading.base,
            write_replaces=reading.client.capabilities.write_replaces,
        )
    ):
        return None
    reading.operation = "read"
    record: Record = reading.client.read(reading.session, str(reading.claim.external_id))
    return record


def decide(reading: Reading, record: Record | None) -> Update | Nothing:
    """What is to be written into the linked record. AmbiguousMatch for one that no client should be linked to."""
    moved: frozenset[str] = frozenset()
    if record is not None:
        answered.must_be_usable(reading, record)
        reading.find_persons(record)
        moved = answered.not_as_shown(reading, record)
    plan = plan_update(
        reading.mapping,
        reading.ours,
        reading.owners,
        reading.base,
        record.fields if record else None,
        their_persons=record.persons if record else None,
        restore=reading.claim.restore,
        repair=reading.repair,
        held_back=reading.held_back,
        allowed=reading.answers.ours,
        chosen=reading.answers.values,
        again=reading.answers.again,
    )
    return replace(plan, decisions=answered.explained(plan.decisions, moved))


def _nothing(delivery: Delivery, plan: Nothing, record: Record | None) -> Ended:
    persons, main = _persons(delivery, plan.persons, record)
    held = record.fields if record else None
    chosen = delivery.answers.values
    snapshot = agree(delivery.ours, delivery.base, plan.decisions, held, persons, main, chosen=chosen)
    return settle(delivery, snapshot, plan.decisions)


def _write(delivery: Delivery, plan: Update, record: Record | None) -> Ended:
    delivery.operation = "update"
    external_id = str(delivery.claim.external_id)
    key = delivery.key(
        "update", {"version": delivery.claim.version, "patch": dict(plan.patch), "fence": _turn(delivery, plan)}
    )
    if (change := expected(delivery.ours, delivery.base, plan)) is not None:
        delivery.expect(*change)
    delivery.in_flight = written_paths(plan)
    delivery.plan(plan.decisions, plan.persons)
    try:
        after: Record | None = delivery.client.update(
            delivery.session, external_id, plan.patch, plan.persons, record, key
        )
        if after is None:
            delivery.operation = "read"
            after = delivery.client.read(delivery.session, external_id)
    except RecordGone as gone:
        return _gone(delivery, gone)
    except VendorRejected as error:
        if not delivery.leave_out(error, plan.patch):
            raise
        return update(delivery, record)
    persons, main = _persons(delivery, plan.persons, after)
    sent = delivery.plans.sent()
    chosen = delivery.answers.values
    snapshot = agree(
        delivery.ours, delivery.base, plan.decisions, after.fields, persons, main, sent=sent, chosen=chosen
    )
    if record is None and _is_named_elsewhere(delivery, plan, after):
        delivery.claim = replace(delivery.claim, snapshot=snapshot.to_json())
        return update(delivery, after)
    return settle(delivery, snapshot, plan.decisions, after)


def _is_named_elsewhere(delivery: Delivery, plan: Update, after: Record) -> bool:
    """
    Whether a name went, unread, into a record that somebody has made one of the other kind, which shows its name in
    the other member.
    """
    names, base = delivery.mapping.names, delivery.base
    if names is None or base is None or names.switch in plan.patch:
        return False
    if plan.patch.keys().isdisjoint((names.person, names.company)):
        return False
    row, seen = delivery.mapping.row(names.switch), base.theirs.get(names.switch)
    return names.switch in after.fields and row.key(after.fields[names.switch]) != row.key(seen)


def _turn(delivery: Delivery, plan: Update) -> int:
    """A restored field is written again with the content that it had once: that is another change, with its own key."""
    restored = delivery.claim.restore or any(decision.rule == RESTORED for decision in plan.decisions)
    return delivery.claim.fence if restored else 0


def _persons(
    delivery: Delivery, plan: PersonPlan | None, record: Record | None
) -> tuple[dict[str, dict[str, Any]] | None, str | None]:
    table = delivery.mapping.persons
    if table is None or plan is None or record is None or record.persons is None:
        return None, None
    return settle_persons(table, delivery.ours.persons, delivery.base, record.persons, plan.absent), plan.main


def settle(delivery: Delivery, snapshot: Snapshot, decisions: Sequence[Decision], after: Record | None = None) -> Ended:
    """
    End the delivery: synced, or in review where fields wait for a person; the other fields are delivered. `after` is
    the record as a write's answer showed it: if it should not have been written to, that waits for a person, too.
    """
    questions = park_questions(delivery.mapping, decisions, delivery.ours)
    warning = answered.unusable(delivery, after) if after is not None else None
    if warning is not None:
        questions.insert(0, warning)
    if not questions:
        return delivery.end("synced", snapshot=snapshot, decisions=decisions, settled=True)
    message = "; ".join(question.message for question in questions)
    return delivery.end(
        "review",
        snapshot=snapshot,
        parked=parked_fields(decisions, delivery.ours),
        questions=questions,
        reason="field_conflict" if warning is None else "unusable",
        message=message,
        decisions=decisions,
        settled=True,
    )


def _other_candidates(reading: Reading) -> dict[str, Any]:
    """Of a record that a person chose and that was never delivered to: the others that there were to choose from."""
    if not reading.answers.linked:
        return {}
    with reading.runtime.engine.connect() as connection:
        shown = reviews.last_candidates(connection, reading.claim.id)
    others = [one for one in shown if str(one.get("external_id")) != reading.claim.external_id]
    return {"candidates": others} if others else {}


def _gone(delivery: Delivery, gone: RecordGone) -> Ended:
    """The record is gone there: by policy it is made anew, or a person says what is right."""
    if delivery.claim.gone:
        return delivery.end_gone()
    return linking.first_link(delivery, gone=may_be_made_anew(delivery, gone))


def may_be_made_anew(reading: Reading, gone: RecordGone) -> str:
    """The id of the record that is gone, where the settings have it made anew; else AmbiguousMatch."""
    system, external_id = reading.claim.system, str(reading.claim.external_id)
    if reading.runtime.settings.system(system).on_gone == "recreate":
        return external_id
    reading.evidence = {"external_id": external_id, **_other_candidates(reading)}
    raise AmbiguousMatch(f"record {external_id} is gone from {system}: {gone.message}", reason="gone") from gone
