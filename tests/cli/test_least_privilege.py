"""Parts start with what they need and no more: a receiver without vendors' credentials, and not as root unawares."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.cli.processes import running
from tests.webhooks.conftest import wait_until
from worker.core import signature
from worker.processes.privileges import runs_as_root

SECRET = "a-made-up-webhook-secret"
ON_WITHOUT_CREDENTIALS = (
    f"[systems.robaws]\nenabled = true\nwebhook_secrets = ['{SECRET}']\n"
    "[systems.rompslomp]\nenabled = true\n[systems.recras]\nenabled = true\n"
)


@pytest.fixture
def port(folder: Path, monkeypatch: pytest.MonkeyPatch, migrated_url: str) -> int:
    """A free port, in settings that enable systems and hold nothing but the webhook secret."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    (folder / "contactsync.toml").write_text(ON_WITHOUT_CREDENTIALS)
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", migrated_url)
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CONTACTSYNC_RECEIVER__PORT", str(number))
    return number


def post(port: int) -> int:
    body = json.dumps({"id": "e-1", "event": "client.updated", "data": {"id": "1834"}}).encode()
    headers = {"Content-Type": "application/json", signature.HEADER: signature.sign(SECRET, int(time.time()), body)}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/robaws", body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.mark.slow
def test_a_receiver_takes_events_with_the_webhook_secret_alone(port: int) -> None:
    with running("receiver") as receiver:
        wait_until(lambda: receiver.process.poll() is not None or is_ready(port), 60)
        assert receiver.process.poll() is None, "it did not start"

        assert post(port) == 202
        assert receiver.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_migrate_needs_no_secret_but_the_database_s(port: int, contactsync: Command) -> None:
    ran = contactsync("migrate")

    assert (ran.status, ran.err) == (0, "")


@pytest.mark.slow
def test_a_worker_still_says_what_it_lacks(port: int, contactsync: Command) -> None:
    ran = contactsync("worker")

    assert ran.status == 2
    assert "systems.robaws.password is missing" in ran.err
    assert "systems.recras.api_key is missing" in ran.err


@pytest.mark.slow
def test_what_calls_a_vendor_for_a_person_says_what_it_lacks(port: int, contactsync: Command) -> None:
    ran = contactsync("webhooks", "list")

    assert ran.status == 2
    assert "systems.robaws.password is missing" in ran.err
    assert "recras" not in ran.err


@pytest.mark.parametrize(("uid", "warned"), [(0, True), (1000, False)])
def test_whoever_starts_everything_as_root_is_warned(
    contactsync: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, uid: int, *, warned: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    with socket.create_server(("127.0.0.1", 0)) as taken:  # it ends before it starts anything
        number = taken.getsockname()[1]
        (folder / "contactsync.toml").write_text(f"[receiver]\nport = {number}\n")

        ran = contactsync("up")

    assert ran.status == 2
    assert ("warning: this runs as root" in ran.err) == warned
    assert (runs_as_root() is not None) == warned
