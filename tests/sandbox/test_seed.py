"""Made-up clients: valid where the product checks, and nobody's."""

from __future__ import annotations

import phonenumbers
import pytest
from stdnum.be import vat as belgian
from stdnum.nl import btw as dutch

from worker.sandbox.seed import belgian_vat, dutch_vat, made_up_client, seed
from worker.vendors.robaws.simulator import RobawsSimulator


@pytest.mark.parametrize("number", [1, 2, 10, 97, 98, 4_000, 123_456, 9_999_999])
def test_vat_numbers_have_valid_check_digits(number: int) -> None:
    assert belgian.is_valid(belgian_vat(number))
    assert dutch.is_valid(dutch_vat(number))


def test_no_two_clients_share_a_vat_number_or_an_address_for_mail() -> None:
    clients = [made_up_client(number) for number in range(1, 2_001)]

    vat_numbers = [client["vatIdNumber"] for client in clients if "vatIdNumber" in client]
    assert len(set(vat_numbers)) == len(vat_numbers) > 1_000
    assert len({client["email"] for client in clients}) == 2_000


def test_a_client_is_the_same_in_every_run_and_plainly_made_up() -> None:
    clients = [made_up_client(number) for number in range(1, 301)]

    assert clients == [made_up_client(number) for number in range(1, 301)]
    assert all(client["email"].endswith(".example") for client in clients)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(client["tel"])) for client in clients)
    assert {client["address"]["country"] for client in clients} == {"BE", "NL"}
    assert {len(client.get("contacts", ())) for client in clients} == {0, 1, 2, 3}
    assert any("vatIdNumber" not in client for client in clients)


def test_seeding_is_told_to_the_endpoints_that_are_registered() -> None:
    robaws = RobawsSimulator()
    robaws.register_webhook("http://127.0.0.1:1/")

    ids = seed(robaws, 3)

    assert list(robaws.state()["clients"]) == ids
    assert len(robaws.take_webhooks()) == 3
