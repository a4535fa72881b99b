"""
Whatever is requested while a claim is under way is owed afterwards, however that claim ends.

What comes in between is another worker's or a person's step, made while a vendor's answer is on its way.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.fixtures.hub import Crash
from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.store import operating
from worker.store.operating import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub

PERSON = Actor("An", "operator")
VAT = "BE0403170701"
REFUSAL = '{"error": {"message": "Company name is onjuist.", "type": "client.parameters.validation"}}'


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """One target is enough here."""
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    return hub


def once(hub: Hub, when: Callable[[str], bool], step: Callable[[], object]) -> None:
    """Do this step, once, at the first boundary where `when` says so, while a worker is at work there."""
    done: list[str] = []

    def look(point: str) -> bool:
        if not done and when(point):
            done.append(point)
            step()
        return False

    hub.crash_at = look


def fetch_only(hub: Hub) -> None:
    """Another worker takes the events and fetches; nothing is delivered."""
    hub.later(1.2)
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass


def sync_now(hub: Hub, source_id: str) -> None:
    with hub.engine.begin() as connection:
        operating.sync(connection, source_id, PERSON, hub.time)
    fetch_only(hub)


def changed(hub: Hub, source_id: str, city: str) -> None:
    hub.robaws.change_client(source_id, address={"city": city})
    hub.event(source_id)


def cities(hub: Hub) -> list[str]:
    return [record["city"] for record in hub.rompslomp.state()["records"]]


def answered(hub: Hub, system: str, method: str, status: int | None = None) -> Callable[[str], bool]:
    """From here on such a request has been answered (with that status)."""
    before = len(hub.simulators[system].log)

    def look(_point: str) -> bool:
        return any(
            one.request.method == method and status in (None, one.response.status)
            for one in list(hub.simulators[system].log)[before:]
        )

    return look


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_correction_that_comes_while_its_refused_request_is_under_way_is_delivered(hub: Hub, method: str) -> None:
    source_id = hub.robaws.add_client(**client())
    if method == "PATCH":
        hub.sync(source_id)
        hub.robaws.change_client(source_id, address={"city": "Onzin"})
    hub.rompslomp.fail("status", times=1, method=method, status=422, body=REFUSAL)

    def correct() -> None:
        changed(hub, source_id, "Aalst")
        fetch_only(hub)

    once(hub, answered(hub, "rompslomp", method, 422), correct)
    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["attempts"]) == ("synced", 0)
    assert cities(hub) == ["Aalst"]


def test_a_refusal_of_what_is_still_wanted_rests(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=-1, method="POST", status=422, body=REFUSAL)

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "dead"


def test_a_correction_that_comes_while_a_match_is_looked_up_takes_the_place_of_the_question(hub: Hub) -> None:
    for number in (1, 2):
        hub.rompslomp.add_record(company_name=f"Dakwerken {number}", vat_number=VAT)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    def correct() -> None:
        hub.robaws.change_client(source_id, vatIdNumber=None)
        hub.event(source_id)
        fetch_only(hub)

    once(hub, answered(hub, "rompslomp", "GET"), correct)
    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert hub.questions(source_id, "rompslomp") == []


def test_a_sync_now_that_is_given_during_a_delivery_is_done(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.edit_record(str(hub.link(source_id, "rompslomp")["external_id"]), {"city": "Brugge"})
    hub.robaws.change_client(source_id, tel="09 200 00 99")

    once(hub, answered(hub, "rompslomp", "PATCH"), lambda: sync_now(hub, source_id))
    hub.later(60)
    hub.sync(source_id)

    assert cities(hub) == ["Gent"]
    assert hub.link(source_id, "rompslomp")["restore"] is False


def test_a_change_that_comes_during_a_sync_now_puts_nothing_back_a_second_time(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    record = str(hub.link(source_id, "rompslomp")["external_id"])

    def edited_and_changed() -> None:
        hub.rompslomp.edit_record(record, {"city": "Brugge"})
        hub.robaws.change_client(source_id, tel="09 200 00 99")
        hub.event(source_id)
        fetch_only(hub)

    once(hub, answered(hub, "rompslomp", "GET"), edited_and_changed)
    hub.later(60)
    sync_now(hub, source_id)
    hub.settle()

    assert cities(hub) == ["Brugge"]
    assert hub.link(source_id, "rompslomp")["synced_version"] == 2


def test_a_second_sync_now_during_the_first_is_done_as_well(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    record = str(hub.link(source_id, "rompslomp")["external_id"])

    def edited_and_asked_again() -> None:
        hub.rompslomp.edit_record(record, {"city": "Brugge"})
        sync_now(hub, source_id)

    once(hub, answered(hub, "rompslomp", "GET"), edited_and_asked_again)
    hub.later(60)
    sync_now(hub, source_id)
    hub.settle()

    assert cities(hub) == ["Gent"]


def test_a_change_during_a_failing_request_starts_the_ladder_anew(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.fail("status", times=4, method="PATCH", status=503)
    changed(hub, source_id, "Onzin")
    hub.settle()
    for _ in range(2):
        hub.time = hub.link(source_id, "rompslomp")["next_attempt_at"] + timedelta(seconds=1)
        hub.settle()

    def correct() -> None:
        changed(hub, source_id, "Aalst")
        fetch_only(hub)

    once(hub, answered(hub, "rompslomp", "PATCH"), correct)
    hub.time = hub.link(source_id, "rompslomp")["next_attempt_at"] + timedelta(seconds=1)
    hub.settle()

    assert cities(hub) == ["Aalst"]


def test_a_change_during_the_last_crash_is_tried(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    changed(hub, source_id, "Onzin")
    for crashes in range(4):
        hub.crash_at = lambda name: name == "rompslomp.update.before_send"
        with pytest.raises(Crash):
            hub.settle_all()
        hub.restart()
        if crashes == 3:
            changed(hub, source_id, "Aalst")
            fetch_only(hub)

    hub.settle_all()

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert cities(hub) == ["Aalst"]


def test_a_change_during_an_unanswered_change_waits_for_that_one_and_no_longer(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    settle = hub.settings.system("rompslomp").unknown_settle_seconds
    hub.rompslomp.fail("status", times=1, method="PATCH", status=504)
    changed(hub, source_id, "Onzin")

    def correct() -> None:
        changed(hub, source_id, "Aalst")
        fetch_only(hub)

    once(hub, answered(hub, "rompslomp", "PATCH"), correct)
    hub.settle()
    link = hub.link(source_id, "rompslomp")
    hub.settle_all()

    assert link["state"] == "unknown"
    assert link["next_attempt_at"] == link["settles_at"] <= hub.time
    assert link["settles_at"] - hub.time <= timedelta(seconds=settle)
    assert cities(hub) == ["Aalst"]


def test_an_event_that_comes_while_the_last_fetch_fails_is_fetched(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.fail("status", times=1, method="GET", status=400, body='{"message": "no"}')

    def another() -> None:
        changed(hub, source_id, "Aalst")
        fetching.take_events(hub.runtime)

    once(hub, answered(hub, "robaws", "GET", 400), another)
    hub.later(60)
    hub.sync(source_id)

    assert hub.contact(source_id)["fetch_state"] == "idle"
    assert cities(hub) == ["Aalst"]
    assert hub.equation() == {"received": 3, "applied": 3, "skipped": 0, "open": 0, "dead": 0}


def test_a_sync_now_that_is_given_while_the_last_fetch_fails_is_done(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.edit_record(str(hub.link(source_id, "rompslomp")["external_id"]), {"city": "Brugge"})
    hub.robaws.fail("status", times=1, method="GET", status=400, body='{"message": "no"}')

    def ask() -> None:
        with hub.engine.begin() as connection:
            operating.sync(connection, source_id, PERSON, hub.time)

    once(hub, answered(hub, "robaws", "GET", 400), ask)
    hub.later(60)
    hub.sync(source_id)

    assert cities(hub) == ["Gent"]


def test_a_hint_during_a_forced_fetch_does_not_force_the_next_one(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)

    def another() -> None:
        hub.event(source_id)
        fetching.take_events(hub.runtime)

    once(hub, answered(hub, "robaws", "GET"), another)
    with hub.engine.begin() as connection:
        operating.sync(connection, source_id, PERSON, hub.time)
    fetching.fetch(hub.runtime, hub.gate)

    contact = hub.contact(source_id)
    assert (contact["fetch_state"], contact["fetch_forced"]) == ("due", False)


def test_an_event_during_the_last_crash_of_a_fetch_is_fetched(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    for crashes in range(4):
        hub.crash_at = lambda name: name == "robaws.read.before_send"
        with pytest.raises(Crash):
            hub.settle_all()
        hub.restart()
        if crashes == 3:
            hub.event(source_id)
            fetching.take_events(hub.runtime)

    hub.settle_all()

    assert hub.contact(source_id)["fetch_state"] == "idle"
    assert hub.equation()["open"] == hub.equation()["dead"] == 0


def to_and_fro(hub: Hub, source_id: str, times: int) -> int:
    """The client changes and changes back, so often or until it is left alone; how often it did."""
    for number in range(times):
        changed(hub, source_id, ("Aalst", "Gent")[number % 2])
        hub.later(2)
        hub.settle()
        if hub.contact(source_id)["fetch_state"] == "waiting":
            return number
    return times


def test_a_sync_now_during_the_fetch_that_begins_a_rest_is_not_put_off(hub: Hub) -> None:
    one, another = (hub.robaws.add_client(**client(number)) for number in (1, 2))
    hub.sync(one)
    hub.sync(another)
    before_the_last = to_and_fro(hub, one, 40)
    to_and_fro(hub, another, before_the_last)

    def ask() -> None:
        with hub.engine.begin() as connection:
            operating.sync(connection, another, PERSON, hub.time)

    changed(hub, another, ("Aalst", "Gent")[before_the_last % 2])
    hub.later(2)
    fetching.take_events(hub.runtime)
    once(hub, answered(hub, "robaws", "GET"), ask)
    fetching.fetch(hub.runtime, hub.gate)

    assert (hub.contact(one)["fetch_state"], hub.contact(another)["fetch_state"]) == ("waiting", "due")


def test_everything_that_requests_a_delivery_raises_the_number_of_requests(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=1, method="POST", status=422, body=REFUSAL)
    hub.sync(source_id)
    seen = [hub.link(source_id, "rompslomp")["request_seq"]]

    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET crashes = 3, own_failures = 5"))
        operating.retry(connection, f"link-{hub.link(source_id, 'rompslomp')['id']}", PERSON, hub.time)
    seen.append(hub.link(source_id, "rompslomp")["request_seq"])
    sync_now(hub, source_id)
    seen.append(hub.link(source_id, "rompslomp")["request_seq"])
    hub.settle()

    link = hub.link(source_id, "rompslomp")
    assert seen == [1, 2, 3]
    assert (link["claimed_seq"], link["crashes"], link["own_failures"]) == (3, 0, 0)


def test_a_question_which_record_it_is_is_withdrawn_when_the_record_is_known(hub: Hub) -> None:
    records = [hub.rompslomp.add_record(company_name=f"Dakwerken {number}", vat_number=VAT) for number in (1, 2)]
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    asked = len(hub.questions(source_id, "rompslomp"))
    hub.rompslomp.delete_record(str(records[1]))
    same = {"company_name": "Dakwerken De Linde", "contact_person_email_address": "info@delinde.example"}
    hub.rompslomp.edit_record(str(records[0]), same)
    hub.rompslomp.fail("status", times=-1, method="PATCH", status=503)

    hub.robaws.change_client(source_id, tel="09 200 00 99")
    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert asked == 1
    assert link["external_id"] == str(records[0])
    assert link["state"] == "waiting"
    assert hub.questions(source_id, "rompslomp") == []
