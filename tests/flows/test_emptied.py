"""Values that go at the source: what an answer leaves out is kept, what goes in numbers is asked about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.flows.stories import client
from worker.store import operating_reviews
from worker.store.operating import Actor
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
PERSON = Actor("An Peeters", "operator")
SYSTEMS = ("rompslomp", "recras", "workspace")
WHOLE: dict[str, Any] = {
    "vatIdNumber": VAT,
    "website": "https://delinde.example",
    "invoiceAddress": {"addressLine1": "Postbus 12", "postalCode": "1000", "city": "Brussel", "country": "BE"},
    "contacts": [{"name": "An", "surname": "Peeters", "email": "an@delinde.example", "gsm": "0470 00 00 00"}],
}
EMPTY: dict[str, Any] = {"email": None, "tel": None, "vatIdNumber": None, "address": None, "invoiceAddress": None}


def records(hub: Hub) -> dict[str, list[dict[str, Any]]]:
    return {name: list(hub.simulators[name].state()["records"]) for name in SYSTEMS}


def shorten(hub: Hub, source_id: str, cut: Callable[[dict[str, Any]], object]) -> None:
    """From now on Robaws leaves something out of its answer about this client."""
    whole = hub.robaws.answer

    def short(request: Any) -> Any:
        response = whole(request)
        if request.method == "GET" and re.search(rf"/clients/{source_id}$", request.path) and response.status == 200:
            body = orjson.loads(response.body)
            cut(body)
            return replace(response, body=orjson.dumps(body))
        return response

    hub.robaws.answer = short  # type: ignore[method-assign]


def answer(hub: Hub, source_id: str, system: str, choose: str) -> None:
    [question] = [one for one in hub.questions(source_id, system) if one["path"] == "*"]
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), choose, PERSON, hub.time, shape_of=id_shape)
    hub.settle()


def only(body: dict[str, Any], *names: str) -> None:
    for name in set(body) - set(names):
        del body[name]


CUTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "all but the name and the persons": lambda body: only(body, "id", "name", "contacts"),
    "all but the name": lambda body: only(body, "id", "name"),
    "the name": lambda body: body.pop("name"),
    "a part of the address": lambda body: body["address"].pop("city"),
    "the whole address": lambda body: body.pop("address"),
    "the e-mail of a person": lambda body: body["contacts"][0].pop("email"),
}


@pytest.mark.parametrize("what", CUTS)
def test_what_an_answer_of_robaws_leaves_out_is_kept_everywhere(hub: Hub, what: str) -> None:
    source_id = hub.robaws.add_client(**client(**WHOLE))
    hub.sync(source_id)
    before = records(hub)
    shorten(hub, source_id, CUTS[what])

    hub.later(60)
    hub.sync(source_id)
    hub.sync(source_id)

    assert records(hub) == before
    assert hub.contact(source_id)["version"] == 1


def test_what_is_shown_beside_what_is_left_out_still_counts(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(**WHOLE))
    hub.sync(source_id)
    shorten(hub, source_id, lambda body: only(body, "id", "name", "contacts", "tel"))

    hub.robaws.change_client(source_id, tel=None, email="nieuw@delinde.example")
    hub.sync(source_id)

    [books] = hub.rompslomp.state()["records"]
    assert (books["phone"], books["contact_person_email_address"]) == (None, "info@delinde.example")


def test_a_client_that_takes_part_by_an_extra_field_stays_when_robaws_leaves_them_out(hub: Hub) -> None:
    wanted = hub.settings.sync.filter.model_copy(update={"extra_field": {"Nieuwsbrief": True}})
    hub.settings = hub.settings.model_copy(
        update={"sync": hub.settings.sync.model_copy(update={"filter": wanted, "private_status": ("particulier",)})}
    )
    hub.restart()
    source_id = hub.robaws.add_client(
        **client(status="particulier", extraFields={"Nieuwsbrief": {"booleanValue": True}})
    )
    hub.sync(source_id)
    shorten(hub, source_id, lambda body: only(body, "id", "name"))

    hub.robaws.change_client(source_id, name="Dakwerken De Linden")
    hub.sync(source_id)

    assert hub.contact(source_id)["taking_part"] is True
    [books] = hub.rompslomp.state()["records"]
    assert (books["is_individual"], books["contact_person_name"]) == (True, "Dakwerken De Linden")


@pytest.mark.parametrize("system", SYSTEMS)
def test_many_values_that_go_at_once_stay_until_a_person_says_so(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    before = records(hub)[system]

    hub.robaws.change_client(source_id, **EMPTY)
    hub.sync(source_id)
    hub.sync(source_id)

    assert records(hub)[system] == before
    link = hub.link(source_id, system)
    assert (link["state"], link["reason"]) == ("review", "field_conflict")
    assert "*" in {one["path"] for one in hub.questions(source_id, system)}


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_else_changed_goes_on_meanwhile(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, **EMPTY, name="Dakwerken De Linden")
    hub.sync(source_id)

    [held] = records(hub)[system]
    assert held[{"rompslomp": "company_name", "recras": "naam", "workspace": "name"}[system]] == "Dakwerken De Linden"
    assert held[{"rompslomp": "city", "recras": "plaats", "workspace": "location_city"}[system]] == "Gent"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_person_says_that_they_are_to_be_emptied(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    hub.robaws.change_client(source_id, **EMPTY)
    hub.sync(source_id)

    answer(hub, source_id, system, "ours")

    [held] = records(hub)[system]
    city = held[{"rompslomp": "city", "recras": "plaats", "workspace": "location_city"}[system]]
    assert (city or "-") == "-"
    assert "*" not in {one["path"] for one in hub.questions(source_id, system)}
    if system == "recras":
        assert [(one["email1"], one["telefoon1"]) for one in held["contactpersonen"]] == [(None, None)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_person_says_that_they_stay(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    before = records(hub)[system]
    hub.robaws.change_client(source_id, **EMPTY)
    hub.sync(source_id)

    answer(hub, source_id, system, "theirs")
    hub.robaws.change_client(source_id, website="https://delinde.example")
    hub.sync(source_id)

    [held] = records(hub)[system]
    assert {**held, "website": None, "modified": None} == {**before[0], "website": None, "modified": None}
    assert "*" not in {one["path"] for one in hub.questions(source_id, system)}


def test_the_question_goes_when_the_values_are_back(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    before = records(hub)
    hub.robaws.change_client(source_id, **EMPTY)
    hub.sync(source_id)

    hub.robaws.change_client(source_id, **{name: client(vatIdNumber=VAT).get(name) for name in EMPTY})
    hub.sync(source_id)

    assert records(hub) == before
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    assert [hub.questions(source_id, system) for system in SYSTEMS] == [[], [], []]


def test_what_waits_is_not_emptied_because_another_value_came_back(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    hub.robaws.change_client(source_id, **EMPTY)
    hub.sync(source_id)

    hub.robaws.change_client(source_id, email="info@delinde.example", tel="+32 9 000 00 00")
    hub.sync(source_id)

    [books] = hub.rompslomp.state()["records"]
    assert (books["city"], books["vat_number"]) == ("Gent", VAT)
    assert hub.link(source_id, "rompslomp")["state"] == "review"


@pytest.mark.parametrize(
    "gone", [{"email": None}, {"tel": None, "vatIdNumber": None}, {"address": None}, {"website": None, "tel": None}]
)
def test_a_few_values_that_go_are_emptied_without_a_question(hub: Hub, gone: dict[str, None]) -> None:
    hub.configure(workspace={"enabled": False})
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT, website="https://delinde.example"))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, **gone)
    hub.sync(source_id)

    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    [books] = hub.rompslomp.state()["records"]
    kept = {"email": "contact_person_email_address", "tel": "phone", "vatIdNumber": "vat_number", "address": "city"}
    assert {name for name, member in kept.items() if not books[member]} == set(gone) - {"website"}
