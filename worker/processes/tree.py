"""`contactsync up`: the servers where none are configured, the migration, and the three parts in one process tree."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from worker.core.identity import PROCESS_HEADER
from worker.embedded.servers import LocalServers, connect_existing
from worker.embedded.supervisor import Backoff, ChildEvent, ChildSpec, Supervisor
from worker.processes.listening import free_port, require_port
from worker.processes.pulse import Pulse
from worker.store.upgrading import upgrade

if TYPE_CHECKING:
    from worker.config import Settings

RESTARTS: Final = Backoff(longest_seconds=5.0)
"""A part that dies again and again rests shortly: Robaws gives up on a receiver that stays away, after nobody knows how
long, and a start costs two seconds of one core."""


class Tree:
    """
    Everything on one machine. `start_servers` first; then `run` blocks until a signal.

    `tell` gets a line for people whenever something happens; `on_ready` is called once, when events are accepted and
    the worker and the scheduler have shown that they live; `on_stopping` before the first part is stopped for good.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tell: Callable[[str], None],
        on_ready: Callable[[Settings], None],
        on_stopping: Callable[[], None] = lambda: None,
        console_logs: bool = False,
    ) -> None:
        self.settings = settings
        self.tell = tell
        self.on_ready = on_ready
        self.on_stopping = on_stopping
        self.console_logs = console_logs
        self.servers: LocalServers | None = None
        self.supervisor: Supervisor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.servers is not None:
            self.servers.stop()

    def start_servers(self) -> Settings:
        """
        Start what is not configured, bring the schema up to date; returns the settings with all urls.

        ConfigurationError before anything is started where the receiver's port is taken.
        """
        database, redis = self.settings.database.url, self.settings.redis.url
        home, bundled = Path(self.settings.home), database is None or redis is None
        if not bundled or connect_existing(home) is None:  # that the home is in use is what its lock is going to say
            require_port(self.settings.receiver.host, self.settings.receiver.port)
        if database is None or redis is None:
            self.servers = LocalServers(home).start()
            owner = self.servers.database_owner_url if database is None else None
            settings = self.settings.with_urls(
                database or self.servers.database_url, redis or self.servers.redis_url, owner
            )
        else:
            settings = self.settings
        if settings.receiver.port == 0:
            receiver = settings.receiver.model_copy(update={"port": free_port(settings.receiver.host)})
            settings = settings.model_copy(update={"receiver": receiver})
        before, after = upgrade(settings.database)
        if before != after:
            self.tell(f"database: schema {before or 'empty'} -> {after}")
        self.settings = settings
        return settings

    def run(self) -> int:
        """Run the parts until SIGTERM or SIGINT; 0 when all stopped cleanly."""
        for part in ("worker", "scheduler"):
            Pulse(self.settings, part).clear()
        self.supervisor = Supervisor(
            [self._child("receiver"), self._child("worker"), self._child("scheduler")],
            Path(self.settings.home),
            in_order=False,
            output="inherit" if self.console_logs else "log",
            on_event=self._event,
            backoff=RESTARTS,
        )
        return self.supervisor.run()

    def _child(self, part: str) -> ChildSpec:
        settings = self.settings
        env = {
            "CONTACTSYNC_DATABASE__URL": settings.database.url or "",
            # An empty variable leaves what the settings file says, which the same person may read anyway.
            "CONTACTSYNC_DATABASE__OWNER_URL": (settings.database.owner_url or "") if part == "scheduler" else "",
            "CONTACTSYNC_REDIS__URL": settings.redis.url or "",
            "CONTACTSYNC_RECEIVER__PORT": str(settings.receiver.port),
            "CONTACTSYNC_HOME": str(settings.home),
        }
        ready = self._receiver_ready if part == "receiver" else Pulse(settings, part).fresh
        argv = [sys.executable, "-m", "worker.cli", part]
        grace = float(settings.worker.stop_seconds) + 10.0 if part == "worker" else 30.0
        return ChildSpec(part, argv, env, ready=ready, stop_timeout_seconds=grace)

    def _receiver_ready(self) -> bool:
        """Whether it is our own receiver that takes events there, not somebody else's on the same port."""
        own = None if self.supervisor is None else self.supervisor.pids().get("receiver")
        asked = urllib.request.Request(f"{address(self.settings)}/readyz", headers={PROCESS_HEADER: str(own)})  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200 and answer.headers.get(PROCESS_HEADER) == str(own))
        except (urllib.error.URLError, OSError):
            return False

    def _event(self, event: ChildEvent) -> None:
        if event.kind == "died":
            wait = f", started again in {event.wait_seconds:g} s" if event.wait_seconds is not None else ""
            self.tell(f"{event.name}: ended ({event.reason}){wait}; see {self.settings.home}/logs/{event.name}.log")
        elif event.kind == "all ready":
            self.on_ready(self.settings)
        elif event.kind == "stopping":
            self.on_stopping()


def address(settings: Settings) -> str:
    """Where the receiver of these settings answers on this machine."""
    host = settings.receiver.host
    if host in ("0.0.0.0", "::"):  # noqa: S104  -- compared with, not bound to
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.receiver.port}"
