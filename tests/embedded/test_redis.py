"""The embedded Valkey by itself."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from typing_extensions import override

from tests.embedded.processes import wait_until
from worker.app import INTAKE_QUEUE, KEY_PREFIX, CeleryPublisher, broker, create_celery
from worker.config import Settings
from worker.embedded.errors import EmbeddedError, HomeInUse, PortTaken
from worker.embedded.ports import free_port
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
        ("maxmemory", str(256 * 1024**2)),
        ("maxmemory-clients", str(128 * 1024**2)),
        ("maxclients", "500"),
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


def test_it_is_a_valkey_that_still_gets_its_fixes(running: EmbeddedRedis) -> None:
    with connect(running) as client:
        server = client.info("server")

    assert server["server_name"] == "valkey"
    assert server["valkey_version"] >= "9.1"


def test_no_other_user_reaches_its_socket_and_it_listens_on_no_port(running: EmbeddedRedis) -> None:
    assert psutil.Process(running.pid()).net_connections("inet") == []
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.socket.parent.stat().st_mode) == 0o700


def test_a_home_too_deep_for_a_socket_is_reached_by_tcp(home: Path) -> None:
    deep = home.joinpath(*["a-folder-with-a-long-name"] * 6)

    with EmbeddedRedis(deep) as server, connect(server) as client:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert client.ping()


@pytest.mark.parametrize("depth", [0, 6], ids=["socket", "tcp"])
def test_celery_reaches_it_with_the_same_url(home: Path, depth: int) -> None:
    with EmbeddedRedis(home.joinpath("with blanks and Zoë’s", *["a-folder-with-a-long-name"] * depth)) as server:
        publisher = CeleryPublisher(create_celery(Settings().with_urls("postgresql:///hub", server.url)))

        publisher.fetch(7)

        with connect(server) as client:
            assert client.llen(f"{KEY_PREFIX}{INTAKE_QUEUE}") == 1
        # What Celery writes to its log when it loses the connection.
        with publisher.app.connection_for_write() as connection:
            assert (urlsplit(server.url).password or "") not in connection.as_uri()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://:pass@broker:6379/3", "redis://:pass@broker:6379/3"),
        ("rediss://broker:6379/0", "rediss://broker:6379/0"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("unix://me:pass@/run/a%20b.sock?db=2", "redis+socket://me:pass@/run/a%20b.sock?virtual_host=2"),
        ("unix:///run/a.sock?db=1&password=p%40ss", "redis+socket://:p%40ss@/run/a.sock?virtual_host=1"),
    ],
)
def test_a_socket_of_ones_own_is_named_to_celery_as_it_expects(url: str, address: str) -> None:
    assert broker(url)["broker_url"] == address


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_client_that_does_not_read_its_answers_is_cut_off_before_they_fill_the_memory(
    home: Path, signed_in: bool
) -> None:
    def flood(stranger: socket.socket) -> bool:
        """Whether the server has cut the connection."""
        try:
            stranger.sendall(b"PING\r\n" * 100_000)
        except TimeoutError:
            return False  # the server reads no more for the moment: it has all these answers still to give
        except OSError:
            return True
        return False

    with EmbeddedRedis(home, port=free_port()) as server, connect(server) as client:
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.settimeout(0.2)
            if signed_in:
                stranger.sendall(f"AUTH {urlsplit(server.url).password}\r\n".encode())

            wait_until(lambda: flood(stranger))

        assert client.info("memory")["used_memory_peak"] < 64 * 1024**2


def test_nobody_comes_in_without_the_password(running: EmbeddedRedis) -> None:
    for url in (f"unix://{running.socket}", f"unix://:guessed@{running.socket}"):
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
    (newest,) = (home / "redis" / "appendonlydir").glob("*.incr.aof")
    with newest.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nhal")

    with EmbeddedRedis(home) as server, connect(server) as client:
        assert client.get("key") == "value"


@pytest.mark.parametrize("damaged", ["*.incr.aof", "*.base.rdb", "*.manifest"])
def test_a_file_that_cannot_be_read_is_kept_aside_and_does_not_stop_the_start(home: Path, damaged: str) -> None:
    with EmbeddedRedis(home) as server, connect(server) as client:
        client.set("key", "value")
    (file,) = (home / "redis" / "appendonlydir").glob(damaged)
    file.write_bytes(b"rubbish\r\n" + file.read_bytes())

    with EmbeddedRedis(home) as server, connect(server) as client:
        assert client.get("key") is None
        kept = home.glob(f"redis/appendonlydir.unreadable-*/{damaged}")
        assert [path.read_bytes()[:7] for path in kept] == [b"rubbish"]


OF_REDIS_6 = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"


@pytest.mark.parametrize(("content", "value"), [(OF_REDIS_6, "value"), (b"rubbish\r\n" + OF_REDIS_6, None)])
def test_what_the_redis_of_an_earlier_release_wrote_is_taken_over(
    home: Path, content: bytes, value: str | None
) -> None:
    (home / "redis").mkdir(parents=True, mode=0o700)
    (home / "redis" / "appendonly.aof").write_bytes(content)

    with EmbeddedRedis(home) as server, connect(server) as client:
        assert client.get("key") == value


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
