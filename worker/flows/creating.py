"""
Make a record once, and find out what became of a create that was not answered.

The intent stands in the link's row before the request leaves; what settles it is an external id, a clear refusal, or a
look at the system that finds nothing after the vendor's own time to settle. Only then does the same request, with the
same key and body, leave again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker.core.mapping import OurPerson
from worker.core.persons import sent_persons, settle_persons
from worker.core.planning import Create, Review, Snapshot, agree, parked_at_create, plan_create
from worker.errors import AmbiguousMatch, NotYetKnown, OutcomeUnknown, RecordGone, SyncError, VendorRejected
from worker.flows import merged, searching, updating
from worker.flows.delivery import Delivery, Ended, written_decisions
from worker.store import directory, holders, links
from worker.store.reviews import Question
from worker.vendors.contract import Created, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.flows.reading import Reading
    from worker.vendors.contract import Record

MOST_POSTS = 5
"""After so many unanswered creates a person looks, whatever the ladder says."""


def create(delivery: Delivery, reference: str | None) -> Ended:
    """
    Decide on a create and make it; a required value that is missing asks a person instead. Without a `reference` the
    record carries none.
    """
    plan = decide(delivery)
    if isinstance(plan, Review):
        questions = [
            Question("field", path, plan.reason, text, {"field": delivery.mapping.row(path).canonical})
            for path, text in plan.fields.items()
        ]
        return delivery.end("review", questions=questions, reason=plan.reason, message=plan.message)
    delivery.operation = "create"
    body = _body(delivery, plan, reference)
    persons = _persons(delivery)
    key = _key(delivery, body, persons)
    mark = delivery.client.mark(delivery.session)
    return _post(delivery, _apart(delivery, Intent(key, reference, body, persons, mark)))


def _body(delivery: Delivery, plan: Create, reference: str | None) -> dict[str, Any]:
    return {path: value for path, value in plan.fields.items() if reference or not _is_reference(delivery, path)}


def _is_reference(delivery: Delivery, path: str) -> bool:
    return bool(delivery.mapping.row(path).canonical == "references.robaws_id")


def _key(delivery: Delivery, body: Mapping[str, Any], persons: Sequence[Mapping[str, Any]]) -> str:
    return delivery.key("create", {"body": dict(body), "persons": list(persons)})


def _apart(delivery: Delivery, intent: Intent) -> Intent:
    """
    The same create, but that the vendor takes it for none of the records that are somebody else's: all that the search
    compared, as something is made only where none of them is this client, and those that a person refused.

    What is left out for that is sent by the change that follows, when the record is known. A repeat says what was said
    before, by which the vendor may know its own record again.
    """
    unsearched = delivery.candidates is None and not intent.posts
    unseen = unsearched or bool(delivery.answers.refused - delivery.found)
    apart: Intent = delivery.client.without_match(intent, delivery.candidates or (), unseen=unseen)
    return replace(apart, key=_key(delivery, apart.body, apart.persons)) if apart != intent else intent


def decide(reading: Reading) -> Create | Review:
    """What a new record would be made of, or why none can be made."""
    return plan_create(reading.mapping, reading.ours, reading.owners)


def _persons(delivery: Delivery) -> tuple[dict[str, Any], ...]:
    """The contact persons as an intent keeps them."""
    return tuple(
        {"key": person.key, "main": person.main, "fields": dict(person.fields)} for person in delivery.ours.persons
    )


def repeat(delivery: Delivery) -> Ended:
    """Send an open create again: it was looked for, is not there, and had its time to arrive."""
    delivery.operation = "create"
    if delivery.claim.intent is None:
        raise OutcomeUnknown("there is no create to repeat")
    return _post(delivery, _apart(delivery, Intent.from_json(delivery.claim.intent)))


def _post(delivery: Delivery, intent: Intent) -> Ended:
    before = delivery.claim.intent
    sent = replace(intent, posts=intent.posts + 1, sent_at=delivery.runtime.now().timestamp())
    delivery.intend(sent)
    try:
        created: Created = delivery.client.create(delivery.session, sent, delivery.ours)
    except OutcomeUnknown:
        # The vendor's time to settle begins when we gave up, after whatever was waited for in between.
        delivery.intend(replace(sent, sent_at=delivery.runtime.now().timestamp()))
        raise
    except VendorRejected as error:
        return _refused(delivery, sent, error)
    except SyncError:
        delivery.intend(Intent.from_json(before) if before else None)
        raise
    if created.external_id is None:
        return _unnamed(delivery, sent)
    if created.matched:
        return _matched(delivery, sent, created)
    return _made(delivery, sent, created.external_id, created.record)


def _unnamed(delivery: Delivery, intent: Intent) -> Ended:
    """The vendor made it and does not say which record it is (Workspace sheet 4): look for it at once."""
    found = _find(delivery, intent)
    if len(found) != 1:
        raise OutcomeUnknown("the answer to the create does not say which record was made")
    return _made(delivery, intent, found[0].external_id, found[0])


def _find(delivery: Delivery, intent: Intent) -> list[Record]:
    """
    What may have come of a create; never the record in whose place it was made, which a list may show in its bin, and
    none that a person said is somebody else's.
    """
    found: list[Record] = delivery.client.find_created(delivery.session, intent)
    others = {*delivery.answers.refused, delivery.claim.external_id}
    return [record for record in found if record.external_id not in others]


def _refused(delivery: Delivery, intent: Intent, error: VendorRejected) -> Ended:
    """
    A refusal of a create. Where references are unique the refusal may be of our own earlier one (Rompslomp sheet 13,
    step 6): if a record carries the reference, that one is ours. What it names that the record can do
    without is left out, and the create leaves once more.

    A repeated create carries what the client said then. If the client was corrected since, the refusal says nothing of
    what it says now, and that is sent.
    """
    if delivery.client.capabilities.reference_is_unique and intent.reference and error.word == "validation":
        found = _find(delivery, intent)
        if len(found) == 1:
            return _made(delivery, intent, found[0].external_id, found[0])
    delivery.intend(None)
    if delivery.leave_out(error, intent.body):
        return create(delivery, intent.reference)
    if intent.posts > 1 and _says_something_else(delivery, intent):
        return create(delivery, intent.reference)
    raise error


def _says_something_else(delivery: Delivery, intent: Intent) -> bool:
    plan = decide(delivery)
    if isinstance(plan, Review):
        return True
    return (_body(delivery, plan, intent.reference), _persons(delivery)) != (dict(intent.body), intent.persons)


def _matched(delivery: Delivery, intent: Intent, created: Created) -> Ended:
    """
    The vendor answered with a record that was there before: it is looked at like one that a search found, in a list
    that shows it, and linked where it would be linked then. Else it is asked about.

    A create that is repeated may be answered with what an earlier one made: that one is ours.
    """
    external_id, system = str(created.external_id), delivery.claim.system
    with delivery.runtime.engine.connect() as connection:
        holder = holders.of_records(connection, system, [external_id], delivery.claim.id).get(external_id)
    earlier = _find(delivery, intent) if intent.posts > 1 and holder is None else []
    if any(record.external_id == external_id for record in earlier):
        delivery.bind(external_id, _written(delivery, intent))
        delivery.must_read = True
        return updating.update(delivery)
    delivery.intend(None, unlisted=True)
    delivery.operation = "search"
    sent_into = external_id, delivery.mapping.inward(intent.body)
    verdict = searching.search(delivery, intent.reference, sent_into=sent_into)
    if verdict.action == "link" and verdict.external_id == external_id:
        delivery.bind(external_id, None)
        return updating.update(delivery)
    raise merged.ask(delivery, intent, external_id, holder, verdict)


def _made(delivery: Delivery, intent: Intent, external_id: str, record: Record | None) -> Ended:
    """Commit the id at once, then settle what the record holds."""
    delivery.bind(external_id, _written(delivery, intent))
    if record is None or (delivery.mapping.persons is not None and record.persons is None):
        record = _read_back(delivery, external_id)
    _remember(delivery, record)
    table = delivery.mapping.persons
    persons = settle_persons(table, delivery.ours.persons, None, record.persons or ()) if table else None
    main = next((person.key for person in delivery.ours.persons if person.main), None)
    owners = delivery.owners
    fields = {path: value for path, value in delivery.ours.fields.items() if owners.get(path) != "ignore"}
    same = dict(intent.body) == {path: value for path, value in fields.items() if value not in (None, "")}
    if not same or intent.persons != _persons(delivery):
        return updating.update(delivery, record=record)
    decisions = written_decisions(delivery.mapping, fields)
    snapshot = agree(delivery.ours, None, decisions, record.fields, persons, main, sent=intent.body.keys())
    left_out = parked_at_create(delivery.mapping, delivery.ours, owners)
    return updating.settle(delivery, snapshot, (*decisions, *left_out))


def _read_back(delivery: Delivery, external_id: str) -> Record:
    """What was made, as it stands there. NotYetKnown for a 404: it may need a moment, and the next look decides."""
    delivery.operation = "read"
    try:
        record: Record = delivery.client.read(delivery.session, external_id)
    except RecordGone as gone:
        settings = delivery.runtime.settings.system(delivery.claim.system)
        text = f"record {external_id} was made just now and cannot be read: {gone.message}"
        raise NotYetKnown(text, wait_seconds=float(settings.unknown_settle_seconds)) from gone
    return record


def _written(delivery: Delivery, intent: Intent) -> Snapshot:
    """
    What a create wrote, as the base of whatever changed here since; its persons' ids are learnt by a read.

    What it left out was empty here, and is empty there: that is agreed on, too. Else a value that came later, was sent,
    not answered and taken back again would be taken for theirs.
    """
    owners = delivery.owners
    ours = [path for path in (*delivery.ours.fields, *delivery.ours.problems) if owners.get(path) in ("robaws", "fill")]
    body = dict.fromkeys(ours) | dict(intent.body)
    if delivery.mapping.persons is None:
        return Snapshot(ours=body, theirs=body, table=delivery.ours.table)
    persons = [OurPerson(person["key"], person["main"], person["fields"]) for person in intent.persons]
    main = next((person.key for person in persons if person.main), None)
    sent = sent_persons(persons)
    return Snapshot(ours=body, theirs=body, persons=sent, main=main, table=delivery.ours.table)


def _remember(delivery: Delivery, record: Record) -> None:
    """The next contact's search sees this record without a new list."""
    if delivery.client.capabilities.search:
        return
    with delivery.runtime.transaction("directory.add") as connection:
        directory.add(connection, delivery.claim.system, [delivery.client.candidate(record)], delivery.runtime.now())
        delivery.log_attempts(connection)


def resolve(delivery: Delivery) -> bool:
    """
    Find out what became of an open create. True: it is settled, the link has its record now or the create is known
    not to have happened; False: it may be sent again.

    OutcomeUnknown: not found, and too early to say; AmbiguousMatch: a person must look.
    """
    delivery.operation = "resolve"
    intent = Intent.from_json(delivery.claim.intent or {})
    if delivery.client.capabilities.idempotency_keys:
        return False
    looked_at = delivery.runtime.now().timestamp()
    found = _find(delivery, intent)
    with delivery.runtime.engine.connect() as connection:
        ids = [record.external_id for record in found]
        taken = links.taken_ids(connection, delivery.claim.system, ids, delivery.claim.id)
    mine = [record for record in found if record.external_id not in taken]
    if len(mine) > 1:
        delivery.evidence = {"candidates": [{"external_id": one.external_id, "name": one.name} for one in mine]}
        raise AmbiguousMatch(f"{len(mine)} records could be the create that was not answered", reason="several_made")
    if mine:
        delivery.bind(mine[0].external_id, _written(delivery, intent))
        delivery.must_read = True
        return True
    _wait_or_ask(delivery, intent, looked_at)
    return False


def _wait_or_ask(delivery: Delivery, intent: Intent, looked_at: float) -> None:
    """
    Not found: too early to say, or tried often enough that a person should look. `looked_at` is when the look began:
    its answer may have been long on its way, and shows what was there before.
    """
    settings = delivery.runtime.settings.system(delivery.claim.system)
    waited = looked_at - (intent.sent_at or 0.0)
    settle = float(settings.unknown_settle_seconds)
    if waited < settle:
        text = f"the create is not to be seen there; {settle - waited:.0f} seconds more before it may be sent again"
        raise NotYetKnown(text, wait_seconds=settle - waited)
    most = getattr(delivery.client, "most_blind_posts", lambda _intent: MOST_POSTS)(intent)
    if intent.posts >= most:
        delivery.evidence = {"sent": dict(intent.body), "posts": intent.posts}
        raise AmbiguousMatch(
            f"{intent.posts} creates were not answered and no record is to be seen: look there before it is sent again",
            reason="outcome_unknown",
        )
