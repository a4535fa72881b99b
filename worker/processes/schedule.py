"""The scheduler process: one leader sweeps, others stand by. The leader's lock ends with its connection."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from worker.app import CeleryPublisher, create_celery
from worker.core.error_text import error_text
from worker.errors import ConfigurationError
from worker.flows.sweep import Sweeper
from worker.processes import logs
from worker.processes.in_use import InUse
from worker.processes.pulse import Pulse
from worker.runtime import Runtime
from worker.store import migrations, systems
from worker.store.engine import make_engine
from worker.store.upgrading import require_owner

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from worker.config import Settings

log = structlog.get_logger()

LEADER_LOCK: Final = 7_215_300_942
"""Any fixed number: the scheduler that holds this advisory lock is the leader."""


class Leadership:
    """The leader's advisory lock, on a connection of its own; lost with the connection, and then sought again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether this process leads, now; takes the lead where nobody has it."""
        try:
            if self._connection is None:
                connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LEADER_LOCK}).scalar():
                    connection.close()
                    return False
                self._connection = connection
                log.info("scheduler.leads")
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self.give_up()
            raise
        return True

    def give_up(self) -> None:
        """Somebody else may lead."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def run_scheduler(settings: Settings) -> int:
    """Sweep every `scheduler.sweep_seconds` until SIGTERM or SIGINT; a database that is away is waited for."""
    logs.set_up(settings, "scheduler")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if settings.database.url is None:
        raise ConfigurationError("database.url is not set: run everything with `contactsync up`, or name a database")
    engine = make_engine(settings.database.url, pool_size=3, application_name="scheduler")
    migrations.require_current(engine)
    require_owner(settings.database.owner_url or settings.database.url)
    with engine.begin() as connection:
        systems.ensure(connection, settings.enabled_systems())
    runtime = Runtime(settings, engine=engine, publisher=CeleryPublisher(create_celery(settings)))
    in_use = InUse(settings.home, "scheduler")
    in_use.write(settings)
    log.info("scheduler.ready")
    keep_sweeping(runtime, Leadership(engine), Pulse(settings, "scheduler"), stop)
    runtime.close()
    in_use.close()
    return 0


def keep_sweeping(runtime: Runtime, leadership: Leadership, pulse: Pulse, stop: threading.Event) -> None:
    """The scheduler's loop, for as long as `stop` is not set."""
    sweeper = Sweeper(runtime)
    every = float(runtime.settings.scheduler.sweep_seconds)
    away = False
    while not stop.is_set():
        try:
            if leadership.held():
                sweeper.sweep()
            if away:
                log.info("scheduler.database_is_back")
            away = False
            pulse.beat()
        except SQLAlchemyError as error:
            leadership.give_up()
            if not away:
                log.warning("scheduler.database_away", error=error_text(error))
            away = True
        stop.wait(every)
    leadership.give_up()
