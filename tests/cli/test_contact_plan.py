"""`contactsync contacts plan`: one client, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from worker.cli import taking_part

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub

CLIENT: dict[str, Any] = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": "+32 9 200 00 01",
    "vatIdNumber": "BE0776091951",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
}


@pytest.fixture(autouse=True)
def of_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command asks the simulated vendors."""
    monkeypatch.setattr(taking_part, "make_runtime", lambda _settings, _engine: hub.runtime)


def test_what_would_be_written_is_shown_field_by_field_with_the_rule(operator: Command, hub: Hub) -> None:
    hub.rompslomp.add_record(company_name=CLIENT["name"], vat_number=CLIENT["vatIdNumber"], phone="+32 9 777 77 77")
    source_id = hub.robaws.add_client(**CLIENT)

    ran = operator("contacts", "plan", source_id)
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]

    assert ran.status == 1
    assert lines[:2] == [f"Dakwerken De Linde (client {source_id} in Robaws)", "not known here yet"]
    assert any(
        line.startswith("rompslomp ") and line.endswith("is linked to the record that is there") for line in lines
    )
    assert "asks phone +32 9 777 77 77 → +32 9 200 00 01 the record was already there with another value" in lines
    assert "writes city – → Gent empty there on the first link" in lines
    assert "recras: a new record" in lines
    assert lines[-1] == f"Nothing was written. To do it: contactsync contacts sync {source_id}"
    assert hub.links() == []


def test_where_nothing_would_change_it_ends_with_0(operator: Command, hub: Hub, client: str) -> None:
    ran = operator("contacts", "plan", client)

    assert (ran.status, ran.out.splitlines()[-1]) == (0, "Nothing would change.")
    assert "known here, version 1" in ran.out


def test_a_link_to_a_record_that_agrees_already_is_a_change(operator: Command, hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    source_id = hub.robaws.add_client(**CLIENT)
    hub.sync(source_id)
    with hub.engine.begin() as connection:
        connection.execute(text("DELETE FROM contact"))

    ran = operator("contacts", "plan", source_id)
    document = operator("contacts", "plan", source_id, "--json").json

    assert [(one["action"], one["fields"]) for one in document["items"]] == [("link", {})]
    assert (ran.status, ran.out.splitlines()[-1].split(":")[0]) == (1, "Nothing was written. To do it")


def test_the_document_has_the_shape_of_a_plan(operator: Command, hub: Hub) -> None:
    source_id = hub.robaws.add_client(**CLIENT)

    document = operator("contacts", "plan", source_id, "--json").json

    assert document["systems"] == ["rompslomp", "recras", "workspace"]
    assert document["counts"]["recras"] == {
        "create": 1,
        "update": 0,
        "link": 0,
        "review": 0,
        "nothing": 0,
        "gone": 0,
        "undecided": 0,
    }
    [books, *_] = document["items"]
    assert (books["system"], books["source_id"], books["action"], books["external_id"]) == (
        "rompslomp",
        source_id,
        "create",
        None,
    )
    assert {"from", "to", "rule"} <= set(books["fields"]["city"])


def test_masked_it_shows_no_value_of_the_client(operator: Command, hub: Hub) -> None:
    source_id = hub.robaws.add_client(**CLIENT)

    for more in ([], ["--json"]):
        ran = operator("contacts", "plan", source_id, "--masked", *more)
        assert ran.status == 1
        assert not [word for word in ("delinde.example", "Kerkstraat", "200 00 01", "Gent") if word in ran.out]
        assert "new record" in ran.out


def test_a_client_that_robaws_does_not_have_is_wrong_use(operator: Command) -> None:
    ran = operator("contacts", "plan", "999999")

    assert (ran.status, ran.out) == (2, "")
    assert "Robaws has no client 999999" in ran.err


def test_what_can_be_no_id_is_wrong_use(operator: Command) -> None:
    assert operator("contacts", "plan", "De Linde").status == 2
