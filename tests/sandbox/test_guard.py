"""No page of another site uses the control API through a browser on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from worker.sandbox.server import SandboxServer

if TYPE_CHECKING:
    import httpx

CHANGING = (
    ("POST", "/reset", b"{}"),
    ("POST", "/seed", b'{"clients": 1}'),
    ("POST", "/robaws/webhooks", b'{"url": "http://127.0.0.1:9/"}'),
    ("POST", "/recras/faults", b'{"kind": "html"}'),
    ("PATCH", "/robaws/switches", b"{}"),
    ("DELETE", "/recras/faults", b""),
)
FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


def state(sandbox: SandboxServer) -> tuple[int, int, int]:
    simulators = sandbox.simulators
    return (
        len(simulators["robaws"].state()["clients"]),
        len(sandbox.world.robaws.webhooks.endpoints),
        len(simulators["recras"].faults),
    )


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(("method", "path", "body"), CHANGING, ids=lambda value: str(value))
def test_a_page_of_another_site_changes_nothing(
    sandbox: SandboxServer, control: httpx.Client, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    sandbox.seed(2)
    before = state(sandbox)

    answer = control.request(method, path, content=body, headers={"Content-Type": "text/plain"} | headers)

    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]
    assert state(sandbox) == before


def test_a_page_of_another_site_reads_nothing(control: httpx.Client) -> None:
    assert control.get("/robaws", headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9000", ""])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/robaws"), ("POST", "/reset")])
def test_under_another_name_it_does_not_answer(control: httpx.Client, method: str, path: str, host: str) -> None:
    assert control.request(method, path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:9000", "[::1]:9000", "192.0.2.7:9000"])
def test_it_answers_under_the_addresses_of_this_machine(control: httpx.Client, host: str) -> None:
    assert control.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "text/json", "application/xml"])
def test_a_body_is_json(control: httpx.Client, kind: str) -> None:
    answer = control.post("/seed", content=b'{"clients": 1}', headers={"Content-Type": kind})

    assert (answer.status_code, "application/json" in answer.json()["error"]) == (415, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 201),
        ({"Content-Type": "application/json; charset=utf-8"}, 201),
        ({}, 201),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 201),
        ({"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded", "Referer": "https://evil.example/"}, 415),
    ],
    ids=str,
)
def test_a_program_may_call_a_body_a_form_and_a_browser_may_not(
    control: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert control.post("/seed", content=b'{"clients": 1}', headers=headers).status_code == status


def test_its_own_page_may_change_it(sandbox: SandboxServer, control: httpx.Client) -> None:
    own: dict[str, Any] = {"Origin": sandbox.url, "Sec-Fetch-Site": "same-origin"}

    assert control.post("/seed", json={"clients": 1}, headers=own).status_code == 201
