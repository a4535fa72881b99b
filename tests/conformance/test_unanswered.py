"""A create whose answer is lost, late or rubbish: never a second record, and the first one is found."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place, error_of
from tests.conformance.samples import new_tag
from worker.errors import OutcomeUnknown, VendorUnavailable

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}


def _lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection was closed before an answer", request=request)


def _late(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer in time", request=request)


def _cut(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("the answer ends in the middle of its headers", request=request)


def _never_sent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


RUBBISH: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "no answer": _lost,
    "an answer too late": _late,
    "half of an answer": _cut,
    "a 502 of a proxy": lambda _: httpx.Response(502, headers=HTML, text="<html>Bad Gateway</html>"),
    "a 500 in JSON": lambda _: httpx.Response(500, headers=JSON, text='{"error": "oops"}'),
    "a login page under 200": lambda _: httpx.Response(200, headers=HTML, text="<html>Log in</html>"),
    "truncated JSON": lambda _: httpx.Response(201, headers=JSON, text='{"contact": {"id": 7, "na'),
    "JSON of another kind": lambda _: httpx.Response(201, headers=JSON, text='{"unexpected": [1, 2, 3]}'),
    "a list for a record": lambda _: httpx.Response(200, headers=JSON, text="[]"),
    "an empty body": lambda _: httpx.Response(201, headers=JSON),
}


@check("Creates without an answer", "create", simulator_only=FAULT)
@pytest.mark.parametrize("answer", RUBBISH)
def test_a_create_that_was_made_and_not_answered_is_found_and_not_made_twice(place: Place, answer: str) -> None:
    intent = place.intent(place.contact())
    with place.answered(RUBBISH[answer], done=True):
        error = error_of(lambda: place.send(intent))

    external_id = place.resolve(intent)

    assert isinstance(error, OutcomeUnknown)
    assert place.adapter.names(place.simulator) == [place.contact()["name"]]
    assert place.read(external_id).name == place.contact()["name"]


@check("Creates without an answer", "create", simulator_only=FAULT)
@pytest.mark.parametrize("answer", ["no answer", "an answer too late", "a 502 of a proxy"])
def test_a_create_that_never_arrived_is_made_once_when_it_is_sent_again(place: Place, answer: str) -> None:
    intent = place.intent(place.contact())
    with place.answered(RUBBISH[answer], done=False):
        error = error_of(lambda: place.send(intent))

    external_id = place.resolve(intent)

    assert isinstance(error, OutcomeUnknown)
    assert place.adapter.names(place.simulator) == [place.contact()["name"]]
    assert place.read(external_id).name == place.contact()["name"]


@check("Creates without an answer", "create", simulator_only=FAULT)
def test_a_create_that_could_not_leave_is_known_not_to_have_happened(place: Place) -> None:
    intent = place.intent(place.contact())
    with place.answered(_never_sent, done=False):
        error = error_of(lambda: place.send(intent))

    assert isinstance(error, VendorUnavailable)
    assert error.word == "unreachable"
    assert place.adapter.names(place.simulator) == []


@check("Creates without an answer", "create", "find created", simulator_only=FAULT)
def test_a_create_that_never_arrived_is_not_found(place: Place) -> None:
    intent = place.intent(place.contact())
    place.simulator.fail("drop_before", method="POST")

    error_of(lambda: place.send(intent))

    assert place.client.find_created(place.session(), intent) == []


@check("Creates without an answer", "create", "find created", simulator_only=FAULT)
def test_a_record_that_was_there_before_is_not_taken_for_the_one_that_was_made(place: Place) -> None:
    # One by hand with the same name, another create of a contact that shares the e-mail.
    before = place.adapter.by_hand(place.simulator, place.tag)
    other = place.make(place.contact(new_tag(), email=place.contact()["email"], vat_number=None, persons=[]))
    intent = place.intent(place.contact(email=f"other-{place.contact()['email']}", persons=[]))
    place.simulator.fail("drop_after", method="POST")

    error_of(lambda: place.send(intent))
    found = [record.external_id for record in place.client.find_created(place.session(), intent)]

    assert len(found) == 1
    assert found[0] not in (before, other.external_id)
    place.made.append(found[0])


@check("Creates without an answer", "create", "find created", simulator_only=FAULT)
def test_of_two_contacts_that_look_alike_each_finds_its_own_record(place: Place) -> None:
    alike = {**place.adapter.alike, "persons": []}
    first = place.make(place.contact(references__robaws_id=new_tag(), **alike))
    intent = place.intent(place.contact(**alike))
    place.simulator.fail("drop_after", method="POST")

    error_of(lambda: place.send(intent))
    found = [record.external_id for record in place.client.find_created(place.session(), intent)]

    assert len(found) == 1
    assert found[0] != first.external_id
    place.made.append(found[0])
