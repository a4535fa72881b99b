"""Idempotency keys of the simulated Robaws: replays, conflicts in flight, and their limits (Robaws sheet 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vendors.robaws.simulator_wire import Clock, call, read
from worker.vendors.robaws.simulator import RobawsSimulator, Switches


@pytest.fixture
def robaws() -> RobawsSimulator:
    return RobawsSimulator(clock=Clock())


def idempotent(robaws: RobawsSimulator, key: str, name: str = "Bouwgroep Maas", **headers: str) -> Any:
    return call(robaws, "POST", "/clients", {"name": name}, **({"idempotency_key": key} | headers))


@pytest.mark.parametrize("header", ["idempotency_key", "x_robaws_idempotency_key"])
def test_the_same_key_gives_the_first_answer_again_and_makes_nothing(robaws: RobawsSimulator, header: str) -> None:
    first = call(robaws, "POST", "/clients", {"name": "Bouwgroep Maas"}, **{header: "k1"})
    again = call(robaws, "POST", "/clients", {"name": "Somebody else"}, **{header: "k1"})

    assert (again.status, again.body) == (first.status, first.body)
    assert len(robaws.state()["clients"]) == 1


def test_a_robaws_may_know_only_one_name_of_the_header(robaws: RobawsSimulator) -> None:
    robaws.switches.idempotency_headers = ("x-robaws-idempotency-key",)

    idempotent(robaws, "k1")
    idempotent(robaws, "k1")
    idempotent(robaws, "k2", x_robaws_idempotency_key="k2")
    idempotent(robaws, "k2", x_robaws_idempotency_key="k2")

    assert len(robaws.state()["clients"]) == 3


def test_a_refused_request_leaves_its_key_free(robaws: RobawsSimulator) -> None:
    refused = idempotent(robaws, "k1", name="")
    made = idempotent(robaws, "k1")

    assert (refused.status, made.status) == (400, 201)


def test_an_unanswered_create_can_be_repeated_under_its_key(robaws: RobawsSimulator) -> None:
    robaws.fail("drop_after", method="POST")

    lost = idempotent(robaws, "k1")
    again = idempotent(robaws, "k1")

    assert lost.dropped
    assert list(robaws.state()["clients"]) == [read(again, 201)["id"]]


def test_a_repeat_while_the_first_is_in_flight_is_409_unless_switched_off() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock)
    robaws.fail("delay", seconds=30.0, method="POST")
    first = idempotent(robaws, "k1")

    assert first.delay_seconds == 30.0
    assert read(idempotent(robaws, "k1"), 409)["error"] == "Conflict"
    robaws.switches.idempotency_conflicts = False
    assert idempotent(robaws, "k1").body == first.body
    robaws.switches.idempotency_conflicts = True
    clock.now += 30
    assert idempotent(robaws, "k1").body == first.body


def test_a_key_may_stay_in_flight_for_a_while_after_every_request() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock, switches=Switches(idempotency_busy_seconds=2))

    statuses = [idempotent(robaws, "k1").status, idempotent(robaws, "k1").status]
    clock.now += 2

    assert [*statuses, idempotent(robaws, "k1").status] == [201, 409, 201]


def test_keys_are_forgotten_after_their_life_time() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock)

    idempotent(robaws, "k1")
    clock.now += 86_401
    idempotent(robaws, "k1")

    assert len(robaws.state()["clients"]) == 2


def test_a_key_is_at_most_128_characters_and_counts_for_writes_only(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(name="Dakwerken De Linde")

    assert idempotent(robaws, "k" * 129).status == 400
    assert idempotent(robaws, "k" * 128).status == 201
    first = call(robaws, "GET", f"/clients/{client_id}", idempotency_key="k2")
    robaws.change_client(client_id, name="De Linde")
    second = call(robaws, "GET", f"/clients/{client_id}", idempotency_key="k2")
    assert json.loads(first.body)["name"] != json.loads(second.body)["name"]
