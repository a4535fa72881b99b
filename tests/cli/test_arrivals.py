"""Whether webhooks arrive, as the command line tells it: the port, the last event, what was refused, the self-test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_contacts import line_with
from tests.webhooks.conftest import SECRET, Served, make_settings, serving, wait_until
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml
from worker.store import arrivals

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def refused(engine: Engine, result: str, requests: int, first: float, last: float) -> None:
    with engine.begin() as connection:
        arrivals.add(connection, [arrivals.Added(result, requests, first, last)])


def test_refused_webhooks_need_a_person_while_none_gets_in(operator: Command, hub: Hub) -> None:
    refused(hub.engine, "signature_wrong", 4, 600, 120)

    status, check = operator("status"), operator("check")

    assert status.status == 1
    assert "webhooks  no event has come yet\n          4 refused, the latest 2 min ago (the signature" in status.out
    assert "✗ webhooks are refused, and none got in since (4 requests in the last 10 min" in status.out
    assert line_with(check.out, "✗ receiver", "refused", "4 requests in the last 10 min", "none got in since")
    step = line_with(check.out, "→ put the secret of the registration into systems.robaws.webhook_secrets")
    assert step.endswith("; then: save a client in Robaws; its event settles this")


def test_what_was_refused_before_the_last_event_is_only_told(operator: Command, hub: Hub, client: str) -> None:
    refused(hub.engine, "signature_wrong", 1, 600, 120)
    refused(hub.engine, "content_type", 3, 60, 60)

    status, check = operator("status"), operator("check")

    assert status.status == 0, status.out
    assert "webhooks  last event " in status.out
    assert "          4 refused, the latest 60 s ago (not sent as JSON)" in status.out.replace("1 min", "60 s")
    assert line_with(check.out, "✓ receiver", "last event", "came", "ago")
    assert line_with(check.out, "✓ receiver", "refused", "1 request, 2 min ago", "others got in since")


@pytest.mark.parametrize(
    ("reason", "status"),
    [("host", 0), ("signature_no_secret", 0), ("signature_wrong", 1), ("signature_too_old", 1)],
)
def test_a_passed_self_test_settles_what_it_can_know(operator: Command, hub: Hub, reason: str, status: int) -> None:
    """It is signed with the secrets and the clock of this side, so it knows nothing of those that Robaws has."""
    refused(hub.engine, reason, 4, 600, 120)
    refused(hub.engine, "test", 1, 60, 60)

    ran = operator("status")

    assert ran.status == status, ran.out
    assert "self-test passed" in ran.out
    assert ("✗ webhooks are refused, and none got in since" in ran.out) == bool(status)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("CONTACTSYNC_RECEIVER__PORT", str(listening.getsockname()[1]))
        yield listening


def test_check_tries_the_port_when_nothing_of_ours_runs(
    contactsync: Command, taken: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.processes.listening.ANSWER_SECONDS", 0.1)
    port = taken.getsockname()[1]
    ran = contactsync("check")
    taken.close()
    free = contactsync("check")

    assert ran.status == 1
    assert line_with(ran.out, "✗ receiver", "port", f"cannot listen at 127.0.0.1 port {port} (Address already in use)")
    assert line_with(ran.out, "→ end the program that listens there")
    assert line_with(free.out, "✓ receiver", "port", f"127.0.0.1 port {port} is free")


# ------------------------------------------------------------------------------------------------------ the self-test
@pytest.fixture
def receiver(migrated_url: str, engine: Engine) -> Iterator[Served]:
    with serving(make_settings(migrated_url), engine) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        yield served


@pytest.fixture
def robaws(folder: Path) -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


def settle(folder: Path, robaws: SandboxServer, receiver: Served | None, secrets: list[str], more: str = "") -> None:
    given = {**robaws.settings()["robaws"], "webhook_secrets": secrets}
    port = receiver.url.rpartition(":")[2] if receiver is not None else "1"
    (folder / "contactsync.toml").write_text(f"{as_toml({'robaws': given})}\n[receiver]\nport = {port}\n{more}")


def test_the_registered_address_is_tested(
    contactsync: Command, folder: Path, robaws: SandboxServer, receiver: Served
) -> None:
    url = f"{receiver.url}/webhooks/robaws"
    robaws.register_webhook(url)
    settle(folder, robaws, receiver, [SECRET])

    ran, listed = contactsync("webhooks", "test"), contactsync("webhooks", "test", "--json")

    assert (ran.status, listed.status) == (0, 0), ran.out
    assert line_with(ran.out, url, "reaches the receiver, which takes the signature; nothing was stored")
    assert [(one["url"], one["outcome"]) for one in listed.json["items"]] == [(url, "accepted")]


def test_each_secret_is_tested_and_one_that_the_receiver_does_not_know_is_named(
    contactsync: Command, folder: Path, robaws: SandboxServer, receiver: Served
) -> None:
    settle(folder, robaws, receiver, [SECRET, "a-newer-made-up-secret"])

    ran = contactsync("webhooks", "test", f"{receiver.url}/webhooks/robaws")

    assert ran.status == 1
    assert line_with(ran.out, "(secret 1 of 2): reaches the receiver, which takes the signature")
    assert line_with(ran.out, "✗", "(secret 2 of 2)", "the signature fits no webhook secret")
    assert line_with(ran.out, "→", "restart contactsync up")
    assert "a-newer-made-up-secret" not in ran.out + ran.err
    assert "No receiver answers" not in ran.out


def test_a_receiver_that_does_not_run_is_said(contactsync: Command, folder: Path, robaws: SandboxServer) -> None:
    settle(folder, robaws, None, [SECRET], 'public_url = "http://127.0.0.1:1"\n')

    ran = contactsync("webhooks", "test")

    assert ran.status == 3
    assert line_with(ran.out, "✗ http://127.0.0.1:1/webhooks/robaws", "nothing listens at 127.0.0.1 port 1")
    assert "No receiver answers at 127.0.0.1 port 1 on this machine: contactsync up starts one." in ran.out


def test_without_a_secret_or_an_address_there_is_nothing_to_test(
    contactsync: Command, folder: Path, robaws: SandboxServer
) -> None:
    settle(folder, robaws, None, [SECRET])
    without_address = contactsync("webhooks", "test")
    no_address = contactsync("webhooks", "test", "sync.example.org")
    settle(folder, robaws, None, [])
    without_secret = contactsync("webhooks", "test")

    assert (without_address.status, no_address.status, without_secret.status) == (2, 2, 2)
    assert "no address is registered at Robaws" in without_address.err
    assert "is not an address" in no_address.err
    assert "contactsync webhooks register" in without_secret.err
