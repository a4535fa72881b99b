"""The simulated Robaws at its door: credentials, rights, the block, limits and error bodies (Robaws sheet 2, 4, 10)."""

from __future__ import annotations

import httpx
import pytest

from tests.vendors.robaws.simulator_wire import Clock, call, credentials, read
from worker.vendors.robaws.simulator import RobawsSimulator, Switches
from worker.vendors.simulation import SimRequest, transport


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="none"),
        pytest.param(credentials(password="wrong"), id="wrong password"),
        pytest.param(credentials().replace("Basic", "Bearer"), id="another scheme"),
        pytest.param("Basic %%%", id="not base64"),
    ],
)
def test_without_the_right_credentials_everything_is_401(given: str | None) -> None:
    robaws = RobawsSimulator()

    response = call(robaws, "GET", "/clients", authorization=given)

    body = read(response, 401)
    assert body.keys() >= {"timestamp", "status", "error", "path", "correlationId", "serverVersion"}
    assert (body["status"], body["error"], body["path"]) == (401, "Unauthorized", "/api/v2/clients")
    assert "X-Robaws-Unauthorized-Reason" not in response.headers


def test_a_block_is_a_401_with_its_reason_whatever_the_credentials() -> None:
    robaws = RobawsSimulator()
    robaws.block()

    blocked = call(robaws, "GET", "/clients")
    robaws.unblock()

    assert (blocked.status, blocked.headers["X-Robaws-Unauthorized-Reason"]) == (401, "temp-blocked")
    assert call(robaws, "GET", "/clients").status == 200


def test_too_many_429_end_in_a_block() -> None:
    robaws = RobawsSimulator(clock=Clock(), switches=Switches(burst=1, block_after_throttles=3))

    statuses = [call(robaws, "GET", "/clients").status for _ in range(6)]

    assert statuses == [200, 429, 429, 429, 401, 401]


def test_who_does_not_heed_the_limit_is_blocked_unless_told_otherwise() -> None:
    blocking = RobawsSimulator(clock=Clock())
    patient = RobawsSimulator(clock=Clock(), switches=Switches(block_after_throttles=None))

    assert [call(blocking, "GET", "/clients").status for _ in range(250)][-1] == 401
    assert [call(patient, "GET", "/clients").status for _ in range(250)][-1] == 429


def test_429_that_are_long_past_do_not_count() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock, switches=Switches(burst=1, block_after_throttles=3))
    statuses = []

    for _ in range(5):
        statuses += [call(robaws, "GET", "/clients").status for _ in range(2)]
        clock.now += 60

    assert 401 not in statuses


@pytest.mark.parametrize(
    ("switches", "tenant", "status"),
    [
        pytest.param(Switches(), None, 200, id="not sent"),
        pytest.param(Switches(), "anything", 200, id="sent where it does not matter"),
        pytest.param(Switches(tenant="linde"), "linde", 200, id="the right one"),
        pytest.param(Switches(tenant="linde"), "maas", 401, id="another one"),
        pytest.param(Switches(tenant="linde"), None, 200, id="optional"),
        pytest.param(Switches(tenant="linde", tenant_required=True), None, 401, id="required"),
    ],
)
def test_the_tenant_header_is_optional_unless_it_is_required(
    switches: Switches, tenant: str | None, status: int
) -> None:
    robaws = RobawsSimulator(switches=switches)

    response = call(robaws, "GET", "/clients", x_tenant=tenant)

    assert response.status == status


def test_a_role_without_a_module_is_403_on_that_resource_only() -> None:
    robaws = RobawsSimulator(switches=Switches(forbidden_modules=frozenset({"contacts"})))

    refused = call(robaws, "GET", "/contacts")

    assert read(refused, 403)["error"] == "Forbidden"
    assert call(robaws, "GET", "/clients").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/clients/9999", 404, id="no such client"),
        pytest.param("GET", "/clients/abc", 404, id="no id at all"),
        pytest.param("GET", "/klanten", 404, id="no such resource"),
        pytest.param("GET", "/clients/1001/comments", 404, id="a resource that is not simulated"),
        pytest.param("DELETE", "/clients", 405, id="DELETE on the collection"),
        pytest.param("POST", "/clients/1001", 405, id="POST on a client"),
        pytest.param("DELETE", "/clients/1001/contacts/5001", 405, id="DELETE on a contact person"),
        pytest.param("POST", "/contacts", 405, id="POST on all contact persons"),
    ],
)
def test_what_does_not_exist_is_404_and_what_is_not_offered_is_405(method: str, path: str, status: int) -> None:
    robaws = RobawsSimulator()
    robaws.add_client(name="Bouwgroep Maas", contacts=[{"name": "An"}])

    response = call(robaws, method, path)

    assert read(response, status)["status"] == status


def test_outside_the_base_path_nothing_answers() -> None:
    robaws = RobawsSimulator()

    response = robaws.handle(SimRequest("GET", "/api/v1/clients", "", {"authorization": credentials()}, b""))

    assert response.status == 404


def test_fifteen_calls_a_second_and_not_one_more() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock)

    first = [call(robaws, "GET", "/clients") for _ in range(16)]
    clock.now += 0.2
    second = [call(robaws, "GET", "/clients").status for _ in range(4)]

    assert [response.status for response in first] == [200] * 15 + [429]
    assert [response.headers["X-RateLimit-Remaining"] for response in first[:2]] == ["14", "13"]
    assert first[-1].headers["X-RateLimit-Remaining"] == "0"
    assert first[-1].headers["X-RateLimit-Daily-Remaining"] == "9985"
    assert "Retry-After" not in first[-1].headers
    assert second == [200, 200, 200, 429]


def test_the_day_is_counted_for_each_mode_and_ends_at_midnight() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock, switches=Switches(daily_requests=2))

    live = [call(robaws, "GET", "/clients") for _ in range(3)]
    replica = call(robaws, "GET", "/clients", database_mode="replica")
    clock.now += float(live[2].headers["X-RateLimit-Daily-Reset"])
    tomorrow = call(robaws, "GET", "/clients")

    assert [response.status for response in live] == [200, 200, 429]
    assert [response.headers["X-RateLimit-Daily-Remaining"] for response in live] == ["1", "0", "0"]
    assert live[2].headers["X-RateLimit-Daily-Limit"] == "2"
    assert (replica.status, replica.headers["X-RateLimit-Daily-Remaining"]) == (200, "1")
    assert (tomorrow.status, tomorrow.headers["X-RateLimit-Daily-Remaining"]) == (200, "1")
    assert clock.now % 86_400 == 0


def test_the_day_can_be_spent_by_somebody_else() -> None:
    robaws = RobawsSimulator(clock=Clock())
    robaws.spend_daily_quota()

    assert call(robaws, "GET", "/clients").status == 429
    assert call(robaws, "GET", "/clients", query="database-mode=replica").status == 200


def test_limits_can_be_lifted() -> None:
    robaws = RobawsSimulator(clock=Clock(), switches=Switches(rate_per_second=None, daily_requests=None))

    responses = [call(robaws, "GET", "/clients") for _ in range(50)]

    assert {response.status for response in responses} == {200}
    assert not any(name.lower().startswith("x-ratelimit") for name in responses[-1].headers)


def test_a_throttle_on_command_looks_like_the_vendors_own() -> None:
    robaws = RobawsSimulator()
    robaws.fail("throttle", retry_after=7)

    throttled = call(robaws, "GET", "/clients")

    assert read(throttled, 429)["error"] == "Too Many Requests"
    assert throttled.headers["Retry-After"] == "7"
    assert int(throttled.headers["X-RateLimit-Daily-Remaining"]) > 0


def test_the_replica_shows_what_was_there_before_its_lag() -> None:
    clock = Clock()
    robaws = RobawsSimulator(clock=clock, switches=Switches(replica_lag_seconds=5))
    old = robaws.add_client(name="Bouwgroep Maas")
    clock.now += 10
    robaws.change_client(old, name="Bouwgroep Maas en Zoon")
    new = robaws.add_client(name="Dakwerken De Linde")

    def replica() -> dict[str, str]:
        items = read(call(robaws, "GET", "/clients", database_mode="replica"))["items"]
        return {item["id"]: item["name"] for item in items}

    assert replica() == {old: "Bouwgroep Maas"}
    assert call(robaws, "GET", f"/clients/{new}", database_mode="replica").status == 404
    assert read(call(robaws, "GET", f"/clients/{old}"))["name"] == "Bouwgroep Maas en Zoon"
    clock.now += 5
    robaws.delete_client(new)
    assert replica() == {old: "Bouwgroep Maas en Zoon", new: "Dakwerken De Linde"}
    clock.now += 5
    assert replica() == {old: "Bouwgroep Maas en Zoon"}


def test_the_replica_is_for_reading_only() -> None:
    robaws = RobawsSimulator()

    response = call(robaws, "POST", "/clients", {"name": "Bouwgroep Maas"}, database_mode="replica")

    assert response.status == 400
    assert robaws.state()["clients"] == {}


def test_it_can_be_set_in_at_the_wire_of_httpx() -> None:
    robaws = RobawsSimulator()
    client_id = robaws.add_client(name="Dakwerken De Linde")
    settings = robaws.settings("https://robaws.example/api/v2")

    with httpx.Client(transport=transport(("https://robaws.example", robaws))) as http:
        auth = (settings["username"], settings["password"])
        answer = http.get(f"{settings['base_url']}/clients/{client_id}", auth=auth)

    assert answer.json()["name"] == "Dakwerken De Linde"


def test_an_answer_can_leave_members_out() -> None:
    robaws = RobawsSimulator(clock=Clock())
    client_id = robaws.add_client(
        name="De Linde",
        address={"city": "Gent", "postalCode": "9000"},
        contacts=[{"name": "An", "email": "an@delinde.example"}],
    )
    robaws.fail("partial", members=("email", "address.city", "contacts.email"))

    short = read(call(robaws, "GET", f"/clients/{client_id}", query="include=contacts"))
    whole = read(call(robaws, "GET", f"/clients/{client_id}", query="include=contacts"))

    assert "email" not in short
    assert "city" not in short["address"]
    assert short["address"]["postalCode"] == "9000"
    assert "email" not in short["contacts"][0]
    assert (whole["email"], whole["address"]["city"]) == (None, "Gent")
    assert whole["contacts"][0]["email"] == "an@delinde.example"
