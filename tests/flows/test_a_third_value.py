"""A person answers a question about a field with a value that is neither Robaws's nor the system's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only
from worker.core.chosen import typed
from worker.core.mapping import FieldRow
from worker.store.refusals import Unfit
from worker.vendors.contract import field_rows

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
PHONE = "+32 9 777 77 77"


def asked(hub: Hub, **theirs: Any) -> str:
    """A client whose record in Rompslomp has another phone, or what else is given."""
    only(hub, "rompslomp")
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, **(theirs or {"phone": PHONE}))
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    assert brief(hub, source_id, "rompslomp") == ("review", "field_conflict")
    return source_id


def give(hub: Hub, source_id: str, value: Any, path: str = "phone") -> Any:
    return answer(hub, source_id, "rompslomp", "value", path=path, value=value, row_of=field_rows(hub.settings))


def record(hub: Hub) -> dict[str, Any]:
    [found] = hub.rompslomp.state()["records"]
    return dict(found)


def test_it_is_written_there_and_stands_until_robaws_changes(hub: Hub) -> None:
    source_id = asked(hub)

    give(hub, source_id, " +32 9 555 55 55 ")
    hub.settle()
    written = record(hub)["phone"]
    hub.robaws.change_client(source_id, email="nieuw@delinde.example")
    hub.sync(source_id)
    still = record(hub)["phone"]
    hub.robaws.change_client(source_id, tel="+32 9 666 66 66")
    hub.sync(source_id)

    assert (written, still) == ("+32 9 555 55 55", "+32 9 555 55 55")
    assert brief(hub, source_id, "rompslomp") == ("synced", None)
    assert record(hub)["phone"] == "+32 9 666 66 66"


@pytest.mark.parametrize(
    "value", [None, "", "  ", "no phone", "12", "09 123\n45 67", "BE68 5390 0754 7034", {"a": "b"}, "09" * 1_001]
)
def test_what_the_field_cannot_hold_is_refused(hub: Hub, value: Any) -> None:
    source_id = asked(hub)

    with pytest.raises(Unfit):
        give(hub, source_id, value)

    assert len(hub.questions(source_id, "rompslomp")) == 1


@pytest.mark.parametrize(
    ("normaliser", "value"), [("vat", "1" * 60_000 + "!"), ("email", "a@" + "." * 60_000 + "@"), ("text", "a" * 2_001)]
)
def test_a_very_long_value_is_refused_at_once(normaliser: str, value: str) -> None:
    began = time.process_time()

    with pytest.raises(ValueError, match="more than 2000 characters"):
        typed(FieldRow("website", "site", normaliser), value)

    assert time.process_time() - began < 1


def test_a_value_there_that_nobody_was_shown_is_asked_about_and_not_written_over(hub: Hub) -> None:
    source_id = asked(hub)

    give(hub, source_id, "+32 9 555 55 55")
    hub.rompslomp.edit_record(str(record(hub)["id"]), {"phone": "+32 9 111 11 11"})
    hub.settle()

    [question] = hub.questions(source_id, "rompslomp")
    assert record(hub)["phone"] == "+32 9 111 11 11"
    assert question["detail"]["theirs"] == "+32 9 111 11 11"


def test_a_change_in_robaws_since_the_answer_is_asked_about(hub: Hub) -> None:
    source_id = asked(hub)

    give(hub, source_id, "+32 9 555 55 55")
    hub.robaws.change_client(source_id, tel="+32 9 666 66 66")
    hub.sync(source_id)

    [question] = hub.questions(source_id, "rompslomp")
    assert record(hub)["phone"] == PHONE
    assert question["detail"]["ours"] == "+32 9 666 66 66"


def test_a_value_that_the_system_refuses_is_asked_about_with_its_words(hub: Hub) -> None:
    source_id = asked(hub)
    body = '{"error": {"type": "invalid_record", "message": "Contact is invalid: Phone is ongeldig."}}'
    hub.rompslomp.fail("status", status=422, body=body, method="PATCH", times=1)

    give(hub, source_id, "+32 9 555 55 55")
    hub.settle_all()

    assert record(hub)["phone"] == PHONE
    [question] = hub.questions(source_id, "rompslomp")
    assert (question["path"], question["detail"]["rule"]) == ("phone", "refused there")
    assert question["message"] == "phone: rompslomp refuses it: is ongeldig"


def test_a_lost_answer_to_it_writes_it_once_more_and_ends_well(hub: Hub) -> None:
    source_id = asked(hub)
    hub.rompslomp.fail("drop_after", times=1, method="PATCH")

    give(hub, source_id, "+32 9 555 55 55")
    hub.settle_all()

    assert record(hub)["phone"] == "+32 9 555 55 55"
    assert brief(hub, source_id, "rompslomp") == ("synced", None)
    assert "values" not in hub.link(source_id, "rompslomp")["decided"]


def test_of_an_address_the_parts_that_are_named_are_written_and_the_others_stand(hub: Hub) -> None:
    source_id = asked(hub, address="Dorpsplein 3", zipcode="8000", city="Brugge", country_code="BE")

    with pytest.raises(Unfit, match="postal_code"):
        give(hub, source_id, {"town": "Aalst"}, path="address.*")
    give(hub, source_id, {"city": "Aalst", "postal_code": "9300"}, path="address.*")
    hub.settle()

    there = record(hub)
    assert [there[name] for name in ("address", "zipcode", "city")] == ["Dorpsplein 3", "9300", "Aalst"]
    assert brief(hub, source_id, "rompslomp") == ("synced", None)


def test_a_value_that_does_not_fit_is_given_in_a_form_that_does(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"country": "Nergensland"})
    hub.sync(source_id)
    [question] = hub.questions(source_id, "rompslomp")

    give(hub, source_id, "Nederland", path=question["path"])
    hub.settle()

    assert record(hub)["country_code"] == "NL"
    assert brief(hub, source_id, "rompslomp") == ("synced", None)
