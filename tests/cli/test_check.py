"""`contactsync check`: what is wrong and what to do, for somebody who begins and for somebody who is stuck."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis

from tests.cli.test_contacts import line_with
from tests.fixtures.servers import fresh_database, short_folder
from worker.config import load_settings
from worker.config.access import token_hash
from worker.embedded.servers import LocalServers
from worker.processes.listening import free_port
from worker.processes.pulse import Pulse
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml

if TYPE_CHECKING:
    from tests.cli.command import Command

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    running.world.reset()
    return running


def settle(folder: Path, sandbox: SandboxServer, **changed: dict[str, Any]) -> None:
    """Settings that point at the sandbox, paced for a test; Routix, whose pace is a call a second, only on demand."""
    changed.setdefault("routix", {"enabled": False})
    systems = {
        name: {
            **given,
            **({"rate_per_second": 100.0} if name not in ("robaws", "routix") else {}),
            **changed.get(name, {}),
        }
        for name, given in sandbox.settings().items()
    }
    port = f"[receiver]\nport = {free_port('127.0.0.1')}\n"
    (folder / "contactsync.toml").write_text(f"{as_toml(systems)}\n{port}")


def test_a_newcomer_is_told_what_to_do_first(contactsync: Command) -> None:
    ran = contactsync("check")

    assert ran.status == 1
    assert "cp contactsync.example.toml contactsync.toml" in ran.out
    assert "or see it work first: contactsync demo" in ran.out
    assert "contactsync up starts them" in ran.out


def test_the_example_leads_on_to_what_is_missing(contactsync: Command, folder: Path) -> None:
    (folder / "contactsync.toml").write_text("[systems.robaws]\nenabled = true\n\n[systems.recras]\nenabled = true\n")

    ran = contactsync("check")

    assert ran.status == 2
    assert line_with(ran.out, "✗", "systems.robaws.username", "is missing")
    assert line_with(ran.out, "✗", "systems.robaws.password", "is missing")
    assert line_with(ran.out, "✗", "systems.recras.api_key", "is missing")
    assert line_with(ran.out, "→", "make an API-only user in Robaws")


def test_tokens_are_named_with_those_whose_time_is_over(contactsync: Command, folder: Path) -> None:
    today = datetime.now(UTC).date()
    entries = [
        ("An Peeters", "operator", "", 'token = "a-token-of-an-that-stands-in-clear"'),
        ("monitoring", "viewer", "expires = 2020-02-29\n", f'token_hash = "{token_hash("b")}"'),
        ("Bo Maes", "admin", f"expires = {today + timedelta(days=10)}\n", f'token_hash = "{token_hash("c")}"'),
        ("script", "viewer", f"expires = {today + timedelta(days=100)}\n", f'token_hash = "{token_hash("d")}"'),
    ]
    (folder / "contactsync.toml").write_text(
        "".join(
            f'[[ops.tokens]]\nname = "{name}"\nrole = "{role}"\n{expires}{token}\n'
            for name, role, expires, token in entries
        )
    )

    ran = contactsync("check")

    assert line_with(ran.out, "✓", "4 token(s)", "An Peeters (operator), monitoring (viewer), Bo Maes (admin)")
    assert line_with(ran.out, "→", "keep An Peeters as token_hash")
    assert line_with(ran.out, "✗", "the time of monitoring is over")
    assert line_with(ran.out, "✓", "the time of Bo Maes is over within 14 days")


@pytest.mark.slow
def test_everything_is_looked_at_before_anything_runs(
    contactsync: Command, folder: Path, sandbox: SandboxServer
) -> None:
    settle(folder, sandbox, routix={})
    sandbox.register_webhook("http://127.0.0.1:8080/webhooks/robaws")

    ran = contactsync("check")

    assert ran.status == 0, ran.out
    assert line_with(ran.out, "✓ robaws", "accepts the credentials")
    assert line_with(ran.out, "✓ robaws", "webhooks", "is told of created and changed clients")
    assert line_with(ran.out, "✓ rompslomp", "contacts", "can be read")
    assert line_with(ran.out, "✓ recras", "customers", "can be read")
    assert line_with(ran.out, "✓ workspace", "token", "is accepted")
    assert line_with(ran.out, "✓ routix", "can only be read")
    assert "All is right. Next: contactsync up" in ran.out


def test_a_webhook_that_is_not_registered_needs_a_person(
    contactsync: Command, folder: Path, sandbox: SandboxServer
) -> None:
    settle(folder, sandbox)

    ran = contactsync("check", "--json")

    wrong = [line for line in ran.json["lines"] if not line["ok"]]
    assert ran.status == 1
    assert [(line["area"], line["subject"]) for line in wrong] == [("robaws", "webhooks")]
    assert wrong[0]["next_step"].startswith("contactsync webhooks register https://HOST/webhooks/robaws")
    assert (ran.json["ok"], ran.json["status"]) == (False, 1)


def test_credentials_that_are_refused_are_named(contactsync: Command, folder: Path, sandbox: SandboxServer) -> None:
    sandbox.register_webhook("http://127.0.0.1:8080/webhooks/robaws")
    settle(folder, sandbox, rompslomp={"token": "not-the-one"}, recras={"api_key": "nor-this"})

    ran = contactsync("check")

    assert ran.status == 1
    assert line_with(ran.out, "✗ rompslomp")
    assert line_with(ran.out, "✗ recras")
    assert line_with(ran.out, "✓ workspace")
    assert "not-the-one" not in ran.out
    assert "2 to put right" in ran.out


def test_a_vendor_that_does_not_answer_is_another_status(
    contactsync: Command, folder: Path, sandbox: SandboxServer
) -> None:
    sandbox.register_webhook("http://127.0.0.1:8080/webhooks/robaws")
    settle(folder, sandbox, recras={"base_url": f"http://{NOWHERE}/api2"})

    ran = contactsync("check")

    assert ran.status == 3
    assert line_with(ran.out, "✗ recras")
    assert line_with(ran.out, "✓ workspace", "token")


def test_what_is_unwise_is_a_warning_and_no_failure(contactsync: Command, folder: Path, sandbox: SandboxServer) -> None:
    sandbox.register_webhook("http://127.0.0.1:8080/webhooks/robaws")
    settle(folder, sandbox, robaws={"webhook_secrets": ["kort"]})
    with (folder / "contactsync.toml").open("a") as file:
        file.write("signature_tolerance_seconds = 0\n")

    ran, listed = contactsync("check"), contactsync("check", "--json")

    assert ran.status == 0, ran.out
    assert line_with(ran.out, "! configuration", "webhook_secrets", "fewer than 16 characters")
    assert line_with(ran.out, "! configuration", "signature_tolerance_seconds", "is 0")
    assert "2 warning(s) above" in ran.out
    warned = [line["subject"] for line in listed.json["lines"] if line["warning"]]
    assert warned == ["systems.robaws.webhook_secrets", "receiver.signature_tolerance_seconds"]


def test_database_and_redis_that_do_not_answer(
    contactsync: Command, folder: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(folder, sandbox)
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", f"postgresql://somebody:a-password@{NOWHERE}/contactsync")
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", f"redis://:another-password@{NOWHERE}/0")

    ran = contactsync("check")

    assert ran.status == 3
    assert line_with(ran.out, "✗ database", "does not answer")
    assert line_with(ran.out, "→", "start PostgreSQL, or correct database.url")
    assert line_with(ran.out, "✗ redis", "does not answer")
    assert line_with(ran.out, "✓ recras", "customers"), "the vendors are looked at all the same"
    assert "a-password" not in ran.out
    assert "another-password" not in ran.out


@pytest.fixture
def served(
    contactsync: Command, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Command, str]]:
    """The command with a real PostgreSQL and a real Redis, both as the tests have them."""
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", database_url)
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", redis_url)
    with Redis.from_url(redis_url) as redis:
        before = redis.config_get("maxmemory-policy")["maxmemory-policy"]
        yield contactsync, redis_url
        redis.config_set("maxmemory-policy", before)


@pytest.mark.slow
def test_an_empty_database_is_told_to_be_migrated(
    served: tuple[Command, str], folder: Path, sandbox: SandboxServer
) -> None:
    contactsync, _ = served
    settle(folder, sandbox, routix={})

    before = contactsync("check").out
    contactsync("migrate")
    after = contactsync("check").out

    assert line_with(before, "✗ database", "the database is empty")
    assert line_with(before, "→", "contactsync migrate")
    assert "could not be looked at" not in before
    assert line_with(before, "✓ recras", "customers"), "the vendors are looked at all the same"
    assert line_with(after, "✓ database", "schema")


def test_an_owner_who_cannot_do_its_part_is_told(
    served: tuple[Command, str], postgres_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contactsync, _ = served
    contactsync("migrate")
    with fresh_database(postgres_url) as elsewhere:
        shown = []
        for url in (database_url, elsewhere, database_url.replace("@", "-wrong@", 1)):
            monkeypatch.setenv("CONTACTSYNC_DATABASE__OWNER_URL", url)
            shown.append(contactsync("check"))

    right, other, wrong = shown
    assert line_with(right.out, "✓ database: owner", "owns the tables")
    assert line_with(other.out, "✗ database: owner", "a database without tables")
    assert line_with(other.out, "→", "correct database.owner_url")
    assert line_with(wrong.out, "✗ database: owner", "password authentication failed")
    assert wrong.status == 3


def test_a_right_that_is_missing_is_told(
    contactsync: Command, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"application_{secrets.token_hex(4)}"
    password = secrets.token_hex(12)
    parts = urlsplit(database_url)
    place = parts.netloc.rpartition("@")[2]
    application = parts._replace(netloc=f"{name}:{password}@{place}").geturl()
    monkeypatch.setenv("CONTACTSYNC_REDIS__URL", redis_url)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        try:
            monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", application)
            monkeypatch.setenv("CONTACTSYNC_DATABASE__OWNER_URL", database_url)
            contactsync("migrate")
            whole = contactsync("check")
            owner.execute(f"REVOKE INSERT ON operator_action FROM {name}")
            lacking, acted = contactsync("check"), contactsync("systems", "pause", "recras", "--reason", "x")
        finally:
            owner.execute(f"DROP OWNED BY {name}")
            owner.execute(f"DROP ROLE {name}")

    assert "database: rights" not in whole.out
    assert line_with(lacking.out, "✗ database: rights", "operator_action")
    assert (acted.status, "contactsync migrate" in acted.err, "Traceback" in acted.err) == (2, True, False)


def test_a_database_that_forgets_is_told(served: tuple[Command, str]) -> None:
    """The tests' own PostgreSQL runs without fsync."""
    contactsync, _ = served

    ran = contactsync("check")

    assert line_with(ran.out, "✗ database: durability", "can be lost in a power cut")


def test_a_redis_that_evicts_is_told(served: tuple[Command, str]) -> None:
    contactsync, url = served
    with Redis.from_url(url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        evicting = contactsync("check").out
        redis.config_set("maxmemory-policy", "noeviction")
        refusing = contactsync("check").out

    assert line_with(evicting, "✗ redis", "evicts keys when it is full (allkeys-lru)")
    assert line_with(evicting, "→", "set maxmemory-policy to noeviction")
    assert line_with(refusing, "✓ redis", "refuses rather than forget")


def test_clients_that_are_there_and_not_known_here_are_counted_with_the_way_to_bring_one_in(
    served: tuple[Command, str], folder: Path, sandbox: SandboxServer
) -> None:
    contactsync, _ = served
    settle(folder, sandbox)
    sandbox.simulators["robaws"].add_client(name="Dakwerken De Linde")  # type: ignore[attr-defined]
    contactsync("migrate")

    before = contactsync("check").out
    contactsync("contacts", "sync", "1001")
    after = contactsync("check").out

    assert line_with(before, "robaws: clients", "can be read, 0 known here")
    assert line_with(before, "→ a client comes over when it is saved in Robaws, or with contactsync contacts sync ID")
    assert line_with(after, "robaws: clients", "can be read, 1 known here")
    assert "comes over" not in after


def test_the_calls_come_out_of_the_shared_budget(
    served: tuple[Command, str], folder: Path, sandbox: SandboxServer
) -> None:
    contactsync, url = served
    settle(folder, sandbox)
    contactsync("migrate")
    with Redis.from_url(url) as redis:
        redis.delete(*(redis.keys("budget:*") or ["none"]))

        contactsync("check")

        counted = int(redis.hget("budget:recras::day", "used") or 0)
    assert counted == len(sandbox.simulators["recras"].log)


@pytest.mark.slow
def test_a_worker_that_has_gone_quiet_is_told(contactsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with short_folder() as place, LocalServers(place / "home", keep_alive=False):
        monkeypatch.setenv("CONTACTSYNC_HOME", str(place / "home"))
        for part, age in (("worker", 3_600), ("scheduler", 0)):
            pulse = Pulse(load_settings(), part)
            pulse.beat()
            then = time.time() - age
            os.utime(pulse.path, (then, then))

        ran = contactsync("check")

    assert line_with(ran.out, "✗ servers: worker", "seen 36")
    assert line_with(ran.out, "→", "logs/worker.log")
    assert line_with(ran.out, "✓ servers: scheduler")


ROBAWS = '[systems.robaws]\nenabled = true\nusername = "api"\npassword = "made-up"\n'


def test_an_address_that_robaws_could_not_use_needs_a_person(contactsync: Command, folder: Path) -> None:
    (folder / "contactsync.toml").write_text(f'{ROBAWS}base_url = "https://{NOWHERE}/api/v2"\n')

    ran = contactsync("check")

    assert line_with(ran.out, "✗", "configuration: address", "answered with 421")
    assert line_with(ran.out, "→", "set receiver.public_url")


def test_the_address_that_robaws_uses_is_named(contactsync: Command, folder: Path) -> None:
    (folder / "contactsync.toml").write_text(
        f'[receiver]\npublic_url = "https://sync.example"\n{ROBAWS}base_url = "https://{NOWHERE}/api/v2"\n'
    )

    ran = contactsync("check")

    assert line_with(ran.out, "✓", "https://sync.example/webhooks/robaws")
