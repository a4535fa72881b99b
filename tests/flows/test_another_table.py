"""A new release, or a setting, that makes a value in another way: what becomes of links that there were before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.store import operating, operating_reviews
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

POSTBOX: dict[str, Any] = {"addressLine1": "Postbus 12", "postalCode": "1000", "city": "Brussel", "country": "BE"}
OLD_BLOCK, NEW_BLOCK = "Postbus 12\n1000 Brussel", "Dakwerken De Linde\nPostbus 12\n1000 Brussel"
CORRECTED: dict[str, Any] = {"address": "Postbus 99", "zipcode": "1001", "city": "Brussel"}


def record(hub: Hub, system: str = "rompslomp") -> dict[str, Any]:
    [found] = hub.simulators[system].state()["records"]
    return dict(found)


def address(hub: Hub) -> tuple[str, str, str]:
    held = record(hub)
    return held["address"], held["zipcode"], held["city"]


def unmark(hub: Hub) -> None:
    """Snapshots as a release wrote them that did not say which table they were made with."""
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET snapshot = snapshot - 'table'"))


def answer(hub: Hub, source_id: str, choose: str) -> None:
    [question] = hub.questions(source_id, "rompslomp")
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), choose, OPERATOR, hub.time, shape_of=id_shape)
    hub.settle()


def change(hub: Hub, source_id: str, **members: Any) -> None:
    hub.robaws.change_client(source_id, **members)
    hub.sync(source_id)


@pytest.fixture(params=["an upgrade", "a setting"])
def visiting(request: pytest.FixtureRequest, hub: Hub) -> str:
    """A client whose visiting address is in the books, where from now on its invoice address belongs."""
    hub.configure(rompslomp={"address": "visiting"})
    source_id = hub.robaws.add_client(**client(invoiceAddress=POSTBOX))
    hub.sync(source_id)
    hub.configure(rompslomp={"address": "invoice"})
    if request.param == "an upgrade":
        unmark(hub)
    hub.forget_calls()
    return source_id


def test_what_nobody_touched_there_follows_with_the_next_change(hub: Hub, visiting: str) -> None:
    change(hub, visiting, tel="+32 9 333 33 33")
    methods = [call.split()[0] for call in hub.calls("rompslomp")]
    change(hub, visiting, tel="+32 9 333 33 34")

    assert address(hub) == ("Postbus 12", "1000", "Brussel")
    assert (hub.link(visiting, "rompslomp")["state"], methods) == ("synced", ["GET", "PATCH"])
    assert [call.split()[0] for call in hub.calls("rompslomp")] == [*methods, "PATCH"]


def test_an_address_that_was_corrected_there_is_asked_about_once_and_the_rest_arrives(hub: Hub, visiting: str) -> None:
    hub.rompslomp.edit_record(str(record(hub)["id"]), CORRECTED)

    change(hub, visiting, tel="+32 9 333 33 33")
    change(hub, visiting, tel="+32 9 333 33 34")

    assert [question["path"] for question in hub.questions(visiting, "rompslomp")] == ["address.*"]
    assert (address(hub), record(hub)["phone"]) == (("Postbus 99", "1001", "Brussel"), "+32 9 333 33 34")


@pytest.mark.parametrize(("choose", "street"), [("ours", "Postbus 12"), ("theirs", "Postbus 99")])
def test_the_answer_is_the_end_of_it(hub: Hub, visiting: str, choose: str, street: str) -> None:
    hub.rompslomp.edit_record(str(record(hub)["id"]), CORRECTED)
    change(hub, visiting, tel="+32 9 333 33 33")

    answer(hub, visiting, choose)
    change(hub, visiting, tel="+32 9 333 33 34")

    assert (address(hub)[0], hub.questions(visiting, "rompslomp")) == (street, [])
    assert hub.link(visiting, "rompslomp")["state"] == "synced"


def test_an_invoice_address_that_was_typed_in_there_already_is_settled_without_a_question(
    hub: Hub, visiting: str
) -> None:
    hub.rompslomp.edit_record(str(record(hub)["id"]), {"address": "Postbus 12", "zipcode": "1000", "city": "Brussel"})

    change(hub, visiting, tel="+32 9 333 33 33")

    assert (hub.link(visiting, "rompslomp")["state"], address(hub)[0]) == ("synced", "Postbus 12")


def test_a_persons_sync_now_puts_ours_there(hub: Hub, visiting: str) -> None:
    hub.rompslomp.edit_record(str(record(hub)["id"]), CORRECTED)

    with hub.engine.begin() as connection:
        operating.sync(connection, visiting, OPERATOR, hub.time)
    hub.settle()

    assert (address(hub)[0], hub.link(visiting, "rompslomp")["state"]) == ("Postbus 12", "synced")


def test_an_address_that_was_let_stand_is_asked_about_before_it_gives_way(hub: Hub) -> None:
    hub.configure(rompslomp={"address": "visiting"})
    held: dict[str, Any] = {
        "company_name": "Dakwerken De Linde",
        "contact_person_email_address": "info@delinde.example",
    }
    hub.rompslomp.add_record(**held, **CORRECTED)
    source_id = hub.robaws.add_client(**client(invoiceAddress=POSTBOX))
    hub.sync(source_id)
    answer(hub, source_id, "theirs")
    hub.configure(rompslomp={"address": "invoice"})
    unmark(hub)

    change(hub, source_id, tel="+32 9 333 33 33")

    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["address.*"]
    assert address(hub)[0] == "Postbus 99"


@pytest.mark.parametrize(
    ("held", "after", "questions"),
    [
        pytest.param(OLD_BLOCK, NEW_BLOCK, [], id="as we wrote it"),
        pytest.param("De Linde\nt.a.v. Jan\nPostbus 12\n1000 Brussel", None, ["factuur_adressering"], id="edited"),
    ],
)
def test_the_addressee_comes_into_an_invoice_address_in_recras_unless_somebody_wrote_there(
    hub: Hub, held: str, after: str | None, questions: list[str]
) -> None:
    source_id = hub.robaws.add_client(**client(invoiceAddress=POSTBOX))
    hub.sync(source_id)
    hub.recras.edit_record(str(record(hub, "recras")["id"]), {"factuur_adressering": held})
    unmark(hub)
    with hub.engine.begin() as connection:
        for side in ("ours", "theirs"):
            connection.execute(
                text(
                    "UPDATE link SET snapshot = jsonb_set(snapshot, CAST(:path AS text[]), "
                    "to_jsonb(CAST(:old AS text))) WHERE system = 'recras'"
                ),
                {"path": [side, "factuur_adressering"], "old": OLD_BLOCK},
            )

    change(hub, source_id, website="https://delinde.example")

    assert record(hub, "recras")["factuur_adressering"] == (after or held)
    assert [question["path"] for question in hub.questions(source_id, "recras")] == questions


def test_an_upgrade_alone_writes_and_reads_nothing(hub: Hub, visiting: str) -> None:
    hub.sync(visiting)

    assert hub.calls("rompslomp") == []
