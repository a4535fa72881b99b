"""The demo's judge: it sees what differs, what is missing and what is double, so that the demo can fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from worker.cli import demo_verdict as verdict
from worker.cli.demo_story import FIRST
from worker.sandbox.server import SandboxServer

RECORDS: dict[str, dict[str, Any]] = {
    "rompslomp": {
        "company_name": "Dakwerken De Linde",
        "address": "Kerkstraat 12",
        "zipcode": "9000",
        "city": "Gent",
        "phone": "+3292000001",
        "contact_person_email_address": "info@delinde.example",
        "vat_number": "BE0000000196",
    },
    "recras": {
        "naam": "Dakwerken De Linde",
        "adres": "Kerkstraat 12",
        "postcode": "9000",
        "plaats": "Gent",
        "contactpersonen": [{"voornaam": "An", "achternaam": "Peeters"}],
    },
    "workspace": {
        "name": "Dakwerken De Linde",
        "location_address": "Kerkstraat 12",
        "location_postal": "9000",
        "location_city": "Gent",
        "phone": "+32 9 200 00 01",
        "email": "info@delinde.example",
        "btw": "BE0000000196",
    },
}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    running.world.reset()
    return running


@pytest.fixture
def client(sandbox: SandboxServer) -> str:
    """One client, alike everywhere."""
    for system, record in RECORDS.items():
        sandbox.simulators[system].add_record(**record)  # type: ignore[attr-defined]
    return sandbox.world.robaws.add_client(**FIRST)


def test_systems_that_agree_differ_in_nothing(sandbox: SandboxServer, client: str) -> None:
    assert verdict.differences(sandbox, client) == []
    assert sum(verdict.doubles(sandbox).values()) == 0


@pytest.mark.parametrize(
    ("system", "member"),
    [(system, member) for system, places in verdict.PLACES.items() for member in places.values() if member != "name"],
)
def test_every_field_that_is_compared_can_differ(sandbox: SandboxServer, client: str, system: str, member: str) -> None:
    (record_id,) = verdict.records(sandbox, system)

    sandbox.simulators[system].edit_record(record_id, {member: "something else"})

    assert verdict.differences(sandbox, client)


def test_a_field_that_is_theirs_may_differ(sandbox: SandboxServer, client: str) -> None:
    (record_id,) = verdict.records(sandbox, "rompslomp")
    sandbox.simulators["rompslomp"].edit_record(record_id, {"contact_person_email_address": "facturen@x.example"})

    assert verdict.differences(sandbox, client, {"rompslomp": ("email",)}) == []
    assert len(verdict.differences(sandbox, client, {"workspace": ("email",)})) == 1


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_a_record_that_is_missing_is_seen(sandbox: SandboxServer, client: str, system: str) -> None:
    (record_id,) = verdict.records(sandbox, system)

    sandbox.simulators[system].delete_record(record_id)  # type: ignore[attr-defined]

    assert verdict.differences(sandbox, client) == [f"{system} holds 0 records of Dakwerken De Linde, not 1"]


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_a_double_is_seen(sandbox: SandboxServer, client: str, system: str) -> None:
    sandbox.simulators[system].add_record(**RECORDS[system])  # type: ignore[attr-defined]

    assert verdict.doubles(sandbox)[system] == 1
    assert verdict.differences(sandbox, client) == [f"{system} holds 2 records of Dakwerken De Linde, not 1"]


def test_a_contact_person_that_is_missing_is_seen(sandbox: SandboxServer, client: str) -> None:
    sandbox.world.robaws.add_person(client, name="Sofie", surname="Maes")

    assert verdict.differences(sandbox, client) == ["recras: Dakwerken De Linde has no contact person Sofie Maes"]
