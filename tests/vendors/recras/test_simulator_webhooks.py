"""Webhooks of the simulated Recras, and what its own staff does by hand (Recras sheets 8, 12.12 and 12.13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.simulation import SimRequest, SimResponse

NEW = {"naam": "A", "contactpersonen": [{"achternaam": "Claes", "hoofdcontact": True}]}


def call(simulator: RecrasSimulator, method: str, path: str, body: Any = None, query: str = "") -> SimResponse:
    headers = {"authorization": f"Bearer {simulator.SANDBOX_API_KEY}"}
    raw = b"" if body is None else json.dumps(body).encode()
    return simulator.handle(SimRequest(method, f"/api2{path}", query, headers, raw))


def register(simulator: RecrasSimulator, *names: str) -> None:
    for name in names:
        body = {"name": name, "url": f"https://hub.example/{name}", "active": True}
        assert call(simulator, "POST", "/webhooks", body).status == 201


def test_a_webhook_is_registered_read_changed_and_removed() -> None:
    simulator = RecrasSimulator()

    made = call(simulator, "POST", "/webhooks", {"name": "Klant::postSave", "url": "https://hub.example/r"})
    changed = call(simulator, "PUT", "/webhooks/1", {"active": False})

    webhook = {"id": 1, "name": "Klant::postSave", "url": "https://hub.example/r", "active": False}
    assert (made.status, json.loads(made.body)) == (201, {**webhook, "active": True})
    assert (changed.status, json.loads(changed.body)) == (200, webhook)
    assert json.loads(call(simulator, "GET", "/webhooks").body) == [webhook] == simulator.state()["webhooks"]
    assert call(simulator, "DELETE", "/webhooks/1").status == 204
    assert [call(simulator, method, "/webhooks/1", {}).status for method in ("GET", "PUT", "DELETE")] == [404] * 3


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name", "url"]),
        ({"name": "Klant", "url": "https://hub.example"}, ["name"]),
        ({"name": "Klant::postSave", "url": 5, "active": "yes", "secret": "x"}, ["secret", "url", "active"]),
    ],
)
def test_a_registration_is_validated(body: dict[str, Any], fields: list[str]) -> None:
    response = call(RecrasSimulator(), "POST", "/webhooks", body)

    assert response.status == 406
    assert [fault["field"] for fault in json.loads(response.body)] == fields


def test_an_unknown_parameter_is_refused_in_the_list_of_webhooks() -> None:
    assert call(RecrasSimulator(), "GET", "/webhooks", query="name=x").status == 406
    assert call(RecrasSimulator(), "GET", "/webhooks", query="page=1").status == 200


def test_an_insert_and_an_update_are_told_each_with_its_save() -> None:
    simulator = RecrasSimulator()
    register(simulator, "Klant::postInsert", "Klant::postUpdate", "Klant::postSave", "Contactpersoon::postSave")

    klant = json.loads(call(simulator, "POST", "/klanten", NEW).body)
    after_insert = simulator.take_webhooks()
    call(simulator, "PUT", f"/klanten/{klant['id']}", {"plaats": "Gent"})
    after_update = simulator.take_webhooks()

    assert [webhook.name for webhook in after_insert] == [
        "Contactpersoon::postSave",
        "Klant::postInsert",
        "Klant::postSave",
    ]
    assert [webhook.name for webhook in after_update] == ["Klant::postUpdate", "Klant::postSave"]
    assert after_update[0].url == "https://hub.example/Klant::postUpdate"
    assert simulator.take_webhooks() == []


def test_a_customer_is_told_without_its_persons_and_with_its_extra_fields_as_text() -> None:
    simulator = RecrasSimulator()
    register(simulator, "Klant::postSave")

    call(simulator, "POST", "/klanten", NEW)
    (webhook,) = simulator.take_webhooks()
    body = json.loads(webhook.body)

    assert set(body) == {"version", "data", "meta"}
    assert (body["version"], body["meta"]) == ("0.1", {})
    assert body["data"]["extra_fields"] == "[]"
    assert {"landcode", "btw_nummer", "status", "deactivated_at"} <= set(body["data"])
    assert "contactpersonen" not in body["data"]


def test_a_person_is_told_with_time_stamps_and_without_the_customer() -> None:
    now = [1_700_000_000.0]
    simulator = RecrasSimulator(clock=lambda: now[0])
    register(simulator, "Contactpersoon::postUpdate")
    record_id = simulator.add_record(naam="A")
    person_id = simulator.add_person(record_id, achternaam="Claes")

    now[0] += 60
    simulator.edit_person(person_id, {"telefoon1": "0"})
    (webhook,) = simulator.take_webhooks()
    data = json.loads(webhook.body)["data"]

    assert (data["id"], data["telefoon1"]) == (int(person_id), "0")
    assert (data["created_at"], data["updated_at"]) == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:14:20+00:00")
    assert "hoofdcontact" not in data


def test_an_inactive_registration_is_told_nothing() -> None:
    simulator = RecrasSimulator()
    call(simulator, "POST", "/webhooks", {"name": "Klant::postSave", "url": "https://hub.example", "active": False})

    simulator.add_record(naam="A")

    assert simulator.take_webhooks() == []


def test_what_people_do_by_hand_is_told_too() -> None:
    simulator = RecrasSimulator()
    register(simulator, "Klant::postInsert", "Klant::postUpdate", "Klant::postDelete", "Contact::postSave")

    record_id = simulator.add_record(naam="A")
    simulator.edit_record(record_id, {"plaats": "Gent"})
    simulator.delete_record(record_id)
    simulator.add_record(type="leverancier", naam="B")

    names = [webhook.name for webhook in simulator.take_webhooks()]
    assert names == ["Klant::postInsert", "Klant::postUpdate", "Klant::postDelete", "Contact::postSave"]


def test_a_person_added_by_hand_may_become_the_main_one() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}])

    second = simulator.add_person(record_id, achternaam="Peeters", hoofdcontact=True)

    shown = json.loads(call(simulator, "GET", f"/klanten/{record_id}").body)["contactpersonen"]
    assert [(str(p["id"]), p["hoofdcontact"]) for p in shown] == [(second, True), ("1", False)]


def test_of_persons_made_by_hand_the_first_is_the_main_one() -> None:
    simulator = RecrasSimulator()

    simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}, {"achternaam": "Peeters"}])

    (record,) = simulator.state()["records"]
    assert [(p["achternaam"], p["hoofdcontact"]) for p in record["contactpersonen"]] == [
        ("Claes", True),
        ("Peeters", False),
    ]


def test_when_the_main_person_is_unlinked_by_hand_another_takes_the_place() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}, {"achternaam": "Peeters"}])

    simulator.remove_person(record_id, "1")

    shown = json.loads(call(simulator, "GET", f"/klanten/{record_id}").body)["contactpersonen"]
    assert [(p["achternaam"], p["hoofdcontact"]) for p in shown] == [("Peeters", True)]
    simulator.remove_person(record_id, "2")
    assert simulator.state()["records"][0]["contactpersonen"] == []
    assert call(simulator, "GET", "/contactpersonen/1").status == 200


def test_a_deactivated_customer_is_gone_from_the_lists_and_still_there_by_id() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A")

    simulator.deactivate(record_id)

    assert json.loads(call(simulator, "GET", "/klanten").body) == []
    assert json.loads(call(simulator, "GET", "/contacten").body) == []
    assert call(simulator, "GET", f"/klanten/{record_id}").status == 200
    assert simulator.state()["records"][0]["deactivated_at"] is not None


def test_a_customer_removed_by_hand_is_not_found_and_its_persons_stay() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}])

    simulator.delete_record(record_id)

    assert call(simulator, "GET", f"/klanten/{record_id}").status == 404
    assert simulator.state()["records"] == []
    assert [person["klanten"] for person in simulator.state()["persons"]] == [[]]


def test_a_member_that_recras_has_not_cannot_be_set_by_hand() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A")

    with pytest.raises(ValueError, match="email1"):
        simulator.edit_record(record_id, {"email1": "x"})
    with pytest.raises(KeyError):
        simulator.edit_record("999", {"naam": "B"})
