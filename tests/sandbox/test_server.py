"""The sandbox as a server: five vendors on one port, connections that break, answers that take their time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.embedded.processes import wait_until
from worker.errors import ConfigurationError
from worker.sandbox.server import SandboxServer

ROOT = Path(__file__).parents[2]


def test_each_system_answers_at_the_address_in_its_settings(sandbox: SandboxServer) -> None:
    settings = sandbox.settings()
    workspace = settings["workspace"]
    client = {name: settings["routix"][name] for name in ("client_id", "client_secret")}

    with httpx.Client(trust_env=False) as http:
        rompslomp = settings["rompslomp"]
        contacts = f"{rompslomp['base_url']}/companies/{rompslomp['company_id']}/contacts"
        answers = {
            "robaws": http.get(
                f"{settings['robaws']['base_url']}/clients",
                auth=(settings["robaws"]["username"], settings["robaws"]["password"]),
            ),
            "rompslomp": http.get(contacts, headers={"Authorization": f"Bearer {rompslomp['token']}"}),
            "recras": http.get(
                f"{settings['recras']['base_url']}/personeel/me",
                headers={"Authorization": f"Bearer {settings['recras']['api_key']}"},
            ),
            "workspace": http.get(f"{workspace['base_url']}/contacts.json", auth=("token", workspace["token"])),
            "routix": http.post(
                f"{settings['routix']['base_url']}/oauth-token", json={"grant_type": "client_credentials", **client}
            ),
        }

    assert {system: answer.status_code for system, answer in answers.items()} == {
        "robaws": 200,
        "rompslomp": 200,
        "recras": 200,
        # Workspace's own way to say "nothing there yet" on a list.
        "workspace": 404,
        "routix": 200,
    }
    assert "application/json" in answers["workspace"].headers["content-type"]


def test_without_credentials_no_system_lets_anybody_in(sandbox: SandboxServer) -> None:
    paths = {
        "robaws": "clients",
        "rompslomp": "companies",
        "recras": "klanten",
        "workspace": "contacts.json",
        "routix": "api/v2/SBXBR001/accounts",
    }

    statuses = {
        system: httpx.get(f"{sandbox.world.base_url(system)}/{path}").status_code for system, path in paths.items()
    }

    assert statuses == dict.fromkeys(paths, 401)


def test_a_path_arrives_decoded_and_a_query_as_it_was_sent(sandbox: SandboxServer, robaws: httpx.Client) -> None:
    robaws.get("/clients/a%20b", params={"extraFields[Klanttype]": "School"})

    request = sandbox.simulators["robaws"].calls()[-1].request
    assert request.path == "/api/v2/clients/a b"
    assert request.raw_query == "extraFields%5BKlanttype%5D=School"


def test_two_content_types_arrive_as_a_list_of_two(sandbox: SandboxServer, robaws: httpx.Client) -> None:
    client_id = sandbox.seed(1)[0]
    headers = [("content-type", "application/json"), ("content-type", "application/merge-patch+json")]

    assert robaws.patch(f"/clients/{client_id}", content=b"{}", headers=headers).status_code == 415
    assert robaws.patch(f"/clients/{client_id}", content=b"{}", headers=headers[1:]).status_code == 200


def test_a_patch_can_be_answered_without_a_body(sandbox: SandboxServer, robaws: httpx.Client) -> None:
    sandbox.world.robaws.switches.patch_answers_entity = False
    client_id = sandbox.seed(1)[0]
    headers = {"content-type": "application/merge-patch+json"}

    answers = [robaws.patch(f"/clients/{client_id}", content=b"{}", headers=headers) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]


@pytest.mark.parametrize(
    ("kind", "made"),
    [pytest.param("drop_before", 0, id="request lost"), pytest.param("drop_after", 1, id="answer lost")],
)
def test_a_dropped_connection_gives_not_one_byte(
    sandbox: SandboxServer, robaws: httpx.Client, kind: str, made: int
) -> None:
    sandbox.world.robaws.fail(kind, method="POST")

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        robaws.post("/clients", json={"name": "Bouwgroep Maas"})

    assert len(sandbox.world.robaws.state()["clients"]) == made
    assert robaws.get("/clients").status_code == 200


def test_a_delayed_answer_holds_up_nobody_else(sandbox: SandboxServer, robaws: httpx.Client) -> None:
    sandbox.world.robaws.fail("delay", seconds=0.6, method="POST")

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(robaws.post, "/clients", json={"name": "Bouwgroep Maas"})
        # The work is done at once; only its answer is late.
        wait_until(lambda: robaws.get("/clients").json()["totalItems"])
        answered_meanwhile = not slow.done()

    assert answered_meanwhile
    assert slow.result().elapsed.total_seconds() >= 0.6


def test_an_answer_later_than_the_callers_patience_is_a_timeout(sandbox: SandboxServer, robaws: httpx.Client) -> None:
    sandbox.world.robaws.fail("delay", seconds=30.0, method="POST")

    with pytest.raises(httpx.ReadTimeout):
        robaws.post("/clients", json={"name": "Bouwgroep Maas"}, timeout=0.1)

    assert len(sandbox.world.robaws.state()["clients"]) == 1


@pytest.mark.parametrize("kind", ["html", "truncate", "wrong_json", "empty"])
def test_a_spoilt_answer_arrives_as_it_was_spoilt(sandbox: SandboxServer, robaws: httpx.Client, kind: str) -> None:
    sandbox.world.robaws.fail(kind)

    spoilt = robaws.get("/clients")

    assert len(spoilt.content) == int(spoilt.headers["content-length"])
    match kind:
        case "html":
            assert spoilt.status_code == 500
            assert spoilt.text.startswith("<!DOCTYPE html>")
        case "truncate":
            assert spoilt.text.startswith('{"items"')
            with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
                spoilt.json()
        case "wrong_json":
            assert spoilt.json() == {"unexpected": [1, 2, 3]}
        case _:
            assert spoilt.content == b""


def test_a_taken_port_is_said_in_a_sentence(sandbox: SandboxServer) -> None:
    port = httpx.URL(sandbox.url).port or 0

    with pytest.raises(ConfigurationError, match=f"port {port} .*choose another port"):
        SandboxServer(port=port).start()


def test_before_it_starts_it_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = SandboxServer().url


def test_made_up_clients_and_faults_can_be_there_from_the_start(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"robaws": [{"kind": "status", "status": 503, "path": "/clients$"}]}')

    with SandboxServer(faults=faults, clients=3) as server:
        settings = server.settings()["robaws"]
        auth = (settings["username"], settings["password"])
        answers = [httpx.get(f"{settings['base_url']}/clients", auth=auth) for _ in range(2)]

    assert answers[0].status_code == 503
    assert answers[1].json()["totalItems"] == 3


SCRIPT = """
from worker.sandbox.server import SandboxServer
SandboxServer(clients=2).serve_forever(on_ready=lambda server: print(server.url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_for_ever_it_ends_by_a_signal_in_good_order(number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            overview = httpx.get(f"{url}/_sandbox/").json()
            process.send_signal(number)
            out, errors = process.communicate(timeout=20)
        finally:
            process.kill()

    assert overview["systems"]["robaws"]["records"]["clients"] == 2
    assert (process.returncode, out, errors) == (0, "ended\n", "")
