"""Two clients of one company that arrive together: one record and one question, whoever is first and whoever dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.fixtures.hub import Crash
from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.core.contact import build
from worker.errors import AlreadyBeingMade
from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.store import create_locks, links, operating_reviews
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.links import LinkClaim

VAT = "BE0403170701"
REFUSAL = '{"error": {"type": "client.parameters.validation", "message": "no"}}'
SAME_NUMBER: dict[str, Any] = {"vatIdNumber": VAT}


def pair(hub: Hub, system: str, **members: Any) -> tuple[str, str]:
    """Two clients that are fetched, and made nowhere yet."""
    hub.configure(**{name: {"enabled": False} for name in ("rompslomp", "recras", "workspace") if name != system})
    clients = hub.robaws.add_client(**client(**members)), hub.robaws.add_client(**client(**members))
    for source_id in clients:
        hub.event(source_id)
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass
    return clients


def meanwhile(hub: Hub, point: str, act: Callable[[], Any]) -> list[Any]:
    """Another worker does this once, when the first one comes to that point."""
    done: list[Any] = []

    def at(name: str) -> bool:
        if name == point and not done:
            done.append(None)
            done[0] = act()
        return False

    hub.crash_at = at
    return done


def deliver(hub: Hub, system: str) -> Any:
    return delivering.deliver(hub.runtime, hub.gate, system).result


def outcome(hub: Hub, system: str) -> list[tuple[str, str | None]]:
    """The links of the clients: state and reason."""
    return [(state, reason) for _, name, state, reason in hub.links() if name == system]


ONE_AND_A_QUESTION = [("review", "match_taken"), ("synced", None)]


@pytest.mark.parametrize("system", ["rompslomp", "workspace", "recras"])
@pytest.mark.parametrize(
    "members",
    [SAME_NUMBER, {}, {"vatIdNumber": f"{VAT} BTW", "name": "Dakwerken De Linde BV"}],
    ids=["VAT number", "e-mail and name", "VAT number with a word"],
)
@pytest.mark.parametrize("moment", ["{system}.create.before_send", "{system}.create.after_answer"])
def test_two_clients_of_one_company_at_once_are_one_record_and_one_question(
    hub: Hub, system: str, members: dict[str, Any], moment: str
) -> None:
    pair(hub, system, **members)
    other = meanwhile(hub, moment.format(system=system), lambda: deliver(hub, system))

    hub.settle_all()

    assert other in (["failed"], ["review"])  # it waits, or has found the record already
    assert len(hub.simulators[system].state()["records"]) == 1
    assert sorted(outcome(hub, system)) == ONE_AND_A_QUESTION


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_one_that_searched_before_the_other_was_made_asks_all_the_same(
    hub: Hub, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair(hub, system, **SAME_NUMBER)
    target = hub.runtime.client(system)
    mark, other = target.mark, []

    def mark_late(session: Any) -> Any:
        """What is asked between the search and the intent: the other worker does all its work meanwhile."""
        monkeypatch.undo()
        other.append(deliver(hub, system))
        return mark(session)

    monkeypatch.setattr(target, "mark", mark_late)

    hub.settle_all()

    assert other == ["synced"]
    assert len(hub.simulators[system].state()["records"]) == 1
    assert sorted(outcome(hub, system)) == ONE_AND_A_QUESTION


def test_a_create_that_is_not_answered_keeps_the_other_waiting_without_calls(hub: Hub) -> None:
    first, second = pair(hub, "workspace", **SAME_NUMBER)
    hub.workspace.fail("drop_after", times=1, method="POST")
    hub.settle()
    hub.forget_calls()
    waits = hub.link(second, "workspace")

    hub.later(30)
    hub.settle()
    unsettled = hub.calls("workspace")
    hub.settle_all()

    assert hub.link(first, "workspace")["state"] == "synced"
    assert (waits["state"], waits["reason"], waits["attempts"]) == ("waiting", "being_made", 0)
    assert f"client {first}" in waits["message"]
    assert not [call for call in unsettled if call.startswith("POST")]
    assert len(hub.workspace.state()["records"]) == 1
    assert sorted(outcome(hub, "workspace")) == ONE_AND_A_QUESTION


def test_a_worker_that_dies_in_its_create_frees_the_keys_when_that_is_resolved(hub: Hub) -> None:
    pair(hub, "rompslomp", **SAME_NUMBER)
    hub.crash_at = lambda name: name == "rompslomp.create.before_send"
    with pytest.raises(Crash):
        deliver(hub, "rompslomp")
    hub.restart()

    hub.settle_all()

    assert len(hub.rompslomp.state()["records"]) == 1
    assert sorted(outcome(hub, "rompslomp")) == ONE_AND_A_QUESTION


def test_a_create_that_is_refused_leaves_the_keys_to_the_other(hub: Hub) -> None:
    first, second = pair(hub, "rompslomp", **SAME_NUMBER)
    hub.rompslomp.fail("status", times=1, status=422, method="POST", body=REFUSAL)

    hub.settle_all()

    assert hub.link(first, "rompslomp")["state"] == "dead"
    assert hub.link(second, "rompslomp")["state"] == "synced"


def test_the_same_name_alone_makes_nobody_wait(hub: Hub) -> None:
    pair(hub, "rompslomp")
    second = hub.robaws.add_client(**client(email="andere@else.example", tel="+32 2 000 00 00"))
    hub.sync(second)

    assert create_locks.keys_of(build({"name": "De Linde"})) == []


def test_keys_are_kept_for_a_day_and_no_key_can_be_read(hub: Hub) -> None:
    pair(hub, "rompslomp", **SAME_NUMBER)
    hub.settle_all()
    with hub.engine.begin() as connection:
        keys = list(connection.execute(text("SELECT key FROM create_lock")).scalars())
        create_locks.forget(connection, hub.time)
        kept = connection.execute(text("SELECT count(*) FROM create_lock")).scalar()
        create_locks.forget(connection, hub.time + create_locks.KEPT * 2)
        left = connection.execute(text("SELECT count(*) FROM create_lock")).scalar()

    assert (kept, left) == (2, 0)
    assert not any("403170701" in key or "delinde" in key for key in keys)


def test_a_normal_create_costs_no_commit_more(hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    hub.sync(hub.robaws.add_client(**client(**SAME_NUMBER)))

    commits = [point for point in hub.points if point.startswith("deliver.") and point.endswith(".before_commit")]

    assert [point.split(".")[1] for point in commits if "claim" not in point] == ["intend", "bind", "finish"]


def test_a_person_who_says_that_they_are_two_gets_a_second_record(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    pair(hub, "workspace", **SAME_NUMBER)
    target = hub.runtime.client("workspace")
    mark = target.mark

    def mark_late(session: Any) -> Any:
        monkeypatch.undo()
        deliver(hub, "workspace")
        return mark(session)

    monkeypatch.setattr(target, "mark", mark_late)
    hub.settle_all()
    [asked] = [one for one in hub.links() if one[2] == "review"]
    [question] = hub.questions(asked[0], "workspace")

    with hub.engine.begin() as connection:
        operating_reviews.resolve(
            connection, str(question["id"]), "create", OPERATOR, hub.time, shape_of=id_shape, reason="two firms"
        )
    hub.settle_all()

    assert [one["evidence"][0]["for"] for one in question["detail"]["candidates"]] == [True]
    assert len(hub.workspace.state()["records"]) == 2
    assert outcome(hub, "workspace") == [("synced", None), ("synced", None)]


def test_a_number_that_is_typed_in_for_none_keeps_nobody_from_being_made(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.configure(rompslomp={"enabled": False}, recras={"enabled": False})
    for number in (1, 2):
        hub.event(hub.robaws.add_client(**client(number, name=f"Klant {number}", vatIdNumber="BE0123456789")))
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass
    target = hub.runtime.client("workspace")
    mark = target.mark

    def mark_late(session: Any) -> Any:
        monkeypatch.undo()
        deliver(hub, "workspace")
        return mark(session)

    monkeypatch.setattr(target, "mark", mark_late)

    hub.settle_all()

    assert outcome(hub, "workspace") == [("synced", None), ("synced", None)]


def test_many_workers_that_take_the_same_keys_leave_one_winner_and_no_deadlock(hub: Hub) -> None:
    hub.configure(rompslomp={"enabled": False}, recras={"enabled": False})
    people = [{"contacts": [], "email": f"{name}@delinde.example"} for name in "abcdef"]
    for number, members in enumerate(people):
        both = f"{members['email']}; {people[(number + 1) % len(people)]['email']}"
        hub.event(hub.robaws.add_client(**client(vatIdNumber=VAT if number % 2 else None, email=both)))
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass
    with hub.engine.begin() as connection:
        claims = [links.claim(connection, "workspace", hub.time, 120) for _ in people]
    start = threading.Barrier(len(people))

    def take(claim: LinkClaim | None) -> str:
        assert claim is not None
        start.wait()
        try:
            with hub.engine.begin() as connection:
                links.intend(connection, claim, {"key": str(claim.id), "body": {}})
                create_locks.take(connection, claim, hub.time, known=frozenset())
        except AlreadyBeingMade:
            return "waits"
        return "takes"

    with ThreadPoolExecutor(len(people)) as workers:
        results = list(workers.map(take, claims))
    with hub.engine.connect() as connection:
        owners = set(connection.execute(text("SELECT link_id FROM create_lock")).scalars())
        open_creates = set(connection.execute(text("SELECT id FROM link WHERE intent IS NOT NULL")).scalars())

    assert 1 <= results.count("takes") <= 3
    assert owners == open_creates
    assert len(owners) == results.count("takes")
