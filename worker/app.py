"""Celery on Redis, with the few settings that are safe for us, and the publisher of nudges over it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog
from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import KombuError
from kombu.utils.url import as_url
from redis.exceptions import RedisError

from worker.config import servers
from worker.core.error_text import error_text
from worker.store.summary import SOURCE, TARGETS

if TYPE_CHECKING:
    from worker.config import Settings

log = structlog.get_logger()

INTAKE_QUEUE: Final = "sync.fetch"
NUDGE_EXPIRES_SECONDS: Final = 300
"""A nudge that nobody took in this time is worth nothing: the sweep has announced its row again since."""

KEY_PREFIX: Final = "contactsync:"
CANARY_QUEUE: Final = "sync.canary."
"""What the names of workers' own queues begin with, each of one process."""
CANARY_KEPT_SECONDS: Final = 600
"""How long the queue of a worker that was killed stays; a living worker empties its own every few seconds."""

CROWDED: Final = 100
"""So many nudges in one queue are enough to keep every worker busy until the next sweep."""


def deliver_queue(system: str) -> str:
    """The queue of one system's deliveries."""
    return f"sync.deliver.{system}"


def queues(settings: Settings) -> list[str]:
    """Every queue that a worker of these settings listens to."""
    systems = [name for name in TARGETS if settings.system(name).enabled]
    if settings.systems.robaws.write_back:
        systems.append(SOURCE)
    return [INTAKE_QUEUE, *(deliver_queue(name) for name in systems)]


def broker(url: str) -> dict[str, Any]:
    """
    The settings of Celery that lead to the same Redis as redis-py's, in the same way.

    Celery would read the address by itself, and not verify the certificate behind a `rediss://` unless it is told to.
    """
    options = servers.redis_options(url)
    user, password, database = options.get("username", ""), options.get("password", ""), options.get("db", 0)
    if "path" in options:
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
        return {"broker_url": f"redis+socket://{login}{quote(options['path'])}?virtual_host={database}"}
    host, port = options.get("host", "localhost"), options.get("port", 6379)
    if not servers.is_encrypted(options):
        return {"broker_url": as_url("redis", host, port, user, password, str(database))}
    given = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return {
        "broker_url": as_url("rediss", host, port, user, password, str(database)),
        "broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, **given},
    }


def create_celery(settings: Settings) -> Celery:
    """
    The Celery application of these settings.

    Messages are nudges: one row id, JSON, no result, no countdown, no retry of Celery's own. They are acknowledged
    late, so that a killed worker's nudge may come again; it may also be lost, which the sweep makes harmless. All
    queues are published to by name, without the binding keys in Redis that an eviction could take away.
    """
    app = Celery("contactsync")
    app.conf.update(
        **(broker(settings.redis.url) if settings.redis.url is not None else {}),
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_create_missing_queues=True,
        task_queues=[Queue(name) for name in queues(settings)],  # type: ignore[no-untyped-call]
        task_default_queue=INTAKE_QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=15.0,
        worker_enable_soft_shutdown_on_idle=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=4,
        broker_pool_limit=4,
        broker_transport_options={
            "visibility_timeout": 3_600,
            "socket_timeout": 10,
            "socket_connect_timeout": 4,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": True,
            "global_keyprefix": KEY_PREFIX,
            "queue_order_strategy": "round_robin",
        },
        enable_utc=True,
        timezone="UTC",
        imports=("worker.tasks",),
    )
    return app


class CeleryPublisher:
    """Nudges over Celery. A broker that is away is logged and forgotten: the row is still due."""

    def __init__(self, app: Celery) -> None:
        self.app = app

    def crowded(self, lane: str) -> bool:
        """Whether so many nudges wait already that one more says nothing new (the workers are away or behind)."""
        queue = INTAKE_QUEUE if lane == "fetch" else deliver_queue(lane)
        try:
            with self.app.connection_for_write() as connection:
                return int(connection.default_channel.client.llen(queue)) >= CROWDED
        except (KombuError, RedisError, OSError):
            return False

    def intake(self) -> None:
        """New events wait in the inbox."""
        self.send("sync.intake", [], INTAKE_QUEUE)

    def fetch(self, contact_id: int) -> None:
        """A contact is owed a fetch."""
        self.send("sync.fetch", [contact_id], INTAKE_QUEUE)

    def deliver(self, system: str, link_id: int) -> None:
        """A link is due (0: whichever is)."""
        self.send("sync.deliver", [link_id, system], deliver_queue(system))

    def canary(self, queue: str) -> bool:
        """Tell a worker, through its own queue, that messages come through; False where the broker did not take it."""
        if not self.send("sync.canary", [], queue):
            return False
        try:
            with self.app.pool.acquire(block=True) as connection:
                connection.default_channel.client.pexpire(queue, 1_000 * CANARY_KEPT_SECONDS)
        except (KombuError, RedisError, OSError):
            return False
        return True

    def forget_canaries(self) -> None:
        """Let the queues of workers that were killed go that have no end yet: what they had in hand was put back."""
        try:
            with self.app.pool.acquire(block=True) as connection:
                client = connection.default_channel.client
                for key in client.scan_iter(f"{KEY_PREFIX}{CANARY_QUEUE}*", count=1_000):
                    name = key.decode() if isinstance(key, bytes) else key
                    if client.pttl(name) == -1:
                        client.pexpire(name.removeprefix(KEY_PREFIX), 1_000 * CANARY_KEPT_SECONDS)
        except (KombuError, RedisError, OSError) as error:
            log.warning("canary.not_tidied", error=error_text(error))

    def send(self, task: str, args: list[int | str], queue: str) -> bool:
        """Put one message on a queue; False where the broker did not take it."""
        try:
            self.app.send_task(
                task,
                args=args,
                # A name alone would be looked up among this process's queues, and an exchange or a routing key is
                # overruled by the default queue's; nothing is declared, so that nothing has to be bound.
                queue=Queue(queue),  # type: ignore[no-untyped-call]
                declare=[],
                expires=NUDGE_EXPIRES_SECONDS,
                ignore_result=True,
                retry=False,
            )
        except (KombuError, RedisError, OSError) as error:
            log.warning("nudge.lost", task=task, error=error_text(error))
            return False
        return True
