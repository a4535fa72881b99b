"""`/_sandbox/…`: looking at the simulated vendors and changing them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from worker.sandbox.server import SandboxServer
from worker.sandbox.world import World


def test_the_overview_counts_what_is_there(sandbox: SandboxServer, control: httpx.Client) -> None:
    sandbox.seed(3)
    sandbox.world.robaws.fail("html")

    overview = control.get("/").json()

    robaws = overview["systems"]["robaws"]
    assert list(overview["systems"]) == ["robaws", "rompslomp", "recras", "workspace", "routix"]
    assert robaws["base_url"] == f"{sandbox.url}/robaws/api/v2"
    assert (robaws["records"]["clients"], robaws["faults"], robaws["requests"]) == (3, 1, 0)
    assert overview["webhooks"] == {"endpoints": 0, "delivered": 0, "failed_tries": 0}


def test_a_browser_gets_the_overview_as_a_page(sandbox: SandboxServer, control: httpx.Client) -> None:
    sandbox.seed(2)

    page = control.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    root = httpx.get(sandbox.url, follow_redirects=True)

    assert page.headers["content-type"].startswith("text/html")
    assert "2 clients" in page.text
    assert f"{sandbox.url}/workspace/api/v1" in page.text
    assert root.json().keys() == {"systems", "webhooks"}


@pytest.mark.parametrize("system", ["robaws", "rompslomp", "recras", "workspace", "routix"])
def test_each_system_shows_its_state_switches_and_faults(control: httpx.Client, system: str) -> None:
    assert control.get(f"/{system}").json()
    assert control.get(f"/{system}/switches").json()
    assert control.get(f"/{system}/faults").json() == {"faults": []}


def test_what_does_not_exist_is_404_with_a_sentence(control: httpx.Client) -> None:
    for method, path in (("GET", "/exact"), ("PATCH", "/robaws/clients/9"), ("DELETE", "/robaws/persons/9")):
        answer = control.request(method, path)

        assert answer.status_code == 404
        assert "there is no" in answer.json()["error"]


def test_a_client_is_made_changed_and_deleted_as_by_a_person(sandbox: SandboxServer, control: httpx.Client) -> None:
    made = control.post("/robaws/clients", json={"name": "Maas", "contacts": [{"name": "An"}]})
    client_id = made.json()["id"]
    changed = control.patch(f"/robaws/clients/{client_id}", json={"email": "info@maas.example"})
    filled = control.put(f"/robaws/clients/{client_id}/extra-fields", json={"Klanttype": "School"})
    person_id = control.post(f"/robaws/clients/{client_id}/persons", json={"name": "Piet"}).json()["id"]
    control.patch(f"/robaws/persons/{person_id}", json={"surname": "Claes"})
    persons = sandbox.world.robaws.client(client_id)["contacts"]
    control.delete(f"/robaws/persons/{person_id}")

    assert made.status_code == 201
    assert (changed.json()["name"], changed.json()["email"]) == ("Maas", "info@maas.example")
    assert filled.json()["extraFields"]["Klanttype"]["stringValue"] == "School"
    assert [(person["name"], person["surname"]) for person in persons] == [("An", None), ("Piet", "Claes")]
    assert len(sandbox.world.robaws.client(client_id)["contacts"]) == 1
    assert control.delete(f"/robaws/clients/{client_id}").status_code == 204
    assert control.get("/robaws").json()["clients"] == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"naam": "Maas"}, id="an unknown member"),
        pytest.param({}, id="no name"),
        pytest.param({"name": "Maas", "contacts": 7}, id="contacts that are none"),
        pytest.param({"name": "Maas", "contacts": [7]}, id="a contact that is none"),
        pytest.param({"name": "Maas", "extraFields": [1]}, id="extra fields as a list"),
        pytest.param([1], id="a list"),
    ],
)
def test_a_mistake_is_400_with_a_sentence(control: httpx.Client, body: Any) -> None:
    answer = control.post("/robaws/clients", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_that_is_no_json_is_400(control: httpx.Client) -> None:
    assert control.post("/robaws/clients", content=b"{").status_code == 400
    assert control.post("/robaws/faults", content=b"{").status_code == 400


def test_faults_are_set_listed_met_and_cleared(
    sandbox: SandboxServer, control: httpx.Client, robaws: httpx.Client
) -> None:
    faults = [{"kind": "throttle", "retry_after": 3}, {"kind": "webhook_lose"}]

    added = control.post("/robaws/faults", json=faults)
    waiting = control.get("/robaws/faults").json()["faults"]
    met = robaws.get("/clients")
    control.post("/robaws/faults", json={"kind": "html", "times": -1})
    control.delete("/robaws/faults")

    assert (added.status_code, added.json()) == (201, {"added": 2})
    assert [fault["kind"] for fault in waiting] == ["throttle", "webhook_lose"]
    assert (met.status_code, met.headers["retry-after"]) == (429, "3")
    assert control.get("/robaws/faults").json() == {"faults": []}
    assert robaws.get("/clients").status_code == 200
    assert control.get("/robaws/requests").json()["items"][1]["fault"] == "throttle"


def test_of_several_faults_with_one_mistake_none_is_set(sandbox: SandboxServer, control: httpx.Client) -> None:
    answer = control.post("/recras/faults", json=[{"kind": "html"}, {"kind": "dely"}, {"kind": "delay", "second": 1}])

    assert answer.status_code == 400
    assert [problem.split(":")[0] for problem in answer.json()["problems"]] == ["fault 2", "fault 3"]
    assert sandbox.simulators["recras"].faults == []


def test_requests_are_shown_newest_first_without_credentials(control: httpx.Client, robaws: httpx.Client) -> None:
    robaws.get("/clients")
    robaws.post("/clients", json={"name": "Maas"})

    everything = control.get("/robaws/requests")
    narrowed = control.get("/robaws/requests", params={"method": "GET", "path": "clients$", "limit": 5}).json()

    assert [item["method"] for item in everything.json()["items"]] == ["POST", "GET"]
    assert (narrowed["total"], narrowed["items"][0]["status"]) == (1, 200)
    assert "authorization" not in everything.text
    assert "Maas" in everything.json()["items"][0]["body"]
    assert control.get("/robaws/requests", params={"limit": "many"}).status_code == 400
    assert control.get("/robaws/requests", params={"path": "("}).status_code == 400


def test_switches_are_set_by_name_and_checked(
    sandbox: SandboxServer, control: httpx.Client, robaws: httpx.Client
) -> None:
    changed = control.patch("/robaws/switches", json={"created_status": 200, "forbidden_modules": ["contacts"]})
    limited = control.patch("/rompslomp/switches", json={"rate_limit": 5})
    unknown = control.patch("/robaws/switches", json={"burst": 7, "creatd_status": 200})
    refused = control.patch("/robaws/switches", json={"burst": 7, "created_status": 204})

    assert (changed.json()["created_status"], changed.json()["forbidden_modules"]) == (200, ["contacts"])
    assert robaws.post("/clients", json={"name": "Maas"}).status_code == 200
    assert robaws.get("/contacts").status_code == 403
    assert limited.json()["rate_limit"] == 5
    assert "no such switch: creatd_status" in unknown.json()["error"]
    assert refused.status_code == 400
    assert sandbox.world.robaws.switches.burst == 15


@pytest.mark.parametrize(
    ("system", "members", "edit"),
    [
        pytest.param("robaws", {"name": "Maas"}, {"name": "Maas 2"}, id="robaws"),
        pytest.param("rompslomp", {"is_individual": False, "company_name": "Maas"}, {"company_name": "Maas 2"}, id="r"),
        pytest.param("routix", {"company_name": "Maas"}, {"company_name": "Maas 2"}, id="routix"),
    ],
)
def test_records_of_any_system_are_made_edited_and_deleted_by_hand(
    control: httpx.Client, system: str, members: dict[str, Any], edit: dict[str, Any]
) -> None:
    record_id = control.post(f"/{system}/records", json=members).json()["id"]
    edited = control.patch(f"/{system}/records/{record_id}", json=edit)
    shown = control.get(f"/{system}").text
    deleted = control.delete(f"/{system}/records/{record_id}")

    assert (edited.status_code, deleted.status_code) == (204, 204)
    assert "Maas 2" in shown
    assert "Maas" not in control.get(f"/{system}").text
    assert control.patch(f"/{system}/records/{record_id}", json=edit).status_code == 404


@pytest.mark.parametrize("system", ["robaws", "rompslomp", "recras", "workspace", "routix"])
def test_an_edit_of_a_record_that_is_not_there_is_404(control: httpx.Client, system: str) -> None:
    assert control.patch(f"/{system}/records/987654321", json={}).status_code == 404


def test_clients_are_seeded_and_a_reset_takes_everything_away(sandbox: SandboxServer, control: httpx.Client) -> None:
    seeded = control.post("/seed", json={"clients": 5})
    refused = control.post("/seed", json={"clients": "many"})
    control.post("/robaws/faults", json={"kind": "html", "times": -1})
    before = control.get("/robaws").json()

    overview = control.post("/reset").json()

    assert len(seeded.json()["ids"]) == len(before["clients"]) == 5
    assert refused.status_code == 400
    assert overview["systems"]["robaws"]["records"]["clients"] == 0
    assert sandbox.simulators["robaws"].faults == []


def test_settings_are_given_in_three_forms(control: httpx.Client) -> None:
    assert control.get("/settings").json()["systems"]["routix"]["enabled"] is True
    assert "[systems.robaws]" in control.get("/settings", params={"format": "toml"}).text
    assert "CONTACTSYNC_SYSTEMS__RECRAS__ENABLED=true" in control.get("/settings", params={"format": "env"}).text
    assert control.get("/settings", params={"format": "xml"}).status_code == 400


def test_a_vendors_clock_can_be_wrong_until_it_is_put_right(sandbox: SandboxServer, control: httpx.Client) -> None:
    recras = sandbox.simulators["recras"]

    ahead = control.patch("/recras/clock", json={"ahead_seconds": 7200}).json()
    wrong_by = recras.clock() - time.time()
    refused = control.patch("/recras/clock", json={"ahead_seconds": "much"})
    control.post("/reset")
    right_again = sandbox.simulators["recras"].clock() - time.time()

    assert ahead == {"ahead_seconds": 7200.0}
    assert wrong_by == pytest.approx(7200, abs=5)
    assert refused.status_code == 400
    assert right_again == pytest.approx(0, abs=5)


def test_a_wrong_clock_at_robaws_silences_no_endpoint() -> None:
    world = World()
    world.robaws.register_webhook("http://127.0.0.1:9/webhooks/robaws")

    world.set_clock("robaws", -3600.0)
    world.seed(1)

    assert len(world.robaws.take_webhooks()) == 1
