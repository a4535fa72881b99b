"""`contactsync sandbox`: it serves, says what points at it, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.cli.processes import running
from worker.config import load_settings
from worker.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from tests.cli.command import Command


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_it_prints_can_be_pasted_and_it_ends_cleanly(folder: Path, number: int) -> None:
    with running("sandbox", "--port", "0", "--clients", "3") as sandbox:
        sandbox.until("branches")

        printed = "".join(sandbox.lines)
        (folder / "contactsync.toml").write_text(printed)
        base = tomllib.loads(printed)["systems"]["robaws"]["base_url"]
        state = httpx.get(base.replace("/robaws/api/v2", "/_sandbox/robaws"), trust_env=False).json()
        status = sandbox.end(number)

    assert len(state["clients"]) == 3
    assert load_settings({}, folder).enabled_systems() == ("robaws", "rompslomp", "recras", "workspace", "routix")
    assert status == 0


@pytest.mark.slow
def test_the_json_is_one_document(folder: Path) -> None:
    with running("sandbox", "--port", "0", "--json") as sandbox:
        sandbox.until("}\n")
        while sandbox.lines[-1] != "}\n":
            sandbox.until("}\n")
        sandbox.end(signal.SIGTERM)

        document = json.loads(sandbox.rest())

    assert document["systems"]["recras"]["base_url"] == f"{document['url']}/recras/api2"


def test_a_port_that_is_taken_is_said_with_the_next_step(contactsync: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = contactsync("sandbox", "--port", str(taken.getsockname()[1]))

    assert ran.status == 2
    assert "choose another port" in ran.err


def test_mistakes_in_the_faults_are_said_all_at_once(contactsync: Command, folder: Path) -> None:
    (folder / "faults.json").write_text('{"recrass": [], "robaws": [{"kind": "explode"}]}')

    ran = contactsync("sandbox", "--port", "0", "--faults", "faults.json")

    assert ran.status == 2
    assert "did you mean 'recras'?" in ran.err
    assert "knows no fault 'explode'" in ran.err


def test_a_fault_may_be_meant_for_one_value_only(folder: Path) -> None:
    (folder / "faults.json").write_text(
        json.dumps({"rompslomp": [{"kind": "status", "status": 422, "times": -1, "sent": "BE0000000295"}]})
    )
    with SandboxServer(faults=folder / "faults.json") as sandbox:
        settings = sandbox.settings()["rompslomp"]
        url = f"{settings['base_url']}/companies/{settings['company_id']}/contacts"
        headers = {"authorization": f"Bearer {settings['token']}"}

        statuses = [
            httpx.post(
                url, headers=headers, trust_env=False, json={"contact": {"company_name": "Maas", "vat_number": number}}
            ).status_code
            for number in ("BE0000000295", "BE0000000394", "BE0000000295")
        ]

    assert statuses == [422, 201, 422]


@pytest.mark.slow
@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_sandbox_that_others_can_reach_says_what_that_means(folder: Path, host: str, warned: bool) -> None:
    with running("sandbox", "--port", "0", "--host", host) as sandbox:
        sandbox.until("branches")
        sandbox.end(signal.SIGTERM)
        assert sandbox.process.stderr is not None
        said = sandbox.process.stderr.read()

    assert ("warning: it listens on 0.0.0.0" in said) is warned
