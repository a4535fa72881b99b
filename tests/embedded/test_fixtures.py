"""The fixtures that every other test stands on: real servers, databases of one's own, and no way to the network."""

from __future__ import annotations

import socket

import psycopg
import pytest
import redis

from tests.fixtures.network import ForbiddenConnection
from tests.fixtures.servers import fresh_database


def test_each_fresh_database_is_empty_and_gone_afterwards(postgres_url: str) -> None:
    with fresh_database(postgres_url) as first, psycopg.connect(first, autocommit=True) as connection:
        connection.execute("CREATE TABLE mine ()")

        with fresh_database(postgres_url) as second, psycopg.connect(second) as other:
            assert other.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'").fetchone() == (0,)

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first)


def test_a_fresh_database_can_be_a_copy_of_another(postgres_url: str) -> None:
    with fresh_database(postgres_url) as original:
        with psycopg.connect(original, autocommit=True) as connection:
            connection.execute("CREATE TABLE carried AS SELECT 42 AS answer")
        name = psycopg.conninfo.conninfo_to_dict(original)["dbname"]

        with fresh_database(postgres_url, template=str(name)) as copy, psycopg.connect(copy) as connection:
            assert connection.execute("SELECT answer FROM carried").fetchone() == (42,)


def test_the_redis_of_the_tests_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("vendor.example", 443)], ids=["by address", "by name"])
def test_a_connection_to_another_machine_is_refused(address: tuple[str, int]) -> None:
    with pytest.raises(ForbiddenConnection):
        socket.create_connection(address, timeout=0.1)


def test_a_name_lookup_is_refused() -> None:
    with pytest.raises(ForbiddenConnection):
        socket.getaddrinfo("vendor.example", 443)


def test_loopback_is_allowed() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()
