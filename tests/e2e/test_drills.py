"""Some of the drills, short: real processes, real kills, judged by what the simulated vendors hold."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import httpx
import psycopg
import pytest

from worker.drills import own, run
from worker.drills.full_disk import full_disk
from worker.drills.parts import NotAsPromised
from worker.drills.place import Place, find
from worker.errors import ConfigurationError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from worker.config import load_settings

    folder = tmp_path_factory.mktemp("drills")
    with own.running(folder, print) as (file, address):
        found = find(load_settings({"CONTACTSYNC_CONFIG": str(file)}), Random(1), print)
        with pytest.raises(ConfigurationError, match="no webhook is registered"):
            found.vendors.require_webhooks()
        found.vendors.send_webhooks_to(f"{address}/webhooks/robaws")
        found.vendors.require_webhooks()
        yield found
        found.vendors.close()


@pytest.fixture(autouse=True)
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "REST_SECONDS", (1.0, 1.5))


@pytest.mark.parametrize("name", ["kill-receiver", "restart-redis", "restart-postgres", "disk-full"])
def test_after_a_drill_nothing_is_lost_and_nothing_there_twice(place: Place, name: str) -> None:
    report = run.drill(place, [name], seconds=4, rate=15, seed=1)

    assert {strike.drill for strike in report.strikes} == {name}
    assert report.findings() == []
    assert report.events_made == report.events_received > 50
    added = {system: count - report.records_before[system] for system, count in report.records_after.items()}
    assert added == dict.fromkeys(("rompslomp", "recras", "workspace"), report.clients)


def test_a_full_disk_is_postgresqls_own_error_and_passes(place: Place) -> None:
    probe = "INSERT INTO event_tally (received) VALUES (0)"
    with full_disk(place.database), place.database() as connection, pytest.raises(psycopg.errors.DiskFull):
        connection.execute(probe)

    with place.database() as connection:
        connection.execute(probe)


def test_a_strike_that_goes_wrong_is_a_finding(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_place: Place) -> str:
        raise NotAsPromised("the worker did not come back")

    monkeypatch.setitem(run.DRILLS, "kill-worker", fails)
    report = run.drill(place, ["kill-worker"], seconds=3, rate=5, seed=2)

    assert not report.passed
    assert "the worker did not come back" in report.findings()[0]


def test_a_double_and_a_lost_event_are_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def sabotage(where: Place) -> str:
        newest = where.vendors.holds("recras")[-1].name
        with httpx.Client(base_url=f"{where.vendors.root}/_sandbox", trust_env=False) as client:
            client.post("/recras/records", json={"naam": newest}).raise_for_status()
            client.post("/robaws/faults", json={"kind": "webhook_lose", "times": 3}).raise_for_status()
        return "done"

    monkeypatch.setitem(run.DRILLS, "kill-worker", sabotage)
    monkeypatch.setattr(run, "CONVERGE_SECONDS", 3.0)
    report = run.drill(place, ["kill-worker"], seconds=4, rate=10, seed=3)

    strikes = len(report.strikes)
    assert (report.doubled, report.lost_events) == (strikes, 3 * strikes)
    assert not report.passed
