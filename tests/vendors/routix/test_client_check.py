"""What `check` tells a newcomer of Routix."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.routix.client_wire import BASE_URL, ONE, TWO, organisation, wire
from worker.config import RoutixSettings
from worker.vendors.contract import Finding


def findings(routix: Any, clock: Any, **settings: Any) -> dict[str, Finding]:
    with wire(routix, clock, **settings) as at:
        found: list[Finding] = at.client.check(at.session)
    return {finding.subject: finding for finding in found}


def test_all_is_well_line_by_line_with_one_small_read_for_each_branch() -> None:
    routix, clock = organisation()
    routix.add_account(company_name="Klant")

    found = findings(routix, clock)

    assert list(found) == ["credentials", f"branch {ONE}", f"branch {TWO}"]
    assert all(finding.ok and not finding.next_step for finding in found.values())
    assert found[f"branch {ONE}"].message == "1 account can be read"
    assert [dict(call.request.query)["limit"] for call in routix.calls("GET")] == ["1", "1"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rate_per_minute": 100}, False),
        ({"rate_per_minute": 101}, True),
        ({"rate_per_minute": None, "rate_per_second": 3}, True),
        ({"rate_per_minute": 600, "rate_per_second": 1}, False),
    ],
)
def test_a_rate_between_the_two_published_limits_is_told_and_not_refused(settings: dict[str, Any], told: bool) -> None:
    routix, clock = organisation()

    found = findings(routix, clock, **settings)

    assert ("limits" in found) is told
    assert all(finding.ok for finding in found.values())


@pytest.mark.parametrize(
    ("base_url", "told"),
    [("https://api.routix.com/functions/v1", 600.0), ("https://api.routix.com/rest/v1", None)],
)
def test_the_address_decides_which_limit_is_told(base_url: str, told: float | None) -> None:
    assert RoutixSettings(base_url=base_url, rate_per_minute=600).rate_of_functions_exceeded == told


def test_a_wrong_secret_is_said_once_with_the_step() -> None:
    routix, clock = organisation()

    found = findings(routix, clock, client_secret="routix_wrong")

    assert list(found) == ["credentials"]
    assert "client_secret" in found["credentials"].next_step
    assert len(routix.calls()) == 1


def test_a_forbidden_branch_does_not_hide_the_others() -> None:
    routix, clock = organisation(allowed_branches=frozenset({TWO}))

    found = findings(routix, clock)

    assert [found[subject].ok for subject in ("credentials", f"branch {ONE}", f"branch {TWO}")] == [True, False, True]
    assert "scope" in found[f"branch {ONE}"].next_step


def test_a_mistyped_branch_is_said() -> None:
    routix, clock = organisation()

    found = findings(routix, clock, branches=["MISTYPED", ONE])

    assert not found["branch MISTYPED"].ok
    assert found[f"branch {ONE}"].ok


def test_a_mistyped_token_address_is_said_once() -> None:
    routix, clock = organisation()

    found = findings(routix, clock, token_url=f"{BASE_URL}/oauth")

    assert list(found) == ["address"]
    assert "token_url" in found["address"].next_step


@pytest.mark.parametrize(
    ("fault", "settings", "subject"),
    [
        ("drop_before", {}, "connection"),
        ("html", {"status": 502}, "connection"),
        ("html", {"status": 200}, "address"),
        ("throttle", {}, "limits"),
    ],
)
def test_what_does_not_answer_properly_is_said(fault: Any, settings: dict[str, Any], subject: str) -> None:
    routix, clock = organisation()
    routix.fail(fault, times=-1, **settings)

    found = findings(routix, clock)

    assert list(found) == [subject]
    assert not found[subject].ok
    assert found[subject].next_step
