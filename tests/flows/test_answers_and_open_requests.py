"""An answer never drops a create that may have been made, and never lets a change overtake one that may yet arrive."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only
from tests.flows.test_links_by_hand import do
from tests.store.people import OPERATOR, act
from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.store import operating, operating_reviews, reviews
from worker.store.listing_retries import public_id
from worker.store.refusals import Conflict
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

MOVED = {"postalCode": "8000", "city": "Brugge", "addressLine1": "Markt 1", "country": "BE"}


def records(hub: Hub, source_id: str) -> list[dict[str, Any]]:
    """Those that carry the client's number."""
    return [one for one in hub.workspace.state()["records"] if one["client_reference"] == source_id]


def resolve(hub: Hub, review: Any, choose: str, **more: Any) -> Any:
    with hub.engine.begin() as connection:
        return operating_reviews.resolve(connection, str(review), choose, OPERATOR, hub.time, shape_of=id_shape, **more)


def unanswered_create_after_a_question(hub: Hub) -> tuple[str, str, Any]:
    """Asked which record it is; the client is corrected, matches nothing any more, and its create is not answered."""
    only(hub, "workspace")
    record = hub.workspace.add_record(
        name="Dakwerken De Linde BV", location_postal="9000", type="1", client_reference="7"
    )
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [question] = hub.questions(source_id, "workspace")
    hub.robaws.change_client(source_id, name="Bakkerij Het Zuiden", address=MOVED)
    hub.workspace.fail("drop_after", times=1, method="POST")
    hub.sync(source_id)
    assert hub.link(source_id, "workspace")["state"] == "unknown"
    return source_id, str(record), question["id"]


@pytest.mark.parametrize("choose", ["create", "link"])
def test_a_question_from_before_a_create_is_withdrawn_when_the_create_is_decided(hub: Hub, choose: str) -> None:
    source_id, record, question = unanswered_create_after_a_question(hub)

    withdrawn = hub.questions(source_id, "workspace") == []
    with pytest.raises(Conflict):
        resolve(hub, question, choose, **({"external_id": record} if choose == "link" else {}))
    hub.settle_all()

    assert withdrawn
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(records(hub, source_id)) == 1


@pytest.mark.parametrize("choose", ["create", "link"])
def test_an_open_create_stands_whatever_else_is_answered(hub: Hub, choose: str) -> None:
    source_id, record, _ = unanswered_create_after_a_question(hub)
    with hub.engine.begin() as connection:
        stale = reviews.Question("match", "", "doubtful_match", "is it this one?", {"candidates": []})
        reviews.ask(connection, hub.link(source_id, "workspace")["id"], [stale], hub.time)

    with pytest.raises(Conflict, match="looked for first"):
        answer(hub, source_id, "workspace", choose, **({"external_id": record} if choose == "link" else {}))
    hub.settle_all()

    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(records(hub, source_id)) == 1


def several(hub: Hub) -> str:
    """A create that was not answered, and two records that could have come of it."""
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    hub.workspace.fail("drop_after", times=1, method="POST")
    hub.sync(source_id)
    made = records(hub, source_id)[0]
    hub.workspace.add_record(**{name: made[name] for name in ("name", "client_reference", "type")})
    hub.settle_all()
    assert brief(hub, source_id, "workspace") == ("review", "several_made")
    return source_id


def test_none_of_those_that_a_create_may_have_made_waits_until_the_create_had_its_time(hub: Hub) -> None:
    source_id = several(hub)
    [question] = hub.questions(source_id, "workspace")
    hub.time = hub.time.fromtimestamp(question["detail"]["settled_at"] - 30, hub.time.tzinfo)

    answer(hub, source_id, "workspace", "create")
    state, intent = hub.link(source_id, "workspace")["state"], hub.link(source_id, "workspace")["intent"]
    hub.settle()
    before = len(records(hub, source_id))
    hub.settle_all()

    assert (state, before) == ("unknown", 2)
    assert intent is not None
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(records(hub, source_id)) == 3


def test_one_of_those_that_a_create_may_have_made_is_taken_at_once(hub: Hub) -> None:
    source_id = several(hub)
    [question] = hub.questions(source_id, "workspace")
    one = question["detail"]["candidates"][1]["external_id"]

    answer(hub, source_id, "workspace", "link", external_id=one)
    hub.settle_all()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["external_id"], link["intent"]) == ("synced", one, None)
    assert len(records(hub, source_id)) == 2


def test_leaving_a_client_out_keeps_its_open_create_written_down(hub: Hub) -> None:
    source_id = several(hub)

    answer(hub, source_id, "workspace", "exclude")

    assert brief(hub, source_id, "workspace") == ("excluded", "excluded_by_person")
    assert hub.link(source_id, "workspace")["intent"] is not None


def differing_with_a_late_change(hub: Hub) -> str:
    """A field is asked about, and a change of another one was sent and not answered in time."""
    only(hub, "rompslomp")
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number="BE0000000097", phone="+32 9 111 11 11")
    source_id = hub.robaws.add_client(**client(vatIdNumber="BE0000000097"))
    hub.sync(source_id)
    assert "phone" in [one["path"] for one in hub.questions(source_id, "rompslomp")]
    hub.robaws.change_client(source_id, email="new@delinde.example")
    hub.rompslomp.fail("status", times=1, method="PATCH", status=504)
    hub.sync(source_id)
    return source_id


def test_our_value_waits_for_a_change_that_may_yet_arrive(hub: Hub) -> None:
    source_id = differing_with_a_late_change(hub)
    before = hub.link(source_id, "rompslomp")

    answer(hub, source_id, "rompslomp", "ours", "phone")

    after = hub.link(source_id, "rompslomp")
    assert before["state"] == "unknown"
    assert (after["state"], after["next_attempt_at"]) == ("unknown", before["next_attempt_at"])
    hub.settle_all()
    assert hub.rompslomp.state()["records"][0]["phone"] == "+32 9 000 00 00"


def test_an_answer_and_the_end_of_a_delivery_wait_for_each_other_in_one_order(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(hub, "rompslomp")
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number="BE0000000097", phone="+32 9 111 11 11")
    source_id = hub.robaws.add_client(**client(vatIdNumber="BE0000000097"))
    hub.sync(source_id)
    hub.robaws.change_client(source_id, email="new@delinde.example")
    hub.later(60)
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    review = next(one["id"] for one in hub.questions(source_id, "rompslomp") if one["path"] == "phone")
    answered: list[object] = []

    def person() -> None:
        try:
            answered.append(resolve(hub, review, "theirs"))
        except Conflict as error:
            answered.append(error)

    thread = threading.Thread(target=person)
    ask = reviews.ask

    def slowly(*arguments: Any) -> None:
        thread.start()
        thread.join(0.5)
        ask(*arguments)

    monkeypatch.setattr(reviews, "ask", slowly)
    result = delivering.deliver(hub.runtime, hub.gate, "rompslomp").result
    thread.join(10)

    assert result == "review"
    assert len(answered) == 1
    assert hub.link(source_id, "rompslomp")["reason"] != "internal_error"


def test_a_client_that_was_left_out_is_not_brought_back_by_a_field(hub: Hub) -> None:
    only(hub, "rompslomp")
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number="BE0000000097", phone="+32 9 111 11 11")
    source_id = hub.robaws.add_client(**client(vatIdNumber="BE0000000097"))
    hub.sync(source_id)
    review = next(one["id"] for one in hub.questions(source_id, "rompslomp") if one["path"] == "phone")
    act(hub, operating.discard, public_id(1, hub.link(source_id, "rompslomp")["id"]), reason="not theirs")

    with pytest.raises(Conflict, match="already"):
        resolve(hub, review, "ours")

    assert hub.link(source_id, "rompslomp")["state"] == "excluded"


def test_a_client_that_is_included_again_waits_for_a_change_that_may_yet_arrive(hub: Hub) -> None:
    source_id = differing_with_a_late_change(hub)
    settles_at = hub.link(source_id, "rompslomp")["settles_at"]

    for what in ("exclude", "include"):
        do(hub, what, source_id, "rompslomp")

    assert settles_at > hub.time
    assert hub.link(source_id, "rompslomp")["next_attempt_at"] == settles_at
