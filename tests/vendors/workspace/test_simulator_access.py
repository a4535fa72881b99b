"""The simulated Workspace at its door: paths, the token, limits and faults (Workspace sheet 11)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from worker.vendors.simulation import SimRequest, SimResponse, transport
from worker.vendors.workspace.simulator import WorkspaceSimulator

COLLECTION = "/api/v1/contacts.json"
LINDE = {
    "client_reference": "1834",
    "group": "Algemeen",
    "name": "Dakwerken De Linde",
    "location_address": "Kerkstraat 12",
    "location_city": "Gent",
    "invoice_address": "Kerkstraat 12",
    "invoice_postal": "9000",
    "invoice_city": "Gent",
    "phone": "+32 9 000 00 00",
    "email": "facturen@delinde.example",
    "payment_term": "14",
}


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def call(
    simulator: WorkspaceSimulator,
    method: str,
    path: str,
    members: dict[str, str] | None = None,
    *,
    authorization: str | None = basic("token", WorkspaceSimulator.SANDBOX_TOKEN),
) -> SimResponse:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if authorization is not None:
        headers["authorization"] = authorization
    return simulator.handle(SimRequest(method, path, "", headers, urlencode(members or {}).encode()))


def envelope(code: int, message: str, data: Any) -> dict[str, Any]:
    return {"response": {"message": message, "exception": [], "code": code, "data": data}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("PUT", "/api/v1/contacts/514.json", id="PUT"),
        pytest.param("PATCH", "/api/v1/contacts/514.json", id="PATCH"),
        pytest.param("DELETE", COLLECTION, id="DELETE on the collection"),
        pytest.param("GET", "/api/v1/contacts", id="no suffix"),
        pytest.param("GET", "/api/v1/contacts.xml", id="another suffix"),
        pytest.param("GET", "/api/v1/contacts/abc.json", id="an id that is no number"),
        pytest.param("GET", "/api/v1/contacts/\u0665.json", id="digits of another script"),
        pytest.param("GET", "/api/v1/Contacts.json", id="capital"),
        pytest.param("GET", "/api/v2/contacts.json", id="another version"),
        pytest.param("OPTIONS", "/api/v1/invoices.json", id="another page"),
    ],
)
def test_any_other_path_or_method_is_told_without_an_envelope(method: str, path: str) -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="A")

    response = call(simulator, method, path, authorization=None)

    assert response.status == 404
    assert json.loads(response.body) == {"name": "Not Found", "message": "Not Found", "url": path}


def test_the_suffix_may_be_empty_and_the_base_another() -> None:
    simulator = WorkspaceSimulator(suffix="", base_path="/rest/v3")
    record_id = simulator.add_record(name="A")

    assert call(simulator, "GET", "/rest/v3/contacts").status == 200
    assert call(simulator, "GET", f"/rest/v3/contacts/{record_id}").status == 200
    assert call(simulator, "GET", COLLECTION).status == 404


@pytest.mark.parametrize("path", [COLLECTION, "/api/v1/contacts/514.json"])
def test_options_need_no_authentication(path: str) -> None:
    response = call(WorkspaceSimulator(), "OPTIONS", path, authorization=None)

    assert (response.status, json.loads(response.body)) == (200, envelope(200, "success", []))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        basic("token", "wrong"),
        basic("admin", WorkspaceSimulator.SANDBOX_TOKEN),
        f"Bearer {WorkspaceSimulator.SANDBOX_TOKEN}",
        "Basic not base64",
    ],
)
def test_without_the_token_nothing_is_told(authorization: str | None) -> None:
    simulator = WorkspaceSimulator()

    response = call(simulator, "GET", COLLECTION, authorization=authorization)

    assert (response.status, json.loads(response.body)) == (401, envelope(401, "Unauthorized", []))
    assert response.headers["www-authenticate"] == 'Basic realm="Workspace"'
    assert response.headers["content-type"] == "application/json; charset=UTF-8"


def test_the_401_may_be_a_page() -> None:
    response = call(WorkspaceSimulator(auth_body="html"), "GET", COLLECTION, authorization=None)

    assert (response.status, response.body[:9]) == (401, b"<!DOCTYPE")
    assert response.headers["www-authenticate"] == 'Basic realm="Workspace"'
    assert response.headers["content-type"].startswith("text/html")


def test_a_token_can_end_at_a_moment() -> None:
    now = [1_700_000_000.0]
    simulator = WorkspaceSimulator(clock=lambda: now[0])
    simulator.add_record(name="A")
    simulator.end_token(now[0] + 5)

    before = call(simulator, "GET", COLLECTION).status
    now[0] += 5
    after = [call(simulator, "GET", COLLECTION).status for _ in range(2)]

    assert (before, after) == (200, [401, 401])


def test_a_token_without_the_right_is_forbidden() -> None:
    simulator = WorkspaceSimulator()
    simulator.access.allowed = False

    response = call(simulator, "GET", COLLECTION)

    assert (response.status, json.loads(response.body)) == (403, envelope(403, "Forbidden", []))


def test_there_is_no_limit_until_one_is_set() -> None:
    now = [0.0]
    simulator = WorkspaceSimulator(rate_limit=2, rate_window_seconds=10, clock=lambda: now[0])
    simulator.add_record(name="A")

    answers = []
    for now[0] in (0.0, 4.0, 4.5, 10.0):
        response = call(simulator, "GET", COLLECTION)
        answers.append((response.status, response.headers.get("retry-after")))
    simulator.access.rate_limit = None

    assert answers == [(200, None), (200, None), (429, "6"), (200, None)]
    assert [call(simulator, "GET", COLLECTION).status for _ in range(5)] == [200] * 5


def test_a_throttle_by_command_may_tell_the_time_or_not() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("throttle", retry_after=1.5)
    simulator.fail("throttle")

    told, untold = (call(simulator, "GET", COLLECTION) for _ in range(2))

    assert (told.status, told.headers.get("retry-after")) == (429, "2")
    assert (untold.status, untold.headers.get("retry-after")) == (429, None)


def test_a_refusal_can_hide_inside_a_200() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("code_400", method="POST")

    response = call(simulator, "POST", COLLECTION, LINDE)

    assert response.status == 200
    assert json.loads(response.body) == envelope(400, "Something went wrong while saving the data.", [])
    assert simulator.state()["records"] == []


def test_a_login_page_can_come_with_a_200() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("login_page", times=2)

    responses = [call(simulator, "GET", COLLECTION) for _ in range(3)]

    assert [response.status for response in responses] == [200, 200, 404]
    assert b"password" in responses[0].body
    assert responses[0].headers["content-type"] == "text/html; charset=UTF-8"


def test_a_fault_of_the_vendor_is_a_page_or_the_frameworks_own_body() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("html", status=500)
    simulator.fail("cake_error")

    page, cake = (call(simulator, "GET", COLLECTION) for _ in range(2))

    assert (page.status, page.body[:9]) == (500, b"<!DOCTYPE")
    assert cake.status == 500
    assert set(json.loads(cake.body)) == {"name", "message", "url"}


def test_an_answer_can_be_empty_although_the_work_is_done() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("empty", method="POST")

    assert call(simulator, "POST", COLLECTION, LINDE).body == b""
    assert len(simulator.state()["records"]) == 1


def test_the_long_list_can_be_cut_short() -> None:
    simulator = WorkspaceSimulator(records=[{"name": f"Firma {number}"} for number in range(50)])
    simulator.fail("truncate")

    response = call(simulator, "GET", COLLECTION)

    assert response.status == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        json.loads(response.body)


def test_a_connection_can_be_lost_before_and_after_the_work_and_the_list_can_be_slow() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("drop_before")
    simulator.fail("drop_after")
    simulator.fail("delay", path=r"contacts\.json$", seconds=90)

    auth = httpx.BasicAuth("token", simulator.SANDBOX_TOKEN)
    with httpx.Client(transport=transport(("https://workspace.example", simulator)), auth=auth) as client:
        for held in (0, 1):
            with pytest.raises(httpx.ReadError):
                client.post(f"https://workspace.example{COLLECTION}", data=LINDE)
            assert len(simulator.state()["records"]) == held
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"https://workspace.example{COLLECTION}", timeout=60)
        assert client.get(f"https://workspace.example{COLLECTION}").json()["response"]["data"]["count"] == 1


def test_a_person_can_edit_between_two_requests() -> None:
    simulator = WorkspaceSimulator()
    record_id = simulator.add_record(name="A", phone="1")
    path = f"/api/v1/contacts/{record_id}.json"

    call(simulator, "GET", path)
    simulator.before_next(lambda: simulator.edit_record(record_id, {"phone": "2"}))
    contact = json.loads(call(simulator, "POST", path, {"name": "B"}).body)["response"]["data"]["Contact"]

    assert (contact["name"], contact["phone"]) == ("B", "2")


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        WorkspaceSimulator().fail("nonsense")


def test_the_settings_point_at_the_simulator() -> None:
    simulator = WorkspaceSimulator()

    assert simulator.settings("http://127.0.0.1:9/workspace/api/v1") == {
        "enabled": True,
        "base_url": "http://127.0.0.1:9/workspace/api/v1",
        "token": simulator.SANDBOX_TOKEN,
    }
