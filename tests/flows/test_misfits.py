"""A value that a system cannot take: a person is asked, whatever the delivery was, and the rest arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.vendors.simulation import FaultKind

LONG = "x" * 300


@pytest.fixture(autouse=True)
def _rompslomp_alone(hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})


def record(hub: Hub) -> dict[str, Any]:
    [found] = hub.rompslomp.state()["records"]
    return dict(found)


MISFITS = [
    pytest.param({"address": {**client()["address"], "addressLine1": LONG}}, "address", id="address"),
    pytest.param({"address": {**client()["address"], "city": LONG}}, "city", id="city"),
    pytest.param({"address": {**client()["address"], "country": "Atlantis"}}, "country_code", id="country"),
    pytest.param({"tel": f"+32 {'9' * 300}"}, "phone", id="phone"),
    pytest.param({"email": f"{'a' * 250}@delinde.example"}, "contact_person_email_address", id="e-mail"),
    pytest.param(
        {"contacts": [{"name": LONG, "surname": LONG, "isPrimary": True}]}, "contact_person_name", id="person"
    ),
]


@pytest.mark.parametrize(("members", "path"), MISFITS)
def test_what_does_not_fit_at_a_create_is_asked_about_beside_the_new_record(
    hub: Hub, members: dict[str, Any], path: str
) -> None:
    source_id = hub.robaws.add_client(**client(**members))

    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"], list(link["parked"])) == ("review", "field_conflict", [path])
    [question] = hub.questions(source_id, "rompslomp")
    assert question["path"] == path
    assert (record(hub)["company_name"], record(hub)[path]) == ("Dakwerken De Linde", None)


@pytest.mark.parametrize("fault", ["drop_after", "truncate"])
def test_a_create_whose_answer_was_lost_asks_the_same(hub: Hub, fault: FaultKind) -> None:
    source_id = hub.robaws.add_client(**client(address={**client()["address"], "city": LONG}))
    hub.rompslomp.fail(fault, method="POST")

    hub.sync(source_id)
    hub.settle_all()

    assert hub.link(source_id, "rompslomp")["state"] == "review"
    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["city"]


def test_a_question_of_a_create_stays_until_the_value_fits(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(address={**client()["address"], "city": LONG}))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, tel="+32 9 000 00 44")
    hub.sync(source_id)

    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["city"]
    assert record(hub)["phone"] == "+32 9 000 00 44"

    hub.robaws.change_client(source_id, address={"city": "Gent"})
    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert hub.questions(source_id, "rompslomp") == []
    assert record(hub)["city"] == "Gent"
