"""
The worker process: Celery with threads, one runtime, and a canary that tells whether messages still come through.

A worker whose canaries stay away has gone deaf (its connection to Redis lives and delivers nothing). It ends itself
with status 75, and whoever started it starts a new one: a lease ends, nothing is lost.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
import warnings
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery import Celery, signals
from celery.platforms import SecurityWarning
from kombu.entity import Queue

from worker import tasks
from worker.app import CANARY_QUEUE, CeleryPublisher, create_celery, queues
from worker.config.again import Files
from worker.config.secrets import secret_values
from worker.errors import ConfigurationError
from worker.processes import allocator, logs
from worker.processes.in_use import InUse
from worker.processes.pulse import Pulse
from worker.runtime import Runtime, concurrency
from worker.store import migrations, systems
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config import Settings

log = structlog.get_logger()

CANARY_SECONDS: Final = 5.0
DEAF_SECONDS: Final = 60.0
DEAF_STATUS: Final = 75


class Canary:
    """Sends itself a message now and then and notes when it comes back."""

    def __init__(self, app: Celery, publisher: CeleryPublisher, pulse: Pulse, *, deaf_seconds: float) -> None:
        self.app = app
        self.publisher = publisher
        self.pulse = pulse
        self.deaf_seconds = deaf_seconds
        self.queue = f"{CANARY_QUEUE}{uuid.uuid4().hex}"
        self._heard = time.monotonic()
        self._sent = 0.0
        self._stop = threading.Event()

    def came_through(self) -> None:
        """The message is back."""
        self._heard = time.monotonic()
        self.pulse.beat()

    def start(self) -> None:
        """Sing in the background until the worker stops."""
        self._heard = time.monotonic()
        threading.Thread(target=self._sing, name="canary", daemon=True).start()

    def stop(self) -> None:
        """No more."""
        self._stop.set()

    def _sing(self) -> None:
        self.publisher.forget_canaries()
        while not self._stop.is_set():
            sent = self.publisher.canary(self.queue)
            deaf_for = time.monotonic() - self._heard
            if not sent:
                self._heard = max(self._heard, time.monotonic() - self.deaf_seconds / 2)
            elif deaf_for > self.deaf_seconds:
                log.error("worker.deaf", seconds=round(deaf_for), next_step="this process ends and is started again")
                os._exit(DEAF_STATUS)
            self._stop.wait(min(CANARY_SECONDS, self.deaf_seconds / 4))


def run_worker(settings: Settings, only: Sequence[str] = (), *, deaf_seconds: float = DEAF_SECONDS) -> int:
    """
    Run a worker until SIGTERM or SIGINT, and then at most `worker.stop_seconds` more. `only` names the systems that it
    serves (all, and fetches, when empty).

    ConfigurationError when the schema is not the one of this release.
    """
    logs.set_up(settings, "worker")
    allocator.give_back_what_is_freed()
    engine = make_engine(_need(settings.database.url), pool_size=concurrency(settings) + 4, application_name="worker")
    migrations.require_current(engine)
    with engine.begin() as connection:
        systems.ensure(connection, settings.enabled_systems())
    app = create_celery(settings)
    publisher = CeleryPublisher(app)
    in_use = InUse(settings.home, "worker")
    in_use.write(settings)

    def renewed(settings: Settings) -> None:
        logs.Hidden.hide(secret_values(settings))
        in_use.write(settings)

    runtime = Runtime(settings, engine=engine, publisher=publisher, read_again=Files("worker"), on_renewed=renewed)
    pulse = Pulse(settings, "worker")
    pulse.clear()
    canary = Canary(app, publisher, pulse, deaf_seconds=deaf_seconds)
    lanes = tasks.use(runtime)

    def came_through() -> None:
        canary.came_through()
        lanes.gate.hear_of_resumes()

    tasks.listen(came_through)
    wanted = [queue for queue in queues(settings) if not only or queue.rsplit(".", 1)[-1] in only]
    listened = [Queue(name) for name in (*wanted, canary.queue)]  # type: ignore[no-untyped-call]
    app.conf.task_queues = listened
    _connect(runtime, canary)
    # In a container everything may be root; who runs us is for the operator to choose, and the compose file chooses.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = app.Worker(
        pool="threads",
        concurrency=concurrency(settings),
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        hostname=f"contactsync-{os.getpid()}@%h",
        quiet=True,
    )
    worker.start()
    runtime.stopping.set()
    runtime.close()
    in_use.close()
    return int(worker.exitcode or 0)


def _connect(runtime: Runtime, canary: Canary) -> None:
    def ready(**_more: Any) -> None:
        canary.start()
        runtime.publisher.intake()
        allocator.look_for_cycles_rarely()
        log.info("worker.ready", systems=list(runtime.targets))

    def stopping(**_more: Any) -> None:
        runtime.stopping.set()
        canary.stop()
        _leave_within(float(runtime.settings.worker.stop_seconds))

    signals.worker_ready.connect(ready, weak=False)
    signals.worker_shutting_down.connect(stopping, weak=False)
    signals.setup_logging.connect(lambda **_more: None, weak=False)


def _leave_within(seconds: float) -> None:
    """
    End this process when it has been stopping for so long: Celery itself waits for its threads without a limit.

    What it had begun then stands in its row with a lease that ends, like the work of a worker that was killed.
    """

    def leave() -> None:
        log.warning("worker.abandons", seconds=seconds, next_step="what is in work is taken up when its lease is over")
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def _need(url: str | None) -> str:
    if url is None:
        raise ConfigurationError("database.url is not set: run everything with `contactsync up`, or name a database")
    return url
