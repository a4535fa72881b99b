"""A change travels once: the calls that it costs, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def test_a_change_of_one_field_costs_one_read_at_robaws_and_one_write_elsewhere(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    assert hub.calls("robaws") == [f"GET /api/v2/clients/{source_id}"]
    [write] = hub.rompslomp.calls()
    address = {"address": "Kerkstraat 12", "zipcode": "9000", "city": "Gentbrugge", "country_code": "BE"}
    assert (write.request.method, write.request.json()) == ("PATCH", {"contact": address})
    methods = [one.request.method for one in hub.recras.calls()]
    assert methods.count("PUT") == 1
    assert methods.count("GET") <= 1
    methods = [one.request.method for one in hub.workspace.calls()]
    assert methods.count("POST") == 1
    assert methods.count("GET") <= 1
    assert [record["city"] for record in hub.rompslomp.state()["records"]] == ["Gentbrugge"]
    assert [record["plaats"] for record in hub.recras.state()["records"]] == ["Gentbrugge"]
    assert [record["location_city"] for record in hub.workspace.state()["records"]] == ["Gentbrugge"]


def test_a_change_of_nothing_costs_one_read_and_no_other_call(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.sync(source_id)

    assert hub.calls("robaws") == [f"GET /api/v2/clients/{source_id}"]
    assert [hub.calls(name) for name in ("rompslomp", "recras", "workspace")] == [[], [], []]
    assert hub.equation() == {"received": 2, "applied": 1, "skipped": 1, "open": 0, "dead": 0}


def test_fifty_events_for_one_client_cost_at_most_two_fetches_and_one_write_a_system(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.change_client(source_id, tel="+32 9 000 00 99")
    for _ in range(50):
        hub.event(source_id)
    hub.settle()

    assert len(hub.robaws.calls("GET")) <= 2
    assert len(hub.rompslomp.calls("PATCH")) == 1
    assert len(hub.recras.calls("PUT")) == 1
    assert len(hub.workspace.calls("POST")) == 1
    assert hub.equation() == {"received": 51, "applied": 51, "skipped": 0, "open": 0, "dead": 0}


def test_an_event_that_comes_twice_is_one_event(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())

    hub.event(source_id, event_id="the-same")
    hub.event(source_id, event_id="the-same")
    hub.settle()

    assert hub.equation()["received"] == 1


@pytest.mark.parametrize("source_id", ["77", "8f14e45f-ceea-4672-a7f3-1c2b3d4e5f60"])
def test_an_event_of_another_kind_is_stored_and_skipped(hub: Hub, source_id: str) -> None:
    hub.event(source_id, kind="project.updated")

    hub.settle()

    assert hub.equation() == {"received": 1, "applied": 0, "skipped": 1, "open": 0, "dead": 0}
    assert hub.calls("robaws") == []


def test_a_client_that_is_gone_ends_its_event_as_skipped_and_touches_nobody(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.delete_client(source_id)
    hub.sync(source_id)

    assert hub.equation()["skipped"] == 1
    assert hub.calls("rompslomp") == []
    assert len(hub.rompslomp.state()["records"]) == 1


@pytest.mark.parametrize(
    ("change", "system", "member", "expected"),
    [
        pytest.param({"website": None}, "rompslomp", "city", "Gent", id="what Rompslomp cannot hold changes nothing"),
        pytest.param({"website": None}, "recras", "website", None, id="website at Recras"),
        pytest.param({"website": None}, "workspace", "website", None, id="website at Workspace"),
        pytest.param({"tel": None}, "rompslomp", "phone", None, id="phone at Rompslomp"),
        pytest.param({"tel": None}, "workspace", "phone", "-", id="required phone at Workspace: the placeholder"),
    ],
)
def test_clearing_a_field_arrives(
    hub: Hub, change: dict[str, object], system: str, member: str, expected: str | None
) -> None:
    source_id = hub.robaws.add_client(**client(website="https://delinde.example"))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, **change)
    hub.sync(source_id)

    [record] = hub.simulators[system].state()["records"]
    assert (record[member] or None) == expected
    assert {state for _, _, state, _ in hub.links()} == {"synced"}


def test_the_payment_term_of_a_client_arrives_where_the_settings_know_its_days(hub: Hub) -> None:
    hub.configure(robaws={"payment_terms": {"3": 30, "4": 0}})
    source_id = hub.robaws.add_client(**client(paymentConditionId="3"))
    terms = []

    for condition in ("3", "4", "5", None):
        hub.robaws.change_client(source_id, paymentConditionId=condition)
        hub.sync(source_id)
        terms.append(hub.workspace.state()["records"][0]["payment_term"])

    # 5 is not in the table: the default stands in, as for a client without a condition.
    assert terms == ["30", "0", "14", "14"]


def test_replacing_the_address_arrives_everywhere(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)

    address = {"addressLine1": "Havenweg 3", "addressLine2": "bus 4", "postalCode": "3600", "city": "Genk"}
    hub.robaws.change_client(source_id, address={**address, "country": "BE"})
    hub.sync(source_id)

    [books] = hub.rompslomp.state()["records"]
    [booking] = hub.recras.state()["records"]
    [project] = hub.workspace.state()["records"]
    assert (books["address"], books["zipcode"], books["city"]) == ("Havenweg 3, bus 4", "3600", "Genk")
    assert (booking["adres"], booking["postcode"], booking["plaats"]) == ("Havenweg 3, bus 4", "3600", "Genk")
    assert (project["location_address"], project["location_city"]) == ("Havenweg 3, bus 4", "Genk")
    assert (project["invoice_address"], project["invoice_city"]) == ("Havenweg 3, bus 4", "Genk")


def test_what_a_system_cannot_hold_is_listed(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(website="https://delinde.example", language="nl"))

    hub.sync(source_id)

    assert set(hub.link(source_id, "rompslomp")["unheld"]) >= {"website", "language"}
    assert "language" in hub.link(source_id, "recras")["unheld"]


def test_a_persons_edit_in_a_field_that_robaws_does_not_own_survives(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"phone": "system"}}, workspace={"fields": {"phone": "system"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [books] = hub.rompslomp.state()["records"]
    [project] = hub.workspace.state()["records"]
    hub.rompslomp.edit_record(str(books["id"]), {"phone": "+32 9 111 11 11"})
    hub.workspace.edit_record(str(project["id"]), {"phone": "+32 9 222 22 22"})

    hub.robaws.change_client(source_id, tel="+32 9 333 33 33", address={"city": "Aalst"})
    hub.sync(source_id)
    hub.robaws.change_client(source_id, name="De Linde Dakwerken")
    hub.sync(source_id)

    [books] = hub.rompslomp.state()["records"]
    [project] = hub.workspace.state()["records"]
    assert (books["phone"], books["city"], books["company_name"]) == ("+32 9 111 11 11", "Aalst", "De Linde Dakwerken")
    assert (project["phone"], project["location_city"]) == ("+32 9 222 22 22", "Aalst")


def test_a_field_parked_for_review_does_not_stop_the_others(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"phone": "review"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [books] = hub.rompslomp.state()["records"]
    hub.rompslomp.edit_record(str(books["id"]), {"phone": "+32 9 111 11 11"})

    hub.robaws.change_client(source_id, tel="+32 9 333 33 33", address={"city": "Aalst"})
    hub.sync(source_id)

    [books] = hub.rompslomp.state()["records"]
    assert (books["phone"], books["city"]) == ("+32 9 111 11 11", "Aalst")
    assert hub.link(source_id, "rompslomp")["state"] == "review"
    [question] = hub.questions(source_id, "rompslomp")
    assert (question["path"], question["detail"]["ours"]) == ("phone", "+32 9 333 33 33")
    assert question["detail"]["theirs"] == "+32 9 111 11 11"


def test_a_parked_field_settles_itself_when_both_sides_agree(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"phone": "review"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [books] = hub.rompslomp.state()["records"]
    hub.rompslomp.edit_record(str(books["id"]), {"phone": "+32 9 111 11 11"})
    hub.robaws.change_client(source_id, tel="+32 9 333 33 33")
    hub.sync(source_id)

    hub.robaws.change_client(source_id, tel="+32 9 111 11 11")
    hub.sync(source_id)

    assert hub.questions(source_id, "rompslomp") == []
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_value_that_the_vendor_drops_is_not_written_again_until_it_changes(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [project] = hub.workspace.state()["records"]
    hub.robaws.change_client(source_id, website="https://delinde.example")
    hub.event(source_id)
    hub.workspace.before_next(lambda: None)
    hub.settle()
    hub.workspace.edit_record(str(project["id"]), {"website": ""})
    hub.forget_calls()

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    sent = [one.request.body for one in hub.workspace.calls("POST")]
    assert len(sent) == 1
    assert b"website" not in sent[0]


def test_a_switched_off_client_is_left_out(hub: Hub) -> None:
    hub.settings = hub.settings.model_copy(
        update={
            "sync": hub.settings.sync.model_copy(
                update={"filter": hub.settings.sync.filter.model_copy(update={"status": ("Klant ",)})}
            )
        }
    )
    hub.restart()
    wanted = [hub.robaws.add_client(**client(1, status="klant")), hub.robaws.add_client(**client(3, status="KLANT"))]
    other = hub.robaws.add_client(**client(2, status="prospect"))

    for source_id in (*wanted, other):
        hub.event(source_id)
    hub.settle()

    assert {source_id for source_id, _, _, _ in hub.links()} == set(wanted)
    assert hub.equation() == {"received": 3, "applied": 2, "skipped": 1, "open": 0, "dead": 0}


def test_a_stream_of_events_for_one_client_costs_the_first_fetch_and_one_more_a_second(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.later(60)
    hub.forget_calls()

    for _ in range(50):
        hub.event(source_id)
        hub.step()
        hub.later(0.02)
    hub.settle()

    assert len(hub.robaws.calls("GET")) <= 3
    assert hub.equation()["open"] == 0


def test_a_create_that_is_answered_without_an_id_is_found_by_its_reference_at_once(hub: Hub) -> None:
    hub.workspace.create_answer = "empty"
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert hub.link(source_id, "workspace")["state"] == "synced"
    assert len(hub.workspace.state()["records"]) == 1
