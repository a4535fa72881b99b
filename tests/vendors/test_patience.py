"""How long, and how much, a vendor may answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import httpx
import pytest
from typing_extensions import override

from tests.vendors.recras.wire import client_of, session_with
from worker.errors import VendorUnavailable
from worker.vendors import transport
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.transport import Request, Session, Unmetered, make_client


class Endless(httpx.SyncByteStream):
    """A body that never ends."""

    def __init__(self) -> None:
        self.sent = 0

    @override
    def __iter__(self) -> Iterator[bytes]:
        for chunk in repeat(b"x" * 1_000):
            self.sent += len(chunk)
            yield chunk


def test_an_answer_larger_than_any_should_be_is_vendor_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 100_000)
    body = Endless()
    http = make_client("https://vendor.test", httpx.MockTransport(lambda _: httpx.Response(200, stream=body)))

    with pytest.raises(VendorUnavailable, match="larger"):
        Session("workspace", http, Unmetered()).send(Request("list", "GET", "/contacts.json"))

    assert body.sent < 200_000


def test_the_largest_answer_is_64_mib() -> None:
    assert transport.MAX_ANSWER_BYTES == 64 * 1024 * 1024


def test_a_list_of_recras_is_given_a_minute_and_a_single_customer_is_not() -> None:
    simulator = RecrasSimulator()
    external_id = simulator.add_record(naam="De Linde")
    client, session = client_of(simulator, timeout_seconds=5), session_with(simulator)
    session.timeout_seconds = 5
    simulator.fail("delay", seconds=50, times=2)

    assert len(list(client.list_records(session))) == 1
    with pytest.raises(VendorUnavailable):
        client.read(session, external_id)
