"""Webhooks of the simulated Robaws: registration, exact bodies, signatures, and deliveries gone wrong (sheet 3)."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import pytest

from tests.vendors.robaws.simulator_wire import NOW, Clock, call, event, read
from worker.vendors.robaws.events import parse_event
from worker.vendors.robaws.simulator import SANDBOX_WEBHOOK_SECRET, RobawsSimulator, Switches
from worker.vendors.robaws.simulator_webhooks import sign

URL = "http://127.0.0.1:1/webhooks/robaws"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def robaws(clock: Clock) -> RobawsSimulator:
    simulator = RobawsSimulator(clock=clock)
    simulator.register_webhook(URL)
    return simulator


def names(robaws: RobawsSimulator) -> list[str]:
    """The events due, each as its kind and the name that its body carries."""
    bodies = [event(webhook.body) for webhook in robaws.take_webhooks()]
    return [f"{body['event']} {body['data']['name']}" for body in bodies]


def test_the_signature_is_that_of_the_sheets_test_vector() -> None:
    body = (
        b'{"id":"0b5f3c1e-9d54-4a59-8a34-0c6f3c2b7a10","event":"client.updated",'
        b'"data":{"id":"1834","name":"Voorbeeld"}}'
    )

    assert len(body) == 110
    assert sign("11111111-2222-4333-8444-555555555555", 1760000000, body) == (
        "ca7bf8ec2aefe23aae02199d2ae62f354ba5c5fa1f28e78bfe0bfc9e6cc5e97b"
    )


def test_a_registration_answers_with_a_secret_and_shows_it_once(clock: Clock) -> None:
    robaws = RobawsSimulator(clock=clock)
    wanted = {"url": URL, "events": ["client.created", "client.updated"]}

    first = read(call(robaws, "POST", "/webhook-endpoints", wanted), 201)
    second = read(call(robaws, "POST", "/webhook-endpoints", wanted), 201)
    shown = read(call(robaws, "GET", "/webhook-endpoints"))["items"]

    assert first.keys() == {"id", "url", "events", "secret"}
    assert first["secret"] == SANDBOX_WEBHOOK_SECRET
    assert second["secret"] != first["secret"]
    assert [item["id"] for item in shown] == [first["id"], second["id"]]
    assert not any("secret" in item for item in shown)
    assert robaws.settings("x")["webhook_secrets"] == [first["secret"], second["secret"]]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"events": ["client.created"]}, id="no url"),
        pytest.param({"url": "ftp://x.example", "events": ["client.created"]}, id="no web address"),
        pytest.param({"url": URL}, id="no events"),
        pytest.param({"url": URL, "events": []}, id="empty events"),
        pytest.param({"url": URL, "events": ["client.deleted"]}, id="an event that does not exist"),
    ],
)
def test_a_registration_that_makes_no_sense_is_400(robaws: RobawsSimulator, body: Any) -> None:
    assert call(robaws, "POST", "/webhook-endpoints", body).status == 400


def test_only_an_administrator_may_register(robaws: RobawsSimulator) -> None:
    robaws.switches.user_is_admin = False
    wanted = {"url": URL, "events": ["client.created"]}

    assert call(robaws, "POST", "/webhook-endpoints", wanted).status == 403
    assert call(robaws, "GET", "/webhook-endpoints").status == 403
    assert call(robaws, "GET", "/clients").status == 200


def test_a_registered_url_gets_every_event_once_for_each_registration(robaws: RobawsSimulator) -> None:
    robaws.register_webhook(URL)
    endpoints = list(robaws.webhooks.endpoints.values())

    robaws.add_client(name="Bouwgroep Maas")
    sent = robaws.take_webhooks()

    assert [webhook.url for webhook in sent] == [URL, URL]
    assert len({webhook.event_id for webhook in sent}) == 1
    for webhook, endpoint in zip(sent, endpoints, strict=True):
        moment, _, code = webhook.headers["Robaws-Signature"].partition(",")
        text = moment.removeprefix("t=").encode() + b"." + webhook.body
        expected = hmac.new(endpoint.secret.encode(), text, hashlib.sha256).hexdigest()
        assert (moment, code) == (f"t={int(NOW)}", f"v1={expected}")


def test_a_removed_endpoint_gets_nothing_more(robaws: RobawsSimulator) -> None:
    (endpoint_id,) = robaws.webhooks.endpoints
    robaws.add_client(name="Bouwgroep Maas")

    assert call(robaws, "DELETE", f"/webhook-endpoints/{endpoint_id}").status == 204
    assert call(robaws, "DELETE", f"/webhook-endpoints/{endpoint_id}").status == 404
    assert robaws.take_webhooks() == []


def test_an_event_has_three_members_and_the_whole_entity(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(
        name="Dakwerken De Linde",
        contacts=[{"name": "An"}],
        extraFields={"Nieuwsbrief": {"booleanValue": True}},
    )
    answered = read(call(robaws, "GET", f"/clients/{client_id}"))
    (webhook,) = robaws.take_webhooks()

    body = event(webhook.body)
    assert list(body) == ["id", "event", "data"]
    assert body["id"] == webhook.event_id
    assert body["event"] == "client.created"
    assert body["data"]["extraFields"] == {"6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D22": {"booleanValue": True}}
    assert {**body["data"], "extraFields": answered["extraFields"]} == answered
    assert webhook.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"t=\d+,v1=[0-9a-f]{64}", webhook.headers["Robaws-Signature"])


def test_only_the_events_asked_for_are_sent(clock: Clock) -> None:
    robaws = RobawsSimulator(clock=clock)
    robaws.register_webhook(URL, ("client.created",))

    client_id = robaws.add_client(name="Bouwgroep Maas")
    robaws.change_client(client_id, name="Maas")

    assert names(robaws) == ["client.created Bouwgroep Maas"]


def test_writes_through_the_api_are_announced_as_well(robaws: RobawsSimulator) -> None:
    made = read(call(robaws, "POST", "/clients", {"name": "Maas"}, idempotency_key="k"), 201)
    call(robaws, "POST", "/clients", {"name": "Maas"}, idempotency_key="k")
    call(robaws, "PATCH", f"/clients/{made['id']}", {"name": "Maas 2"})
    call(robaws, "PUT", f"/clients/{made['id']}", {"name": "Maas 3"})
    call(robaws, "PATCH", f"/clients/{made['id']}", {"name": ""})
    call(robaws, "DELETE", f"/clients/{made['id']}")

    assert names(robaws) == ["client.created Maas", "client.updated Maas 2", "client.updated Maas 3"]


def test_a_change_of_persons_or_extra_fields_only_is_announced_where_switched_on(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(name="Maas")
    robaws.take_webhooks()

    def touch() -> list[str]:
        person_id = robaws.add_person(client_id, name="An")
        robaws.change_person(person_id, name="Anna")
        robaws.remove_person(person_id)
        robaws.set_extra_field(client_id, "Klanttype", "School")
        robaws.set_extra_field(client_id, "Klanttype", None)
        return names(robaws)

    assert touch() == []
    robaws.switches.person_change_fires = True
    assert touch() == ["client.updated Maas"] * 3
    robaws.switches.extra_field_change_fires = True
    assert touch() == ["client.updated Maas"] * 5


def test_whether_a_change_of_persons_moves_the_clients_time_is_a_switch(robaws: RobawsSimulator, clock: Clock) -> None:
    client_id = robaws.add_client(name="Maas")
    before = robaws.client(client_id)["updatedAt"]
    clock.now += 60

    robaws.switches.person_change_moves_updated_at = False
    robaws.add_person(client_id, name="An")
    unmoved = robaws.client(client_id)["updatedAt"]
    robaws.switches.person_change_moves_updated_at = True
    robaws.add_person(client_id, name="Piet")

    assert unmoved == before
    assert robaws.client(client_id)["updatedAt"] > before


def test_saving_without_a_change_is_announced_unless_switched_off(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(name="Maas")
    robaws.take_webhooks()

    robaws.change_client(client_id, name="Maas")
    announced = names(robaws)
    robaws.switches.unchanged_write_fires = False
    robaws.change_client(client_id, name="Maas")

    assert (announced, names(robaws)) == (["client.updated Maas"], [])


def test_a_new_endpoint_hears_nothing_for_a_while(clock: Clock) -> None:
    robaws = RobawsSimulator(clock=clock, switches=Switches(endpoint_warmup_seconds=3))
    robaws.register_webhook(URL)

    robaws.add_client(name="Too early")
    clock.now += 3
    robaws.add_client(name="In time")

    assert names(robaws) == ["client.created In time"]


def test_an_endpoint_that_never_answered_is_suspended_without_a_word(robaws: RobawsSimulator) -> None:
    robaws.switches.suspend_after_failures = 2
    client_id = robaws.add_client(name="Maas")
    (webhook,) = robaws.take_webhooks()

    robaws.webhooks.report(webhook, delivered=False)
    robaws.change_client(client_id, name="Maas 1")
    heard = names(robaws)
    robaws.webhooks.report(webhook, delivered=False)
    robaws.change_client(client_id, name="Maas 2")

    assert (heard, names(robaws)) == (["client.updated Maas 1"], [])
    assert len(read(call(robaws, "GET", "/webhook-endpoints"))["items"]) == 1


def test_an_endpoint_that_once_worked_is_not_suspended(robaws: RobawsSimulator) -> None:
    robaws.switches.suspend_after_failures = 1
    robaws.add_client(name="Maas")
    (webhook,) = robaws.take_webhooks()

    robaws.webhooks.report(webhook, delivered=True)
    robaws.webhooks.report(webhook, delivered=False)
    robaws.add_client(name="Linde")

    assert names(robaws) == ["client.created Linde"]


def test_an_event_can_be_lost(robaws: RobawsSimulator) -> None:
    robaws.fail_webhooks("lose")

    robaws.add_client(name="Lost")
    robaws.add_client(name="Told")

    assert names(robaws) == ["client.created Told"]


def test_an_event_can_come_more_than_once(robaws: RobawsSimulator) -> None:
    robaws.fail_webhooks("repeat", copies=3)

    robaws.add_client(name="Maas")
    sent = robaws.take_webhooks()

    assert len(sent) == 3
    assert len({webhook.event_id for webhook in sent}) == 1


def test_an_event_can_come_after_the_next_one_with_the_body_of_its_own_time(robaws: RobawsSimulator) -> None:
    robaws.fail_webhooks("reorder")

    client_id = robaws.add_client(name="Old")
    held = names(robaws)
    robaws.change_client(client_id, name="New")

    assert (held, names(robaws)) == ([], ["client.updated New", "client.created Old"])


def test_an_event_that_waits_for_a_next_one_does_not_wait_for_ever(robaws: RobawsSimulator, clock: Clock) -> None:
    robaws.fail_webhooks("reorder", seconds=5.0)
    robaws.add_client(name="Alone")

    assert (names(robaws), robaws.webhooks.seconds_until_due()) == ([], 5.0)
    clock.now += 5
    assert names(robaws) == ["client.created Alone"]


def test_an_event_can_come_late_and_is_signed_when_it_leaves(robaws: RobawsSimulator, clock: Clock) -> None:
    robaws.fail_webhooks("delay", seconds=600.0)
    client_id = robaws.add_client(name="Old")
    robaws.change_client(client_id, name="New")

    before = names(robaws)
    clock.now += 600
    (late,) = robaws.take_webhooks()

    assert before == ["client.updated New"]
    assert event(late.body)["data"]["name"] == "Old"
    assert late.headers["Robaws-Signature"].startswith(f"t={int(clock.now)},")


def test_events_can_be_sent_again(robaws: RobawsSimulator, clock: Clock) -> None:
    robaws.add_client(name="Maas")
    robaws.add_client(name="Linde")
    first, second = robaws.take_webhooks()
    clock.now += 60

    one = robaws.resend_webhooks(first.event_id)
    (again,) = robaws.take_webhooks()
    everything = robaws.resend_webhooks()

    assert (one, again.event_id, again.body) == (1, first.event_id, first.body)
    assert again.headers != first.headers
    # The one that went out twice is sent twice again: Robaws keeps no promise about duplicates.
    assert everything == 3
    assert {webhook.event_id for webhook in robaws.take_webhooks()} == {first.event_id, second.event_id}


def test_a_retry_is_signed_anew_only_where_switched_on(robaws: RobawsSimulator, clock: Clock) -> None:
    robaws.add_client(name="Maas")
    (webhook,) = robaws.take_webhooks()
    clock.now += 60

    as_it_was = robaws.webhooks.retry(webhook)
    robaws.switches.retries_signed_anew = True
    anew = robaws.webhooks.retry(webhook)

    assert as_it_was == webhook
    assert anew.headers["Robaws-Signature"].startswith(f"t={int(NOW) + 60},")
    assert (anew.event_id, anew.body) == (webhook.event_id, webhook.body)


def test_event_ids_do_not_repeat_after_a_restart_unless_a_seed_says_so() -> None:
    def first_event_id(seed: int | None) -> str:
        robaws = RobawsSimulator(seed=seed)
        robaws.register_webhook(URL)
        robaws.add_client(name="Maas")
        return robaws.take_webhooks()[0].event_id

    assert first_event_id(None) != first_event_id(None)
    assert first_event_id(7) == first_event_id(7)


def test_other_kinds_of_records_are_announced_under_ids_of_their_own(robaws: RobawsSimulator) -> None:
    url = "http://127.0.0.1:1/everything"
    robaws.register_webhook(url, ("document.updated",))

    robaws.change_other("document.updated")
    robaws.change_other("comment.created")

    [webhook] = robaws.take_webhooks()
    sent = event(webhook.body)
    assert (webhook.url, sent["event"]) == (url, "document.updated")
    assert re.fullmatch(r"[0-9a-f-]{36}", sent["data"]["id"])
    assert parse_event(webhook.body).source_id == sent["data"]["id"]
