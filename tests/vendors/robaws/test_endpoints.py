"""Registered addresses as `check` sees them: those where nothing arrives, those that double every event."""

from __future__ import annotations

import pytest

from worker.vendors.contract import Finding
from worker.vendors.robaws.answers import Endpoint
from worker.vendors.robaws.endpoints import ANYWHERE, Reception, findings, problem

PUBLIC = "https://sync.example.org"
RIGHT = f"{PUBLIC}/webhooks/robaws"
OURS = Reception(PUBLIC)
EVENTS = ("client.created", "client.updated")


def look(*urls: str, reception: Reception = ANYWHERE) -> list[Finding]:
    return list(findings([Endpoint(f"id-{at}", url, EVENTS) for at, url in enumerate(urls)], reception))


@pytest.mark.parametrize(
    "url", ["https://sync.example.org", "https://sync.example.org/webhooks/robaw", "https://sync.example.org/hooks"]
)
def test_a_registration_with_another_path_needs_a_person(url: str) -> None:
    (found,) = look(url)

    assert not found.ok
    assert "no event arrives" in found.message
    assert found.next_step.startswith("contactsync webhooks register https://HOST/webhooks/robaws")


def test_another_programs_registration_is_no_fault() -> None:
    other, ours = look("https://crm.example.org/hooks", RIGHT)

    assert (other.ok, other.warning) == (True, True)
    assert "another program" in other.next_step
    assert (ours.ok, ours.warning) == (True, False)


def test_another_path_below_the_public_address_may_be_mapped_by_a_proxy() -> None:
    (found,) = look(f"{PUBLIC}/hooks/erp", reception=OURS)

    assert (found.ok, found.warning) == (True, True)
    assert "contactsync webhooks test" in found.next_step


def test_the_same_path_on_two_hosts_is_a_warning() -> None:
    *lines, odd = look(RIGHT, "https://old.example.org/webhooks/robaws", reception=OURS)

    assert all(line.ok and not line.warning for line in lines)
    assert odd.warning
    assert RIGHT in odd.message
    assert "https://old.example.org/webhooks/robaws" in odd.message


def test_a_registration_for_another_host_than_the_public_url_needs_a_person() -> None:
    _, wrong = look("https://old.example.org/webhooks/robaws", reception=OURS)

    assert not wrong.ok
    assert f"receiver.public_url ({PUBLIC})" in wrong.message
    assert wrong.next_step.startswith(f"contactsync webhooks register {RIGHT}")


def test_a_port_and_upper_case_make_no_other_host() -> None:
    (found,) = look("https://SYNC.example.org:8443/webhooks/robaws", reception=OURS)

    assert found.ok


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]", "10.0.0.7", "sync", "nas.lan"])
def test_an_address_that_the_internet_does_not_know_is_refused_and_found(host: str) -> None:
    url = f"https://{host}/webhooks/robaws"

    assert "Robaws cannot reach" in (problem(url) or "")
    (found,) = look(url)
    assert not found.ok
    assert "remove id-0" in found.next_step


def test_the_sandbox_reaches_this_machine() -> None:
    url = "http://127.0.0.1:8080/webhooks/robaws"

    assert problem(url, simulated=True) is None
    assert all(found.ok for found in look(url, reception=Reception(simulated=True)))
