"""What an unanswered or interrupted change may have written is put right, and nothing else that people changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"

# The members for the city, the website or e-mail that somebody edits, and the method of a change.
SYSTEMS: dict[str, tuple[str, str, str]] = {
    "rompslomp": ("phone", "city", "PATCH"),
    "recras": ("website", "plaats", "PUT"),
    "workspace": ("website", "location_city", "POST"),
}
CHANGE: dict[str, dict[str, Any]] = {
    "rompslomp": {"tel": "+32 9 333 33 33"},
    "recras": {"website": "https://nieuw.example"},
    "workspace": {"website": "https://nieuw.example"},
}
BACK: dict[str, dict[str, Any]] = {
    "rompslomp": {"tel": "+32 9 000 00 00"},
    "recras": {"website": None},
    "workspace": {"website": None},
}


def record(hub: Hub, system: str) -> dict[str, Any]:
    [found] = hub.simulators[system].state()["records"]
    return dict(found)


def crash(hub: Hub, point: str) -> None:
    """The worker is killed there, and the next one starts."""
    hub.crash_at = lambda name: name == point
    with pytest.raises(Crash):
        hub.settle()
    hub.restart()


@pytest.fixture(params=list(SYSTEMS))
def edited(request: pytest.FixtureRequest, hub: Hub) -> tuple[str, str]:
    """A client that is in every system; in one of them somebody changed the city: (system, client)."""
    system = str(request.param)
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    external_id = str(hub.link(source_id, system)["external_id"])
    hub.simulators[system].edit_record(external_id, {SYSTEMS[system][1]: "Brugge"})
    return system, source_id


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "status"])
def test_a_lost_answer_leaves_what_people_changed_elsewhere(hub: Hub, edited: tuple[str, str], fault: str) -> None:
    system, source_id = edited
    member, city, method = SYSTEMS[system]
    more: dict[str, Any] = {"status": 503} if fault == "status" else {}
    hub.simulators[system].fail(fault, times=1, method=method, **more)  # type: ignore[arg-type]

    hub.robaws.change_client(source_id, **CHANGE[system])
    hub.sync(source_id)
    hub.settle_all()

    held = record(hub, system)
    assert (held[city], held[member]) == ("Brugge", next(iter(CHANGE[system].values())))
    assert hub.link(source_id, system)["repair"] == []


@pytest.mark.parametrize("when", ["before_send", "after_answer"])
def test_a_killed_worker_leaves_what_people_changed_elsewhere(hub: Hub, edited: tuple[str, str], when: str) -> None:
    system, source_id = edited
    member, city, _ = SYSTEMS[system]
    hub.robaws.change_client(source_id, **CHANGE[system])
    hub.event(source_id)

    crash(hub, f"{system}.update.{when}")
    hub.settle_all()

    held = record(hub, system)
    assert (held[city], held[member]) == ("Brugge", next(iter(CHANGE[system].values())))


@pytest.mark.parametrize("when", ["before_send", "after_answer"])
def test_what_a_killed_worker_wrote_is_taken_back_and_people_keep_the_rest(
    hub: Hub, edited: tuple[str, str], when: str
) -> None:
    system, source_id = edited
    member, city, _ = SYSTEMS[system]
    before = record(hub, system)[member] or None
    hub.robaws.change_client(source_id, **CHANGE[system])
    hub.event(source_id)
    crash(hub, f"{system}.update.{when}")

    hub.robaws.change_client(source_id, **BACK[system])
    hub.sync(source_id)
    hub.settle_all()

    held = record(hub, system)
    assert (held[city], held[member] or None) == ("Brugge", before)
    assert (hub.link(source_id, system)["repair"], hub.link(source_id, system)["overtaken"]) == ([], [])


def test_a_change_that_was_overtaken_and_arrived_leaves_nothing_to_repair(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()
    hub.robaws.change_client(source_id, tel="+32 9 333 33 33")
    hub.event(source_id)

    def change_again() -> None:
        hub.robaws.change_client(source_id, tel="+32 9 444 44 44")
        hub.later(60)
        hub.event(source_id)
        hub.step()

    hub.rompslomp.before_next(change_again)
    hub.settle()

    assert record(hub, "rompslomp")["phone"] == "+32 9 444 44 44"
    assert (hub.link(source_id, "rompslomp")["overtaken"], len(hub.rompslomp.calls("GET"))) == ([], 0)


def test_a_person_that_the_staff_changed_stays_when_the_answer_about_another_is_lost(hub: Hub) -> None:
    hub.robaws.switches.person_change_fires = True
    source_id = hub.robaws.add_client(**client())
    first = hub.robaws.add_person(source_id, name="An", surname="Peeters", email="an@delinde.example")
    second = hub.robaws.add_person(source_id, name="Bo", surname="Claes", email="bo@delinde.example")
    hub.sync(source_id)
    persons = record(hub, "recras")["contactpersonen"]
    there = next(one for one in persons if one["voornaam"] == "An")
    hub.recras.edit_person(str(there["id"]), {"telefoon1": "09 111 11 11"})
    hub.recras.fail("drop_after", method="PUT")

    hub.robaws.change_person(second, tel="+32 9 555 55 55")
    hub.sync(source_id)
    hub.settle_all()

    held = {one["voornaam"]: one for one in record(hub, "recras")["contactpersonen"]}
    assert first
    assert held["An"]["telefoon1"] == "09 111 11 11"
    assert held["Bo"]["telefoon1"].endswith("555 55 55")


FIRST: dict[str, dict[str, Any]] = {
    "rompslomp": {"company_name": "Dakwerken De Linde", "vat_number": VAT},
    "recras": {"naam": "Dakwerken De Linde", "btw_nummer": VAT},
    "workspace": {"name": "Dakwerken De Linde", "btw": VAT, "type": "1", "client_reference": "7"},
}
CITY = {"rompslomp": "city", "recras": "plaats", "workspace": "location_city"}
MOVED = {"addressLine1": "Markt 1", "postalCode": "8000", "city": "Brugge", "country": "BE"}


@pytest.mark.parametrize("system", FIRST)
@pytest.mark.parametrize("lost", ["drop_after", "drop_before", "before_send", "after_answer"])
@pytest.mark.parametrize("moves", [False, True], ids=["stays", "moves"])
def test_our_own_first_values_are_ours_though_their_answer_was_lost(
    hub: Hub, system: str, lost: Any, moves: bool
) -> None:
    hub.simulators[system].add_record(**FIRST[system])  # type: ignore[attr-defined]
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.event(source_id)
    if lost.startswith("drop"):
        hub.simulators[system].fail(lost, times=1, method=SYSTEMS[system][2])
        hub.settle()
    else:
        crash(hub, f"{system}.update.{lost}")

    if moves:
        hub.robaws.change_client(source_id, address=MOVED)
        hub.event(source_id)
    hub.settle_all()

    assert record(hub, system)[CITY[system]] == ("Brugge" if moves else "Gent")
    assert hub.link(source_id, system)["state"] == "synced"
    assert hub.questions(source_id, system) == []


def test_a_field_that_is_to_be_filled_only_is_filled_though_the_first_try_never_left(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"phone": "fill", "email": "review"}})
    hub.rompslomp.add_record(**FIRST["rompslomp"])
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.event(source_id)

    crash(hub, "rompslomp.update.before_send")
    hub.settle_all()

    held = record(hub, "rompslomp")
    assert (held["phone"], held["contact_person_email_address"]) == ("+32 9 000 00 00", "info@delinde.example")
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
