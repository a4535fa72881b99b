"""Who may call the simulated Rompslomp, for which administration, and how often (Rompslomp sheets 3, 5 and 11)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from worker.vendors.rompslomp import simulator_errors as errors

# Sheet 3: no smaller right than this one opens the contacts.
CONTACTS_SCOPE = "manage:contacts"
DEFAULT_SCOPES = frozenset({"public", CONTACTS_SCOPE})


@dataclass
class Token:
    """A personal token: its scopes, the administrations that its user reaches, and the moment at which it ends."""

    companies: frozenset[int]
    scopes: frozenset[str] = DEFAULT_SCOPES
    expires_at: float | None = None
    first_name: str = "Sam"
    last_name: str = "Voorbeeld"
    email: str = "sam@voorbeeld.example"


@dataclass
class Company:
    """One administration. `api_add_on` shows nowhere but in what is refused (assumed; sheets 7 and 14)."""

    id: int
    name: str = "Voorbeeld Administratie"
    api_accessible: bool = True
    api_add_on: bool = True
    allowed_scopes: frozenset[str] = DEFAULT_SCOPES | {"read:me"}

    def shown(self) -> dict[str, object]:
        """As in the list of administrations (sheet 11.4)."""
        return {
            "id": self.id,
            "name": self.name,
            "access_control": {
                "api_accessible": self.api_accessible,
                "allowed_scopes": sorted(self.allowed_scopes),
            },
        }


@dataclass
class RateWindow:
    """The requests of one token in the present window."""

    started_at: float
    count: int = 0
    blocked_until: float | None = None

    def admit(self, now: float, limit: int, window_seconds: float) -> int | None:
        """
        Count one request; None lets it through, else the whole seconds to wait.

        A request that comes before those have passed is refused as well (sheet 11.12).
        """
        if self.blocked_until is not None and now < self.blocked_until:
            return max(1, math.ceil(self.blocked_until - now))
        if self.blocked_until is not None or now >= self.started_at + window_seconds:
            self.started_at, self.count, self.blocked_until = now, 0, None
        self.count += 1
        if self.count <= limit:
            return None
        wait = max(1, math.ceil(self.started_at + window_seconds - now))
        self.blocked_until = now + wait
        return wait


def authenticated(tokens: dict[str, Token], header: str | None, now: float) -> tuple[str, Token]:
    """The token of an Authorization header; refused as in sheet 11.3."""
    scheme, _, value = (header or "").partition(" ")
    token = tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise errors.invalid_token()
    if token.expires_at is not None and now >= token.expires_at:
        raise errors.invalid_token(expired=True)
    return value.strip(), token


def company_for(companies: dict[int, Company], token: Token, company_id: str) -> Company:
    """The administration of a path, where the token reaches it and the API is open for it (sheet 11.4)."""
    company = companies.get(int(company_id)) if company_id.isascii() and company_id.isdigit() else None
    closed = company is None or not (company.api_accessible and company.api_add_on)
    if company is None or closed or company.id not in token.companies:
        raise errors.access_denied()
    return company


def check_scope(token: Token, company: Company | None, scope: str) -> None:
    """A call needs its scope in the token and in the administration (sheet 3)."""
    if scope not in token.scopes or (company is not None and scope not in company.allowed_scopes):
        raise errors.invalid_scope(scope)
