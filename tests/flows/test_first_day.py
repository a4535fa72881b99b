"""What the pages on the first client and the first day say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.flows.stories import client
from tests.store.people import act
from worker.flows import previewing
from worker.store import operating

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0776091951"
MARK = "Nieuwsbrief"
"""An extra field to tick, of those that the simulated Robaws has."""


def only_marked(hub: Hub) -> None:
    """The trial switch of the page: clients without the tick are left out."""
    wanted = hub.settings.sync.filter.model_copy(update={"extra_field": {MARK: True}})
    hub.settings = hub.settings.model_copy(update={"sync": hub.settings.sync.model_copy(update={"filter": wanted})})
    hub.restart()


def actions(hub: Hub, source_id: str) -> set[str]:
    """What a plan says of each system."""
    return {item.action for item in previewing.plan(hub.runtime, hub.gate, source_id).items}


def in_the_books(hub: Hub, **members: Any) -> str:
    """A record of the client that the bookkeeper made."""
    return hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, **members)


def phone(hub: Hub) -> str:
    """The phone in the books."""
    return str(hub.rompslomp.state()["records"][0]["phone"])


def test_only_a_marked_client_takes_part_while_one_tries(hub: Hub) -> None:
    only_marked(hub)
    marked, other = hub.robaws.add_client(**client()), hub.robaws.add_client(**client(1))
    hub.robaws.set_extra_field(marked, MARK, True)

    planned = actions(hub, marked), actions(hub, other)
    hub.sync(other)
    act(hub, operating.sync, marked)
    hub.settle()

    assert planned == ({"create"}, {"nothing"})
    assert {source_id for source_id, *_ in hub.links()} == {marked}
    assert hub.equation()["skipped"] == 1


def test_one_whose_tick_is_taken_away_is_left_as_it_is_and_nothing_is_planned(hub: Hub) -> None:
    only_marked(hub)
    source_id = hub.robaws.add_client(**client())
    hub.robaws.set_extra_field(source_id, MARK, True)
    hub.sync(source_id)
    hub.robaws.set_extra_field(source_id, MARK, False)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})

    planned = actions(hub, source_id)
    act(hub, operating.sync, source_id)
    hub.settle()

    assert planned == {"nothing"}
    assert [one["city"] for one in hub.rompslomp.state()["records"]] == ["Gent"]


def test_a_field_set_to_fill_asks_nothing_on_the_first_day_and_is_robaws_again_afterwards(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"phone": "fill"}})
    in_the_books(hub, phone="+32 9 777 77 77")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    on_the_day = hub.link(source_id, "rompslomp")["state"], phone(hub)
    hub.configure(rompslomp={"fields": {}})
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    afterwards = hub.link(source_id, "rompslomp")["state"], phone(hub)

    hub.robaws.change_client(source_id, tel="+32 9 300 00 03")
    hub.sync(source_id)

    assert on_the_day == afterwards == ("synced", "+32 9 777 77 77")
    assert phone(hub) == "+32 9 300 00 03"


def test_without_it_one_field_is_asked_about_and_the_others_go_on(hub: Hub) -> None:
    in_the_books(hub, phone="+32 9 777 77 77")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["phone"]
    assert [(one["phone"], one["city"]) for one in hub.rompslomp.state()["records"]] == [("+32 9 777 77 77", "Gent")]
    assert hub.link(source_id, "recras")["state"] == "synced"
