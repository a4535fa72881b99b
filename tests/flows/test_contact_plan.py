"""A plan of one client says what the delivery then does, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import act
from worker.core.masks import MASK, for_viewer
from worker.core.preview import ClientPlan, PlannedItem
from worker.errors import NotReachable
from worker.flows import previewing
from worker.store import operating, operating_reviews
from worker.store.refusals import NotFound
from worker.vendors.contract import id_shape
from worker.vendors.tables import vocabulary

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0776091951"
NAME = "Dakwerken De Linde"
CLIENT: dict[str, Any] = {
    "name": NAME,
    "email": "info@delinde.example",
    "tel": "+32 9 200 00 01",
    "vatIdNumber": VAT,
    "website": "https://delinde.example",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
    "contacts": [{"name": "Els", "surname": "Peeters", "email": "els@delinde.example"}],
}
TARGETS = ("rompslomp", "recras", "workspace")


def plan(hub: Hub, source_id: str) -> ClientPlan:
    """The plan of this client as things stand."""
    return previewing.plan(hub.runtime, hub.gate, source_id)


def item(planned: ClientPlan, system: str) -> PlannedItem:
    """What is planned in one system."""
    return next(one for one in planned.items if one.system == system)


BY_HAND: dict[str, dict[str, Any]] = {
    "rompslomp": {"company_name": NAME, "vat_number": VAT},
    "recras": {"naam": NAME, "btw_nummer": VAT, "contactpersonen": [{"achternaam": "Zuid"}]},
    "workspace": {"name": NAME, "btw": VAT, "type": "1", "client_reference": "7"},
}
"""By system, a record of the client as a person there made it."""


def records_there(hub: Hub, system: str, **more: Any) -> None:
    """A record of the client that was made by hand in a system."""
    hub.simulators[system].add_record(**{**BY_HAND[system], **more})  # type: ignore[attr-defined]


OTHERWISE = {
    "rompslomp": {"phone": "+32 9 777 77 77"},
    "recras": {"website": "https://elders.example"},
    "workspace": {"phone": "+32 9 777 77 77"},
}
"""By system, a value that differs from the client's."""


def nothing_there(hub: Hub) -> str:
    return hub.robaws.add_client(**CLIENT)


def a_record_everywhere(hub: Hub) -> str:
    for system in TARGETS:
        records_there(hub, system)
    return hub.robaws.add_client(**CLIENT)


def another_value_everywhere(hub: Hub) -> str:
    for system in TARGETS:
        records_there(hub, system, **OTHERWISE[system])
    return hub.robaws.add_client(**CLIENT)


def two_records_everywhere(hub: Hub) -> str:
    for system in TARGETS:
        records_there(hub, system)
        records_there(hub, system)
    return hub.robaws.add_client(**CLIENT)


def without_an_email(hub: Hub) -> str:
    return hub.robaws.add_client(name=NAME, address=CLIENT["address"])


def delivered(hub: Hub) -> str:
    source_id = hub.robaws.add_client(**CLIENT)
    hub.sync(source_id)
    return source_id


def changed_here(hub: Hub) -> str:
    source_id = delivered(hub)
    hub.robaws.change_client(source_id, address={"city": "Aalst"}, tel="+32 9 300 00 03")
    return source_id


def changed_there(hub: Hub) -> str:
    source_id = delivered(hub)
    names = {"rompslomp": {"city": "Elders"}, "recras": {"plaats": "Elders"}, "workspace": {"location_city": "Elders"}}
    for system, members in names.items():
        record = str(hub.link(source_id, system)["external_id"])
        hub.simulators[system].edit_record(record, members)
    return source_id


def gone_there(hub: Hub) -> str:
    source_id = delivered(hub)
    for system in TARGETS:
        record = str(hub.link(source_id, system)["external_id"])
        hub.simulators[system].delete_record(record)  # type: ignore[attr-defined]
    return source_id


def gone_there_and_made_anew(hub: Hub) -> str:
    hub.configure(**{system: {"on_gone": "recreate"} for system in TARGETS})
    return gone_there(hub)


def left_out_of_one(hub: Hub) -> str:
    source_id = delivered(hub)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'excluded', reason = 'unlinked' WHERE system = 'recras'"))
    return source_id


def another_person(hub: Hub) -> str:
    source_id = delivered(hub)
    hub.robaws.add_person(source_id, name="An", surname="Claes", email="an@delinde.example")
    return source_id


CASES: dict[str, tuple[Callable[[Hub], str], dict[str, str]]] = {
    "nothing there": (nothing_there, dict.fromkeys(TARGETS, "create")),
    "a record everywhere": (a_record_everywhere, dict.fromkeys(TARGETS, "link")),
    "a conflict": (another_value_everywhere, dict.fromkeys(TARGETS, "link")),
    "two records": (two_records_everywhere, dict.fromkeys(TARGETS, "review")),
    "a required value is missing": (
        without_an_email,
        {"rompslomp": "create", "recras": "create", "workspace": "review"},
    ),
    "it agrees": (delivered, dict.fromkeys(TARGETS, "nothing")),
    "changed here": (changed_here, dict.fromkeys(TARGETS, "update")),
    "changed there": (changed_there, dict.fromkeys(TARGETS, "update")),
    "gone there": (gone_there, dict.fromkeys(TARGETS, "gone")),
    "gone there, and made anew": (gone_there_and_made_anew, dict.fromkeys(TARGETS, "create")),
    "left out of one system": (left_out_of_one, dict.fromkeys(TARGETS, "nothing")),
    "another contact person": (another_person, {"rompslomp": "nothing", "recras": "update", "workspace": "nothing"}),
}


def rows(hub: Hub) -> dict[str, list[str]]:
    """All that is stored, but for the log of requests, lists that were read, and what is known of the systems."""
    tables = ("contact", "link", "review", "inbox_event", "operator_action", "create_lock", "event_tally", "row_tally")
    with hub.engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"SELECT t::text FROM {table} AS t ORDER BY 1")).scalars())
            for table in tables
        }


def writes(hub: Hub) -> list[str]:
    """Requests that may change something at a vendor."""
    return [call for system in hub.simulators for call in hub.calls(system) if not call.startswith("GET ")]


def fields(planned: PlannedItem, action: str) -> set[str]:
    """The fields of the record, persons aside, with which this would be done."""
    return {path for path, one in planned.fields.items() if one["action"] == action and not path.startswith("persons.")}


def written(hub: Hub, source_id: str, system: str, since: int) -> set[str]:
    """The fields that the requests since then wrote into the record, by the log."""
    with hub.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT d ->> 'path' FROM attempt AS a, jsonb_array_elements(coalesce(a.decisions, '[]')) AS d"
                " WHERE a.id > :since AND a.link_id = :link AND d ->> 'action' = 'write' AND a.method <> 'GET'"
            ),
            {"since": since, "link": hub.link(source_id, system)["id"]},
        ).scalars()
        return {path for path in found if not path.startswith("persons")}


def last_attempt(hub: Hub) -> int:
    """The newest line of the log of requests."""
    with hub.engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM attempt")).scalar_one())


@pytest.mark.parametrize("case", CASES)
def test_the_delivery_does_what_the_plan_said(hub: Hub, case: str) -> None:
    make, actions = CASES[case]
    source_id = make(hub)
    hub.settle()
    hub.forget_calls()
    before = rows(hub)

    planned = plan(hub, source_id)

    assert {one.system: one.action for one in planned.items} == actions
    assert (rows(hub), writes(hub)) == (before, [])
    assert len([call for call in hub.calls("robaws") if call.startswith("GET ")]) == 1
    asked, since = {system: len(hub.calls(system)) for system in TARGETS}, last_attempt(hub)
    held = {} if case in ("nothing there", "a record everywhere") else {one[1]: one for one in hub.links()}

    act(hub, operating.sync, source_id)
    hub.forget_calls()
    hub.settle()

    for one in planned.items:
        link, client = hub.link(source_id, one.system), hub.runtime.client(one.system)
        questions = {question["path"] for question in hub.questions(source_id, one.system)}
        reads = [call for call in hub.calls(one.system) if call.startswith("GET ")]
        # A list that the plan has read is kept, so that the delivery does without.
        assert asked[one.system] <= len(reads) + 1, "a plan reads no more than a delivery"
        assert questions == (fields(one, "park") or ({""} if one.asks else set())), one.system
        if one.action in ("review", "gone", "nothing"):
            assert not one.writes
            assert not [call for call in hub.calls(one.system) if call.split()[0] in ("POST", "PUT", "PATCH")]
            continue
        record = client.read(hub.runtime.session(one.system), str(link["external_id"]))
        wanted = {path: one.fields[path]["to"] for path in fields(one, "write")}
        wrong = {path for path, value in wanted.items() if path in record.fields}
        wrong = {p for p in wrong if not client.mapping.row(p).same(wanted[p], record.fields[p], "BE")}
        assert wrong == set(), one.system
        if one.action == "create":
            assert one.system not in held or link["external_id"] != one.external_id
        else:
            assert link["external_id"] == one.external_id
            assert written(hub, source_id, one.system, since) == fields(one, "write"), one.system


def test_a_client_that_is_not_known_stays_unknown(hub: Hub) -> None:
    source_id = nothing_there(hub)

    planned = plan(hub, source_id)

    assert (planned.known, planned.version, planned.changes) == (False, 1, True)
    assert planned.counts["recras"]["create"] == 1
    assert hub.links() == []


def test_what_changes_in_between_is_decided_by_the_delivery(hub: Hub) -> None:
    """The plan is of its moment; `contacts sync` reads again, and links the record that came meanwhile."""
    source_id = nothing_there(hub)
    planned = plan(hub, source_id)
    records_there(hub, "rompslomp")

    act(hub, operating.sync, source_id)
    hub.settle()
    again = plan(hub, source_id)

    assert item(planned, "rompslomp").action == "create"
    assert len(hub.rompslomp.state()["records"]) == 1
    assert item(again, "rompslomp").action == "nothing"


def test_a_value_that_would_be_asked_about_is_listed_with_both_sides(hub: Hub) -> None:
    planned = item(plan(hub, another_value_everywhere(hub)), "rompslomp")

    assert planned.asks
    assert planned.fields["phone"] == {
        "from": "+32 9 777 77 77",
        "to": "+32 9 200 00 01",
        "rule": "the record was already there with another value",
        "action": "park",
        "label": planned.fields["phone"]["label"],
    }


@pytest.mark.parametrize(("word", "action", "does"), [("ours", "write", True), ("theirs", "keep", False)])
def test_an_answer_that_holds_from_now_on_is_part_of_the_plan(hub: Hub, word: str, action: str, does: bool) -> None:
    hub.sync(another_value_everywhere(hub))
    [question] = hub.questions("1001", "rompslomp")
    act(hub, operating_reviews.resolve, str(question["id"]), word, shape_of=id_shape, reason="x", rule=True)
    hub.settle()
    hub.rompslomp.add_record(company_name="Tuinen De Vaart", vat_number="BE0000000394", phone="+32 9 888 88 88")
    source_id = hub.robaws.add_client(**{**CLIENT, "name": "Tuinen De Vaart", "vatIdNumber": "BE0000000394"})

    planned = item(plan(hub, source_id), "rompslomp")
    hub.sync(source_id)

    held = {one["company_name"]: one["phone"] for one in hub.rompslomp.state()["records"]}["Tuinen De Vaart"]
    assert (planned.fields["phone"]["action"], planned.asks) == (action, False)
    assert held == (CLIENT["tel"] if does else "+32 9 888 88 88")
    assert hub.questions(source_id, "rompslomp") == []


def test_the_ids_that_robaws_would_be_told_are_planned_too(hub: Hub) -> None:
    hub.configure(robaws={"write_back": {"recras": "Recras id"}})
    source_id = nothing_there(hub)

    planned = item(plan(hub, source_id), "robaws")

    assert (planned.action, planned.external_id) == ("update", source_id)
    assert planned.fields["Recras id"]["to"] == previewing.NOT_MADE_YET


def test_a_client_that_the_filter_leaves_out_is_written_nowhere(hub: Hub) -> None:
    wanted = hub.settings.sync.filter.model_copy(update={"status": ("klant",)})
    hub.settings = hub.settings.model_copy(
        update={"sync": hub.settings.sync.model_copy(update={"filter": wanted})},
    )
    hub.restart()
    source_id = nothing_there(hub)
    hub.forget_calls()

    planned = plan(hub, source_id)

    assert (planned.taking_part, planned.changes) == (False, False)
    assert {one.action for one in planned.items} == {"nothing"}
    assert [hub.calls(system) for system in TARGETS] == [[], [], []]


def test_a_client_that_is_gone_is_written_nowhere(hub: Hub) -> None:
    source_id = delivered(hub)
    hub.robaws.delete_client(source_id)

    planned = plan(hub, source_id)

    assert (planned.gone, planned.changes) == (True, False)


def test_a_client_that_robaws_does_not_have_is_said_so(hub: Hub) -> None:
    with pytest.raises(NotFound, match="Robaws has no client 999999"):
        plan(hub, "999999")


def test_a_system_that_is_paused_is_not_asked_and_the_others_are(hub: Hub) -> None:
    act(hub, operating.pause, "recras", reason="moving house")
    source_id = nothing_there(hub)
    hub.forget_calls()

    planned = plan(hub, source_id)

    assert [one.action for one in planned.items] == ["create", "undecided", "create"]
    assert hub.calls("recras") == []
    assert "held back" in item(planned, "recras").why


def test_a_system_that_does_not_answer_leaves_the_others_planned(hub: Hub) -> None:
    hub.workspace.fail("status", status=503)

    planned = plan(hub, nothing_there(hub))

    assert [one.action for one in planned.items] == ["create", "create", "undecided"]
    assert planned.changes


def test_while_robaws_cannot_be_asked_there_is_no_plan(hub: Hub) -> None:
    act(hub, operating.pause, "robaws", reason="moving house")

    with pytest.raises(NotReachable, match="robaws cannot be asked at this moment"):
        plan(hub, nothing_there(hub))


def test_a_viewer_sees_what_would_be_done_and_no_value_of_the_client(hub: Hub) -> None:
    planned = plan(hub, another_value_everywhere(hub))

    shown = for_viewer(planned, vocabulary())

    assert [one.action for one in shown.items] == ["link", "link", "link"]
    phone = item(shown, "rompslomp").fields["phone"]
    assert (phone["from"], phone["to"], phone["rule"]) == (
        MASK,
        MASK,
        "the record was already there with another value",
    )
    assert "delinde.example" not in str(shown)
    assert "Peeters" not in str(shown)


def test_nothing_that_writes_leaves_through_the_session_of_a_plan() -> None:
    with pytest.raises(AssertionError, match="writes nothing"):
        previewing.ReadOnly().hold(30.0)
