"""What `check` says of a vendor that refuses or is down: our own sentence first, and one step for every vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from worker.config import Settings
from worker.sandbox.world import World
from worker.vendors import contract
from worker.vendors.pages import TITLES
from worker.vendors.transport import Session, Unmetered, make_client

if TYPE_CHECKING:
    from worker.vendors.contract import Finding

THEIRS = "Dit zegt de leverancier"


def first_line(system: str, status: int) -> Finding:
    """The first line about a vendor that answers everything with this status and a sentence in its own language."""
    world = World()
    world.url = "https://vendors.example"
    settings = Settings.model_validate({"systems": world.settings()}).system(system)
    body = {"error": {"type": "client.unauthorized", "message": THEIRS}, "message": THEIRS, "error_description": THEIRS}
    if system == "workspace":
        body = {"code": status, "message": THEIRS, "data": None}  # type: ignore[dict-item]
    wire = httpx.MockTransport(lambda _request: httpx.Response(status, json=body))
    session = Session(system, make_client(settings.base_url, wire), Unmetered())
    findings: list[Finding] = contract.build(system, settings).check(session)
    return findings[0]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("system", contract.KNOWN)
def test_our_own_sentence_comes_first_and_the_vendor_s_words_behind_it(system: str, status: int) -> None:
    line = first_line(system, status)

    assert not line.ok
    assert not line.message.startswith(THEIRS)
    assert line.next_step


@pytest.mark.parametrize("system", ["rompslomp", "robaws", "routix"])
def test_the_vendor_s_words_are_there(system: str) -> None:
    assert THEIRS in first_line(system, 401).message


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("system", contract.KNOWN)
def test_a_vendor_that_is_down_is_said_to_be_down(system: str, status: int) -> None:
    line = first_line(system, status)

    assert not line.ok
    assert line.message.startswith(f"the vendor failed with status {status}")
    assert line.next_step == f"{TITLES[system]} itself is down: check again later"
