"""An answer is taken back: the question is open again, what was written stays, and the next answer is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_a_third_value import PHONE, asked, give, record
from tests.flows.test_answers import answer, brief, doubtful_at_workspace, only
from tests.flows.test_links_by_hand import do
from tests.store.people import OPERATOR
from worker.store import undoing
from worker.store.refusals import Conflict

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def last_answered(hub: Hub) -> str:
    with hub.engine.connect() as connection:
        statement = "SELECT id FROM review WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, id DESC LIMIT 1"
        return str(connection.execute(text(statement)).scalar_one())


def undo(hub: Hub, review: str | None = None) -> Any:
    with hub.engine.begin() as connection:
        return undoing.undo(connection, review or last_answered(hub), OPERATOR, hub.time, "a slip")


def open_paths(hub: Hub, source_id: str, system: str = "rompslomp") -> list[str]:
    return [one["path"] for one in hub.questions(source_id, system)]


def ours(hub: Hub, source_id: str) -> str:
    [question] = [one for one in hub.questions(source_id, "rompslomp") if one["path"] == "phone"]
    return str(question["detail"]["ours"])


@pytest.mark.parametrize("word", ["ours", "theirs", "value"])
def test_before_anything_was_written_all_is_as_it_was(hub: Hub, word: str) -> None:
    source_id = asked(hub)
    before = hub.link(source_id, "rompslomp")
    if word == "value":
        give(hub, source_id, "+32 9 555 55 55")
    else:
        answer(hub, source_id, "rompslomp", word, path="phone")

    undo(hub)
    at_once = open_paths(hub, source_id)
    hub.settle_all()
    hub.robaws.change_client(source_id, email="nieuw@delinde.example")
    hub.sync(source_id)

    after = hub.link(source_id, "rompslomp")
    assert at_once == open_paths(hub, source_id) == ["phone"]
    assert record(hub)["phone"] == PHONE
    assert (after["state"], after["parked"], after["decided"]) == (before["state"], before["parked"], {})


@pytest.mark.parametrize("first", ["ours", "value"])
@pytest.mark.parametrize("second", ["ours", "theirs", "value"])
def test_after_it_was_written_it_stays_until_the_next_answer_is_carried_out(hub: Hub, first: str, second: str) -> None:
    source_id = asked(hub)
    mine = ours(hub, source_id)
    expected = {"ours": mine, "theirs": PHONE, "value": "+32 9 333 33 33"}[second]
    if first == "value":
        give(hub, source_id, "+32 9 555 55 55")
    else:
        answer(hub, source_id, "rompslomp", first, path="phone")
    hub.settle()
    written = record(hub)["phone"]

    undo(hub)
    hub.robaws.change_client(source_id, email="nieuw@delinde.example")
    hub.sync(source_id)
    stays, asks = record(hub)["phone"], open_paths(hub, source_id)
    if second == "value":
        give(hub, source_id, "+32 9 333 33 33")
    else:
        answer(hub, source_id, "rompslomp", second, path="phone")
    hub.settle_all()

    assert written == {"ours": mine, "value": "+32 9 555 55 55"}[first]
    assert (stays, asks) == (written, ["phone"])
    assert record(hub)["phone"] == expected
    assert brief(hub, source_id, "rompslomp") == ("synced", None)
    assert hub.link(source_id, "rompslomp")["decided"] == {}


def test_an_address_that_was_written_over_is_put_back_as_a_whole(hub: Hub) -> None:
    source_id = asked(hub, address="Dorpsplein 3", zipcode="8000", city="Brugge", country_code="BE")
    answer(hub, source_id, "rompslomp", "ours", path="address.*")
    hub.settle()
    written = record(hub)["city"]

    undo(hub)
    answer(hub, source_id, "rompslomp", "theirs", path="address.*")
    hub.settle()

    there = record(hub)
    assert written == "Gent"
    assert [there[name] for name in ("address", "zipcode", "city")] == ["Dorpsplein 3", "8000", "Brugge"]
    assert brief(hub, source_id, "rompslomp") == ("synced", None)


def test_what_was_decided_since_is_not_taken_back(hub: Hub) -> None:
    source_id = asked(hub)
    answer(hub, source_id, "rompslomp", "theirs", path="phone")
    hub.robaws.change_client(source_id, tel="+32 9 666 66 66")
    hub.sync(source_id)

    with pytest.raises(Conflict, match="something else was decided since"):
        undo(hub)

    assert record(hub)["phone"] == "+32 9 666 66 66"


def test_a_question_that_is_open_or_that_nobody_answered_is_a_conflict(hub: Hub) -> None:
    source_id = asked(hub)
    [question] = hub.questions(source_id, "rompslomp")

    with pytest.raises(Conflict, match="is open"):
        undo(hub, str(question["id"]))
    hub.rompslomp.edit_record(str(record(hub)["id"]), {"phone": question["detail"]["ours"]})
    hub.robaws.change_client(source_id, email="nieuw@delinde.example")
    hub.sync(source_id)
    with pytest.raises(Conflict, match="settled"):
        undo(hub, str(question["id"]))


def test_a_client_that_was_left_out_waits_for_its_answer_again(hub: Hub) -> None:
    source_id, refused = doubtful_at_workspace(hub)
    answer(hub, source_id, "workspace", "exclude")

    undo(hub)

    assert brief(hub, source_id, "workspace") == ("review", "doubtful_match")
    answer(hub, source_id, "workspace", "link", external_id=refused)
    hub.settle_all()
    assert hub.link(source_id, "workspace")["external_id"] == refused


def matched(hub: Hub) -> tuple[str, str, str]:
    """A client that may be one of two records of Rompslomp: its id, the records' ids."""
    only(hub, "rompslomp")
    one = hub.rompslomp.add_record(company_name="Dakwerken De Linde BV", zipcode="9000")
    two = hub.rompslomp.add_record(company_name="Dakwerken De Linde NV", zipcode="9000")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    assert brief(hub, source_id, "rompslomp")[0] == "review"
    return source_id, str(one), str(two)


def test_a_link_that_was_delivered_is_asked_again_and_nothing_is_concluded_meanwhile(hub: Hub) -> None:
    source_id, one, two = matched(hub)
    answer(hub, source_id, "rompslomp", "link", external_id=one)
    hub.settle_all()
    linked = hub.link(source_id, "rompslomp")["external_id"]
    review = next(str(item) for item in _answered_matches(hub))

    said = undo(hub, review).message
    hub.robaws.change_client(source_id, tel="+32 9 123 45 67")
    hub.sync(source_id)
    waiting = brief(hub, source_id, "rompslomp")[0], hub.link(source_id, "rompslomp")["external_id"]
    answer(hub, source_id, "rompslomp", "link", external_id=two)
    hub.settle_all()

    assert linked == one
    assert "These fields of that record hold what contactsync wrote" in said
    assert waiting == ("review", None)
    assert hub.link(source_id, "rompslomp")["external_id"] == two
    assert len(hub.rompslomp.state()["records"]) == 2


def test_a_record_that_was_made_is_one_to_choose_from_when_that_is_taken_back(hub: Hub) -> None:
    source_id, _, _ = matched(hub)
    answer(hub, source_id, "rompslomp", "create")
    hub.settle_all()
    made = hub.link(source_id, "rompslomp")["external_id"]

    undo(hub)
    hub.settle_all()
    [question] = hub.questions(source_id, "rompslomp")
    shown = [one["external_id"] for one in question["detail"]["candidates"]]
    answer(hub, source_id, "rompslomp", "link", external_id=made)
    hub.settle_all()

    assert made in shown
    assert len(shown) == 3
    assert hub.link(source_id, "rompslomp")["external_id"] == made
    assert len(hub.rompslomp.state()["records"]) == 3


def _answered_matches(hub: Hub) -> list[int]:
    return _answered(hub, "kind = 'match'")


def test_while_it_is_delivered_an_answer_is_not_taken_back(hub: Hub) -> None:
    source_id = asked(hub)
    answer(hub, source_id, "rompslomp", "theirs", path="phone")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'working', next_attempt_at = now()"))

    with pytest.raises(Conflict, match="being delivered"):
        undo(hub)


def test_all_that_was_missing_is_asked_again_when_leaving_out_is_taken_back(hub: Hub) -> None:
    hub.configure(workspace={"on_missing": {}}, rompslomp={"enabled": False}, recras={"enabled": False})
    source_id = hub.robaws.add_client(name="Zonder Adres")
    hub.sync(source_id)
    before = open_paths(hub, source_id, "workspace")
    answer(hub, source_id, "workspace", "exclude", path=before[0])
    [review] = _answered(hub, "kind = 'field' AND path = :path", path=before[0])

    undo(hub, str(review))

    assert len(before) > 1
    assert hub.link(source_id, "workspace")["message"].count("is missing") == len(before)
    assert sorted(open_paths(hub, source_id, "workspace")) == sorted(before)
    assert brief(hub, source_id, "workspace") == ("review", "missing_required")


def test_a_client_that_is_left_out_and_taken_in_later_is_searched_as_any_other(hub: Hub) -> None:
    source_id, one, _ = matched(hub)
    answer(hub, source_id, "rompslomp", "link", external_id=one)
    hub.settle_all()
    undo(hub, str(_answered_matches(hub)[0]))

    do(hub, "exclude", source_id, "rompslomp")
    do(hub, "include", source_id, "rompslomp")
    hub.settle_all()
    hub.forget_calls()
    hub.robaws.change_client(source_id, tel="+32 9 123 45 67")
    hub.sync(source_id)

    assert hub.calls("rompslomp") != []


def _answered(hub: Hub, condition: str, **values: Any) -> list[int]:
    with hub.engine.connect() as connection:
        found = connection.execute(text(f"SELECT id FROM review WHERE resolved_at IS NOT NULL AND {condition}"), values)
        return [row.id for row in found]


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("second", ["ours", "theirs", "value"])
def test_an_answer_after_which_another_was_given_is_not_taken_back(hub: Hub, second: str, carried_out: bool) -> None:
    source_id = asked(hub)
    answer(hub, source_id, "rompslomp", "ours", path="phone")
    earlier = last_answered(hub)
    hub.rompslomp.edit_record(str(record(hub)["id"]), {"phone": "+32 9 111 11 11"})
    hub.settle()
    if second == "value":
        give(hub, source_id, "+32 9 333 33 33")
    else:
        answer(hub, source_id, "rompslomp", second, path="phone")
    if carried_out:
        hub.settle_all()
    before = hub.link(source_id, "rompslomp")

    with pytest.raises(Conflict, match="is about the same"):
        undo(hub, earlier)

    assert hub.link(source_id, "rompslomp") == before


def test_a_change_that_may_have_been_made_is_not_said_to_be_unwritten(hub: Hub) -> None:
    source_id = asked(hub)
    mine = ours(hub, source_id)
    hub.rompslomp.fail("drop_after", times=1, method="PATCH")
    answer(hub, source_id, "rompslomp", "ours", path="phone")
    hub.settle()

    with pytest.raises(Conflict, match="may have been made"):
        undo(hub)
    hub.settle_all()
    said = undo(hub).message
    answer(hub, source_id, "rompslomp", "theirs", path="phone")
    written = record(hub)["phone"]
    hub.settle_all()

    assert "what was written stays there" in said
    assert (written, record(hub)["phone"]) == (mine, PHONE)
