"""The simulated Recras at its door: paths, keys, permissions, limits and faults (Recras sheet 12)."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.recras.simulator_access import Key
from worker.vendors.simulation import SimRequest, SimResponse, transport

LINDE = {
    "naam": "Dakwerken De Linde",
    "contactpersonen": [{"achternaam": "Peeters", "email1": "info@delinde.example", "hoofdcontact": True}],
}


def call(
    simulator: RecrasSimulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: str = "",
    authorization: str | None = f"Bearer {RecrasSimulator.SANDBOX_API_KEY}",
) -> SimResponse:
    headers = {"host": "voorbeeld.recras.example", "content-type": "application/json"}
    if authorization is not None:
        headers["authorization"] = authorization
    raw = b"" if body is None else json.dumps(body).encode()
    return simulator.handle(SimRequest(method, path, query, headers, raw))


@pytest.mark.parametrize("prefix", ["/api2", "/api2.php"])
def test_both_spellings_of_the_base_path_lead_to_the_same(prefix: str) -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A")

    assert call(simulator, "GET", f"{prefix}/personeel/me").status == 200
    assert json.loads(call(simulator, "GET", f"{prefix}/klanten/{record_id}").body)["naam"] == "A"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("DELETE", "/api2/klanten/1", id="DELETE on a customer"),
        pytest.param("PATCH", "/api2/klanten/1", id="PATCH on a customer"),
        pytest.param("PUT", "/api2/klanten", id="PUT on the list"),
        pytest.param("POST", "/api2/contacten", id="POST on contacten"),
        pytest.param("DELETE", "/api2/contactpersonen/1", id="DELETE on a person"),
        pytest.param("GET", "/api2/leveranciers", id="another resource"),
        pytest.param("GET", "/api2/klanten/x", id="an id that is no number"),
        pytest.param("GET", "/api2/personeel/me/1", id="more behind me"),
        pytest.param("GET", "/api/klanten", id="another base path"),
        pytest.param("GET", "/api2klanten", id="no slash"),
    ],
)
def test_any_other_path_or_method_is_a_page(method: str, path: str) -> None:
    simulator = RecrasSimulator()
    simulator.add_record(naam="A")

    response = call(simulator, method, path, LINDE, authorization=None)

    assert response.status == 404
    assert response.headers["content-type"].startswith("text/html")
    assert response.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic c2FuZGJveDpzYW5kYm94LXJlY3Jhcy1wYXNzd29yZA=="])
def test_without_a_known_key_nothing_is_told(authorization: str | None) -> None:
    simulator = RecrasSimulator()

    response = call(simulator, "GET", "/api2/klanten", authorization=authorization)

    assert response.status == 401
    assert json.loads(response.body) == [{"message": "Unauthorized"}]


def test_basic_authentication_works_only_where_it_is_switched_on() -> None:
    simulator = RecrasSimulator(basic_auth=True)

    right = base64.b64encode(":".join(simulator.SANDBOX_USER).encode()).decode()
    statuses = [
        call(simulator, "GET", "/api2/klanten", authorization=f"Basic {given}").status
        for given in (right, base64.b64encode(b"sandbox:wrong").decode(), "not base64")
    ]

    assert statuses == [200, 401, 401]


@pytest.mark.parametrize("path", ["/api2/klanten", "/api2/contacten", "/api2/contactpersonen", "/api2/webhooks"])
def test_a_key_without_the_permission_is_forbidden_but_knows_itself(path: str) -> None:
    simulator = RecrasSimulator(keys={"poor": Key(permissions=frozenset())})

    response = call(simulator, "GET", path, authorization="Bearer poor")

    assert (response.status, json.loads(response.body)) == (403, [{"message": "Forbidden"}])
    assert call(simulator, "GET", "/api2/personeel/me", authorization="Bearer poor").status == 200


def test_there_is_no_limit_until_one_is_set() -> None:
    now = [0.0]
    simulator = RecrasSimulator(clock=lambda: now[0])
    for _ in range(5):
        assert call(simulator, "GET", "/api2/klanten").status == 200
    simulator.access.rate_limit = 2
    simulator.access.rate_window_seconds = 10

    answers = []
    for now[0] in (0.0, 4.0, 4.5, 10.0):
        response = call(simulator, "GET", "/api2/klanten")
        answers.append((response.status, response.headers.get("retry-after")))

    assert answers == [(200, None), (200, None), (429, "6"), (200, None)]


def test_the_limit_is_counted_for_each_key() -> None:
    simulator = RecrasSimulator(keys={"a": Key(), "b": Key()}, rate_limit=1)

    statuses = [call(simulator, "GET", "/api2/klanten", authorization=f"Bearer {key}").status for key in "aba"]

    assert statuses == [200, 200, 429]


def test_a_throttle_by_command_may_tell_the_time_or_not() -> None:
    simulator = RecrasSimulator()
    simulator.fail("throttle", retry_after=1.5)
    simulator.fail("throttle")

    told, untold = (call(simulator, "GET", "/api2/klanten") for _ in range(2))

    assert (told.status, told.headers.get("retry-after")) == (429, "2")
    assert (untold.status, untold.headers.get("retry-after")) == (429, None)


@pytest.mark.parametrize("status", [500, 503])
def test_a_fault_of_the_vendor_is_a_page(status: int) -> None:
    simulator = RecrasSimulator()
    simulator.fail("html", status=status)

    response = call(simulator, "GET", "/api2/klanten")

    assert (response.status, response.body[:9]) == (status, b"<!DOCTYPE")
    assert call(simulator, "GET", "/api2/klanten").status == 200


def test_a_connection_can_be_lost_before_and_after_the_work_and_a_list_can_be_slow() -> None:
    simulator = RecrasSimulator()
    simulator.fail("drop_before")
    simulator.fail("drop_after")
    simulator.fail("delay", path="/klanten$", seconds=90)
    key = {"authorization": f"Bearer {simulator.SANDBOX_API_KEY}"}

    with httpx.Client(transport=transport(("https://recras.example", simulator)), headers=key) as client:
        for held in (0, 1):
            with pytest.raises(httpx.ReadError):
                client.post("https://recras.example/api2/klanten", json=LINDE)
            assert len(simulator.state()["records"]) == held
        with pytest.raises(httpx.ReadTimeout):
            client.get("https://recras.example/api2/klanten", timeout=60)
        assert client.get("https://recras.example/api2/klanten").status_code == 200


def test_an_answer_can_be_cut_short() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(naam="A")
    simulator.fail("truncate")

    response = call(simulator, "GET", "/api2/klanten")

    assert response.status == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        json.loads(response.body)


def test_null_and_empty_text_can_change_places() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", adres="", plaats=None, contactpersonen=[{"email1": ""}])
    simulator.fail("swap_empty", times=1, method="GET", path="/klanten/")

    swapped, plain = (json.loads(call(simulator, "GET", f"/api2/klanten/{record_id}").body) for _ in range(2))

    assert (swapped["adres"], swapped["plaats"], swapped["naam"]) == (None, "", "A")
    assert (plain["adres"], plain["plaats"], plain["naam"]) == ("", None, "A")
    assert swapped["contactpersonen"][0]["email1"] is None
    assert swapped["contactpersonen"][0]["email2"] == ""


def test_a_swap_without_an_end_stops_when_the_faults_are_cleared() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(naam="A")
    simulator.fail("swap_empty", times=-1)

    during = [json.loads(call(simulator, "GET", "/api2/klanten").body)[0]["adres"] for _ in range(3)]
    simulator.clear_faults()

    assert during == ["", "", ""]
    assert json.loads(call(simulator, "GET", "/api2/klanten").body)[0]["adres"] is None


def test_a_swap_waits_for_the_method_that_it_is_meant_for() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A")
    path = f"/api2/klanten/{record_id}"
    simulator.fail("swap_empty", method="PUT")

    shown = [json.loads(call(simulator, method, path, {}).body)["adres"] for method in ("GET", "PUT", "PUT")]

    assert shown == [None, "", None]


def test_a_swap_leaves_refusals_and_answers_without_a_body_alone() -> None:
    simulator = RecrasSimulator()
    call(simulator, "POST", "/api2/webhooks", {"name": "Klant::postSave", "url": "https://hub.example"})
    simulator.fail("swap_empty")

    removed = call(simulator, "DELETE", "/api2/webhooks/1")
    refused = call(simulator, "POST", "/api2/klanten", {})

    assert (removed.status, removed.body) == (204, b"")
    assert (refused.status, json.loads(refused.body)[0]["parameters"]) == (406, [])


def test_a_person_can_edit_between_a_get_and_a_put() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", plaats="Gent")
    path = f"/api2/klanten/{record_id}"

    call(simulator, "GET", path)
    simulator.before_next(lambda: simulator.edit_record(record_id, {"plaats": "Aalst"}))
    answer = json.loads(call(simulator, "PUT", path, {"adres": "Kerkstraat 12"}).body)

    assert (answer["plaats"], answer["adres"]) == ("Aalst", "Kerkstraat 12")


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        RecrasSimulator().fail("nonsense")


def test_the_settings_point_at_the_simulator_and_so_do_its_own_addresses() -> None:
    simulator = RecrasSimulator()

    settings = simulator.settings("http://127.0.0.1:9/recras/api2")
    made = call(simulator, "POST", "/api2/klanten", LINDE)

    assert settings == {
        "enabled": True,
        "base_url": "http://127.0.0.1:9/recras/api2",
        "api_key": simulator.SANDBOX_API_KEY,
    }
    assert made.headers["location"] == f"http://127.0.0.1:9/recras/api2/klanten/{json.loads(made.body)['id']}"
