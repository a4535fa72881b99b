"""The directory of a system without a search: how old it may be, what a new list changes, and what is found in it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.core.contact import build
from worker.core.evidence import is_email_alone
from worker.core.matching import Candidate, compare
from worker.store import directory
from worker.store.directory import DirectoryAge

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINDE = Candidate(
    "7",
    "De Linde",
    {
        "vat_number": "BE0000000097",
        "registration_number": "12345678",
        "address.postal_code": "9000",
        "phone": "+32 9 000 00 01",
    },
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
        return sorted(one.external_id for one in directory.find(connection, "workspace", contact, reference).candidates)


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
        {"vat_number": "BE0000000097 / NL004495445B01"},
        {"registration_number": "12345678 0000"},
        {"name": "Dakwerken De Linde", "address__postal_code": "B-9000"},
        {"name": "Dakwerken De Linde", "address__postal_code": "2000", "invoice_address__postal_code": "9000"},
        {"name": "Dakwerken De Linde", "phone": "09 000 00 01"},
        {"email": "Info@DeLinde.example"},
        {"email": "boekhouding@delinde.example; Info@DeLinde.example"},
        {"persons": [{"email": "info@delinde.example"}]},
    ],
    ids=[
        "VAT number",
        "VAT number without its country",
        "nine digits",
        "enterprise number",
        "registration number",
        "name",
        "two numbers in one field",
        "KvK with a branch",
        "similar name and postcode",
        "similar name and the invoice's postcode",
        "similar name and phone",
        "e-mail",
        "two e-mails in one field",
        "a person's e-mail",
    ],
)
def test_a_record_is_found_by_each_of_its_keys(hub: Hub, values: dict[str, Any]) -> None:
    read(hub, LINDE, MAAS)

    assert found(hub, **values) == ["7"]


@pytest.mark.parametrize(
    "values",
    [
        {"address__postal_code": "9000"},
        {"phone": "09 000 00 01"},
        {"name": "Dakwerken De Linde"},
        {"name": "Bakkerij", "address__postal_code": "9000", "phone": "09 000 00 01"},
        {"name": "Bakkerij", "email": "info@delinde.example", "phone": "09 000 00 02"},
    ],
    ids=["postcode", "phone", "similar name", "postcode and phone", "an e-mail with another phone"],
)
def test_a_record_that_could_not_be_doubtful_is_not_found(hub: Hub, values: dict[str, Any]) -> None:
    read(hub, LINDE, MAAS)

    assert found(hub, **values) == []


def town(count: int, name: str = "Klant {number} Janssens", **values: Any) -> list[Candidate]:
    """As many records of one town."""
    return [
        Candidate(str(number), name.format(number=number), {"address.postal_code": "9000", **values})
        for number in range(1_000, 1_000 + count)
    ]


@pytest.mark.parametrize(
    ("reference", "values"),
    [
        ("1834", {"name": "Another"}),
        (None, {"vat_number": "BE0000000097"}),
        (None, {"name": "De Linde"}),
        (None, {"name": "Dakwerken De Linde"}),
        (None, {"email": "info@delinde.example"}),
    ],
    ids=["reference", "VAT number", "name", "similar name", "e-mail"],
)
def test_a_record_is_found_among_all_of_a_large_town(hub: Hub, reference: str | None, values: dict[str, Any]) -> None:
    read(hub, *town(2_000), LINDE)

    assert found(hub, reference, address__postal_code="9000", **values) == ["7"]


def test_of_very_many_similar_names_so_many_are_compared_and_the_rest_is_reported(hub: Hub) -> None:
    name = "Vereniging van eigenaars Kerkstraat"
    read(hub, *town(directory.MOST_SIMILAR + 50, name=name + "s"))
    contact = build({"name": name, "address.postal_code": "9000"})

    with hub.engine.connect() as connection:
        result = directory.find(connection, "workspace", contact, None)

    assert len(result.candidates) == directory.MOST_SIMILAR
    assert (
        result.cut == "250 records have a similar name and a postcode, phone or e-mail in common: only 200 are compared"
    )


def test_similar_names_that_our_clients_hold_already_are_no_reason_to_cut(hub: Hub) -> None:
    name = "Vereniging van eigenaars Kerkstraat"
    read(hub, *town(directory.MOST_SIMILAR + 1, name=name + "s"))
    held = hub.robaws.add_client(**client())
    hub.sync(held)
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE link SET external_id = '1000' WHERE id = :id"), {"id": hub.link(held, "workspace")["id"]}
        )
        result = directory.find(connection, "workspace", build({"name": name, "address.postal_code": "9000"}), None)

    assert (len(result.candidates), result.cut) == (directory.MOST_SIMILAR, "")


def test_an_email_on_very_many_records_brings_no_more_than_two_of_them(hub: Hub) -> None:
    shared = [Candidate(str(number), f"Klant {number}", {}, ("geen@mail.example",)) for number in range(100, 400)]
    alike = Candidate("7", "De Linde Dakwerken", {}, ("geen@mail.example",))
    read(hub, *shared, alike)

    assert found(hub, name="De Linde", email="geen@mail.example") == ["100", "101", "7"]


def test_a_record_is_looked_up_by_index_in_a_large_directory(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                """
                INSERT INTO directory_entry (system, external_id, name, usable, why_not, "values", emails, name_key,
                    vat_key, registration_key, postcode_key, number_keys, email_keys, phone_keys)
                SELECT 'workspace', n, 'Klant ' || n, true, '', '{}', '{}', 'klant ' || n, '', '', 1000 + n % 2000,
                    ARRAY[CAST(n + 100000000 AS text)], ARRAY['k' || n || '@x.example'], ARRAY['+329' || n]
                FROM generate_series(1, 30000) AS n
                """
            )
        )
        connection.execute(text("ANALYZE directory_entry"))
        keys = {
            "reference": "1",
            "numbers": ["1"],
            "name": "a",
            "emails": ["a"],
            "phones": ["a"],
            "postcodes": ["1000"],
        }
        statement = directory.narrow(frozenset(keys))
        explained = connection.execute(text(f"EXPLAIN {statement}"), {**keys, "system": "workspace"}).scalars()
        plan = "\n".join(explained)

    assert "Seq Scan" not in plan
    assert plan.count("Index Scan using") + plan.count("Bitmap Index Scan") == 6


def test_a_list_with_the_keys_of_another_release_is_not_trusted_and_its_rows_are_written_anew(hub: Hub) -> None:
    read(hub, LINDE)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE directory_entry SET number_keys = '{BE0000000097}'"))
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


def test_whatever_could_be_doubtful_is_found(hub: Hub) -> None:
    choose = random.Random(7).choice
    names = [None, "De Linde", "Dakwerken De Linde", "De Linde BV", "Bakkerij Het Zuiden", "Dakwerken de Lindt"]
    emails = [None, "info@delinde.example", "a@x.example; info@delinde.example", "andere@else.example"]
    phones = [None, "09 000 00 01", "+32 9 000 00 02 / 0470 12 34 56", "0470123456"]
    postcodes = [None, "9000", "B-9000", "2000"]
    numbers = [
        None,
        None,
        "BE0000000097",
        "0000.000.097",
        "BE0000000196",
        "BE0000000001",
        "NL004495445B01 / DE136695976",
    ]
    registrations = [None, None, "12345678", "12345678 0000", "0000.000.097", "004495445"]

    def values() -> dict[str, Any]:
        drawn = {
            "vat_number": choose(numbers),
            "registration_number": choose(registrations),
            "phone": choose(phones),
            "address.postal_code": choose(postcodes),
        }
        return {path: value for path, value in drawn.items() if value}

    records = [
        Candidate(str(number), choose(names), values(), tuple(filter(None, [choose(emails)]))) for number in range(300)
    ]
    read(hub, *records)

    for _ in range(60):
        kind = choose(["person", "organisation"])
        contact = build({"name": choose(names), "email": choose(emails), "kind": kind, **values()})
        with hub.engine.connect() as connection:
            ids = {one.external_id for one in directory.find(connection, "workspace", contact, None).candidates}
        matches = {one.external_id: compare(contact, one) for one in records}
        missed = {key for key, match in matches.items() if match.strength != "apart"} - ids
        alone = {key for key, match in matches.items() if is_email_alone(frozenset(match.evidence))}

        assert missed <= alone, [(contact, matches[key].because) for key in missed - alone][:3]
        assert len(alone & ids) >= min(2, len(alone))
