"""The embedded Redis by itself."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from typing_extensions import override

from tests.embedded.processes import wait_until
from worker.embedded.errors import EmbeddedError, HomeInUse, PortTaken
from worker.embedded.redis import EmbeddedRedis


@pytest.fixture
def running(home: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(home) as server:
        yield server


def connect(server: EmbeddedRedis) -> Any:
    """Untyped, as redis-py says of every answer that it may be awaitable."""
    return redis.Redis.from_url(server.url, decode_responses=True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "noeviction"),
        ("bind", "127.0.0.1"),
        ("save", ""),
    ],
)
def test_it_is_set_up_as_a_broker_that_forgets_nothing(running: EmbeddedRedis, setting: str, value: str) -> None:
    with connect(running) as client:
        assert client.config_get(setting) == {setting: value}


def test_it_writes_inside_its_home_only(running: EmbeddedRedis) -> None:
    with connect(running) as client:
        client.set("key", "value")
        client.bgrewriteaof()

        assert Path(client.config_get("dir")["dir"]) == running.home / "redis"
        wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])


def test_nobody_comes_in_without_the_password(running: EmbeddedRedis) -> None:
    port = urlsplit(running.url).port

    for url in (f"redis://127.0.0.1:{port}/0", f"redis://:guessed@127.0.0.1:{port}/0"):
        with redis.Redis.from_url(url) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_the_password_is_for_the_owner_only(running: EmbeddedRedis) -> None:
    assert stat.S_IMODE((running.home / "redis" / "redis.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((running.home / "redis").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["with blanks and Zoë’s", "quote \" ' backslash \\ hash #"])
def test_data_survive_a_stop_and_a_start_in_a_home_of_any_name(home: Path, name: str) -> None:
    with EmbeddedRedis(home / name) as server, connect(server) as client:
        client.set("key", "value")

    with EmbeddedRedis(home / name) as server, connect(server) as client:
        assert client.get("key") == "value"


def test_after_a_crash_it_comes_back_under_the_same_url(running: EmbeddedRedis) -> None:
    url = running.url
    with connect(running) as client:
        client.set("key", "value")

    running.kill()
    assert not running.running()
    running.restart()

    assert running.url == url
    with connect(running) as client:
        assert client.get("key") == "value"


def test_a_write_that_was_cut_off_at_the_end_of_its_file_loses_only_itself(home: Path) -> None:
    with EmbeddedRedis(home) as server, connect(server) as client:
        client.set("key", "value")
    with (home / "redis" / "appendonly.aof").open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nhal")

    with EmbeddedRedis(home) as server, connect(server) as client:
        assert client.get("key") == "value"


def test_a_file_that_cannot_be_read_is_kept_aside_and_does_not_stop_the_start(home: Path) -> None:
    with EmbeddedRedis(home) as server, connect(server) as client:
        client.set("key", "value")
    file = home / "redis" / "appendonly.aof"
    file.write_bytes(b"rubbish\r\n" + file.read_bytes())

    with EmbeddedRedis(home) as server, connect(server) as client:
        assert client.get("key") is None
        assert [path.read_bytes()[:7] for path in home.glob("redis/*.unreadable-*")] == [b"rubbish"]


def test_a_second_one_is_told_who_has_the_home(running: EmbeddedRedis) -> None:
    with pytest.raises(HomeInUse, match=str(running.home)):
        EmbeddedRedis(running.home).start()


def test_a_setting_that_redis_refuses_is_in_the_message(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="no-such-setting"):
        EmbeddedRedis(home, settings={"no-such-setting": "1"}).start()


def test_a_fixed_port_that_is_taken_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=str(port)):
            EmbeddedRedis(home, port=port).start()


def test_a_port_lost_in_a_race_is_replaced_by_another(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        class Unlucky(EmbeddedRedis):
            """Finds a port that somebody else takes before Redis can."""

            found = 0

            @override
            def _find_port(self) -> int:
                self.found += 1
                return int(other.getsockname()[1]) if self.found < 3 else super()._find_port()

        with Unlucky(home) as server, connect(server) as client:
            assert server.found == 3
            assert client.ping()
