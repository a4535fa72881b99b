"""
What `contactsync check` says of Robaws, in sentences for somebody who sees it for the first time.

Every look is one call; after credentials that are refused nothing further is asked, since each refused call counts
against this integration (Robaws sheet 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from worker.errors import (
    BudgetExhausted,
    CredentialsRejected,
    RateLimited,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.contract import Finding, down
from worker.vendors.robaws import answers, endpoints, refusals
from worker.vendors.robaws.endpoints import REGISTER

if TYPE_CHECKING:
    from worker.vendors.robaws.client import RobawsClient
    from worker.vendors.robaws.refusals import Quota
    from worker.vendors.transport import Session

SCARCE_SHARE: Final = 0.1
"""Below this share of the day's quota a person should know."""


def findings(client: RobawsClient, session: Session) -> list[Finding]:
    """All lines, in the order in which a person would put them right. Never raises for what Robaws refuses."""
    try:
        response = client.first_client(session)
        count = answers.total(response)
        answers.page(response)
    except SyncError as error:
        return [_no_read(error)]
    number = "clients" if count is None else f"{count} client{'' if count == 1 else 's'}"
    found = [
        Finding("credentials", True, "Robaws accepts the credentials"),
        Finding("clients", True, f"{number} can be read"),
    ]
    quota = refusals.quota(response)
    if quota is not None:
        found.extend(_quota(quota))
    found.extend(_webhooks(client, session))
    if client.secrets_known == 0:
        text = "systems.robaws.webhook_secrets is empty, so every webhook would be refused"
        found.append(Finding("webhook secret", False, text, f"{REGISTER}; --write-secret puts it in its file"))
    return found


def _no_read(error: SyncError) -> Finding:
    """The line for a first read that did not come to an end."""
    if isinstance(error, CredentialsRejected):
        return Finding("clients" if error.word == "no_right" else "credentials", False, error.message, _cure(error))
    if isinstance(error, RateLimited | BudgetExhausted):
        return Finding("limits", False, error.message, "wait, then check again; nothing is lost meanwhile")
    if isinstance(error, VendorUnavailable):
        away = "look at systems.robaws.base_url, the network and the firewall"
        step = down("Robaws") if error.status is not None else away
        return Finding("connection", False, error.message, step)
    if isinstance(error, RecordGone | WrongAddress | VendorBroken):
        text = f"this does not look like the API of Robaws: {error.message}"
        step = "set systems.robaws.base_url to the address with its version, https://app.robaws.com/api/v2"
        return Finding("address", False, text, step)
    return Finding("clients", False, error.message, "give Robaws's support this message and its correlation id")


def _cure(error: CredentialsRejected) -> str:
    """The step for refused credentials; for a block it is not another password (Robaws sheet 14, trap 3)."""
    if error.word == "temp_blocked":
        return (
            "stop all integrations of this tenant, leave the password alone, and ask Robaws's support to lift the block"
        )
    if error.word == "no_right":
        return "in Robaws, give the role of the API user the module for clients, with reading and changing"
    return (
        "set systems.robaws.username and password to the API key and API secret of the API-only user (in Robaws: "
        "users, tick `API only`); set systems.robaws.tenant where that login belongs to several tenants"
    )


def _quota(quota: Quota) -> Iterator[Finding]:
    """What is left of the day in live mode: all integrations of the tenant eat from it (Robaws sheet 4)."""
    if quota.remaining is None:
        return
    of = "" if quota.limit is None else f" of {quota.limit}"
    text = f"{quota.remaining}{of} calls are left today, for all integrations of this tenant together"
    if quota.limit is not None and quota.remaining < SCARCE_SHARE * quota.limit:
        step = "find out which integration uses them up, or ask Robaws for a higher limit"
        yield Finding("daily quota", False, text, step)
    else:
        yield Finding("daily quota", True, text)


def _webhooks(client: RobawsClient, session: Session) -> Iterator[Finding]:
    try:
        registered = client.list_webhooks(session)
    except CredentialsRejected as error:
        if error.word != "no_right":
            yield Finding("webhooks", False, error.message, _cure(error))
            return
        # Only administrators may (Robaws sheet 3.1); an API-only user that is none is as it should be.
        text = "this login may not see the webhook registrations, as it is no administrator; that is as it should be"
        yield Finding("webhooks", True, text, f"if no event ever arrives: {REGISTER}")
    except (RecordGone, WrongAddress, VendorBroken):
        yield Finding(
            "webhooks", True, "this Robaws does not list its webhook registrations", f"if in doubt: {REGISTER}"
        )
    except SyncError as error:
        yield Finding("webhooks", False, error.message, "check again in a moment")
    else:
        yield from endpoints.findings(registered, client.reception)
