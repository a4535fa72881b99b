"""
Plan one client: what `contacts sync` would do with it in each system, without doing it.

The client is fetched as it is now, each system is read or searched as a delivery would, and the decisions are made by
the same functions as there. Nothing is written at a vendor, and no contact, link or question here is made or changed.
What stays is what every read leaves: the log of requests, calls counted in the budget, a list that was read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker.core import preview
from worker.core.echo import content_hash
from worker.core.planning import Nothing, Review, Snapshot
from worker.core.preview import ClientPlan, PlannedItem
from worker.errors import AmbiguousMatch, NotReachable, RecordGone, SyncError
from worker.flows import creating, linking, updating, writing_back
from worker.flows.deliver import FILTERED, step_of
from worker.flows.fetch import taking_part
from worker.flows.outcome import judge
from worker.flows.reading import Reading
from worker.flows.searching import shown_with_holder
from worker.runtime import SOURCE
from worker.store import answer_rules, attempts, create_locks, departures, held, planned_for
from worker.store.asked_for import may_be_a_client
from worker.store.attempts import AttemptContext
from worker.store.refusals import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.core.contact import Json
    from worker.core.matching import Verdict
    from worker.flows.gate import Gate
    from worker.runtime import Runtime
    from worker.store.links import LinkClaim
    from worker.store.planned_for import KnownContact, KnownLink
    from worker.vendors.contract import Record
    from worker.vendors.transport import Session

OPERATION = "plan"
PATIENCE_SECONDS = 10.0
"""A person waits for the answer, and would wait for the delivery as well."""
NOT_MADE_YET = "(the new record's id)"


class ReadOnly:
    """In the place of a lease: nothing that writes leaves through a session that has it."""

    def hold(self, seconds: float) -> None:
        """Refuse a write; a read takes no lease."""
        if seconds:
            raise AssertionError("a plan writes nothing")


def plan(runtime: Runtime, gate: Gate, source_id: str) -> ClientPlan:
    """
    What would be written where for one client, known or not.

    NotFound where Robaws has no such client; NotReachable where Robaws cannot be asked now.
    """
    source_id = may_be_a_client(source_id)
    with runtime.engine.connect() as connection:
        known = planned_for.contact(connection, source_id)
    try:
        canonical, raw = _fetch(runtime, gate, source_id, known)
    except RecordGone as gone:
        if known is None:
            raise NotFound(f"Robaws has no client {source_id}: {gone.message}") from gone
        return _gone(runtime, source_id, known)
    version = (known.version if known else 0) + (known is None or known.content_hash != content_hash(canonical))
    takes_part = taking_part(runtime.settings.sync.filter, canonical, raw, runtime.client(SOURCE).extra_value)
    look = _Look(runtime, gate, source_id, canonical, version, _links(runtime, known, source_id, canonical, version))
    items = [look.item(system) if takes_part else look.nothing(system, FILTERED) for system in runtime.targets]
    if (back := look.write_back(items)) is not None:
        items.append(back)
    return _made(runtime, source_id, known, canonical, version, items, takes_part=takes_part)


def _links(
    runtime: Runtime, known: KnownContact | None, source_id: str, canonical: Json, version: int
) -> dict[str, KnownLink]:
    if known is None:
        return {}
    with runtime.engine.connect() as connection:
        return planned_for.links(connection, known, source_id, canonical, version, runtime.now())


def _made(
    runtime: Runtime,
    source_id: str,
    known: KnownContact | None,
    canonical: Json,
    version: int,
    items: list[PlannedItem],
    *,
    takes_part: bool = True,
    gone: bool = False,
) -> ClientPlan:
    return ClientPlan(
        source_id,
        canonical.get("name"),
        canonical.get("kind"),
        runtime.now(),
        known is not None,
        version,
        takes_part,
        gone,
        [item.system for item in items],
        preview.counts(items),
        items,
    )


def _gone(runtime: Runtime, source_id: str, known: KnownContact) -> ClientPlan:
    """Nothing is written for a client that is gone, and no record is made."""
    look = f"{departures.MESSAGE}: its records stay as they are"
    items = [PlannedItem(system, source_id, None, None, "nothing", why=look) for system in runtime.targets]
    return _made(runtime, source_id, known, {}, known.version, items, gone=True)


def _fetch(runtime: Runtime, gate: Gate, source_id: str, known: KnownContact | None) -> tuple[Json, Mapping[str, Any]]:
    if (why := _held(runtime, gate, SOURCE)) is not None:
        raise NotReachable(f"{why}; so nobody can tell what would be written")
    session = _session(runtime, SOURCE)
    try:
        fetched: tuple[Json, Mapping[str, Any]] = runtime.client(SOURCE).fetch(
            session, source_id, lambda: known.raw if known is not None else None
        )
    except RecordGone:
        gate.succeeded(SOURCE)
        raise
    except SyncError as error:
        error = gate.excused(error, session)
        _learn(runtime, gate, SOURCE, error)
        raise NotReachable(f"{SOURCE} could not be asked for the client: {error.message}") from error
    finally:
        _log(runtime, session)
    gate.succeeded(SOURCE)
    return fetched


def _session(runtime: Runtime, system: str) -> Session:
    session = runtime.session(system, lease=ReadOnly())
    session.patience_seconds = PATIENCE_SECONDS
    return session


def _held(runtime: Runtime, gate: Gate, system: str) -> str | None:
    now = runtime.now()
    if gate.view(system, fresh=True).blocked_until(now) is None:
        return None
    with runtime.engine.connect() as connection:
        behind = held.of(held.held(connection, now), system)
    why = f" ({behind.reason}: {behind.message})" if behind is not None else ""
    return f"{system} cannot be asked at this moment, as it is held back{why}"


def _learn(runtime: Runtime, gate: Gate, system: str, error: SyncError) -> None:
    """As for a delivery: a token that is refused now pauses the system, and so on."""
    now = runtime.now()
    outcome = judge(
        error, system=system, operation=OPERATION, attempts=0, policy=runtime.policy, now=now, draw=runtime.draw()
    )
    gate.learn(system, outcome, now)


def _log(runtime: Runtime, session: Session) -> None:
    if session.exchanges:
        with runtime.engine.begin() as connection:
            attempts.add(connection, session.exchanges, AttemptContext())


class _Look:
    """One client, looked at in one system after the other."""

    def __init__(
        self,
        runtime: Runtime,
        gate: Gate,
        source_id: str,
        canonical: Json,
        version: int,
        links: Mapping[str, KnownLink],
    ) -> None:
        self.runtime = runtime
        self.gate = gate
        self.source_id = source_id
        self.canonical = canonical
        self.version = version
        self.links = links

    def nothing(self, system: str, why: str = "", **more: Any) -> PlannedItem:
        """Nothing would be written there."""
        return self._item(system, "nothing", why=why, **more)

    def item(self, system: str) -> PlannedItem:
        """What would be done there."""
        link = self.links.get(system)
        if link is not None and link.left_out is not None:
            return self.nothing(system, f"left out of {system} by a person ({link.left_out})")
        if (why := _held(self.runtime, self.gate, system)) is not None:
            return self._item(system, "undecided", why=why)
        claim = link.claim if link is not None else self._new(system)
        reading = Reading(self.runtime, claim, ReadOnly())
        reading.session.patience_seconds = PATIENCE_SECONDS
        try:
            item = self._decided(reading)
        except AmbiguousMatch as asked:
            shown = list(reading.evidence.get("candidates") or ())
            action = "gone" if asked.word == "gone" else "review"
            item = self._item(system, action, claim.external_id, why=asked.message, candidates=shown)
        except SyncError as error:
            error = self.gate.excused(error, reading.session)
            _learn(self.runtime, self.gate, system, error)
            item = self._item(system, "undecided", claim.external_id, why=error.message)
        else:
            if reading.session.exchanges:
                self.gate.succeeded(system)
        finally:
            with self.runtime.engine.begin() as connection:
                reading.log_attempts(connection)
        return replace(self._answered(item), unheld=list(reading.ours.unheld))

    def _answered(self, item: PlannedItem) -> PlannedItem:
        """With the answers that hold from now on, which a delivery gives at its end."""
        if item.action in ("review", "gone"):
            return item
        link = self.links.get(item.system)
        with self.runtime.engine.connect() as connection:
            rules = answer_rules.for_link(connection, link.claim.id if link is not None else 0, item.system)
        item = replace(item, fields=preview.answered_by_rules(item.fields, rules))
        return replace(item, action="update", why="") if item.action == "nothing" and item.writes else item

    def _new(self, system: str) -> LinkClaim:
        return planned_for.new_link(system, self.source_id, self.canonical, self.version, self.runtime.now())

    def _decided(self, reading: Reading) -> PlannedItem:
        claim = reading.claim
        if step_of(claim) == "resolve":
            text = "a create was not answered: it is looked for first, and sent again only if it was not made"
            return self._item(claim.system, "undecided", why=text)
        if claim.external_id is None:
            return self._first_link(reading)
        try:
            record = updating.read(reading)
        except RecordGone as gone:
            return self._first_link(reading, updating.may_be_made_anew(reading, gone))
        return self._changed(reading, "update", record)

    def _first_link(self, reading: Reading, gone: str | None = None) -> PlannedItem:
        system = reading.claim.system
        verdict, _ = linking.decide(reading, gone)
        if verdict.action == "review":
            return self._matches(reading, verdict)
        if verdict.action == "link" and verdict.external_id is not None:
            reading.take(verdict.external_id, None)
            return self._changed(reading, "link", updating.read(reading), verdict.message)
        created = creating.decide(reading)
        if isinstance(created, Review):
            fields = preview.of_review(reading.mapping, created)
            return self._item(system, "review", fields=fields, why=created.message)
        with self.runtime.engine.connect() as connection:
            create_locks.look(connection, reading.claim, self.runtime.now())
        fields = preview.of_create(reading.mapping, reading.ours, reading.owners, created)
        why = f"record {gone} is gone, and the settings have it made anew" if gone else "no record there is this client"
        return self._item(system, "create", fields=fields, why=why)

    def _matches(self, reading: Reading, verdict: Verdict) -> PlannedItem:
        shown = [shown_with_holder(reading, match) for match in verdict.matches]
        return self._item(reading.claim.system, "review", why=verdict.message, candidates=shown)

    def _changed(self, reading: Reading, action: str, record: Record | None, why: str = "") -> PlannedItem:
        change = updating.decide(reading, record)
        fields = preview.of_change(reading.mapping, reading.base, change)
        if action == "update" and isinstance(change, Nothing):
            action = "nothing"
            why = why or ("what differs is asked about" if fields else "it agrees")
        return self._item(reading.claim.system, action, reading.claim.external_id, fields=fields, why=why)

    def write_back(self, items: list[PlannedItem]) -> PlannedItem | None:
        """The records' ids that Robaws would be told; None where the settings want none."""
        names = self.runtime.settings.systems.robaws.write_back
        link = self.links.get(SOURCE)
        if not names or (link is not None and link.left_out is not None):
            return None
        known = {system: one.claim.external_id for system, one in self.links.items() if one.claim.external_id}
        for item in items:
            if item.action in ("create", "link"):
                known[item.system] = item.external_id or NOT_MADE_YET
        base = (Snapshot.from_json(link.claim.snapshot) if link is not None else None) or Snapshot()
        _, patch = writing_back.decide(names, known, base)
        if not patch:
            return self.nothing(SOURCE, "it has the ids already")
        return self._item(SOURCE, "update", self.source_id, fields=preview.of_write_back(patch, base))

    def _item(self, system: str, action: str, external_id: str | None = None, **more: Any) -> PlannedItem:
        name, kind = self.canonical.get("name"), self.canonical.get("kind")
        return PlannedItem(system, self.source_id, name, kind, action, external_id, **more)
