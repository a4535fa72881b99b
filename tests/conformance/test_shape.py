"""What a client offers: the methods that its capabilities tell of, and no way to write where nothing is written."""

from __future__ import annotations

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place
from worker.vendors.contract import Capabilities, Source, Target

CREATING = {"create", "create_client"}
CHANGING = {"update", "patch_client"}
DELETING = {"delete", "remove"}
WRITING = {*CREATING, *CHANGING, *DELETING, "write_back", "write", "patch", "put", "post", "send"}


@check("Reading only")
def test_capabilities_and_methods_agree(place: Place) -> None:
    client = place.client
    can: Capabilities = client.capabilities

    assert client.name == place.adapter.name
    assert isinstance(client, Target | Source)
    offered = {name for name in WRITING if callable(getattr(client, name, None))}
    told = (can.create, can.update, can.delete)
    assert (bool(offered & CREATING), bool(offered & CHANGING), bool(offered & DELETING)) == told


@check("Reading only", "read only")
def test_a_vendor_that_can_only_be_read_offers_no_way_to_write(place: Place) -> None:
    public = {name for name in dir(place.client) if not name.startswith("_")}

    assert public & WRITING == set()
    assert not isinstance(place.client, Target)


@check("Reading only", "read only")
def test_all_that_leaves_for_a_vendor_that_can_only_be_read_is_a_get(place: Place) -> None:
    for call in place.operations(place.prepare()).values():
        call()
    place.client.check(place.session())

    sent = {request.method for request in place.wire.left if not request.url.path.endswith("/oauth-token")}
    assert sent == {"GET"}
    assert {exchange.request.writes or exchange.request.creates for exchange in place.way.exchanges} == {False}


@check("Reading only", "read only", simulator_only=FAULT)
def test_the_vendor_itself_refuses_a_write(place: Place) -> None:
    place.read(place.there().external_id)
    last = place.wire.left[-1]

    statuses = {
        method: place.wire.inner.handle_request(
            type(last)(method, last.url, headers=last.headers, content=b"{}")
        ).status_code
        for method in ("POST", "PUT", "PATCH", "DELETE")
    }

    assert set(statuses.values()) == {405}


@check("Reading only")
def test_a_reading_call_writes_nothing(place: Place) -> None:
    calls = place.operations(place.prepare())
    before = len(place.way.exchanges)

    for name in ("read", "list"):
        calls[name]()

    kept = place.way.exchanges[before:]
    assert [one.request.operation for one in kept if one.request.writes or one.request.creates] == []
