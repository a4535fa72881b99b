"""A linked record that no client should be linked to any more, and an answer about a value that has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
PHONE = "+32 9 200 00 99"


def linked(hub: Hub, system: str) -> tuple[str, str]:
    """A client with its record in that system."""
    only(hub, system)
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    return source_id, str(hub.link(source_id, system)["external_id"])


def held(hub: Hub, system: str, record_id: str) -> dict[str, Any]:
    records = hub.simulators[system].state()["records"]
    return next(one for one in records if str(one["id"]) == record_id)


def in_the_bin(hub: Hub) -> tuple[str, str]:
    """A client whose record in Workspace lies in the bin, where it can still be read and changed."""
    source_id, record_id = linked(hub, "workspace")
    hub.workspace.trashed_get = hub.workspace.trashed_change = "200"
    hub.workspace.delete_record(record_id)
    return source_id, record_id


def changed(hub: Hub, source_id: str, **members: Any) -> None:
    hub.robaws.change_client(source_id, **(members or {"tel": PHONE}))
    hub.sync(source_id)


def test_a_write_that_shows_a_record_in_the_bin_asks(hub: Hub) -> None:
    source_id, record_id = in_the_bin(hub)

    changed(hub, source_id)

    [question] = hub.questions(source_id, "workspace")
    assert brief(hub, source_id, "workspace") == ("review", "unusable")
    assert (question["kind"], question["detail"]["external_id"]) == ("unusable", record_id)
    assert "in the bin" in question["message"]


def test_nothing_more_is_written_into_it_while_the_question_is_open(hub: Hub) -> None:
    source_id, record_id = in_the_bin(hub)
    changed(hub, source_id)
    hub.forget_calls()

    changed(hub, source_id, tel="+32 9 200 00 11")

    assert [call for call in hub.calls("workspace") if call.startswith("POST")] == []
    assert held(hub, "workspace", record_id)["phone"] == PHONE
    assert brief(hub, source_id, "workspace") == ("review", "unusable")


def test_a_record_that_comes_out_of_the_bin_needs_no_answer(hub: Hub) -> None:
    source_id, record_id = in_the_bin(hub)
    changed(hub, source_id)
    hub.workspace.edit_record(record_id, {"trashed": False})

    changed(hub, source_id, tel="+32 9 200 00 11")

    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert hub.questions(source_id, "workspace") == []
    assert held(hub, "workspace", record_id)["phone"] == "+32 9 200 00 11"


def test_a_read_that_shows_a_supplier_asks_before_anything_is_written(hub: Hub) -> None:
    source_id, record_id = linked(hub, "rompslomp")
    hub.rompslomp.edit_record(record_id, {"is_supplier": True})
    hub.configure(rompslomp={"fields": {"phone": "review"}})
    before = held(hub, "rompslomp", record_id)["phone"]

    changed(hub, source_id)

    assert brief(hub, source_id, "rompslomp") == ("review", "unusable")
    assert held(hub, "rompslomp", record_id)["phone"] == before


def test_a_customer_that_was_deactivated_is_not_filled_in_again(hub: Hub) -> None:
    source_id, _ = linked(hub, "recras")
    hub.recras.records.extra_members = {"deactivated_at": "2026-03-01T10:00:00+01:00"}
    hub.forget_calls()

    changed(hub, source_id)

    assert brief(hub, source_id, "recras") == ("review", "unusable")
    assert [call for call in hub.calls("recras") if call.startswith("PUT")] == []


def test_a_person_may_go_on_writing_into_it(hub: Hub) -> None:
    source_id, record_id = in_the_bin(hub)
    changed(hub, source_id)

    answer(hub, source_id, "workspace", "ours")
    hub.settle()
    changed(hub, source_id, tel="+32 9 200 00 11")

    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert held(hub, "workspace", record_id)["phone"] == "+32 9 200 00 11"


@pytest.mark.parametrize("choose", ["create", "link", "exclude"])
def test_a_person_chooses_another_record_a_new_one_or_none(hub: Hub, choose: str) -> None:
    source_id, record_id = in_the_bin(hub)
    other = str(hub.workspace.add_record(name="De Linde Verhuur", type="1"))
    changed(hub, source_id)

    answer(hub, source_id, "workspace", choose, **({"external_id": other} if choose == "link" else {}))
    hub.settle()

    link = hub.link(source_id, "workspace")
    if choose == "create":
        assert (link["state"], link["external_id"] in (record_id, other)) == ("synced", False)
    elif choose == "link":
        assert link["external_id"] == other
    else:
        assert (link["state"], link["reason"]) == ("excluded", "excluded_by_person")
    assert len(hub.workspace.state()["records"]) == (3 if choose == "create" else 2)


def differing_phone(hub: Hub) -> tuple[str, str]:
    """A client whose phone the books have otherwise, and are asked about."""
    only(hub, "rompslomp")
    record_id = str(
        hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, phone="+32 9 111 11 11")
    )
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    assert [one["path"] for one in hub.questions(source_id, "rompslomp")] == ["phone"]
    return source_id, record_id


def test_our_value_is_asked_about_anew_where_another_one_stands_than_was_shown(hub: Hub) -> None:
    source_id, record_id = differing_phone(hub)
    hub.rompslomp.edit_record(record_id, {"phone": "+32 9 222 22 22"})

    answer(hub, source_id, "rompslomp", "ours", "phone")
    hub.settle()

    [question] = hub.questions(source_id, "rompslomp")
    assert held(hub, "rompslomp", record_id)["phone"] == "+32 9 222 22 22"
    assert (question["path"], question["detail"]["theirs"]) == ("phone", "+32 9 222 22 22")
    assert "since the question was answered" in question["detail"]["rule"]

    answer(hub, source_id, "rompslomp", "ours", "phone")
    hub.settle()
    assert held(hub, "rompslomp", record_id)["phone"] == "+32 9 000 00 00"
    assert brief(hub, source_id, "rompslomp") == ("synced", None)


def test_our_value_is_written_over_the_one_that_was_shown_and_only_once(hub: Hub) -> None:
    source_id, record_id = differing_phone(hub)

    answer(hub, source_id, "rompslomp", "ours", "phone")
    hub.settle()

    assert held(hub, "rompslomp", record_id)["phone"] == "+32 9 000 00 00"
    assert hub.link(source_id, "rompslomp")["decided"] == {}


def test_an_address_that_was_edited_since_is_asked_about_as_a_whole(hub: Hub) -> None:
    only(hub, "rompslomp")
    record_id = str(
        hub.rompslomp.add_record(
            company_name="Dakwerken De Linde", vat_number=VAT, address="Markt 1", zipcode="8000", city="Brugge"
        )
    )
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    [question] = hub.questions(source_id, "rompslomp")
    hub.rompslomp.edit_record(record_id, {"city": "Damme"})

    answer(hub, source_id, "rompslomp", "ours", question["path"])
    hub.settle()

    found = held(hub, "rompslomp", record_id)
    assert (found["address"], found["zipcode"], found["city"]) == ("Markt 1", "8000", "Damme")
    assert [one["path"] for one in hub.questions(source_id, "rompslomp")] == [question["path"]]
