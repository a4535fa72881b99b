"""What a vendor refuses, told apart: credentials, a right, an address, a record, data, one more record."""

from __future__ import annotations

from dataclasses import replace

import httpx

from tests.conformance.declared import FAULT, STATE, check
from tests.conformance.place import Place, Way, error_of, errors_of
from worker.errors import (
    CredentialsRejected,
    QuotaReached,
    RateLimited,
    RecordGone,
    VendorBroken,
    VendorRejected,
    WrongAddress,
)


def wrong(place: Place) -> Way:
    return place.other_way(**place.adapter.wrong_credentials())


@check("Errors told apart")
def test_wrong_credentials_are_told_by_every_call(place: Place) -> None:
    prepared = place.prepare()

    told = errors_of(place.operations(prepared, wrong(place)))

    assert told == dict.fromkeys(told, CredentialsRejected)


@check("Errors told apart")
def test_after_credentials_that_are_refused_nothing_more_is_asked(place: Place) -> None:
    prepared = place.prepare()
    calls: dict[str, int] = {}
    for name in place.operations(prepared):
        way = wrong(place)
        error_of(place.operations(prepared, way)[name])
        calls[name] = len(way.wire.left)

    assert calls == dict.fromkeys(calls, 1)


@check("Errors told apart", simulator_only=STATE)
def test_a_missing_right_is_told_by_every_call_and_is_not_a_wrong_credential(place: Place) -> None:
    prepared = place.prepare()
    refused = error_of(place.operations(prepared, wrong(place))["list"])
    place.adapter.take_the_right(place.simulator)

    calls = place.operations(prepared)
    errors = {name: error_of(call) for name, call in calls.items()}

    assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(calls, CredentialsRejected)
    assert refused is not None
    assert [name for name, error in errors.items() if error is None or error.word == refused.word] == []


@check("Errors told apart")
def test_a_wrong_address_is_told_by_every_call_and_is_never_a_missing_record(place: Place) -> None:
    prepared = place.prepare()
    way = place.other_way(**place.adapter.wrong_address(place.way.settings))

    told = errors_of(place.operations(prepared, way))

    assert told == dict.fromkeys(told, WrongAddress)


@check("Errors told apart", simulator_only=FAULT)
def test_a_404_of_something_before_the_vendor_is_never_a_missing_record(place: Place) -> None:
    prepared = place.prepare()
    page = httpx.Response(404, headers={"content-type": "text/html"}, text="<html><h1>404 Not Found</h1></html>")
    with place.answered(lambda _: httpx.Response(404, headers=page.headers, content=page.content), done=False):
        told = errors_of(place.operations(prepared))

    assert {name: kind for name, kind in told.items() if kind not in (VendorBroken, WrongAddress)} == {}


@check("Errors told apart", simulator_only=FAULT)
def test_a_redirect_is_not_followed(place: Place) -> None:
    prepared = place.prepare()
    elsewhere = {"location": "https://elsewhere.example/api"}
    with place.answered(lambda _: httpx.Response(302, headers=elsewhere), done=False):
        told = errors_of(place.operations(prepared))

    assert told == dict.fromkeys(told, VendorBroken)
    assert {request.url.host for request in place.wire.left} == {httpx.URL(place.way.settings.base_url).host}


@check("Errors told apart", "create")
def test_data_that_is_refused_at_a_create_is_told_with_the_vendors_message(place: Place) -> None:
    intent = place.intent(place.contact())

    error = error_of(lambda: place.send(place.adapter.refused(intent)))

    assert isinstance(error, VendorRejected)
    assert not isinstance(error, RecordGone | WrongAddress)
    assert error.message
    assert error.excerpt


@check("Errors told apart", "update")
def test_data_that_is_refused_at_an_update_is_told_and_nothing_changes(place: Place) -> None:
    record = place.there()

    error = error_of(lambda: place.update(record, place.adapter.refused_members()))

    assert isinstance(error, VendorRejected)
    assert error.message
    assert place.read(record.external_id).fields == record.fields


@check("Errors told apart", "create", "named faults")
def test_a_refusal_names_the_members_in_the_vendors_own_words(place: Place) -> None:
    intent = place.intent(place.contact())

    error = error_of(lambda: place.send(place.adapter.refused(intent)))

    assert isinstance(error, VendorRejected)
    assert set(error.fields) == set(place.adapter.refused_members())
    assert all(error.fields.values())


@check("Errors told apart", "create", simulator_only=STATE)
def test_a_refused_create_makes_no_record_and_may_be_put_right(place: Place) -> None:
    intent = place.intent(place.contact())
    error_of(lambda: place.send(place.adapter.refused(intent)))

    before = place.adapter.names(place.simulator)
    created = place.send(replace(intent, key=f"{intent.key}-2"))

    assert before == []
    assert place.read(place.settled(intent, created)).name == place.contact()["name"]


@check("Errors told apart", "full subscription", simulator_only=STATE)
def test_a_full_subscription_is_no_fault_of_the_contact_and_stops_no_change(place: Place) -> None:
    record = place.there()
    intent = place.intent(place.contact())
    place.adapter.fill_the_subscription(place.simulator)

    error = error_of(lambda: place.send(intent))
    place.update(record, place.new_city())

    assert isinstance(error, QuotaReached)
    assert error.message


@check("Errors told apart", "daily quota", simulator_only=STATE)
def test_the_days_quota_is_told_apart_from_the_limit_of_a_second(place: Place) -> None:
    prepared = place.prepare()
    place.adapter.spend_the_day(place.simulator)

    calls = place.operations(prepared)
    errors = {name: error_of(call) for name, call in calls.items()}

    assert {name: isinstance(error, RateLimited) and error.daily for name, error in errors.items()} == dict.fromkeys(
        calls, True
    )
    assert all(isinstance(error, RateLimited) and (error.retry_after_seconds or 0) > 60 for error in errors.values())
