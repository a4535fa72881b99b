"""The demo's eyes: requests and links from the database, the summary from the API, records from the simulators."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from worker.cli.demo_fold import Folder, Line
from worker.store import feed
from worker.store.feed import LinkNow

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.cli.demo_screen import Screen
    from worker.sandbox.server import SandboxServer

TARGETS: Final = ("rompslomp", "recras", "workspace")
LOOK_SECONDS: Final = 0.04
PANEL_SECONDS: Final = 0.3


class Watch:
    """Tells the screen what happens, and the story how things stand."""

    def __init__(self, engine: Engine, address: str, token: str, sandbox: SandboxServer, screen: Screen) -> None:
        self.engine = engine
        self.address = address
        self.token = token
        self.sandbox = sandbox
        self.screen = screen
        self.quiet = False
        """Whether only the panel goes on, as in a chapter whose lines would be too many to read."""
        self._follower = feed.Follower()
        self._folder = Folder(verbose=screen.verbose)
        self._panel_at = 0.0

    # ------------------------------------------------------------------------------------------------------ looking

    def look(self) -> list[LinkNow]:
        """Show what happened since the last look; returns every link as it stands."""
        with self.engine.connect() as connection:
            # In this order, so that a link that has settled comes with its requests.
            links = feed.links(connection)
            calls = self._follower.read(connection)
        now = datetime.now(UTC)
        lines: list[Line] = []
        for call in calls:
            lines += self._folder.call(call)
        for link in links:
            lines += self._folder.link(link, now)
        lines += self._folder.leftover(now)
        if not self.quiet or self.screen.verbose:
            self.screen.hold(lines)
        if time.monotonic() - self._panel_at > PANEL_SECONDS:
            self.summary()
        return links

    def catch_up(self) -> None:
        """Show all that is known by now: the lines that are still held, and the panel."""
        try:
            self.look()
            self.summary()
        except OSError:
            return
        lines = self._folder.leftover(datetime.now(UTC), all_of_them=True)
        if not self.quiet or self.screen.verbose:
            self.screen.hold(lines)

    def meanwhile(self) -> None:
        """Look in a pause, in which nothing depends on it."""
        with contextlib.suppress(OSError):
            self.look()

    def summary(self) -> Any:
        """What the product's own API says in short; the panel shows the same from now on."""
        summary = self.api("summary")
        board = self.screen.board
        board.calls = {name: len(one.log) for name, one in self.sandbox.simulators.items()}
        board.summary = summary
        self._panel_at = time.monotonic()
        return summary

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
        events = self.summary()["events"]
        return bool(events["open"] == 0 and events["received"] >= self.delivered())

    def delivered(self) -> int:
        """How many different events the simulated Robaws got a 2xx for."""
        return len({one.event_id for one in list(self.sandbox.sender.deliveries) if one.delivered})

    def link(self, source_id: str, system: str) -> LinkNow | None:
        """One client in one system."""
        with self.engine.connect() as connection:
            found = feed.links(connection, [source_id])
        return next((link for link in found if link.system == system), None)

    def api(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the product's own API says, or does with a body."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - our own receiver's address
            f"{self.address}/api/v1/{path}", None if body is None else json.dumps(body).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def calls(self, system: str) -> int:
        """How many requests a vendor has seen."""
        return len(self.sandbox.simulators[system].log)

    def writes(self, system: str) -> int:
        """How many of them wanted to change something."""
        return sum(one.request.method != "GET" for one in list(self.sandbox.simulators[system].log))
