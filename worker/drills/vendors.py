"""The sandbox from outside: its control API, and no more of each record than a verdict needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from worker.config.servers import is_here
from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.config import Settings

IDENTITY: Final[Mapping[str, str]] = {"rompslomp": "company_name", "recras": "naam", "workspace": "name"}
STREET: Final[Mapping[str, str]] = {"rompslomp": "address", "recras": "adres", "workspace": "location_address"}


@dataclass(frozen=True)
class Held:
    """One record of a system: the client's name and its street, in which a drill writes which change it was."""

    name: str
    street: str


class Vendors:
    """Calls to `/_sandbox/…`. Any httpx.HTTPError: the sandbox is away. Thread-safe."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._http = httpx.Client(base_url=f"{root}/_sandbox", timeout=10.0, trust_env=False)

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def add_client(self, members: Mapping[str, Any]) -> str:
        """A new client in Robaws; its id."""
        return str(self._call("POST", "/robaws/clients", members)["id"])

    def change_client(self, client_id: str, members: Mapping[str, Any]) -> None:
        """Change a client as a person would."""
        self._call("PATCH", f"/robaws/clients/{client_id}", members)

    def set_clock(self, system: str, ahead_seconds: float) -> None:
        """A system's clock from now on, against ours."""
        self._call("PATCH", f"/{system}/clock", {"ahead_seconds": ahead_seconds})

    def send_webhooks_to(self, url: str) -> None:
        """Register an endpoint."""
        self._call("POST", "/robaws/webhooks", {"url": url})

    def require_webhooks(self) -> None:
        """ConfigurationError where Robaws tells nobody of a change: then every event would be a lost one."""
        if not self._call("GET", "/robaws/webhooks")["endpoints"]:
            raise ConfigurationError(
                "no webhook is registered at the sandbox: post the receiver's address, as"
                f' {{"url": "http://127.0.0.1:8080/webhooks/robaws"}}, to {self.root}/_sandbox/robaws/webhooks'
            )

    def holds(self, system: str) -> list[Held]:
        """Every record of a system."""
        records = [record.get("Contact", record) for record in self._call("GET", f"/{system}")["records"]]
        return [Held(str(one[IDENTITY[system]]), str(one[STREET[system]] or "")) for one in records]

    def _call(self, method: str, path: str, members: Mapping[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=members)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def sandbox_of(settings: Settings) -> str:
    """
    The address of the one sandbox that every enabled system points at.

    ConfigurationError, with each system that is not simulated, for anything else: drills break things on purpose, and a
    load test uses up quotas.
    """
    problems: list[str] = []
    roots: set[str] = set()
    for name in settings.enabled_systems():
        url = str(settings.system(name).base_url)
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        if not is_here(parts.hostname or ""):
            problems.append(
                f"systems.{name}.base_url is {url}: this is for a sandbox on this machine only (contactsync sandbox)"
            )
        elif root not in roots and not _simulated(root):
            problems.append(f"systems.{name}.base_url is {url}, which does not answer as a sandbox: start one")
        else:
            roots.add(root)
    if not problems and len(roots) != 1:
        problems.append(f"this wants one sandbox behind all enabled systems, not {len(roots)}")
    if problems:
        raise ConfigurationError(problems)
    return roots.pop()


def _simulated(root: str) -> bool:
    try:
        answer = httpx.get(f"{root}/_sandbox/", headers={"accept": "application/json"}, timeout=5.0, trust_env=False)
        return answer.status_code == httpx.codes.OK and "systems" in answer.json()
    except (httpx.HTTPError, ValueError):
        return False
