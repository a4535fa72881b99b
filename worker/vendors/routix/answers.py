"""
What Routix's answers mean: pure functions from an answer to a value, or to an error of `worker.errors`.

What is not mapped stops here: v2 grows at any time, and it brings bank data and internal notes along (Routix sheet 4.2,
traps 10 and 14).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from worker.errors import CredentialsRejected, VendorError, VendorRejected, WrongAddress
from worker.vendors.routix.calls import ACCOUNTS_SCOPE, Version
from worker.vendors.routix.mapping import KEPT_MEMBERS
from worker.vendors.transport import Response

Kind = TypeVar("Kind", bound=VendorError)

UNTOLD_TOKEN_SECONDS: Final = 300.0
"""How long a token is used when its answer does not say (Routix sheet 7)."""

TOKEN_ADDRESS: Final = "wrong_token_address"  # noqa: S105 - a word for a reason
MOST_TOKEN_SECONDS: Final = 86_400.0
MOST_TOKEN_CHARACTERS: Final = 16_384
MOST_TEXT: Final = 1_000
MOST_ID_CHARACTERS: Final = 100


@dataclass(frozen=True)
class Token:
    """An access token, to be used until `good_until` (Unix seconds), which is some time before it ends."""

    value: str = field(repr=False)
    good_until: float


@dataclass(frozen=True)
class Account:
    """One account: only the members that this product maps."""

    account_id: str
    members: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """One page of a branch's list; `total` is what Routix counts in the whole list at that moment."""

    accounts: tuple[Account, ...]
    total: int


def token(response: Response, asked_at: float) -> Token:
    """
    The token that an answer holds. CredentialsRejected where Routix refuses the app.

    Only `access_token` is documented; the rest of the answer is the convention of OAuth (Routix sheet 3).
    """
    if not response.ok:
        raise token_failure(response)
    body = response.json()
    value = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(value, str) or not value or len(value) > MOST_TOKEN_CHARACTERS:
        raise response.broken("the token endpoint's answer holds no token")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise response.broken("the token endpoint's answer holds a token that no header can carry")
    seconds = _seconds(body.get("expires_in"))
    return Token(value, asked_at + seconds - min(60.0, seconds / 10))


def page(response: Response, version: Version) -> Page:
    """
    A page of accounts. VendorBroken where it is not as the vendor's page says.

    An answer of another version is refused: v1 has no addresses, and a missing one must not look like an empty one.
    """
    body = response.json()
    if not isinstance(body, dict):
        raise response.broken("the answer is not an object")
    data, pagination, answered = body.get("data"), body.get("pagination"), body.get("version", version)
    total = pagination.get("total") if isinstance(pagination, dict) else None
    if not isinstance(data, list) or type(total) is not int or total < 0:
        raise response.broken("the answer is not a page of accounts")
    if answered != version:
        raise response.broken(f"the answer is not of version {version}")
    return Page(tuple(_account(item, response) for item in data), total)


def failure(response: Response, branch: str) -> VendorError:
    """The error that an answer other than 2xx and 401 to a list means (Routix sheet 5)."""
    general = _general_failure(response)
    if general is not None:
        return general
    code, text = _said(response)
    if response.status == 403:
        # Trap 6: scope or branch. Neither heals by repeating.
        why = f"either its scope {ACCOUNTS_SCOPE} or its access to branch {branch} is missing"
        if code == "insufficient_scope":
            why = f"its scope {ACCOUNTS_SCOPE} is missing"
        return _error(
            CredentialsRejected, f"the app may not read accounts of Routix: {why}", text, response, "no_right"
        )
    if response.status == 404:
        # Trap 7: never "all accounts are gone".
        return _error(WrongAddress, f"Routix knows no branch {branch}, or nothing at this address", text, response)
    if response.status == 405:
        return _error(WrongAddress, "Routix does not take this at this address", text, response)
    return _error(VendorRejected, f"Routix refuses the request with status {response.status}", text, response)


def token_failure(response: Response) -> VendorError:
    """The error that the token endpoint's refusal means; its codes are those of OAuth (Routix sheet 5 and 6.4)."""
    general = _general_failure(response)
    if general is not None:
        return general
    _, text = _said(response)
    if response.status in (404, 405):
        return _error(WrongAddress, "there is no token endpoint at this address", text, response, TOKEN_ADDRESS)
    return _error(CredentialsRejected, "Routix does not accept the app's client id and secret", text, response)


def refused_again(response: Response) -> CredentialsRejected:
    """The error for a 401 right after a fresh token: the app was revoked, or is none for this API (trap 9)."""
    _, text = _said(response)
    return _error(CredentialsRejected, "Routix refuses a token that it has just given", text, response)


def moment(value: Any) -> str | None:
    """
    A time stamp in UTC, None where there is none to be read. One without a zone is UTC (Routix sheet 7).

    >>> moment("2025-09-30T12:00:00"), moment("2025-09-30T14:00:00+02:00"), moment("gisteren")
    ('2025-09-30T12:00:00+00:00', '2025-09-30T12:00:00+00:00', None)
    """
    try:
        read = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if read.tzinfo is None:
        read = read.replace(tzinfo=datetime.UTC)
    try:
        return read.astimezone(datetime.UTC).isoformat()
    except OverflowError:
        return None


def _general_failure(response: Response) -> VendorError | None:
    """The errors that mean the same at both addresses."""
    if response.status >= 500 or response.status == 408:
        return response.failed()
    if response.status == 429:
        # No Retry-After is mentioned; without one the caller backs off (Routix sheet 5).
        return response.limited()
    if response.body.lstrip().startswith(b"<") or 300 <= response.status < 400:
        return response.broken("the answer does not come from the API itself")
    return None


def _account(item: Any, response: Response) -> Account:
    account_id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(account_id, str) or not 0 < len(account_id) <= MOST_ID_CHARACTERS:
        raise response.broken("an account has no id")
    return Account(account_id, {name: item[name] for name in KEPT_MEMBERS if name in item})


def _seconds(value: Any) -> float:
    """`expires_in`, as a number or as its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return UNTOLD_TOKEN_SECONDS
    return min(float(value), MOST_TOKEN_SECONDS)


def _said(response: Response) -> tuple[str, str]:
    """(code, text) of an error's body; a gateway in front may say `message` or `msg` instead (Routix sheet 5)."""
    body = response.json_or_none()
    if not isinstance(body, dict):
        return "", ""
    code = body.get("error")
    texts = (body.get(name) for name in ("error_description", "message", "msg", "error"))
    text = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    return code if isinstance(code, str) else "", text.strip()[:MOST_TEXT]


def _error(kind: type[Kind], ours: str, theirs: str, response: Response, reason: str | None = None) -> Kind:
    text = f"{ours} ({theirs})" if theirs else ours
    return kind(text, reason=reason, status=response.status, excerpt=response.excerpt)
