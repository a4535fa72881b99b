"""
What must hold at every step. Checked on the rows and on the vendors' own records, whichever have just changed.

Broken raises with the name of the promise; the director turns it into the failure of the seed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulation.broken import Broken
from simulation.network import WRITES, record_ids

if TYPE_CHECKING:
    from simulation.story import Story
    from worker.store.budget import Limits
    from worker.store.links import LinkClaim
    from worker.vendors.simulation import SimRequest

DAY: Final = 86_400
STARVED_SECONDS: Final = 1_200.0
"""So long a row may be due while its vendor may be called and a worker lives."""

_ROWS: Final = """
    SELECT (SELECT coalesce(sum(received), 0)::int FROM event_tally),
        (SELECT coalesce(sum(applied), 0)::int FROM event_tally),
        (SELECT coalesce(sum(skipped), 0)::int FROM event_tally),
        (SELECT count(*)::int FROM inbox_event WHERE state IN ('new', 'taken')),
        (SELECT count(*)::int FROM inbox_event WHERE state = 'dead'),
        (SELECT coalesce(json_agg(json_build_object('id', l.id, 'contact', l.contact_id, 'client',
            (SELECT source_id FROM contact AS c WHERE c.id = l.contact_id), 'system', l.system,
            'external_id', l.external_id, 'fence', l.fence, 'state', l.state, 'intent', l.intent IS NOT NULL)), '[]')
            FROM link AS l),
        (SELECT coalesce(json_agg(json_build_array(system, failures)), '[]') FROM system_state WHERE breaker = 'closed')
"""


_DUE: Final = """
    SELECT l.id, l.fence::text || l.state || l.next_attempt_at::text, l.system FROM link AS l
    JOIN system_state AS s ON s.system = l.system
    WHERE l.state IN ('due', 'waiting', 'unknown', 'working') AND l.next_attempt_at <= %(now)s
        AND s.breaker = 'closed' AND s.paused_by IS NULL AND coalesce(s.throttled_until, 'epoch') <= %(now)s
        AND s.learned -> 'recovery' IS NULL
        AND (l.external_id IS NOT NULL OR coalesce(s.creates_paused_until, 'epoch') <= %(now)s)
"""


@dataclass
class Tokens:
    """A bucket as a vendor would keep it, in true time."""

    rate: float
    burst: int
    level: float
    at: float

    def take(self, now: float) -> float:
        """What is left after one call; below zero is too fast."""
        self.level = min(float(self.burst), self.level + (now - self.at) * self.rate) - 1.0
        self.at = now
        return self.level


class Invariants:
    """The checks of one story."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.rows_changed = self.vendor_changed = True
        self.checked = 0
        self._buckets: dict[str, Tokens] = {}
        self._sent: Counter[str] = Counter()
        self._days: Counter[tuple[str, int]] = Counter()
        self._links: list[dict[str, Any]] = []
        self._due_since: dict[tuple[int, str], float] = {}

    def forget_rates(self) -> None:
        """Our clocks were set: nobody can keep a rate over that."""
        self._buckets.clear()

    def before_request(self, system: str, request: SimRequest, claim: LinkClaim | None) -> None:
        """The budget, and the fence of a write."""
        self._check_budget(system)
        if claim is None or request.method not in WRITES:
            return
        rows = self.story.database.look("SELECT fence, state FROM link WHERE id = %(id)s", {"id": claim.id})
        if rows != [(claim.fence, "working")]:
            held = f"fence {rows[0][0]} and is {rows[0][1]}" if rows else "no row"
            what = f"{request.method} {request.path} to {system} under fence {claim.fence}; link {claim.id} has {held}"
            raise Broken("no write by a lost lease", what)

    def _check_budget(self, system: str) -> None:
        """No request without a turn of its own; and those that have one come no faster than the vendor allows."""
        turns = self.story.budget.turns
        self._sent[system] += 1
        if self._sent[system] > turns[system]:
            what = f"{system} gets request {self._sent[system]}, and {turns[system]} turns were given"
            raise Broken("budgets are never exceeded", what)
        limits = self.story.budget.limits.get(system)
        if limits is None:
            return
        self._check_day(system, limits.daily_requests)
        if limits.rate_per_second > 0:
            self._check_rate(system, limits)

    def _check_day(self, system: str, most: int) -> None:
        day = (system, int(self.story.clock.true // DAY))
        self._days[day] += 1
        # Whoever had the last turns of one day may come on the next.
        if most and self._days[day] > most + self._slack and not self.story.faults["clock jump"]:
            raise Broken("budgets are never exceeded", f"{system} is called {self._days[day]} times on one day")

    def _check_rate(self, system: str, limits: Limits) -> None:
        now = self.story.clock.true
        bucket = self._buckets.get(system)
        if bucket is None:
            bucket = self._buckets[system] = Tokens(limits.rate_per_second, limits.burst, float(limits.burst), now)
        # A caller may be late for its turn, and arrive with the next one: as many as can wait at once.
        if bucket.take(now) < -self._slack - 0.01:
            raise Broken("budgets are never exceeded", f"{system} is called faster than {limits}")

    @property
    def _slack(self) -> int:
        return sum(process.slots for process in self.story.workers)

    def check_rows_of(self, point: str) -> None:
        """A commit may have changed rows."""
        if point.endswith(".after_commit"):
            self.rows_changed = True

    def after_step(self) -> None:
        """Everything that could have changed."""
        if not (self.rows_changed or self.vendor_changed):
            return
        self.checked += 1
        if self.rows_changed:
            row = self.story.database.look(_ROWS)[0]
            self._links = row[5]
            self._check_equation(row)
            self._check_links(self._links)
            self._check_breakers(row[6])
        self._check_doubles(self._links)
        self._check_refused(self._links)
        self._check_edits()
        self._check_their_persons()
        self.rows_changed = self.vendor_changed = False

    def _check_equation(self, row: tuple[Any, ...]) -> None:
        received, applied, skipped, is_open, dead = row[:5]
        if received != applied + skipped + is_open + dead:
            what = f"received {received}, applied {applied}, skipped {skipped}, open {is_open}, dead {dead}"
            raise Broken("received = applied + skipped + open + dead", what)
        if received != len(self.story.memory.accepted):
            what = f"{len(self.story.memory.accepted)} events were answered with 2xx, {received} are counted"
            raise Broken("no event lost", what)

    def _check_links(self, links: list[dict[str, Any]]) -> None:
        seen: dict[tuple[str, str], int] = {}
        for link in links:
            if link["external_id"] is None:
                continue
            key = (link["system"], link["external_id"])
            if key in seen:
                raise Broken("one record a contact and system", f"two links hold record {key}")
            seen[key] = link["id"]

    def _check_breakers(self, closed: list[tuple[str, int]]) -> None:
        limit = int(self.story.settings.breaker.failures)
        for system, failures in closed:
            if failures >= limit:
                what = f"{system} has failed {failures} times in a row, and is called on"
                raise Broken("a vendor that is down is left alone", what)

    def _check_doubles(self, links: list[dict[str, Any]]) -> None:
        """The records made for a contact, and the one that it is linked to, are one; what people deleted is gone."""
        held = {(link["system"], link["contact"]): link["external_id"] for link in links if link["external_id"]}
        holder = {(link["system"], link["external_id"]): link["contact"] for link in links if link["external_id"]}
        for (system, contact), made in self.story.memory.created.items():
            there = record_ids(self.story.simulators[system])
            # Recras knows no reference: of two clients who are the same firm one may find what was made for the other.
            mine = {record for record in made if record in there and holder.get((system, record), contact) == contact}
            linked = held.get((system, contact))
            if linked is not None and linked in there and linked not in mine and mine:
                mine.add(linked)
            if len(mine) > 1:
                raise Broken("one record a contact and system", f"contact {contact} has {sorted(mine)} in {system}")

    def _check_refused(self, links: list[dict[str, Any]]) -> None:
        for link in links:
            if (link["system"], link["client"], link["external_id"]) in self.story.memory.refused:
                what = f"client {link['client']} is linked to {link['external_id']} in {link['system']}"
                raise Broken("a person's answer holds", f"{what}, which a person said is somebody else")

    def _check_edits(self) -> None:
        for edit in self.story.memory.edits.values():
            if edit.owner == "robaws":
                continue
            record = find_record(self.story, edit.system, edit.record)
            if record is not None and record.get(edit.member) != edit.value:
                what = (
                    f"{edit.system} {edit.record} {edit.member} is {record.get(edit.member)!r}, a person had put "
                    f"{edit.value!r} there, and the field is `{edit.owner}`"
                )
                raise Broken("no person's edit overwritten", what)

    def _check_their_persons(self) -> None:
        if not self.story.memory.their_persons:
            return
        for (record, person), name in self.story.memory.their_persons.items():
            held = find_record(self.story, "recras", record)
            if held is not None and person not in {str(one["id"]) for one in held["contactpersonen"]}:
                raise Broken("no person's edit overwritten", f"{name} is not among the persons of {record} any more")

    def check_starved(self) -> None:
        """A row that is due, at a vendor that may be called, is worked on before long."""
        now = self.story.clock.true
        due = {(row[0], row[1]): row[2] for row in self.story.database.look(_DUE, {"now": self.story.clock.now()})}
        self._due_since = {key: self._due_since.get(key, now) for key in due}
        for key, since in self._due_since.items():
            if now - since > STARVED_SECONDS:
                what = f"{due[key]} {key[0]} is due for {now - since:.0f} seconds, and nothing holds it back"
                raise Broken("nobody waits for somebody else's trouble", what)


def find_record(story: Story, system: str, record_id: str) -> dict[str, Any] | None:
    """A record of a target as its simulator holds it; None where it is not there, or in the bin."""
    records: list[dict[str, Any]] = story.simulators[system].state()["records"]
    for record in records:
        if str(record["id"]) == record_id and not record.get("trashed"):
            return record
    return None
