"""Credentials that cannot be sent, or were refused: nothing is sent, nobody is blamed, and no value is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.fixtures.hub import BASES
from tests.flows.stories import client
from worker.config import Settings
from worker.flows import fetch as fetching
from worker.flows import previewing
from worker.flows.deliver import deliver
from worker.flows.gate import Gate
from worker.runtime import Runtime
from worker.store import systems
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Unmetered

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

PLANTED = "pl4nted-rompslomp-token-8Zs1"
UNSENDABLE = {"a blank at its end": f"{PLANTED} ", "a letter that is not ASCII": f"{PLANTED}-café"}


def stored(hub: Hub) -> str:
    """Every row of every table."""
    with hub.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        rows = [connection.execute(text(f"SELECT to_jsonb(t) FROM {table} AS t")).scalars() for table in tables]
        return json.dumps([row for table in rows for row in table], ensure_ascii=False, default=str)


@pytest.mark.parametrize("token", UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_a_token_that_cannot_be_sent_stops_its_system_and_stands_nowhere(hub: Hub, token: str) -> None:
    hub.configure(rompslomp={"token": SecretStr(token)})
    clients = [hub.robaws.add_client(**client(number)) for number in (1, 2, 3)]

    with capture_logs() as logs:
        for source_id in clients:
            hub.event(source_id)
        hub.settle()
        hub.later(float(hub.settings.breaker.probe_seconds) + 1)
        hub.settle()

    links = [hub.link(source_id, "rompslomp") for source_id in clients]
    with hub.engine.connect() as connection:
        view = systems.view(connection, "rompslomp")
    assert hub.calls("rompslomp") == []
    assert {(link["state"], link["attempts"], link["intent"]) for link in links} == {("due", 0, None)}
    assert {link["reason"] for link in links} <= {"credentials", None}
    assert view.paused_by == "credentials"
    assert view.paused_reason is not None
    assert "correct systems.rompslomp" in view.paused_reason
    assert PLANTED not in stored(hub)
    assert PLANTED not in str(logs)


class Worker:
    """One worker process over the hub's database: it finds settings in files, which a test replaces."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.files: Settings | None = hub.settings
        self.times_read = 0
        self.runtime = Runtime(
            hub.settings,
            engine=hub.application,
            budget=Unmetered(),
            transports={name: transport((BASES[name], one)) for name, one in hub.simulators.items()},
            now=lambda: hub.time,
            elapsed=lambda: hub.time.timestamp(),
            draw=lambda: 0.5,
            read_again=self._read,
        )
        self.gate = Gate(self.runtime)

    def _read(self) -> Settings | None:
        self.times_read += 1
        return self.files

    def write(self, token: str) -> None:
        """Another token of Rompslomp in the file."""
        given = self.hub.settings.system("rompslomp").model_copy(update={"token": SecretStr(token)})
        changed = self.hub.settings.systems.model_copy(update={"rompslomp": given})
        self.files = self.hub.settings.model_copy(update={"systems": changed})

    def deliver(self) -> str:
        """One delivery to Rompslomp, or what comes of the attempt."""
        return deliver(self.runtime, self.gate, "rompslomp").result


@pytest.fixture
def worker(hub: Hub) -> Worker:
    return Worker(hub)


def owe(hub: Hub, number: int = 1) -> str:
    """A client that is due at Rompslomp, and nothing more."""
    source_id = hub.robaws.add_client(**client(number))
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    assert fetching.fetch(hub.runtime, hub.gate).result == "changed"
    return source_id


def revoke(hub: Hub) -> None:
    """Rompslomp takes another token from now on."""
    everywhere = hub.rompslomp.tokens.pop(RompslompSimulator.SANDBOX_TOKEN)
    hub.rompslomp.tokens["the-new-token"] = everywhere


def pause_of(hub: Hub) -> str | None:
    with hub.engine.connect() as connection:
        return systems.view(connection, "rompslomp").paused_by


def test_a_token_that_was_replaced_before_it_was_refused_pauses_nothing(hub: Hub, worker: Worker) -> None:
    source_id = owe(hub)
    revoke(hub)
    worker.write("the-new-token")

    results = [worker.deliver(), worker.deliver()]

    assert results == ["failed", "synced"]
    assert pause_of(hub) is None
    assert (hub.link(source_id, "rompslomp")["attempts"], worker.times_read) == (0, 1)


def test_a_plan_that_a_replaced_token_was_refused_to_pauses_nothing_either(hub: Hub, worker: Worker) -> None:
    source_id = owe(hub)
    revoke(hub)
    worker.write("the-new-token")

    planned = [previewing.plan(worker.runtime, worker.gate, source_id) for _ in range(2)]

    actions = [one.action for plan in planned for one in plan.items if one.system == "rompslomp"]
    assert actions == ["undecided", "create"]
    assert pause_of(hub) is None


def test_a_paused_system_goes_on_with_the_new_token_at_the_next_probe(hub: Hub, worker: Worker) -> None:
    owe(hub)
    revoke(hub)
    refused = worker.deliver()
    paused, held = pause_of(hub), worker.deliver()
    worker.write("the-new-token")
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)

    assert (refused, paused, held) == ("failed", "credentials", "none")
    assert worker.deliver() == "synced"
    assert pause_of(hub) is None


@pytest.mark.parametrize("file", ["empty", "old"])
def test_a_probe_while_the_file_is_empty_or_still_the_old_one_changes_nothing(
    hub: Hub, worker: Worker, file: str
) -> None:
    owe(hub)
    revoke(hub)
    worker.deliver()
    if file == "empty":
        worker.files = None
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)
    probed = worker.deliver()
    paused = pause_of(hub)
    worker.write("the-new-token")
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)

    assert (probed, paused) == ("failed", "credentials")
    assert worker.deliver() == "synced"


def test_a_resume_is_obeyed_with_the_new_token_before_anything_is_refused(hub: Hub, worker: Worker) -> None:
    owe(hub)
    revoke(hub)
    worker.deliver()
    worker.write("the-new-token")
    hub.forget_calls()
    with hub.engine.begin() as connection:
        systems.resume(connection, "rompslomp", hub.time)
    worker.gate.forget("rompslomp")

    assert worker.deliver() == "synced"
    assert not [answer for answer in statuses(hub) if answer == 401]


def test_a_resume_is_heard_of_without_anything_to_do(hub: Hub, worker: Worker) -> None:
    worker.gate.hear_of_resumes()
    worker.write("the-new-token")
    with hub.engine.begin() as connection:
        systems.resume(connection, "rompslomp", hub.time)
    hub.later(1)

    worker.gate.hear_of_resumes()
    worker.gate.hear_of_resumes()

    assert worker.times_read == 1
    assert worker.runtime.settings.systems.rompslomp.token == SecretStr("the-new-token")


def test_a_resume_while_the_file_is_still_the_old_one_pauses_again_and_the_file_is_read_later(
    hub: Hub, worker: Worker
) -> None:
    owe(hub)
    revoke(hub)
    worker.deliver()
    with hub.engine.begin() as connection:
        systems.resume(connection, "rompslomp", hub.time)
    worker.gate.forget("rompslomp")
    refused, paused = worker.deliver(), pause_of(hub)
    worker.write("the-new-token")
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)

    assert (refused, paused) == ("failed", "credentials")
    assert worker.deliver() == "synced"


def test_other_workers_take_the_new_token_once_one_of_them_had_it_accepted(hub: Hub, worker: Worker) -> None:
    other = Worker(hub)
    owe(hub)
    other.gate.way("rompslomp")
    revoke(hub)
    worker.deliver()
    for one in (worker, other):
        one.write("the-new-token")
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)
    worker.deliver()
    owe(hub, 2)
    hub.later(1)
    hub.forget_calls()

    assert other.deliver() == "synced"
    assert 401 not in statuses(hub)
    assert pause_of(hub) is None


def test_a_late_refusal_of_the_old_token_does_not_pause_the_system_again(hub: Hub, worker: Worker) -> None:
    source_id = owe(hub)

    def replaced_meanwhile(name: str) -> None:
        if name == "rompslomp.search.before_send" and not worker.times_read:
            revoke(hub)
            worker.write("the-new-token")
            assert worker.runtime.renew("rompslomp")

    worker.runtime.hook = replaced_meanwhile

    late = worker.deliver()

    assert (late, pause_of(hub), worker.times_read) == ("failed", None, 1)
    assert hub.link(source_id, "rompslomp")["reason"] == "credentials_replaced"
    assert worker.deliver() == "synced"


def test_only_the_credentials_of_that_system_are_taken_over(hub: Hub, worker: Worker) -> None:
    worker.write("the-new-token")
    assert worker.files is not None
    elsewhere = worker.files.systems.rompslomp.model_copy(update={"base_url": "https://elsewhere.example"})
    worker.files = worker.files.model_copy(
        update={"systems": worker.files.systems.model_copy(update={"rompslomp": elsewhere})}
    )

    renewed, again = worker.runtime.renew("rompslomp"), worker.runtime.renew("rompslomp")

    now = worker.runtime.settings.systems.rompslomp
    assert (renewed, again) == (True, False)
    assert now.base_url == BASES["rompslomp"]
    assert now.token == SecretStr("the-new-token")


def test_files_without_the_credentials_leave_those_that_are_known(hub: Hub, worker: Worker) -> None:
    worker.files = Settings()

    assert worker.runtime.renew("rompslomp") is False
    assert worker.runtime.settings is hub.settings


def statuses(hub: Hub) -> list[int]:
    """What Rompslomp answered in the attempts that are kept, the newest first; only since the calls were forgotten."""
    asked = len(hub.calls("rompslomp"))
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT status FROM attempt WHERE system = 'rompslomp' ORDER BY id DESC LIMIT :n"), {"n": asked}
        )
        return list(rows.scalars())
