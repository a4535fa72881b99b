"""The demo's eyes: requests and links from the database, the summary from the API, records from the simulators."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from worker.cli.telling import shortened, told
from worker.store import feed
from worker.store.feed import LinkNow

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.cli.demo_screen import Screen
    from worker.sandbox.server import SandboxServer

TARGETS: Final = ("rompslomp", "recras", "workspace")
LOOK_SECONDS: Final = 0.04
BOARD_SECONDS: Final = 0.4


class Watch:
    """Tells the screen what happens, and the story how things stand."""

    def __init__(self, engine: Engine, address: str, token: str, sandbox: SandboxServer, screen: Screen) -> None:
        self.engine = engine
        self.address = address
        self.token = token
        self.sandbox = sandbox
        self.screen = screen
        self.quiet = False
        self._follower = feed.Follower()
        self._states: dict[tuple[str, str], tuple[str, int, str | None]] = {}
        self._board_at = 0.0

    # ------------------------------------------------------------------------------------------------------ looking

    def look(self) -> list[LinkNow]:
        """Show what happened since the last look; returns every link as it stands."""
        with self.engine.connect() as connection:
            calls = self._follower.read(connection)
            links = feed.links(connection)
        if not self.quiet:
            for call in calls:
                self.screen.line(call.system, told(call), at=call.at.timestamp())
        for link in links:
            self._show_state(link)
        if time.monotonic() - self._board_at > BOARD_SECONDS:
            self._board_at = time.monotonic()
            board = self.screen.board
            board.calls = {name: len(one.log) for name, one in self.sandbox.simulators.items()}
            board.summary = self.api("summary")
        return links

    def until(self, condition: Callable[[list[LinkNow]], bool], seconds: float = 20.0) -> bool:
        """Look until the condition holds for the links; False when it does not within so many seconds."""
        end = time.monotonic() + seconds
        while True:
            if self._holds(condition):
                self.look()
                return True
            if time.monotonic() > end:
                return False
            self.screen.rest(LOOK_SECONDS)

    def _holds(self, condition: Callable[[list[LinkNow]], bool]) -> bool:
        try:
            return condition(self.look())
        except OSError:
            # The receiver was away for a moment, or all of it is being stopped: then `rest` ends the story.
            return False

    def settled(self, links: Sequence[LinkNow], source_id: str, systems: Sequence[str] = TARGETS) -> bool:
        """Whether a client's links in these systems are synced and no event is open."""
        mine = {link.system: link for link in links if link.source_id == source_id}
        there = all(name in mine and mine[name].state == "synced" for name in systems)
        return there and self.events_are_in()

    def events_are_in(self) -> bool:
        """Whether everything that the simulated Robaws has to tell was told, received and worked off."""
        if self.sandbox.world.robaws.seconds_until_webhook() is not None:
            return False
        events = self.api("summary")["events"]
        return bool(events["open"] == 0 and events["received"] >= self.delivered())

    def delivered(self) -> int:
        """How many different events the simulated Robaws got a 2xx for."""
        return len({one.event_id for one in list(self.sandbox.sender.deliveries) if one.delivered})

    def link(self, source_id: str, system: str) -> LinkNow | None:
        """One client in one system."""
        with self.engine.connect() as connection:
            found = feed.links(connection, [source_id])
        return next((link for link in found if link.system == system), None)

    def api(self, path: str) -> Any:
        """What the product's own API says."""
        request = urllib.request.Request(  # noqa: S310 - our own receiver's address
            f"{self.address}/api/v1/{path}", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def calls(self, system: str) -> int:
        """How many requests a vendor has seen."""
        return len(self.sandbox.simulators[system].log)

    def writes(self, system: str) -> int:
        """How many of them wanted to change something."""
        return sum(one.request.method != "GET" for one in list(self.sandbox.simulators[system].log))

    def _show_state(self, link: LinkNow) -> None:
        key = (link.source_id, link.system)
        now = (link.state, link.synced_version, link.reason)
        if link.state in ("due", "working") or self._states.get(key) == now:
            return
        self._states[key] = now
        if not self.quiet or link.state != "synced":
            self.screen.line(link.system, f"{link.name or link.source_id}: {_stands(link)}", state=link.state)


def _stands(link: LinkNow) -> str:
    if link.state == "synced":
        return f"record {link.external_id}, version {link.synced_version}"
    next_at = link.next_attempt_at
    wait = f", again in {max(0.0, (next_at - datetime.now(UTC)).total_seconds()):.0f} s" if next_at else ""
    return f"{link.reason or ''}: {shortened(link.message or '', 90)}{wait}"
