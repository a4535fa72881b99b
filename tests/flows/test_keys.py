"""Every write to every vendor carries its key: the same when it is repeated, another for another write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

TARGETS = ("rompslomp", "recras", "workspace")


def writes(hub: Hub, system: str) -> list[tuple[str, str, bytes, str]]:
    """Method, path, body and key of each write that a vendor saw."""
    return [
        (one.request.method, one.request.path, one.request.body, one.request.headers["idempotency-key"])
        for one in hub.simulators[system].calls()
        if one.request.method != "GET"
    ]


def synced(hub: Hub) -> str:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.add_person(source_id, name="An", surname="Peeters", email="an@delinde.example")
    hub.robaws.add_person(source_id, name="Bo", surname="Claes", email="bo@delinde.example")
    hub.sync(source_id)
    return source_id


@pytest.mark.parametrize("system", TARGETS)
def test_creates_and_changes_carry_keys_that_the_log_keeps(hub: Hub, system: str) -> None:
    source_id = synced(hub)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    sent = writes(hub, system)
    with hub.engine.connect() as connection:
        logged = connection.execute(
            text("SELECT idempotency_key FROM attempt WHERE system = :s AND method <> 'GET' ORDER BY id"), {"s": system}
        ).scalars()
        assert list(logged) == [key for *_, key in sent]
    assert len({key for *_, key in sent}) == len(sent) >= 2


@pytest.mark.parametrize("system", TARGETS)
def test_a_create_that_is_repeated_has_the_same_key(hub: Hub, system: str) -> None:
    hub.simulators[system].fail("drop_before", method="POST")
    synced(hub)
    hub.settle_all()

    creates = writes(hub, system)[:2]

    assert creates[0] == creates[1]


@pytest.mark.parametrize(
    ("system", "method", "members"),
    [
        ("rompslomp", "PATCH", {"tel": "+32 9 000 05 55"}),
        ("recras", "PUT", {"address": {"city": "Aalst"}}),
        ("workspace", "POST", {"tel": "+32 9 000 05 55"}),
    ],
)
def test_a_change_that_is_repeated_has_the_same_key(
    hub: Hub, system: str, method: str, members: dict[str, Any]
) -> None:
    source_id = synced(hub)
    hub.forget_calls()
    hub.simulators[system].fail("status", method=method, status=503)
    hub.robaws.change_client(source_id, **members)
    hub.sync(source_id)
    hub.settle_all()

    first, second, *_ = writes(hub, system)

    assert first == second


@pytest.mark.parametrize("system", TARGETS)
def test_a_value_that_comes_back_is_another_write(hub: Hub, system: str) -> None:
    source_id = synced(hub)
    hub.forget_calls()
    for city in ("Aalst", "Brugge", "Aalst", "Brugge"):
        hub.robaws.change_client(source_id, address={"city": city})
        hub.sync(source_id)

    keys = [key for *_, key in writes(hub, system)]

    assert len(set(keys)) == len(keys) == 4


def test_each_request_of_a_change_of_persons_has_its_own_key(hub: Hub) -> None:
    source_id = synced(hub)
    hub.forget_calls()
    persons = hub.robaws.state()["clients"][source_id]["contacts"]
    for person in persons:
        hub.robaws.change_person(str(person["id"]), tel="+32 9 111 11 11")
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    sent = writes(hub, "recras")

    assert len({path for _, path, _, _ in sent}) == len({key for *_, key in sent}) == len(sent) >= 3


@pytest.mark.parametrize("system", TARGETS)
def test_without_header_names_none_is_sent(hub: Hub, system: str) -> None:
    hub.configure(**{system: {"idempotency_headers": ()}})
    source_id = synced(hub)

    sent = [one.request.headers for one in hub.simulators[system].calls() if one.request.method != "GET"]

    assert hub.link(source_id, system)["state"] == "synced"
    assert [name for headers in sent for name in headers if "idempotency" in name] == []
    hub.simulators[system].key_problems.clear()
