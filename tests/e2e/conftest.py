"""What the tests of single messages share: settings with a Redis and without a database, and that Redis, empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from worker.config import load_settings
from worker.config.settings import Settings


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load_settings({}).with_urls("postgresql://nobody@127.0.0.1:1/none", redis_url)


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        yield client
