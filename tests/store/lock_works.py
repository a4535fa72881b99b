"""Every writing transaction, on two clients whose rows give each of them something to lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.fixtures.hub import Hub
from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.store import (
    attempts,
    clock,
    contacts,
    create_locks,
    easing,
    fetched,
    inbox,
    links,
    operating,
    operating_bulk,
    operating_links,
    operating_reviews,
    reviews,
    source_link,
    summary,
    systems,
)
from worker.store.attempts import AttemptContext
from worker.store.contacts import FetchClaim
from worker.store.fetched import Closed, Contents
from worker.store.links import LinkClaim
from worker.store.listing_retries import RetryFilter
from worker.store.reviews import Question
from worker.vendors.contract import id_shape

NOTHING = attempts.values((), AttemptContext())
SYSTEMS = ("rompslomp", "recras", "workspace")

Work = Callable[["Stage", Connection], object]


@dataclass
class Stage:
    """Two clients whose rows are in every kind of trouble, so that each transaction finds something to lock."""

    hub: Hub
    ids: tuple[str, str]
    fetch: FetchClaim
    link: LinkClaim
    review: str
    field: str
    retries: list[str]

    @property
    def now(self) -> Any:
        return self.hub.time


@pytest.fixture
def stage(hub: Hub) -> Stage:
    ids = (hub.robaws.add_client(**client()), hub.robaws.add_client(name="Bakkerij Het Zuiden"))
    for source_id in ids:
        hub.sync(source_id)
    hub.later(60)
    with hub.engine.begin() as connection:
        found = {source_id: hub.contact(source_id)["id"] for source_id in ids}
        for contact_id in found.values():
            source_link.want_write_back(connection, contact_id, hub.time, None)
        connection.execute(
            text("UPDATE link SET state = 'waiting', reason = 'unavailable', next_attempt_at = :at"),
            {"at": hub.time + timedelta(hours=1)},
        )
        connection.execute(
            text(
                "UPDATE link SET state = 'due', next_attempt_at = :now WHERE contact_id = :c AND system = 'rompslomp'"
            ),
            {"c": found[ids[0]], "now": hub.time},
        )
        connection.execute(
            text("UPDATE contact SET fetch_state = 'waiting', fetch_next_attempt_at = :at, fetch_wanted = 9"),
            {"at": hub.time + timedelta(hours=1)},
        )
        connection.execute(
            text("UPDATE contact SET fetch_state = 'due', fetch_next_attempt_at = :now WHERE source_id = :s"),
            {"s": ids[0], "now": hub.time},
        )
        connection.execute(text("UPDATE inbox_event SET state = 'dead'"))
        fetch = contacts.claim_fetch(connection, hub.time, 600, found[ids[0]])
        link = links.claim(connection, "rompslomp", hub.time, 600)
        assert fetch is not None
        assert link is not None
        connection.execute(text("DELETE FROM review"))
        asked = hub.link(ids[0], "recras")["id"]
        reviews.ask(connection, asked, [Question("match", "", "doubtful", "which one?", {"candidates": []})], hub.time)
        review = str(connection.execute(text("SELECT id FROM review")).scalar_one())
        for source_id in reversed(ids):
            differs = Question("field", "phone", "field_conflict", "which?", {"ours": "1", "theirs": "2"})
            reviews.ask(connection, hub.link(source_id, "workspace")["id"], [differs], hub.time)
        field = str(connection.execute(text("SELECT max(id) FROM review")).scalar_one())
        clock.notice_set_back(connection, hub.time + timedelta(hours=2), 120)
        create_locks.take(connection, link, hub.time - timedelta(days=3), known=frozenset())
        bulk = RetryFilter(state="waiting")
        operating_bulk.make(connection, "retry", bulk, OPERATOR, hub.time, reason=None, approval_above=100)
        items = connection.execute(text("SELECT items FROM operator_action WHERE target = 'bulk'")).scalar_one()
    for source_id in reversed(ids):
        hub.event(source_id)
    return Stage(hub, ids, fetch, link, review, field, [*reversed(items)])


def store(stage: Stage, connection: Connection) -> None:
    contents = Contents(stage.fetch.version + 1, "h", stage.fetch.canonical, None)
    closed = Closed("applied", version=contents.version)
    fetched.store(connection, stage.fetch, contents, stage.now, closed=closed, systems=SYSTEMS, logged=NOTHING)


def fetch_failed(stage: Stage, connection: Connection) -> None:
    words = {"reason": "rejected", "message": "", "fingerprint": None, "now": stage.now}
    contacts.postpone_fetch(connection, stage.fetch, state="dead", at=None, attempts=1, own_failures=0, **words)
    inbox.close(connection, stage.fetch.contact_id, 99, state="dead", reason="x", version=None, now=stage.now)


def bind(stage: Stage, connection: Connection) -> None:
    source_link.lock_both(connection, stage.link.contact_id, stage.link.system)
    links.bind(connection, stage.link, "991")
    source_link.want_write_back(connection, stage.link.contact_id, stage.now, None)


def intend(stage: Stage, connection: Connection) -> None:
    links.intend(connection, stage.link, {"key": "k", "reference": "RB-1"})
    create_locks.take(connection, stage.link, stage.now, known=frozenset())
    reviews.ask(connection, stage.link.id, (), stage.now)


def finish(stage: Stage, connection: Connection) -> None:
    links.finish(
        connection,
        stage.link,
        state="review",
        snapshot=None,
        parked={},
        unheld=(),
        reason="field_conflict",
        message="",
        now=stage.now,
        logged=NOTHING,
    )
    question = Question("field", "city", "field_conflict", "which?", {})
    reviews.ask(connection, stage.link.id, [question], stage.now)


def failed(stage: Stage, connection: Connection) -> None:
    words = {"reason": "doubtful", "message": "", "now": stage.now}
    links.postpone(connection, stage.link, state="review", at=None, attempts=1, own_failures=0, **words)
    reviews.ask(connection, stage.link.id, [Question("match", "", "doubtful", "which?", {})], stage.now)


def one_by_one(stage: Stage, connection: Connection) -> None:
    operating.lock_items(connection, stage.retries)
    for retry_id in stage.retries:
        operating.retry(connection, retry_id, OPERATOR, stage.now)


def fold(_stage: Stage, connection: Connection) -> None:
    for system in sorted(("robaws", *SYSTEMS)):
        systems.learn(connection, system, {"calls_today": 1}, _stage.now)
    create_locks.forget(connection, _stage.now)
    inbox.fold_tally(connection)
    summary.fold_rows(connection)


def learn(stage: Stage, connection: Connection) -> None:
    systems.throttle(connection, "recras", stage.now, "rate_limited", stage.now)
    systems.refused_for_rate(connection, "recras", stage.now, rate=None, link=None)


def resolve(stage: Stage, connection: Connection) -> None:
    now, free = stage.now, "77"
    operating_reviews.resolve(connection, stage.review, "link", OPERATOR, now, shape_of=id_shape, external_id=free)


def rule(stage: Stage, connection: Connection) -> None:
    operating_reviews.resolve(connection, stage.field, "theirs", OPERATOR, stage.now, shape_of=id_shape, rule=True)


def succeeded(stage: Stage, connection: Connection) -> None:
    systems.succeeded(connection, "robaws", stage.now)
    easing.ease(connection, "robaws", stage.now)


WORKS: dict[str, Work] = {
    "intake": lambda stage, connection: inbox.intake(connection, stage.now),
    "fetch.store": store,
    "fetch.failed": fetch_failed,
    "deliver.intend": intend,
    "deliver.bind": bind,
    "deliver.finish": finish,
    "deliver.failed": failed,
    "gate.learn": learn,
    "gate.succeeded": succeeded,
    "sweep.clock": lambda stage, connection: clock.notice_set_back(connection, stage.now, 120),
    "sweep.fold": fold,
    "resolve": resolve,
    "rule": rule,
    "retries": one_by_one,
    "bulk": lambda stage, connection: operating_bulk.work(connection, stage.now),
    "sync": lambda stage, connection: operating.sync(connection, stage.ids[0], OPERATOR, stage.now),
    "replay": lambda stage, connection: operating.replay_since(
        connection, stage.now - timedelta(days=9_999), OPERATOR, stage.now, None
    ),
    "resume robaws": lambda stage, connection: operating.resume(connection, "robaws", OPERATOR, stage.now),
    "resume recras": lambda stage, connection: operating.resume(connection, "recras", OPERATOR, stage.now),
    "pause": lambda stage, connection: operating.pause(connection, "recras", OPERATOR, stage.now, "why"),
    "exclude": lambda stage, connection: operating_links.exclude(
        connection, stage.ids[0], "recras", OPERATOR, stage.now, "why"
    ),
    "unlink": lambda stage, connection: operating_links.unlink(
        connection, stage.ids[0], "recras", OPERATOR, stage.now, "why"
    ),
}
