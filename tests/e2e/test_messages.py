"""What a Celery message is: a row's id, taken at once, and acknowledged when the work is done."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from worker.app import CANARY_KEPT_SECONDS, CeleryPublisher, create_celery
from worker.config.settings import Settings

if TYPE_CHECKING:
    import redis

WORKER = """
import os, signal, sys
import redis
from celery import signals
from worker import tasks
from worker.app import CeleryPublisher, create_celery
from worker.config import load_settings

settings = load_settings({}).with_urls("postgresql://nobody@127.0.0.1:1/none", sys.argv[1])
app = create_celery(settings)
broker = redis.Redis.from_url(sys.argv[1])

def working():
    print("not acknowledged while it is worked on:", broker.hlen("contactsync:unacked"), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

tasks.listen(working)
signals.setup_logging.connect(lambda **_more: None, weak=False)
CeleryPublisher(app).send("sync.canary", [], "sync.fetch")
app.Worker(pool="threads", concurrency=1, without_gossip=True, without_mingle=True, quiet=True).start()
"""


def messages(broker: redis.Redis, queue: str) -> list[tuple[dict[str, Any], list[Any]]]:
    """Headers and body of every message that waits in a queue."""
    found = [json.loads(text) for text in broker.lrange(f"contactsync:{queue}", 0, -1)]
    return [(one["headers"], json.loads(base64.b64decode(one["body"]))) for one in found]


def test_a_nudge_carries_the_id_of_a_row_and_may_be_taken_at_once(settings: Settings, broker: redis.Redis) -> None:
    publisher = CeleryPublisher(create_celery(settings))

    publisher.fetch(41)
    publisher.deliver("rompslomp", 7)

    [(fetch, (fetch_args, fetch_named, _))] = messages(broker, "sync.fetch")
    [(deliver, (deliver_args, deliver_named, _))] = messages(broker, "sync.deliver.rompslomp")
    assert (fetch["task"], fetch_args, fetch_named) == ("sync.fetch", [41], {})
    assert (deliver["task"], deliver_args, deliver_named) == ("sync.deliver", [7, "rompslomp"], {})
    assert (fetch["eta"], deliver["eta"]) == (None, None)
    assert fetch["expires"]
    assert deliver["expires"]


def test_a_message_is_acknowledged_after_the_work(redis_url: str, broker: redis.Redis) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER, redis_url], capture_output=True, text=True, check=False, timeout=100
    )

    assert "not acknowledged while it is worked on: 1" in done.stdout, done.stderr
    assert broker.hlen("contactsync:unacked") == 0


def test_the_queues_of_workers_that_were_killed_go_away(settings: Settings, broker: redis.Redis) -> None:
    publisher = CeleryPublisher(create_celery(settings))
    publisher.send("sync.canary", [], "sync.canary.killed-long-ago")
    publisher.send("sync.canary", [], "sync.fetch")

    sent = publisher.canary("sync.canary.killed-now")
    publisher.forget_canaries()

    kept = {str(key): broker.ttl(key) for key in broker.scan_iter("contactsync:sync.*")}
    assert sent
    assert kept.pop("contactsync:sync.fetch") == -1
    assert sorted(kept) == ["contactsync:sync.canary.killed-long-ago", "contactsync:sync.canary.killed-now"]
    assert all(0 < left <= CANARY_KEPT_SECONDS for left in kept.values())
