"""
What `contactsync check` says of Rompslomp, from what the token can see (Rompslomp sheet 3).

The administrations with their `access_control` (https://rompslomp.nl/developer/oauth/scopes) tell a wrong number, a
missing right and a missing subscription apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from worker.vendors.contract import Finding, down
from worker.vendors.rompslomp.rules import ACCESS_STEP, CREDENTIALS_STEP, PATH_STEP, SCOPE_STEP

if TYPE_CHECKING:
    from worker.core.contact import Json
    from worker.errors import SyncError

SUBSCRIPTION_STEP: Final = (
    "take a paid subscription for the administration, from Puur Factuur upward, and activate the API add-on in it"
)
_REACH_STEP: Final = "look at systems.rompslomp.base_url and at the network"
_SAME: Final = ""
_STEPS: Final = {
    "credentials": ("token", CREDENTIALS_STEP),
    "missing_scope": (_SAME, SCOPE_STEP),
    "access_denied": (_SAME, ACCESS_STEP),
    "wrong_address": ("address", PATH_STEP),
    "broken_answer": ("address", PATH_STEP),
    "unreachable": ("host", _REACH_STEP),
    "no_answer": ("host", _REACH_STEP),
    "server_error": ("host", down("Rompslomp")),
    "rate_limited": ("limits", "wait a minute, then check again; nothing is lost meanwhile"),
}


def listed(companies: Sequence[Json]) -> str:
    """The administrations for people: names with their numbers."""
    return ", ".join(f"{company.get('name') or 'without a name'} ({company.get('id')})" for company in companies)


def administration(companies: Sequence[Json], company_id: str) -> list[Finding]:
    """What there is to say of the configured administration; the first finding that is not ok ends the list."""
    company = next((company for company in companies if str(company.get("id")) == company_id), None)
    if company is None:
        seen = listed(companies) or "none at all"
        step = "set systems.rompslomp.company_id to one of them, or give the token's user access to it"
        return [
            Finding("administration", False, f"{company_id} is not among those that the token reaches: {seen}", step)
        ]
    control = company.get("access_control")
    accessible, scopes = None, None
    if isinstance(control, dict):
        accessible, scopes = control.get("api_accessible"), control.get("allowed_scopes")
    name = listed([company])
    if accessible is False:
        text = f"{name} has a free subscription, which the API does not open"
        return [Finding("administration", False, text, SUBSCRIPTION_STEP)]
    if isinstance(scopes, list) and "manage:contacts" not in scopes:
        text = f"{name} does not allow manage:contacts (it allows {', '.join(map(str, scopes)) or 'nothing'})"
        return [Finding("administration", False, text, SCOPE_STEP)]
    return [Finding("administration", True, f"{name} is open to the API and allows contacts")]


def refused(subject: str, error: SyncError) -> Finding:
    """The finding for a call that failed, under the name of what is wrong: a host that is away is no wrong token."""
    told, step = _STEPS.get(error.word, (_SAME, "try again later"))
    return Finding(told or subject, False, error.message.removesuffix(f": {step}"), step)
