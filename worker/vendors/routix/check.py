"""
What `contactsync check` says of Routix, in sentences for somebody who sees it for the first time.

One token and one account for each branch; after credentials that are refused nothing further is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.errors import (
    BudgetExhausted,
    CredentialsRejected,
    RateLimited,
    SyncError,
    VendorBroken,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.contract import Finding, down
from worker.vendors.routix.answers import TOKEN_ADDRESS

if TYPE_CHECKING:
    from worker.vendors.routix.client import RoutixClient
    from worker.vendors.transport import Session

_APP: Final = "in Routix under Settings, OAuth Apps"


def findings(client: RoutixClient, session: Session) -> list[Finding]:
    """One line for the app and one for each branch. Never raises for what Routix refuses."""
    found: list[Finding] = []
    for branch in client.branches:
        try:
            total = client.page(session, branch, 0, 1).total
        except SyncError as error:
            finding = _refused(error, branch)
            found.append(finding)
            if finding.subject != _subject(branch):
                break
        else:
            number = f"{total} account{'' if total == 1 else 's'}"
            found.append(Finding(_subject(branch), True, f"{number} can be read"))
    if found and found[0].subject.startswith("branch"):
        found.insert(0, Finding("credentials", True, "Routix accepts the app; it can only be read, never written"))
    if client.rate_above is not None:
        found.append(_rate(client.rate_above))
    return found


def _rate(rate: float) -> Finding:
    """A rate that one of two published limits allows; which of them counts is not said (Routix sheet 5)."""
    text = (
        f"{rate:g} calls a minute: Routix allows its REST API 1000 for each organisation, and addresses with "
        "/functions/, such as this one, 100 for each user"
    )
    return Finding("limits", True, text, "set systems.routix.rate_per_minute to 100 or less if it answers 429")


def _subject(branch: str) -> str:
    return f"branch {branch}"


def _refused(error: SyncError, branch: str) -> Finding:
    """The line for a read that did not come to an end; one that is about this branch alone carries its name."""
    if isinstance(error, CredentialsRejected) and error.word == "no_right":
        step = f"{_APP}, give the app the scope routix:accounts:read and this branch"
        return Finding(_subject(branch), False, error.message, step)
    if isinstance(error, CredentialsRejected):
        step = (
            f"set systems.routix.client_id and client_secret to those of an active app ({_APP}); "
            "the secret was shown once, when the app was registered or its secret replaced"
        )
        return Finding("credentials", False, error.message, step)
    if isinstance(error, RateLimited | BudgetExhausted):
        return Finding("limits", False, error.message, "wait a minute, then check again; nothing is lost meanwhile")
    if isinstance(error, VendorUnavailable):
        away = "look at systems.routix.base_url, the network and the firewall"
        step = down("Routix") if error.status is not None else away
        return Finding("connection", False, error.message, step)
    if isinstance(error, WrongAddress) and error.word == TOKEN_ADDRESS:
        return Finding("address", False, error.message, "look for a slip in systems.routix.token_url and base_url")
    if isinstance(error, WrongAddress):
        step = "look for a slip in systems.routix.branches; if every branch says this, in base_url or token_url"
        return Finding(_subject(branch), False, error.message, step)
    if isinstance(error, VendorBroken):
        text = f"this does not look like the API of Routix: {error.message}"
        step = "set systems.routix.base_url to https://api.routix.com/functions/v1"
        return Finding("address", False, text, step)
    return Finding(_subject(branch), False, error.message, "give Routix's support this message")
