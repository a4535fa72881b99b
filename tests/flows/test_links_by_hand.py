"""Who takes part where, on a person's word: link, unlink, exclude, include, and a record that changes hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only
from tests.store.people import OPERATOR, act, actions
from worker.errors import NotReachable
from worker.flows.looking_up import look_up
from worker.store import operating, operating_links
from worker.store.refusals import Conflict, NotFound, Unfit
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0403170701"
WHY = "asked the bookkeeper"


def do(hub: Hub, what: str, source_id: str, system: str, **more: Any) -> Any:
    """One of the four, as the command does it."""
    if what == "link":
        more["shape"] = id_shape(system)
        external_id = more.pop("external_id")
        with hub.engine.begin() as connection:
            return operating_links.link(connection, source_id, system, external_id, OPERATOR, hub.time, WHY, **more)
    with hub.engine.begin() as connection:
        return getattr(operating_links, what)(connection, source_id, system, OPERATOR, hub.time, WHY)


def wrongly_linked(hub: Hub) -> tuple[str, str, str]:
    """A private person linked to a company's record: the client, that record, and the right one."""
    only(hub, "workspace")
    wrong = hub.workspace.add_record(
        name="Dakwerken De Linde", btw=VAT, type="1", client_reference="7", location_postal=""
    )
    right = hub.workspace.add_record(name="J. Peeters (thuis)", email="thuis@peeters.example", type="1")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    assert hub.link(source_id, "workspace")["external_id"] == str(wrong)
    return source_id, str(wrong), str(right)


def record(hub: Hub, record_id: str) -> dict[str, Any]:
    return next(one for one in hub.workspace.state()["records"] if str(one["id"]) == record_id)


def test_a_wrong_link_is_moved_and_what_was_written_there_is_told(hub: Hub) -> None:
    source_id, wrong, right = wrongly_linked(hub)
    written = {name for name in ("phone", "email") if record(hub, wrong)[name]}

    acted = do(hub, "link", source_id, "workspace", external_id=right)
    hub.settle()

    link = hub.link(source_id, "workspace")
    assert link["external_id"] == right
    assert wrong in link["decided"]["refused"]
    assert all(name in acted.message for name in written)
    assert "was empty" in acted.message
    assert record(hub, right)["phone"] == record(hub, wrong)["phone"]
    assert ("link", f"link-{link['id']}", WHY) in actions(hub)


def test_a_moved_link_begins_as_a_first_link_and_asks_about_what_differs(hub: Hub) -> None:
    source_id, _, right = wrongly_linked(hub)

    do(hub, "link", source_id, "workspace", external_id=right)
    hub.settle()

    assert record(hub, right)["email"] == "thuis@peeters.example"
    assert "email" in [one["path"] for one in hub.questions(source_id, "workspace")]


def test_an_unlinked_client_stays_out_whatever_comes(hub: Hub) -> None:
    source_id, wrong, _ = wrongly_linked(hub)

    acted = do(hub, "unlink", source_id, "workspace")
    hub.robaws.change_client(source_id, tel="+32 9 200 00 99")
    hub.sync(source_id)
    act(hub, operating.sync, source_id)
    hub.settle()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["reason"], link["external_id"], link["snapshot"]) == (
        "excluded",
        "unlinked",
        None,
        None,
    )
    assert "phone" in acted.message
    assert record(hub, wrong)["phone"] != "+32 9 200 00 99"
    assert len(hub.workspace.state()["records"]) == 2


def test_an_unlinked_client_that_is_included_does_not_take_the_same_record_again(hub: Hub) -> None:
    source_id, wrong, _ = wrongly_linked(hub)
    do(hub, "unlink", source_id, "workspace")

    do(hub, "include", source_id, "workspace")
    hub.settle()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["external_id"] not in (None, wrong)) == ("synced", True)


def test_unlink_is_undone_by_link(hub: Hub) -> None:
    source_id, wrong, _ = wrongly_linked(hub)
    do(hub, "unlink", source_id, "workspace")

    do(hub, "link", source_id, "workspace", external_id=wrong)
    hub.settle()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["external_id"], link["decided"]) == ("synced", wrong, {})


def test_an_excluded_client_comes_back_with_what_changed_meanwhile(hub: Hub) -> None:
    source_id, wrong, _ = wrongly_linked(hub)

    do(hub, "exclude", source_id, "workspace")
    hub.robaws.change_client(source_id, tel="+32 9 200 00 99")
    hub.sync(source_id)
    meanwhile = (brief(hub, source_id, "workspace"), record(hub, wrong)["phone"])
    do(hub, "include", source_id, "workspace")
    hub.settle()

    assert meanwhile[0] == ("excluded", "excluded_by_person")
    assert meanwhile[1] != record(hub, wrong)["phone"]
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert [what for what, _, _ in actions(hub)] == ["exclude", "include"]


def test_a_client_is_left_out_before_it_was_ever_there(hub: Hub) -> None:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    with pytest.raises(NotFound):
        do(hub, "exclude", source_id, "workspace")
    from worker.flows import fetch

    fetch.take_events(hub.runtime)

    do(hub, "exclude", source_id, "workspace")
    hub.settle()
    out = brief(hub, source_id, "workspace")
    do(hub, "include", source_id, "workspace")
    hub.settle()

    assert out == ("excluded", "excluded_by_person")
    assert brief(hub, source_id, "workspace") == ("synced", None)


@pytest.mark.parametrize(
    ("what", "state", "words"),
    [("include", "synced", "not left out"), ("exclude", "working", "being delivered"), ("unlink", "working", "being")],
)
def test_what_makes_no_sense_now_is_a_conflict(hub: Hub, what: str, state: str, words: str) -> None:
    source_id, _, _ = wrongly_linked(hub)
    if state == "working":
        with hub.engine.begin() as connection:
            connection.execute(text("UPDATE link SET state = 'working', next_attempt_at = now()"))

    with pytest.raises(Conflict, match=words):
        do(hub, what, source_id, "workspace")


def test_a_record_that_a_living_client_holds_is_a_conflict(hub: Hub) -> None:
    source_id, wrong, _ = wrongly_linked(hub)
    other = hub.robaws.add_client(**client(5))
    hub.sync(other)

    with pytest.raises(Conflict, match=source_id):
        do(hub, "link", other, "workspace", external_id=wrong)

    assert hub.link(source_id, "workspace")["external_id"] == wrong


def open_create(hub: Hub) -> str:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    hub.workspace.fail("drop_after", times=1, method="POST")
    hub.sync(source_id)
    assert hub.link(source_id, "workspace")["state"] == "unknown"
    return source_id


@pytest.mark.parametrize("what", ["link", "unlink"])
def test_an_open_create_is_looked_for_before_another_record_is_taken(hub: Hub, what: str) -> None:
    source_id = open_create(hub)
    more = {"external_id": "777"} if what == "link" else {}

    with pytest.raises(Conflict, match="looked for first"):
        do(hub, what, source_id, "workspace", **more)
    hub.settle_all()

    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(hub.workspace.state()["records"]) == 1


def test_a_client_left_out_with_an_open_create_is_looked_for_when_it_is_included(hub: Hub) -> None:
    source_id = open_create(hub)

    do(hub, "exclude", source_id, "workspace")
    hub.settle_all()
    out = brief(hub, source_id, "workspace")
    do(hub, "include", source_id, "workspace")
    hub.settle_all()

    assert out == ("excluded", "excluded_by_person")
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(hub.workspace.state()["records"]) == 1


@pytest.mark.parametrize("how", ["deleted", "excluded"])
def test_a_client_that_was_made_anew_takes_over_the_record(hub: Hub, how: str) -> None:
    only(hub, "workspace")
    old = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(old)
    held = str(hub.link(old, "workspace")["external_id"])
    if how == "deleted":
        hub.robaws.delete_client(old)
        hub.later(60)
        hub.event(old)
        hub.settle()
    else:
        do(hub, "exclude", old, "workspace")
    new = hub.robaws.add_client(**client(vatIdNumber=VAT, tel="+32 9 300 00 00"))
    hub.sync(new)
    asked = brief(hub, new, "workspace")

    answer(hub, new, "workspace", "link", external_id=held)
    hub.settle()

    links = hub.link(old, "workspace"), hub.link(new, "workspace")
    assert asked == ("review", "match_taken")
    assert (links[0]["state"], links[0]["reason"], links[0]["external_id"]) == ("excluded", "taken_over", None)
    assert links[1]["external_id"] == held
    assert len(hub.workspace.state()["records"]) == 1
    done = [(what, on) for what, on, _ in actions(hub)]
    assert ("release", f"link-{links[0]['id']}") in done
    assert ("resolve", f"link-{links[1]['id']}") in done


def test_two_clients_that_were_merged_end_with_one_record(hub: Hub) -> None:
    only(hub, "workspace")
    first = hub.robaws.add_client(**client(1))
    second = hub.robaws.add_client(**client(2))
    hub.sync(first)
    hub.sync(second)
    kept, double = (str(hub.link(one, "workspace")["external_id"]) for one in (first, second))
    hub.robaws.delete_client(first)
    hub.later(60)
    hub.event(first)
    hub.settle()
    hub.workspace.delete_record(double)

    do(hub, "link", second, "workspace", external_id=kept)
    hub.settle()

    assert hub.link(second, "workspace")["external_id"] == kept
    assert hub.link(first, "workspace")["reason"] == "taken_over"
    with pytest.raises(Conflict, match="gone from Robaws"):
        do(hub, "include", first, "workspace")


def test_a_record_is_looked_up_at_the_vendor_without_a_transaction(hub: Hub) -> None:
    _, wrong, _ = wrongly_linked(hub)
    hub.forget_calls()

    found = look_up(hub.runtime, hub.gate, "workspace", wrong)
    with pytest.raises(Unfit, match="no record 999999"):
        look_up(hub.runtime, hub.gate, "workspace", "999999")

    assert found.external_id == wrong
    assert len(hub.calls("workspace")) == 2


def test_a_system_that_is_held_back_is_not_asked(hub: Hub) -> None:
    _, wrong, _ = wrongly_linked(hub)
    act(hub, operating.pause, "workspace", reason="upgrade")
    hub.forget_calls()

    with pytest.raises(NotReachable, match="held back"):
        look_up(hub.runtime, hub.gate, "workspace", wrong)

    assert hub.calls("workspace") == []


def test_the_question_says_who_held_the_record_and_why_it_is_free(hub: Hub) -> None:
    only(hub, "workspace")
    old = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(old)
    hub.robaws.delete_client(old)
    hub.later(60)
    hub.event(old)
    hub.settle()
    new = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(new)

    [question] = hub.questions(new, "workspace")
    [candidate] = question["detail"]["candidates"]
    assert candidate["held_by"] == {
        "source_id": old,
        "name": "Dakwerken De Linde",
        "free": "that client is gone from Robaws",
    }
    assert old in question["message"]
    assert "taken over" in question["message"]


def test_a_record_that_only_looks_like_the_client_is_asked_about_if_its_client_is_gone(hub: Hub) -> None:
    only(hub, "recras")
    old = hub.robaws.add_client(**client(email="oud@delinde.example"))
    hub.sync(old)
    hub.robaws.delete_client(old)
    hub.later(60)
    hub.event(old)
    hub.settle()
    new = hub.robaws.add_client(**client(email="nieuw@delinde.example"))

    hub.sync(new)

    assert brief(hub, new, "recras") == ("review", "doubtful_match")
    assert len(hub.recras.state()["records"]) == 1


def test_a_client_that_the_filter_leaves_out_is_not_included_by_hand(hub: Hub) -> None:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE contact SET taking_part = false"))
        connection.execute(
            text("UPDATE link SET state = 'excluded', reason = 'filtered', external_id = NULL, snapshot = NULL")
        )

    with pytest.raises(Conflict, match=r"sync\.filter"):
        do(hub, "include", source_id, "workspace")


def test_nobody_is_left_out_whom_an_earlier_request_would_take_in_again(hub: Hub) -> None:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    with hub.engine.begin() as connection:
        operating.sync(connection, source_id, OPERATOR, hub.time)
    contact = hub.contact(source_id)["id"]

    with pytest.raises(Conflict, match=rf"retries discard fetch-{contact}\)"):
        do(hub, "exclude", source_id, "workspace")
    hub.settle()
    delivered = brief(hub, source_id, "workspace")
    do(hub, "exclude", source_id, "workspace")
    hub.robaws.change_client(source_id, tel="+32 9 123 45 67")
    hub.sync(source_id)

    assert delivered == ("synced", None)
    assert brief(hub, source_id, "workspace") == ("excluded", "excluded_by_person")
