"""The directory of a system without a search: how old it may be, what a new list changes, and what is found in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.core.contact import build
from worker.core.matching import Candidate
from worker.store import directory
from worker.store.directory import DirectoryAge

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINDE = Candidate(
    "7",
    "De Linde",
    {"vat_number": "BE0000000097", "registration_number": "12345678", "address.postal_code": "9000"},
    ("info@delinde.example",),
    reference="1834",
)
MAAS = Candidate("8", "Maas", {"address.postal_code": "3600"})


def read(hub: Hub, *candidates: Candidate, at: datetime = NOW) -> None:
    """A whole list that was asked for then."""
    with hub.engine.begin() as connection:
        directory.replace(connection, "workspace", candidates, at, 0.5)


def found(hub: Hub, reference: str | None = None, **values: Any) -> list[str]:
    """The ids of the records that share a key with a contact."""
    contact = build({path.replace("__", "."): value for path, value in values.items()})
    with hub.engine.connect() as connection:
        return sorted(one.external_id for one in directory.find(connection, "workspace", contact, reference))


@pytest.mark.parametrize(
    ("took", "old", "fresh"),
    [
        (0.01, 0.9, True),
        (0.01, 1.1, False),
        (3.0, 59.0, True),
        (3.0, 61.0, False),
        (120.0, 599.0, True),
        (120.0, 601.0, False),
    ],
    ids=["at least a second", "small", "twenty times", "more", "large", "never beyond the setting"],
)
def test_a_list_serves_for_twenty_times_as_long_as_it_took(took: float, old: float, fresh: bool) -> None:
    age = DirectoryAge(NOW, took, 10)

    assert age.fresh_enough(NOW + timedelta(seconds=old), 600) is fresh


def test_a_list_that_was_never_read_serves_for_nothing() -> None:
    assert not DirectoryAge(None, 0.0, 0).fresh_enough(NOW, 600)


def test_clients_that_come_together_share_one_list(hub: Hub) -> None:
    for number in range(3):
        hub.event(hub.robaws.add_client(**client(number)))

    hub.settle()

    assert len(hub.workspace.state()["records"]) == 3
    assert len(hub.workspace.calls("GET", r"contacts\.json$")) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"vat_number": "BE 0000.000.097"},
        {"vat_number": "0000.000.097", "address__country": "BE"},
        {"vat_number": "000.000.097"},
        {"registration_number": "0000.000.097"},
        {"registration_number": "12345678"},
        {"name": "de linde"},
        {"address__postal_code": "9000"},
        {"email": "Info@DeLinde.example"},
        {"persons": [{"email": "info@delinde.example"}]},
    ],
    ids=[
        "VAT number",
        "VAT number without its country",
        "nine digits",
        "enterprise number",
        "registration number",
        "name",
        "postcode",
        "e-mail",
        "a person's e-mail",
    ],
)
def test_a_record_is_found_by_each_of_its_keys(hub: Hub, values: dict[str, Any]) -> None:
    read(hub, LINDE, MAAS)

    assert found(hub, **values) == ["7"]


def test_a_list_with_the_keys_of_another_release_is_not_trusted_and_its_rows_are_written_anew(hub: Hub) -> None:
    read(hub, LINDE)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE directory_entry SET vat_key = 'BE0000000097'"))
        connection.execute(text("UPDATE checkpoint SET cursor = cursor - 'keys' WHERE name = 'directory'"))
        aged = directory.age(connection, "workspace")

    read(hub, LINDE, at=NOW + timedelta(seconds=1))

    assert aged.at is None
    assert found(hub, vat_number="BE0000000097") == ["7"]


def test_a_record_is_found_by_our_reference(hub: Hub) -> None:
    read(hub, LINDE, MAAS)

    assert found(hub, "1834", name="Another") == ["7"]
    assert found(hub, "1", name="Another") == []


def test_what_is_missing_from_a_new_list_is_not_found_any_more(hub: Hub) -> None:
    read(hub, LINDE, MAAS)

    read(hub, MAAS, at=NOW + timedelta(minutes=1))

    assert found(hub, name="De Linde") == []
    assert found(hub, name="Maas") == ["8"]


def test_a_record_that_was_made_while_the_list_was_read_stays(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        directory.add(connection, "workspace", [LINDE], NOW)

    read(hub, MAAS, at=NOW - timedelta(seconds=5))

    assert found(hub, name="De Linde") == ["7"]


def test_one_system_knows_nothing_of_anothers_records(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        directory.replace(connection, "recras", [LINDE], NOW, 0.5)

    assert found(hub, name="De Linde") == []
