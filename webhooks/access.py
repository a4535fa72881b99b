"""
Who may look and act: bearer tokens with roles, `viewer` < `operator` < `admin`.

A viewer reads, with personal data masked; an operator acts; an admin also does what reaches far (a bulk action on many
items, an end to somebody else's pause). Tokens are compared in constant time, all of them each time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from webhooks.problems import Problem
from webhooks.refusals import Refusals
from webhooks.throttle import Throttle
from worker.config.access import is_strong, token_digest

if TYPE_CHECKING:
    from starlette.requests import Request

    from worker.config import Role, Settings, TokenSettings

ROLES: Final = ("viewer", "operator", "admin")

_BEARER: Final = {"WWW-Authenticate": 'Bearer realm="contactsync"'}
_BASIC: Final = {"WWW-Authenticate": 'Basic realm="contactsync", charset="UTF-8"'}
_NO_TOKENS: Final = (
    "no tokens are configured: make one with contactsync tokens new NAME --role ROLE, and put it into ops.tokens;"
    " the receiver takes it over within seconds"
)


@dataclass(frozen=True)
class Caller:
    """Whoever calls. `name` stands in the log of actions: the token's name in the settings, never anything of it."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this role, or a greater one, is theirs."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Access:
    """
    The tokens of the settings.

    Every refusal is noted with its kind (`webhooks.refusals`). Whoever sends unknown tokens waits after a few of them
    (`webhooks.throttle`). A token that nobody can guess is taken at any time, so that guesses lock nobody out: behind a
    proxy all callers have one address.
    """

    def __init__(
        self, settings: Settings, refusals: Refusals | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.use(settings)
        self._refusals = refusals or Refusals()
        self._throttle = Throttle(clock)

    def use(self, settings: Settings) -> None:
        """Take the tokens of these settings, and no others, from now on."""
        self._tokens = [(token.digest, token) for token in settings.ops.tokens]

    def require(self, request: Request, role: Role, call: str) -> Caller:
        """
        The caller; 401 without a known token, 403 with too small a role, 429 after too many wrong tokens.

        `call` is what the log says of the request: method and path without what a stranger filled in.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if not token:
            self.refuse(request, call, "token_missing", 401)
        caller = self._caller(request, call, token, _BEARER) if token else None
        if caller is None:
            detail = "send a token of ops.tokens as `Authorization: Bearer TOKEN`"
            if not self._tokens:
                detail = _NO_TOKENS
            raise Problem(401, detail, headers=_BEARER)
        if not caller.may(role):
            self.refuse(request, call, "role", 403, token=caller.name)
            raise Problem(403, f"this needs the role {role}; the token's role is {caller.role}")
        return caller

    def require_page(self, request: Request) -> Caller:
        """
        For the page: the token as the password of a browser's own login; whose it is.

        From this machine too: a tunnel, a proxy and every other account here have its address.
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = _password(given) if scheme.lower() == "basic" else ""
        caller = self._caller(request, "GET /", token, _BASIC) if token else None
        if caller is not None:
            return caller
        detail = "log in with a token of ops.tokens as the password; any name will do"
        raise Problem(401, detail if self._tokens else _NO_TOKENS, headers=_BASIC)

    def _caller(self, request: Request, call: str, token: str, challenge: Mapping[str, str]) -> Caller | None:
        """Whose token it is; None for nobody's. Problem 429 for who must wait, 401 for a token whose time is over."""
        address = _address(request)
        found = self._found(token)
        wait = self._throttle.wait_seconds(address)
        if wait and (found is None or not is_strong(token)):
            # A token that could be guessed gets no other answer than a wrong one: else guessing could go on.
            self.refuse(request, call, "token_throttled", 429)
            detail = f"too many wrong tokens were sent, from here or in all: wait {wait} seconds"
            raise Problem(429, detail, headers={"Retry-After": str(wait)})
        if found is None:
            self._throttle.wrong(address)
            self.refuse(request, call, "token_unknown", 401)
            return None
        if found.expired(datetime.now(UTC)):
            self.refuse(request, call, "token_expired", 401, token=found.name)
            detail = "this token's time is over: make a new one with `contactsync tokens new`"
            raise Problem(401, detail, headers=challenge)
        return Caller(found.name, found.role)

    def _found(self, token: str) -> TokenSettings | None:
        given = token_digest(token)
        found: TokenSettings | None = None
        for digest, entry in self._tokens:
            if hmac.compare_digest(digest, given):
                found = entry
        return found

    def refuse(self, request: Request, call: str, kind: str, status: int, **details: str) -> None:
        """Note that a call was refused; `details` are of ours, such as the token's name."""
        self._refusals.note(kind, _address(request), call=call, status=status, **details)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
