"""A value that a system refuses and can do without does not keep the client away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from worker.store import operating_reviews
from worker.store.operating import Actor
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

PERSON = Actor("An Peeters", "operator")

# The value that is refused, the member it goes to, a good value as Robaws has it, and as the system then holds it.
REFUSED: dict[str, tuple[dict[str, Any], str, dict[str, Any], str]] = {
    "rompslomp": (
        {"email": "an@delinde.example; bo@delinde.example"},
        "contact_person_email_address",
        {"email": "an@delinde.example"},
        "an@delinde.example",
    ),
    "recras": ({"website": "nog geen"}, "website", {"website": "delinde.example"}, "https://delinde.example"),
}
NAME = {"rompslomp": "company_name", "recras": "naam"}
WRITES = {"rompslomp": ("POST", "PATCH"), "recras": ("POST", "PUT")}


@pytest.fixture(params=list(REFUSED))
def system(request: pytest.FixtureRequest, hub: Hub) -> str:
    """The one system that takes part."""
    name = str(request.param)
    hub.configure(**{other: {"enabled": False} for other in hub.runtime.targets if other != name})
    return name


def record(hub: Hub, system: str) -> dict[str, Any]:
    [found] = hub.simulators[system].state()["records"]
    return dict(found)


def resolve(hub: Hub, source_id: str, system: str, choose: str) -> None:
    [question] = hub.questions(source_id, system)
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), choose, PERSON, hub.time, shape_of=id_shape)
    hub.settle()


def test_a_client_is_made_without_what_is_refused_and_that_is_asked_about(hub: Hub, system: str) -> None:
    bad, member, _, _ = REFUSED[system]
    source_id = hub.robaws.add_client(**client(**bad))

    hub.sync(source_id)

    assert (record(hub, system)[NAME[system]], record(hub, system)[member] or None) == ("Dakwerken De Linde", None)
    assert hub.link(source_id, system)["state"] == "review"
    [question] = hub.questions(source_id, system)
    assert (question["path"], question["detail"]["rule"]) == (member, "refused there")
    assert f"{system} refuses it" in question["message"]
    keys = [one.request.headers.get("idempotency-key") for one in hub.simulators[system].calls(WRITES[system][0])]
    assert len(set(keys)) == len(keys) or set(keys) == {None}


def test_a_change_arrives_without_what_is_refused(hub: Hub, system: str) -> None:
    bad, member, good, held = REFUSED[system]
    source_id = hub.robaws.add_client(**client(**good))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, **bad, name="Dakwerken De Linden")
    hub.sync(source_id)

    assert (record(hub, system)[NAME[system]], record(hub, system)[member]) == ("Dakwerken De Linden", held)
    assert [one["path"] for one in hub.questions(source_id, system)] == [member]


def test_what_is_refused_is_sent_again_when_it_changes_and_not_before(hub: Hub, system: str) -> None:
    bad, member, good, held = REFUSED[system]
    source_id = hub.robaws.add_client(**client(**bad))
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    writes = len(hub.simulators[system].calls(WRITES[system][1]))
    hub.robaws.change_client(source_id, **good)
    hub.sync(source_id)

    assert writes == 1
    assert record(hub, system)[member] == held
    assert hub.link(source_id, system)["state"] == "synced"
    assert hub.questions(source_id, system) == []


def test_theirs_stands_until_ours_changes(hub: Hub, system: str) -> None:
    bad, member, good, held = REFUSED[system]
    source_id = hub.robaws.add_client(**client(**good))
    hub.sync(source_id)
    hub.robaws.change_client(source_id, **bad)
    hub.sync(source_id)

    resolve(hub, source_id, system, "theirs")
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    assert record(hub, system)[member] == held
    assert hub.link(source_id, system)["state"] == "synced"


def test_ours_tries_once_more_and_asks_again(hub: Hub, system: str) -> None:
    bad, member, good, _ = REFUSED[system]
    source_id = hub.robaws.add_client(**client(**good))
    hub.sync(source_id)
    hub.robaws.change_client(source_id, **bad)
    hub.sync(source_id)
    hub.forget_calls()

    resolve(hub, source_id, system, "ours")

    assert len(hub.simulators[system].calls(WRITES[system][1])) == 1
    assert [one["path"] for one in hub.questions(source_id, system)] == [member]


def test_a_required_value_that_is_refused_keeps_the_client_out(hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    body = (
        '{"error": {"type": "client.parameters.validation", "message": "Contact is invalid: Company name is te kort."}}'
    )
    hub.rompslomp.fail("status", status=422, method="POST", times=-1, body=body)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["fields"]) == ("dead", {"company_name": "is te kort"})
    assert hub.rompslomp.state()["records"] == []


def test_a_second_refusal_is_not_worked_round(hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    body = '{"error": {"type": "client.parameters.validation", "message": "Contact is invalid: City is ongeldig."}}'
    hub.rompslomp.fail("status", status=422, method="POST", times=-1, body=body)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "dead"
    assert len(hub.rompslomp.calls("POST")) == 2
