"""What the simulated Routix knows of an account, and the switches for what nobody knows (Routix sheet 4 to 7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# 4.1: the stable set.
V1_MEMBERS = ("id", "company_name", "email", "phone", "account_type", "status")
_ADDRESS = ("street", "number", "addition", "zipcode", "city")
# 4.2: what v2 adds, in the vendor's order.
V2_MEMBERS = (
    *V1_MEMBERS,
    "website",
    "industry",
    "lead_source",
    *(f"{kind}_address_{part}" for kind in ("visit", "shipping", "billing") for part in _ADDRESS),
    "invoice_email",
    "vat_number",
    "chamber_of_commerce_number",
    "iban",
    "bic",
    "payment_terms",
    "credit_limit",
    "comment",
    "registration_date",
    "created_at",
    "last_updated_at",
)
ACCOUNT_TYPES = frozenset({"customer", "vendor", "carrier"})
# Set by Routix itself.
OWN_MEMBERS = frozenset({"id", "created_at", "last_updated_at"})

ACCOUNTS_SCOPE = "routix:accounts:read"


@dataclass
class RoutixSwitches:
    """All that the sheet leaves open; each default is the sheet's own guess."""

    # 5: limits; None is no limit. Which of the two that could apply counts is not known: the tighter one, then.
    requests_per_minute: int | None = 100
    tokens_per_minute: int | None = 30
    retry_after_seconds: float | None = None
    # 3: tokens.
    token_seconds: float = 3600.0
    token_answer_is_bare: bool = False
    form_tokens: bool = False
    bad_client_status: Literal[400, 401] = 401
    scopes: tuple[str, ...] = (ACCOUNTS_SCOPE,)
    app_revoked: bool = False
    # 2: branches that exist and those that this app may read.
    allowed_branches: frozenset[str] | None = None
    # 4: lists.
    over_limit: Literal["cut", "refuse"] = "cut"
    list_moves: bool = False
    # 4.2: values.
    v2_grows: bool = False
    empty_as: Literal["null", "text", "absent"] = "null"
    naive_times: bool = False
    edits_move_last_updated_at: bool = True


@dataclass(eq=False)
class Refusal(Exception):
    """A request that Routix answers with an error: `error` and `error_description` (sheet 5)."""

    status: int
    error: str
    description: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class MinuteWindow:
    """Counts what happened in the last sixty seconds."""

    _moments: deque[float] = field(default_factory=deque)

    def admit(self, now: float, most: int | None) -> bool:
        """Count one more; False, and uncounted, where there were `most` already."""
        while self._moments and self._moments[0] <= now - 60:
            self._moments.popleft()
        if most is not None and len(self._moments) >= most:
            return False
        self._moments.append(now)
        return True


def write_account(account: Mapping[str, Any], version: Literal["v1", "v2"], switches: RoutixSwitches) -> dict[str, Any]:
    """One account as that version shows it, empties and times as the switches say."""
    written: dict[str, Any] = {}
    for name in V1_MEMBERS if version == "v1" else V2_MEMBERS:
        value = account.get(name)
        if value is None and switches.empty_as == "absent":
            continue
        if value is None and switches.empty_as == "text":
            value = ""
        if switches.naive_times and name in {"registration_date", "created_at", "last_updated_at"} and value:
            value = value.removesuffix("Z")
        written[name] = value
    if version == "v2" and switches.v2_grows:
        # 4.2: "v2 may gain members at any time".
        written["loyalty_tier"] = "gold"
        written["attributes"] = {"source": "import", "tags": ["a", "b"]}
    return written


def check_account(members: Mapping[str, Any]) -> None:
    """ValueError for what the application's own screens would not take."""
    unknown = members.keys() - set(V2_MEMBERS)
    if unknown:
        raise ValueError(f"an account of Routix has no such member: {', '.join(sorted(unknown))}")
    if not members.get("company_name"):
        raise ValueError("company_name is mandatory in the application (sheet 4.1)")
    if members.get("account_type") not in ACCOUNT_TYPES:
        raise ValueError(f"account_type is one of {', '.join(sorted(ACCOUNT_TYPES))}")
