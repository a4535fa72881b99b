"""How the tests of the simulated Robaws speak to it: one call, one answer, and a clock that they turn."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from worker.vendors.simulation import SimRequest, SimResponse

if TYPE_CHECKING:
    from worker.vendors.robaws.simulator import RobawsSimulator

MERGE_PATCH = "application/merge-patch+json"
NOW = 1_760_000_000.0


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def credentials(username: str = "sandbox-robaws", password: str = "sandbox-robaws-password") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def call(
    robaws: RobawsSimulator,
    method: str,
    path: str,
    body: Any = None,
    query: str = "",
    **headers: str | None,
) -> SimResponse:
    """One call under /api/v2; a header set to None is not sent, an underscore in its name is a dash."""
    sent: dict[str, str | None] = {"authorization": credentials()}
    if body is not None:
        sent["content-type"] = MERGE_PATCH if method == "PATCH" else "application/json"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {name: value for name, value in sent.items() if value is not None}
    return robaws.handle(SimRequest(method, f"/api/v2{path}", query, given, raw))


def read(response: SimResponse, status: int = 200) -> Any:
    """The body of an answer with that status."""
    assert response.status == status, response.body
    return json.loads(response.body)


def event(body: bytes) -> Any:
    """An event's body."""
    return json.loads(body)
