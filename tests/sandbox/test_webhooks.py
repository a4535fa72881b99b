"""Webhooks that the sandbox really sends: signed, repeated when refused, in another order when told so."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.embedded.processes import wait_until
from tests.sandbox.receivers import Receiver, receiver
from worker.sandbox.server import SandboxServer
from worker.vendors.robaws.simulator import SANDBOX_WEBHOOK_SECRET

if TYPE_CHECKING:
    import httpx


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as held:
        yield held


def test_a_change_is_told_with_a_signature_of_the_printed_secret(sandbox: SandboxServer, receiving: Receiver) -> None:
    secret = sandbox.register_webhook(receiving.url)

    client_id = sandbox.world.robaws.add_client(name="Dakwerken De Linde")
    got = receiving.next()

    assert secret == SANDBOX_WEBHOOK_SECRET
    assert sandbox.settings()["robaws"]["webhook_secrets"] == [secret]
    assert got.signed_with(secret)
    assert got.headers["content-type"] == "application/json"
    assert (got.event["event"], got.event["data"]["id"]) == ("client.created", client_id)


def test_a_write_through_the_api_is_told_as_well(
    sandbox: SandboxServer, receiving: Receiver, robaws: httpx.Client
) -> None:
    sandbox.register_webhook(receiving.url)

    robaws.post("/clients", json={"name": "Bouwgroep Maas"})

    assert receiving.next().event["data"]["name"] == "Bouwgroep Maas"


@pytest.mark.parametrize("failure", [500, 301, 0], ids=["500", "a redirect", "no answer"])
def test_what_is_not_a_2xx_comes_again_as_it_was(sandbox: SandboxServer, receiving: Receiver, failure: int) -> None:
    sandbox.register_webhook(receiving.url)
    receiving.answers.put(failure)
    receiving.answers.put(failure)

    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    tries = [receiving.next() for _ in range(3)]

    assert len({got.body for got in tries}) == 1
    assert len({got.headers["robaws-signature"] for got in tries}) == 1


def test_after_the_last_try_an_event_is_lost_and_can_be_sent_again(
    sandbox: SandboxServer, receiving: Receiver, control: httpx.Client
) -> None:
    sandbox.register_webhook(receiving.url)
    for _ in range(4):
        receiving.answers.put(503)

    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    tries = [receiving.next() for _ in range(4)]
    with pytest.raises(queue.Empty):
        receiving.came.get(timeout=0.3)
    answer = control.post("/robaws/webhooks/resend", json={"event_id": tries[0].event["id"]})
    again = receiving.next()

    assert (answer.status_code, answer.json()) == (202, {"queued": 1})
    assert again.body == tries[0].body
    assert again.signed_with(SANDBOX_WEBHOOK_SECRET)


def test_an_endpoint_that_is_not_there_is_tried_and_noted(sandbox: SandboxServer, control: httpx.Client) -> None:
    sandbox.register_webhook("http://127.0.0.1:1/nobody")

    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    wait_until(lambda: len(control.get("/robaws/webhooks").json()["deliveries"]) == 4)

    deliveries = control.get("/robaws/webhooks").json()["deliveries"]
    assert [delivery["attempt"] for delivery in deliveries] == [4, 3, 2, 1]
    assert {delivery["status"] for delivery in deliveries} == {None}
    assert "ConnectError" in deliveries[0]["error"]


def test_each_registration_gets_the_event_signed_with_its_own_secret(
    sandbox: SandboxServer, receiving: Receiver, control: httpx.Client
) -> None:
    secrets = [control.post("/robaws/webhooks", json={"url": receiving.url}).json()["secret"] for _ in range(2)]

    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    got = [receiving.next(), receiving.next()]

    assert got[0].body == got[1].body
    assert all(any(one.signed_with(secret) for one in got) for secret in secrets)
    assert sandbox.settings()["robaws"]["webhook_secrets"] == secrets


@pytest.mark.slow
def test_an_event_can_be_held_back_behind_the_next_one(sandbox: SandboxServer, receiving: Receiver) -> None:
    sandbox.register_webhook(receiving.url)
    sandbox.world.robaws.fail("webhook_delay", seconds=0.5)

    client_id = sandbox.world.robaws.add_client(name="Old")
    sandbox.world.robaws.change_client(client_id, name="New")

    assert [receiving.next().event["data"]["name"] for _ in range(2)] == ["New", "Old"]


def test_after_a_reset_the_next_endpoint_has_the_printed_secret_again(
    sandbox: SandboxServer, receiving: Receiver, control: httpx.Client
) -> None:
    sandbox.register_webhook("http://127.0.0.1:1/nobody")
    control.post("/reset")

    assert sandbox.register_webhook(receiving.url) == SANDBOX_WEBHOOK_SECRET
    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    assert receiving.next().signed_with(SANDBOX_WEBHOOK_SECRET)


def test_a_reset_may_keep_the_endpoints(sandbox: SandboxServer, receiving: Receiver, control: httpx.Client) -> None:
    secret = sandbox.register_webhook(receiving.url)
    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    first = receiving.next()

    control.post("/reset", json={"keep_webhooks": True})
    sandbox.world.robaws.add_client(name="Bouwgroep Maas")
    second = receiving.next()

    assert second.signed_with(secret)
    assert second.event["id"] != first.event["id"]
    assert sandbox.register_webhook(receiving.url) != secret
