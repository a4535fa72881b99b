"""Where a nudge goes in Redis: each system has a queue of its own, so that none waits behind another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.app import CROWDED, CeleryPublisher, create_celery
from worker.config.settings import Settings

if TYPE_CHECKING:
    import redis


def lengths(broker: redis.Redis) -> dict[str, int]:
    """How many messages wait in each list; whatever else there is counts as −1."""
    return {
        key.removeprefix("contactsync:"): int(broker.llen(key)) if broker.type(key) == "list" else -1
        for key in broker.scan_iter()
    }


def test_each_nudge_goes_to_the_queue_of_its_lane_and_binds_nothing(settings: Settings, broker: redis.Redis) -> None:
    publisher = CeleryPublisher(create_celery(settings))

    publisher.intake()
    publisher.fetch(1)
    publisher.deliver("rompslomp", 7)
    publisher.send("sync.canary", [], "sync.canary.made-up")

    assert lengths(broker) == {"sync.fetch": 2, "sync.deliver.rompslomp": 1, "sync.canary.made-up": 1}


def test_a_lane_is_crowded_by_its_own_nudges_only(settings: Settings, broker: redis.Redis) -> None:
    publisher = CeleryPublisher(create_celery(settings))

    for number in range(CROWDED):
        publisher.deliver("recras", number)

    assert publisher.crowded("recras")
    assert not publisher.crowded("rompslomp")
    assert not publisher.crowded("fetch")
    assert lengths(broker) == {"sync.deliver.recras": CROWDED}
