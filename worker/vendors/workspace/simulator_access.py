"""Who may call the simulated Workspace, and how often (Workspace sheets 2, 7 and 11.2)."""

from __future__ import annotations

import base64
import binascii
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from worker.vendors.simulation import SimResponse
from worker.vendors.workspace import simulator_answers as answers

USER = "token"
_CHALLENGE = {"www-authenticate": 'Basic realm="Workspace"'}


@dataclass
class Access:
    """
    The one token, whether it may use contacts, and how many requests it may make in a window.

    `ends_at` is the moment from which the token is refused. `rate_limit` None, as by default, is no limit, since
    none is documented.
    """

    token: str
    auth_body: Literal["envelope", "html"]
    rate_limit: int | None
    rate_window_seconds: float
    allowed: bool = True
    ends_at: float | None = None
    _seen: deque[float] = field(default_factory=deque)

    def check(self, header: str | None, now: float) -> None:
        """Refuse a request without the token, without the right, or over the limit."""
        ended = self.ends_at is not None and now >= self.ends_at
        if ended or _credentials(header or "") != (USER, self.token):
            raise self._unauthorized()
        if not self.allowed:
            raise answers.failure(403, "Forbidden")
        self._count(now)

    def _unauthorized(self) -> answers.ApiError:
        if self.auth_body == "envelope":
            return answers.failure(401, "Unauthorized", _CHALLENGE)
        page = SimResponse.of_html(401, "Unauthorized")
        return answers.ApiError(SimResponse(401, page.body, {**page.headers, **_CHALLENGE}))

    def _count(self, now: float) -> None:
        if self.rate_limit is None:
            return
        while self._seen and self._seen[0] <= now - self.rate_window_seconds:
            self._seen.popleft()
        if len(self._seen) >= self.rate_limit:
            oldest = self._seen[0] if self._seen else now
            raise throttled(oldest + self.rate_window_seconds - now)
        self._seen.append(now)


def throttled(retry_after: float | None) -> answers.ApiError:
    """A 429; nothing of it is documented, so its body is assumed to be an envelope."""
    headers = {} if retry_after is None else {"retry-after": str(max(1, math.ceil(retry_after)))}
    return answers.failure(429, "Too Many Requests", headers)


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password
