"""
What goes out to Routix: two kinds of request, a token and a page of accounts. Nothing here can write.

Routix answers 405 to anything but a GET of its list (Routix sheet 2 and trap 1;
https://docs.routix.com/en/api/api-integration).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from worker.core.wire import Request
from worker.errors import ConfigurationError
from worker.vendors.transport import json_body

Version = Literal["v1", "v2"]

ACCOUNTS_SCOPE: Final = "routix:accounts:read"
TOKEN_BUDGET: Final = "token"  # noqa: S105 - the kind of budget: the token endpoint has a limit of its own
"""Routix sheet 5: 30 tokens a minute for each client, apart from the limit on calls."""

FINANCIAL_MEMBERS: Final = ("iban", "bic", "credit_limit", "comment")
"""Financial and internal members of v2: neither stored nor logged (Routix sheet 4.2 and trap 14)."""

_BRANCH = re.compile(r"[A-Za-z0-9]{1,32}")


@dataclass(frozen=True)
class Access:
    """Who asks: the OAuth app's id and secret, where its tokens come from, and how lists are asked for."""

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    version: Version = "v2"
    page_size: int = 500


def token(access: Access) -> Request:
    """
    An access token for a server (Routix sheet 3; https://docs.routix.com/en/api/setup-guide).

    As JSON, as all of the vendor's examples do it; no scope is named, so it has those of the app.
    """
    asked = {"grant_type": "client_credentials", "client_id": access.client_id}
    return Request(
        "token",
        "POST",
        access.token_url,
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        body=json_body({**asked, "client_secret": access.client_secret}),
        logged=asked,
        budget=TOKEN_BUDGET,
        hidden=("access_token", "refresh_token"),
        secrets=(access.client_secret,),
    )


def accounts(access: Access, bearer: str, branch: str, offset: int, limit: int | None = None) -> Request:
    """
    Accounts of one branch from an offset, counted in records (Routix sheet 4).

    ConfigurationError for a branch that could be more than one part of an address.
    """
    if not _BRANCH.fullmatch(branch):
        raise ConfigurationError("systems.routix.branches holds a text that is not the public id of a branch")
    return Request(
        "list",
        "GET",
        f"/api/{access.version}/{branch}/accounts",
        (("limit", str(limit or access.page_size)), ("offset", str(offset))),
        {"Accept": "application/json", "Authorization": f"Bearer {bearer}"},
        hidden=FINANCIAL_MEMBERS,
    )
