"""
Who may look and act: bearer tokens with roles, `viewer` < `operator` < `admin`.

A viewer reads, with personal data masked; an operator acts; an admin sees and does everything. Tokens are compared in
constant time, all of them each time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from webhooks.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from worker.config import Role, Settings

ROLES: Final = ("viewer", "operator", "admin")
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True)
class Caller:
    """Whoever calls. `name` stands in the log of actions: the beginning of the token's hash, never the token."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this role, or a greater one, is theirs."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Access:
    """The tokens of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = [(sha256(token.encode()).digest(), role) for token, role in settings.ops.tokens.items()]

    def require(self, request: Request, role: Role) -> Caller:
        """The caller; 401 without a known token, 403 with too small a role."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = self._known(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            detail = "send a token of ops.tokens as `Authorization: Bearer TOKEN`"
            if not self._tokens:
                detail = "no tokens are configured: set ops.tokens"
            raise Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="contactsync"'})
        if not caller.may(role):
            raise Problem(403, f"this needs the role {role}; the token's role is {caller.role}")
        return caller

    def require_page(self, request: Request) -> None:
        """
        For the page: open to this machine itself, else the token as the password of a browser's own login.

        A request that a proxy passed on is not from this machine, whatever its address says.
        """
        if _from_here(request):
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._known(_password(given)) is not None:
            return
        raise Problem(
            401,
            "log in with a token of ops.tokens as the password; any name will do",
            headers={"WWW-Authenticate": 'Basic realm="contactsync", charset="UTF-8"'},
        )

    def _known(self, token: str) -> Caller | None:
        given = sha256(token.encode("utf-8", "surrogateescape")).digest()
        found: Caller | None = None
        for digest, role in self._tokens:
            if hmac.compare_digest(digest, given):
                found = Caller(f"token-{digest.hex()[:8]}", role)
        return found


def _from_here(request: Request) -> bool:
    if any(name in request.headers for name in _FORWARDED) or request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
