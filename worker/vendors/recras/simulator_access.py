"""Who may call the simulated Recras, and how often (Recras sheets 2, 7 and 12.2)."""

from __future__ import annotations

import base64
import binascii
import math
from collections import deque
from dataclasses import dataclass, field

from worker.vendors.recras import simulator_errors as errors

# What the permission for customers is called is not known; the other two are the vendor's names (sheet 2).
KLANTEN = "klanten"
VIEW_WEBHOOKS = "viewWebhooks"
EDIT_WEBHOOKS = "editWebhooks"


@dataclass
class Key:
    """The permissions of the user that a key, or a password, belongs to; `staff`: it is there under `personeel`."""

    permissions: frozenset[str] = frozenset({KLANTEN, VIEW_WEBHOOKS, EDIT_WEBHOOKS})
    staff: bool = True


@dataclass
class Access:
    """
    The keys that are known, and how many requests each may make in a window.

    Basic authentication was withdrawn in 2020: `basic_users` holds the users, by name and password, that may still
    use it. `rate_limit` None, as by default, is no limit, since none is documented.
    """

    keys: dict[str, Key]
    basic_users: dict[tuple[str, str], Key]
    rate_limit: int | None
    rate_window_seconds: float
    _seen: dict[str, deque[float]] = field(default_factory=dict)

    def check(self, header: str | None, permission: str | None, now: float) -> Key:
        """Refuse a request without a key, without the permission, or over the limit; gives the key it came with."""
        key = self._key(header or "")
        if key is None:
            raise errors.unauthorized()
        if permission is not None and permission not in key.permissions:
            raise errors.forbidden()
        self._count(header or "", now)
        return key

    def _key(self, header: str) -> Key | None:
        scheme, _, value = header.partition(" ")
        match scheme.lower():
            case "bearer":
                return self.keys.get(value.strip())
            case "basic":
                return self.basic_users.get(_user(value))
            case _:
                return None

    def _count(self, header: str, now: float) -> None:
        if self.rate_limit is None:
            return
        seen = self._seen.setdefault(header, deque())
        while seen and seen[0] <= now - self.rate_window_seconds:
            seen.popleft()
        if len(seen) >= self.rate_limit:
            wait = seen[0] + self.rate_window_seconds - now if seen else self.rate_window_seconds
            raise errors.throttled(str(max(1, math.ceil(wait))))
        seen.append(now)


def _user(credentials: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password
