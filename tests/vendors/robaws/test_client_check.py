"""Webhook registrations at Robaws, and what `check` tells a newcomer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.vendors.robaws.client_wire import BASE_URL, stored, wire
from worker.errors import ConfigurationError, CredentialsRejected, OutcomeUnknown, RecordGone
from worker.vendors.contract import Finding
from worker.vendors.robaws.simulator import RobawsSimulator, Switches

KEY = "registration-1"
URL = "https://sync.example.org/webhooks/robaws"


def tenant(**switches: Any) -> RobawsSimulator:
    robaws = RobawsSimulator(switches=Switches(**switches))
    robaws.add_client(name="Dakwerken De Linde")
    return robaws


def findings(robaws: RobawsSimulator, **settings: Any) -> dict[str, Finding]:
    with wire(robaws, settings=settings) as at:
        found: list[Finding] = at.client.check(at.session)
    return {finding.subject: finding for finding in found}


def test_a_registered_endpoint_tells_its_secret_and_is_listed_without_it() -> None:
    robaws = tenant()

    with wire(robaws) as at:
        made = at.client.register_webhook(at.session, URL, KEY)
        (listed,) = at.client.list_webhooks(at.session)

    assert made.secret == RobawsSimulator.SANDBOX_WEBHOOK_SECRET
    assert (listed.endpoint_id, listed.url, listed.events) == (
        made.endpoint_id,
        URL,
        ("client.created", "client.updated"),
    )
    assert listed.secret is None


def test_the_secret_is_in_nothing_that_the_log_keeps() -> None:
    with wire(tenant()) as at:
        made = at.client.register_webhook(at.session, URL, KEY)

    assert made.secret is not None
    assert made.secret not in repr(at.session.exchanges)


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_an_address_is_not_registered_a_second_time(url: str) -> None:
    robaws = tenant()
    robaws.register_webhook(URL)

    with wire(robaws) as at, pytest.raises(ConfigurationError, match="already"):
        at.client.register_webhook(at.session, url, KEY)

    assert robaws.calls("POST") == []


def test_a_robaws_that_does_not_list_endpoints_still_registers_one() -> None:
    robaws = tenant()
    robaws.fail("status", status=404, body="{}", method="GET", path="webhook-endpoints")

    with wire(robaws) as at:
        assert at.client.register_webhook(at.session, URL, KEY).secret


def test_only_an_administrator_may_register() -> None:
    with (
        wire(tenant(user_is_admin=False)) as at,
        pytest.raises(CredentialsRejected, match="webhook-endpoints") as caught,
    ):
        at.client.register_webhook(at.session, URL, KEY)

    assert caught.value.word == "no_right"


def test_a_lost_answer_to_a_registration_is_an_unknown_outcome() -> None:
    robaws = tenant()
    robaws.fail("drop_after", method="POST")

    with wire(robaws) as at, pytest.raises(OutcomeUnknown):
        at.client.register_webhook(at.session, URL, KEY)


def test_an_endpoint_is_removed_once() -> None:
    robaws = tenant()

    with wire(robaws) as at:
        made = at.client.register_webhook(at.session, URL, KEY)
        at.client.remove_webhook(at.session, made.endpoint_id)
        with pytest.raises(RecordGone):
            at.client.remove_webhook(at.session, made.endpoint_id)
        assert at.client.list_webhooks(at.session) == []


def test_a_bare_list_of_endpoints_is_read_as_well() -> None:
    body = [{"id": "a-1", "url": URL, "events": None}, {"id": "a-2"}]

    with stored(lambda _: httpx.Response(200, json=body)) as at:
        listed = at.client.list_webhooks(at.session)

    assert [(endpoint.endpoint_id, endpoint.url) for endpoint in listed] == [("a-1", URL), ("a-2", "")]


def test_all_is_well_line_by_line() -> None:
    robaws = tenant()
    robaws.register_webhook(URL)

    found = findings(robaws)

    assert list(found) == ["credentials", "clients", "daily quota", "webhooks"]
    assert all(finding.ok and not finding.next_step for finding in found.values())
    assert found["clients"].message == "1 client can be read"
    assert "9999 of 10000" in found["daily quota"].message
    assert URL in found["webhooks"].message
    assert len(robaws.calls()) <= 3


def test_a_wrong_password_is_said_with_the_step_and_nothing_more_is_asked() -> None:
    robaws = tenant()

    found = findings(robaws, password="wrong")

    assert list(found) == ["credentials"]
    assert not found["credentials"].ok
    assert "API-only user" in found["credentials"].next_step
    assert len(robaws.calls()) == 1


def test_wrong_credentials_ask_for_the_api_key_and_secret() -> None:
    found = findings(tenant(), password="wrong")

    assert "API key and API secret" in found["credentials"].next_step


def test_a_block_says_to_leave_the_password_alone() -> None:
    robaws = tenant()
    robaws.block()

    found = findings(robaws)

    assert "temp-blocked" in found["credentials"].message
    assert "leave the password alone" in found["credentials"].next_step
    assert "username" not in found["credentials"].next_step


def test_a_role_without_clients_names_the_module() -> None:
    found = findings(tenant(forbidden_modules=frozenset({"clients"})))

    assert list(found) == ["clients"]
    assert "`clients`" in found["clients"].message
    assert "module" in found["clients"].next_step


@pytest.mark.parametrize("status", [404, 405])
def test_an_address_that_is_not_robaws_is_said(status: int) -> None:
    robaws = tenant()
    robaws.fail("status", status=status, body="{}")

    found = findings(robaws)

    assert not found["address"].ok
    assert "api/v2" in found["address"].next_step


@pytest.mark.parametrize(
    ("fault", "subject"), [("html", "connection"), ("drop_before", "connection"), ("truncate", "address")]
)
def test_a_robaws_that_does_not_answer_properly_is_said(fault: str, subject: str) -> None:
    robaws = tenant()
    robaws.fail(fault, **({"status": 502} if fault == "html" else {}))

    assert not findings(robaws)[subject].ok


def test_a_spent_day_is_said() -> None:
    robaws = tenant()
    robaws.spend_daily_quota()

    assert "quota" in findings(robaws)["limits"].message


def test_a_day_that_is_nearly_spent_needs_a_person() -> None:
    robaws = RobawsSimulator(
        clock=lambda: float(1_760_000_000), switches=Switches(daily_requests=20, rate_per_second=None)
    )

    with wire(robaws) as at:
        for _ in range(18):
            list(at.client.list_webhooks(at.session))
        found = {finding.subject: finding for finding in at.client.check(at.session)}

    assert not found["daily quota"].ok
    assert "1 of 20" in found["daily quota"].message


def test_no_registration_at_all_needs_a_person() -> None:
    found = findings(tenant())

    assert not found["webhooks"].ok
    assert "contactsync webhooks register" in found["webhooks"].next_step


def test_an_address_that_is_registered_twice_needs_a_person() -> None:
    robaws = tenant()
    robaws.register_webhook(URL)
    robaws.register_webhook(URL)

    found = findings(robaws)

    assert not found["webhooks"].ok
    assert "2 times" in found["webhooks"].message


def test_an_endpoint_that_is_not_told_of_new_clients_needs_a_person() -> None:
    robaws = tenant()
    robaws.register_webhook(URL, ("client.updated", "offer.created"))

    assert "client.created" in findings(robaws)["webhooks"].message


def test_endpoints_for_other_events_are_not_ours() -> None:
    robaws = tenant()
    robaws.register_webhook("https://other.example.org", ("offer.created",))

    assert "no address" in findings(robaws)["webhooks"].message


def test_a_login_that_is_no_administrator_is_as_it_should_be() -> None:
    found = findings(tenant(user_is_admin=False))

    assert found["webhooks"].ok
    assert "administrator" in found["webhooks"].message


def test_settings_without_a_webhook_secret_need_a_person() -> None:
    found = findings(tenant(), webhook_secrets=[])

    assert not found["webhook secret"].ok


def test_check_never_raises_for_what_the_vendor_answers() -> None:
    for fault in ("delay", "empty", "wrong_json", "throttle"):
        robaws = tenant()
        robaws.fail(fault, times=-1, **({"seconds": 90} if fault == "delay" else {}))
        with wire(robaws, settings={"base_url": BASE_URL}) as at:
            assert not all(finding.ok for finding in at.client.check(at.session))
