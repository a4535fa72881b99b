"""What is written to Robaws: write-backs, patches and creates, and what is known after each."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.vendors.robaws.client_wire import stored, wire
from worker.errors import (
    Busy,
    OutcomeUnknown,
    RateLimited,
    RecordGone,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.robaws.simulator import RobawsSimulator, Switches

KEY = "3f7f0f0e-6f0c-4a6b-8d1d-1c6f1f1c9a77"


def extra(robaws: RobawsSimulator, client_id: str) -> dict[str, Any]:
    held: dict[str, Any] = robaws.client(client_id)["extraFields"]
    return held


def test_a_write_back_fills_its_field_and_leaves_all_others_alone() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde", tel="+32 9 000 00 00")
    robaws.set_extra_field(client_id, "Klanttype", "Aannemer")

    with wire(robaws) as at:
        kept = at.client.write_back(at.session, client_id, {"Rompslomp-id": "12", "Recras-id": "71"}, KEY)

    assert kept == {"Rompslomp-id": "12", "Recras-id": "71"}
    assert extra(robaws, client_id)["Rompslomp-id"]["stringValue"] == "12"
    assert extra(robaws, client_id)["Klanttype"]["stringValue"] == "Aannemer"
    assert robaws.client(client_id)["tel"] == "+32 9 000 00 00"


def test_a_field_that_the_tenant_does_not_have_is_reported_as_not_kept() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")

    with wire(robaws) as at:
        kept = at.client.write_back(at.session, client_id, {"Rompslomp-id": "12", "Bestaat-niet": "x"}, KEY)

    assert kept == {"Rompslomp-id": "12"}


def test_a_choice_that_the_tenant_does_not_have_is_reported_as_not_kept() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")

    with wire(robaws) as at:
        assert at.client.write_back(at.session, client_id, {"Klanttype": "Bestaat niet"}, KEY) == {}


def test_a_field_is_emptied_by_none() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")
    robaws.set_extra_field(client_id, "Rompslomp-id", "12")

    with wire(robaws) as at:
        kept = at.client.write_back(at.session, client_id, {"Rompslomp-id": None}, KEY)

    assert kept == {"Rompslomp-id": None}
    assert "Rompslomp-id" not in extra(robaws, client_id)


def test_after_a_204_the_client_is_read_once_to_see_what_was_kept() -> None:
    robaws = RobawsSimulator(switches=Switches(patch_answers_entity=False))
    client_id = robaws.add_client(name="De Linde")

    with wire(robaws) as at:
        kept = at.client.write_back(at.session, client_id, {"Rompslomp-id": "12", "Bestaat-niet": "x"}, KEY)

    assert kept == {"Rompslomp-id": "12"}
    assert [one.request.method for one in robaws.calls()] == ["PATCH", "GET"]


def test_a_write_back_changes_nothing_in_the_canonical_contact() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde", contacts=[{"name": "An"}])

    with wire(robaws, settings={"write_back": {"rompslomp": "Rompslomp-id"}}) as at:
        before, _ = at.client.fetch(at.session, client_id)
        at.client.write_back(at.session, client_id, {"Rompslomp-id": "12"}, KEY)
        after, _ = at.client.fetch(at.session, client_id)

    assert after == before


def test_a_patch_changes_what_it_names_and_empties_by_null() -> None:
    robaws = RobawsSimulator()
    address = {"addressLine1": "Kerkstraat 12", "city": "Gent", "country": "BE"}
    client_id = robaws.add_client(name="De Linde", website="https://delinde.example", address=address)

    with wire(robaws) as at:
        patch = {"gsm": "+32 470 00 00 01", "website": None, "address": {"city": "Genk"}}
        shown = at.client.patch_client(at.session, client_id, patch, KEY)

    assert shown is not None
    assert (shown["gsm"], shown["website"], shown["address"]["city"]) == ("+32 470 00 00 01", None, "Genk")
    assert shown["address"]["addressLine1"] == "Kerkstraat 12"
    assert robaws.client(client_id)["name"] == "De Linde"
    (call,) = robaws.calls("PATCH")
    assert call.request.headers["content-type"] == "application/merge-patch+json"


def test_a_patch_of_a_client_that_is_gone_says_so() -> None:
    with wire(RobawsSimulator()) as at, pytest.raises(RecordGone):
        at.client.patch_client(at.session, "999999", {"gsm": None}, KEY)


def test_a_refused_patch_carries_the_vendor_s_own_words() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")

    with wire(robaws) as at, pytest.raises(VendorRejected, match="name: must not be blank") as caught:
        at.client.patch_client(at.session, client_id, {"name": None}, KEY)

    assert caught.value.status == 400


def test_a_repeat_while_the_first_request_is_in_work_is_busy() -> None:
    robaws = RobawsSimulator(clock=lambda: 1_760_000_000.0, switches=Switches(idempotency_busy_seconds=5))
    client_id = robaws.add_client(name="De Linde")

    with wire(robaws) as at:
        at.client.patch_client(at.session, client_id, {"gsm": "1"}, KEY)
        with pytest.raises(Busy):
            at.client.patch_client(at.session, client_id, {"gsm": "1"}, KEY)


@pytest.mark.parametrize("status", [200, 201])
def test_a_create_is_made_once_under_its_key(status: Any) -> None:
    robaws = RobawsSimulator(switches=Switches(created_status=status))

    with wire(robaws) as at:
        first = at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)
        again = at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)

    assert first.external_id == again.external_id
    assert list(robaws.state()["clients"]) == [first.external_id]
    assert first.record is not None
    assert first.record.name == "Bouwgroep Maas"
    assert not first.matched


@pytest.mark.parametrize("header", ["idempotency-key", "x-robaws-idempotency-key"])
def test_the_key_works_whichever_of_its_two_names_robaws_knows(header: str) -> None:
    robaws = RobawsSimulator(switches=Switches(idempotency_headers=(header,)))

    with wire(robaws) as at:
        for _ in range(2):
            at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)

    assert len(robaws.state()["clients"]) == 1


def test_a_create_whose_answer_is_lost_is_resolved_by_repeating_under_its_key() -> None:
    robaws = RobawsSimulator()
    robaws.fail("drop_after", method="POST")

    with wire(robaws) as at:
        with pytest.raises(OutcomeUnknown):
            at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)
        created = at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)

    assert list(robaws.state()["clients"]) == [created.external_id]


@pytest.mark.parametrize(
    ("fault", "settings", "expected"),
    [
        ("status", {"status": 500}, OutcomeUnknown),
        ("html", {"status": 502}, OutcomeUnknown),
        ("html", {"status": 200}, OutcomeUnknown),
        ("truncate", {}, OutcomeUnknown),
        ("wrong_json", {}, OutcomeUnknown),
        ("empty", {}, OutcomeUnknown),
        ("delay", {"seconds": 60}, OutcomeUnknown),
        ("throttle", {}, RateLimited),
        ("status", {"status": 400, "body": '{"message": "name: is taken"}'}, VendorRejected),
    ],
)
def test_after_every_fault_it_is_known_whether_a_create_may_have_been_made(
    fault: str, settings: dict[str, Any], expected: type[Exception]
) -> None:
    robaws = RobawsSimulator()
    robaws.fail(fault, **settings)

    with wire(robaws) as at, pytest.raises(expected):
        at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)


def test_a_create_that_never_left_was_not_made() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with stored(refuse) as at, pytest.raises(VendorUnavailable):
        at.client.create_client(at.session, {"name": "Bouwgroep Maas"}, KEY)


def test_an_unanswered_patch_is_an_unknown_outcome_and_may_be_repeated() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")
    robaws.fail("drop_after", method="PATCH")

    with wire(robaws) as at:
        with pytest.raises(OutcomeUnknown):
            at.client.patch_client(at.session, client_id, {"gsm": "1"}, KEY)
        shown = at.client.patch_client(at.session, client_id, {"gsm": "1"}, KEY)

    assert shown is not None
    assert shown["gsm"] == "1"


def test_bodies_are_sent_as_utf_8_without_escapes() -> None:
    robaws = RobawsSimulator()

    with wire(robaws) as at:
        at.client.create_client(at.session, {"name": "Brasserie 't Œuf & Ünïcode"}, KEY)

    body = robaws.calls("POST")[0].request.body
    assert json.loads(body)["name"] == "Brasserie 't Œuf & Ünïcode"
    assert "Œuf".encode() in body


def test_a_write_to_a_wrong_address_is_not_a_client_that_is_gone() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde")
    with wire(robaws) as at:
        at.session.client.base_url = httpx.URL("https://robaws.test/api/v9")

        with pytest.raises(WrongAddress):
            at.client.patch_client(at.session, client_id, {"name": "x"}, KEY)
        with pytest.raises(WrongAddress):
            at.client.create_client(at.session, {"name": "Maas"}, KEY)
        with pytest.raises(WrongAddress):
            list(at.client.list_ids(at.session))


def test_a_write_to_a_client_that_is_gone_asks_once_whether_the_address_is_right() -> None:
    robaws = RobawsSimulator()
    with wire(robaws) as at:
        for _ in range(2):
            with pytest.raises(RecordGone):
                at.client.patch_client(at.session, "4", {"name": "x"}, KEY)

    assert [exchange.request.method for exchange in robaws.calls()] == ["PATCH", "GET", "PATCH"]
