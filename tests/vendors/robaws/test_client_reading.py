"""One client of Robaws fetched: what is asked, what comes of the answer, and when a client counts as gone."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from typing_extensions import override

from tests.vendors.robaws.client_wire import BASE_URL, stored, wire
from worker.config.vendors import RobawsSettings
from worker.errors import (
    ConfigurationError,
    CredentialsRejected,
    MappingError,
    RateLimited,
    RecordGone,
    VendorBroken,
    VendorUnavailable,
)
from worker.vendors.contract import Source
from worker.vendors.contract import build as build_by_name
from worker.vendors.robaws.simulator import RobawsSimulator, Switches
from worker.vendors.simulation import SimRequest, SimResponse

FIXTURES = Path(__file__).parent / "fixtures"
JSON = {"content-type": "application/json"}


class ForgetsInclude(RobawsSimulator):
    """A Robaws that does not honour `include` (sheet 7: "not honoured everywhere")."""

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        query = "&".join(pair for pair in request.raw_query.split("&") if not pair.startswith("include="))
        return super().answer(SimRequest(request.method, request.path, query, request.headers, request.body))


class NullContacts(RobawsSimulator):
    """A Robaws that answers null in the place of the persons that were asked for."""

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        response = super().answer(request)
        if "include=" not in request.raw_query:
            return response
        return replace(response, body=json.dumps(json.loads(response.body) | {"contacts": None}).encode())


def client_json(**changed: Any) -> bytes:
    record = json.loads((FIXTURES / "client_with_contacts.json").read_text()) | changed
    return json.dumps(record).encode()


def test_a_client_is_fetched_whole_with_one_live_call() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="Dakwerken De Linde", contacts=[{"name": "An", "surname": "Peeters"}])

    with wire(robaws) as at:
        contact, raw = at.client.fetch(at.session, client_id)

    assert (contact["name"], contact["references"]["robaws_id"]) == ("Dakwerken De Linde", client_id)
    assert [person["first_name"] for person in contact["persons"]] == ["An"]
    assert raw["id"] == client_id
    (call,) = robaws.calls()
    assert (call.request.method, call.request.path) == ("GET", f"/api/v2/clients/{client_id}")
    assert call.request.query == [("include", "contacts")]
    assert "database-mode" not in call.request.headers
    assert at.budget.asked == [""]


def test_every_request_carries_basic_credentials_and_asks_for_json() -> None:
    robaws = RobawsSimulator()
    robaws.username, robaws.password = "andré@delinde.example", "pässword:with:colons"
    client_id = robaws.add_client(name="Dakwerken De Linde")

    with wire(robaws) as at:
        at.client.fetch(at.session, client_id)

    headers = robaws.calls()[0].request.headers
    expected = base64.b64encode("andré@delinde.example:pässword:with:colons".encode()).decode()
    assert headers["authorization"] == f"Basic {expected}"
    assert headers["accept"] == "application/json"
    assert "x-tenant" not in headers


def test_the_tenant_is_sent_where_the_settings_name_one() -> None:
    robaws = RobawsSimulator(switches=Switches(tenant="delinde", tenant_required=True))
    client_id = robaws.add_client(name="Dakwerken De Linde")

    with wire(robaws, settings={"tenant": "delinde"}) as at:
        contact, _ = at.client.fetch(at.session, client_id)

    assert contact["name"] == "Dakwerken De Linde"


@pytest.mark.parametrize("kind", [ForgetsInclude, NullContacts])
def test_contact_persons_are_asked_for_separately_where_include_is_not_honoured(kind: type[RobawsSimulator]) -> None:
    robaws = kind(switches=Switches(rate_per_second=None))
    names = [f"Persoon {number}" for number in range(150)]
    client_id = robaws.add_client(name="Dakwerken De Linde", contacts=[{"name": name} for name in names])

    with wire(robaws) as at:
        contact, raw = at.client.fetch(at.session, client_id)

    assert [person["first_name"] for person in contact["persons"]] == names
    assert len(raw["contacts"]) == 150


def test_contact_persons_that_cannot_be_found_do_not_mean_that_the_client_is_gone() -> None:
    robaws = ForgetsInclude()
    client_id = robaws.add_client(name="Dakwerken De Linde")
    robaws.fail("status", status=404, body='{"status": 404}', path="/contacts$")

    with wire(robaws) as at, pytest.raises(VendorBroken):
        at.client.fetch(at.session, client_id)


def test_a_client_that_was_deleted_is_gone() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="Dakwerken De Linde")
    robaws.delete_client(client_id)

    with wire(robaws) as at, pytest.raises(RecordGone) as caught:
        at.client.fetch(at.session, client_id)

    assert (caught.value.word, caught.value.status) == ("gone", 404)
    assert caught.value.correlation_id


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html><h1>404 Not Found</h1></html>", "text/html"),
        (b"404 page not found", "text/plain"),
        (b"<html>", "application/octet-stream"),
    ],
)
def test_a_404_from_a_proxy_does_not_mean_that_the_client_is_gone(body: bytes, content_type: str) -> None:
    with (
        stored(lambda _: httpx.Response(404, content=body, headers={"content-type": content_type})) as at,
        pytest.raises(VendorBroken),
    ):
        at.client.fetch(at.session, "1834")


@pytest.mark.parametrize("source_id", ["", "abc", "1834/contacts", "../users", "1834?x=1", "-1", "1 834", "٣"])
def test_nothing_but_digits_becomes_part_of_an_address(source_id: str) -> None:
    robaws = RobawsSimulator()

    with wire(robaws) as at, pytest.raises(MappingError):
        at.client.fetch(at.session, source_id)

    assert robaws.calls() == []


@pytest.mark.parametrize(
    "body",
    [
        client_json(id="1840"),
        client_json(id=None),
        client_json(id=True),
        client_json(id="x"),
        b"[]",
        b'"1834"',
        b"null",
        b"{",
        b"",
        client_json(contacts={"5521": {"name": "An"}}),
        client_json(contacts=["An"]),
        client_json(contacts=[{"name": "An"}]),
        client_json(name=["Dakwerken De Linde"]),
        client_json(name=True),
        client_json(address=[]),
        client_json(address="Kerkstraat 12"),
        client_json(extraFields=[{"name": "Klanttype"}]),
        b'{"id": "1834", "contacts": [], "deep": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_an_answer_that_is_not_that_client_is_vendor_trouble(body: bytes) -> None:
    with stored(lambda _: httpx.Response(200, content=body, headers=JSON)) as at, pytest.raises(VendorBroken):
        at.client.fetch(at.session, "1834")


def test_json_under_another_content_type_is_not_read() -> None:
    with (
        stored(lambda _: httpx.Response(200, content=client_json(), headers={"content-type": "text/html"})) as at,
        pytest.raises(VendorBroken, match="not JSON"),
    ):
        at.client.fetch(at.session, "1834")


def test_an_id_that_comes_as_a_number_is_text_here() -> None:
    with stored(lambda _: httpx.Response(200, content=client_json(id=1834), headers=JSON)) as at:
        contact, _ = at.client.fetch(at.session, "1834")

    assert contact["references"]["robaws_id"] == "1834"


def test_bank_data_and_internals_are_dropped_at_the_edge() -> None:
    body = client_json(name="De Linde", accountNr="geheim", bank="B", creditLimit=5, _metadata={"a": 1})

    with stored(lambda _: httpx.Response(200, content=body, headers=JSON)) as at:
        contact, raw = at.client.fetch(at.session, "1834")

    assert contact["name"] == "De Linde"
    assert not {"accountNr", "bank", "creditLimit", "_metadata"} & raw.keys()
    assert "geheim" not in (at.session.exchanges[0].answer or "")


@pytest.mark.parametrize(
    ("fault", "settings", "expected"),
    [
        ("status", {"status": 500, "body": "{}"}, VendorUnavailable),
        ("html", {"status": 502}, VendorUnavailable),
        ("html", {"status": 504}, VendorUnavailable),
        ("html", {"status": 200}, VendorBroken),
        ("html", {"status": 403}, VendorBroken),
        ("truncate", {}, VendorBroken),
        ("wrong_json", {}, VendorBroken),
        ("empty", {}, VendorBroken),
        ("drop_before", {}, VendorUnavailable),
        ("drop_after", {}, VendorUnavailable),
        ("delay", {"seconds": 60}, VendorUnavailable),
        ("throttle", {}, RateLimited),
    ],
)
def test_every_way_to_fail_while_reading_has_its_error(
    fault: str, settings: dict[str, Any], expected: type[Exception]
) -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="Dakwerken De Linde")
    robaws.fail(fault, **settings)

    with wire(robaws) as at, pytest.raises(expected):
        at.client.fetch(at.session, client_id)


def test_a_role_without_the_module_names_the_module() -> None:
    robaws = RobawsSimulator(switches=Switches(forbidden_modules=frozenset({"clients"})))

    with wire(robaws) as at, pytest.raises(CredentialsRejected, match="`clients`") as caught:
        at.client.fetch(at.session, "1834")

    assert (caught.value.word, caught.value.status) == ("no_right", 403)


def test_a_temporary_block_is_told_apart_from_a_wrong_password() -> None:
    blocked, mistyped = RobawsSimulator(), RobawsSimulator()
    blocked.block()

    with wire(blocked) as at, pytest.raises(CredentialsRejected) as block:
        at.client.fetch(at.session, "1834")
    with wire(mistyped, settings={"password": "wrong"}) as at, pytest.raises(CredentialsRejected) as wrong:
        at.client.fetch(at.session, "1834")

    assert (block.value.word, wrong.value.word) == ("temp_blocked", "credentials")


def test_what_the_headers_say_of_the_day_is_passed_on_with_each_answer() -> None:
    robaws = RobawsSimulator(clock=lambda: 86_400.0 * 20_000 + 80_000)
    client_id = robaws.add_client(name="Dakwerken De Linde")

    with wire(robaws) as at:
        at.client.fetch(at.session, client_id)
        with pytest.raises(RecordGone):
            at.client.fetch(at.session, "999999")
        list(at.client.list_ids(at.session))

    assert at.budget.learned[0] == ("robaws", "", 9_999, 6_400.0)
    assert [kind for _, kind, _, _ in at.budget.learned] == ["", "", "replica", "replica"]
    assert at.budget.asked == ["", "", "replica", "replica"]


def test_when_few_calls_are_left_of_a_second_everybody_rests_for_one() -> None:
    robaws = RobawsSimulator(clock=lambda: 86_400.0 * 20_000, switches=Switches(burst=5))
    client_id = robaws.add_client(name="Dakwerken De Linde")

    with wire(robaws) as at:
        for _ in range(2):
            at.client.fetch(at.session, client_id)
        before = list(at.budget.rests)
        at.client.fetch(at.session, client_id)
        list(at.client.list_ids(at.session))

    assert before == []
    assert at.budget.rests[:2] == [("robaws", 1.0, ""), ("robaws", 1.0, "replica")]


def test_a_spent_day_is_parked_until_its_reset_and_not_for_a_second() -> None:
    robaws = RobawsSimulator(clock=lambda: 86_400.0 * 20_000 + 80_000)
    robaws.spend_daily_quota()

    with wire(robaws) as at, pytest.raises(RateLimited) as caught:
        at.client.fetch(at.session, "1834")

    assert (caught.value.daily, caught.value.word) == (True, "daily_quota")
    assert caught.value.retry_after_seconds == 6_400
    assert at.budget.learned == [("robaws", "", 0, 6_400.0)]


def test_the_registry_builds_a_source_that_knows_which_clients_are_persons() -> None:
    settings = RobawsSettings(username="api", password=SecretStr("made-up"))

    built = build_by_name("robaws", settings, "BE", private_status=["Particulier"], person_kinds={"Soort": ["privé"]})

    assert built.options.private_status == ("Particulier",)
    assert built.options.person_kinds == {"Soort": ["privé"]}
    assert isinstance(built, Source)


def test_it_is_not_built_without_user_name_and_password() -> None:
    with pytest.raises(ConfigurationError, match="username"):
        build_by_name("robaws", RobawsSettings(base_url=BASE_URL, username="api"))


def test_the_password_is_in_no_repr() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="Dakwerken De Linde")

    with wire(robaws) as at:
        at.client.fetch(at.session, client_id)

    shown = repr(at.session.exchanges) + repr(at.client.access)
    assert robaws.password not in shown
    assert "Basic" not in shown


@pytest.mark.parametrize(
    ("terms", "condition", "named"),
    [({"3": 30}, "5", ["5"]), ({"3": 30}, "3", []), ({"3": 30}, None, []), ({}, "5", [])],
    ids=["not in the table", "in the table", "none", "no table"],
)
def test_a_payment_condition_that_is_missing_from_the_table_is_named_in_the_log(
    terms: dict[str, int], condition: str | None, named: list[str]
) -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="De Linde", paymentConditionId=condition)

    with wire(robaws, settings={"payment_terms": terms}) as api, capture_logs() as logged:
        api.client.fetch(api.session, client_id)

    assert [line["condition"] for line in logged if "condition" in line] == named
