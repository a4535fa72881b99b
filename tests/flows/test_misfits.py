"""A value that a system cannot take: a person is asked, whatever the delivery was, and the rest arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.store import operating_reviews
from worker.vendors.contract import id_shape

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


def test_a_value_that_does_not_fit_is_not_asked_about_again_once_a_person_let_theirs_stand(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(address={**client()["address"], "country": "Atlantis"}))
    hub.sync(source_id)
    [question] = hub.questions(source_id, "rompslomp")
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), "theirs", OPERATOR, hub.time, shape_of=id_shape)

    hub.robaws.change_client(source_id, tel="+32 9 000 00 44")
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"addressLine1": "Kerkstraat 14"})
    hub.sync(source_id)

    assert (hub.link(source_id, "rompslomp")["state"], hub.questions(source_id, "rompslomp")) == ("synced", [])
    assert (record(hub)["phone"], record(hub)["country_code"]) == ("+32 9 000 00 44", None)

    hub.robaws.change_client(source_id, address={"country": "BE"})
    hub.sync(source_id)

    assert record(hub)["country_code"] == "BE"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"name": LONG}, id="organisation"),
        pytest.param({"name": LONG, "status": "particulier"}, id="person"),
    ],
)
def test_a_name_that_does_not_fit_is_asked_about_before_anything_is_made(hub: Hub, members: dict[str, Any]) -> None:
    sync = hub.settings.sync.model_copy(update={"private_status": ("particulier",)})
    hub.settings = hub.settings.model_copy(update={"sync": sync})
    hub.restart()
    source_id = hub.robaws.add_client(**client(**members))

    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"], link["external_id"]) == ("review", "does_not_fit", None)
    assert "300 characters" in link["message"]
    assert hub.rompslomp.calls("POST") == []


def test_a_name_that_is_emptied_is_asked_about_and_the_rest_arrives(hub: Hub) -> None:
    hub.robaws.switches.required_members = ()
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)

    hub.robaws.change_client(source_id, name="", tel="+32 9 000 00 44")
    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"]) == ("review", "field_conflict")
    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["company_name"]
    assert (record(hub)["company_name"], record(hub)["phone"]) == ("Dakwerken De Linde", "+32 9 000 00 44")


def test_a_person_of_an_organisation_that_goes_is_still_emptied(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    person_id = hub.robaws.add_person(source_id, name="An", surname="Peeters", isPrimary=True)
    hub.sync(source_id)
    assert record(hub)["contact_person_name"] == "An Peeters"

    hub.robaws.remove_person(person_id)
    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert record(hub)["contact_person_name"] is None
