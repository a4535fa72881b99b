"""The connections to our own PostgreSQL and Redis: a stranger in the server's place gets neither password nor data."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.fixtures import front as fronts
from tests.fixtures.front import AUTHORITY, Front, front, postgres_behind, redis_behind
from tests.fixtures.servers import short_folder
from webhooks.writing import connect
from worker.app import INTAKE_QUEUE, KEY_PREFIX, CeleryPublisher, broker, create_celery
from worker.config import Settings
from worker.config.servers import redis_options
from worker.flows import checking
from worker.store.engine import make_engine

SECRET = "a-very-secret-password"
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def publisher(redis_address: str) -> CeleryPublisher:
    return CeleryPublisher(create_celery(Settings().with_urls(NOWHERE, redis_address)))


def password_of(redis_url: str) -> str:
    return quote(str(redis_options(redis_url).get("password", "")), safe="")


@pytest.fixture
def stranger() -> Iterator[Front]:
    """Somebody with a certificate of this machine's name that no authority has signed."""
    with front(certificate="self_signed.pem") as made:
        yield made


# ------------------------------------------------------------------------------------------------------------ Redis
def test_a_broker_that_nobody_vouches_for_is_told_no_password(stranger: Front) -> None:
    sent = publisher(f"rediss://default:{SECRET}@127.0.0.1:{stranger.port}/0").send("sync.intake", [], INTAKE_QUEUE)

    assert not sent
    assert stranger.came.is_set(), "it was never asked"
    assert (stranger.shaken, bytes(stranger.heard)) == (0, b"")


def test_a_broker_with_a_certificate_for_another_name_is_told_no_password() -> None:
    with front(certificate="elsewhere.pem") as elsewhere:
        address = f"rediss://default:{SECRET}@127.0.0.1:{elsewhere.port}/0?ssl_ca_certs={AUTHORITY}"
        sent = publisher(address).send("sync.intake", [], INTAKE_QUEUE)

    assert not sent
    assert elsewhere.came.is_set()
    assert bytes(elsewhere.heard) == b""


def test_the_budgets_do_not_trust_it_either(stranger: Front) -> None:
    with (
        redis.Redis.from_url(f"rediss://default:{SECRET}@127.0.0.1:{stranger.port}/0") as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()


@pytest.mark.parametrize("allowed", [False, True], ids=["verified", "allow_insecure"])
def test_nudges_and_budgets_go_through_one_verified_address(redis_url: str, *, allowed: bool) -> None:
    more = "ssl_cert_reqs=none" if allowed else f"ssl_ca_certs={quote(str(AUTHORITY))}"
    certificate = "self_signed.pem" if allowed else "server.pem"
    with front(redis_behind(redis_url), certificate=certificate) as honest:
        address = f"rediss://:{password_of(redis_url)}@127.0.0.1:{honest.port}/0?{more}"
        with redis.Redis.from_url(address) as client:
            client.flushall()
            sent = publisher(address).send("sync.intake", [], INTAKE_QUEUE)
            waiting = client.llen(f"{KEY_PREFIX}{INTAKE_QUEUE}")

    assert (sent, waiting) == (True, 1)


def test_nudges_go_through_a_socket_as_budgets_do(redis_url: str) -> None:
    with short_folder() as folder, front(redis_behind(redis_url), path=folder / "redis.sock"):
        address = f"unix://:{password_of(redis_url)}@{folder / 'redis.sock'}?db=0"
        with redis.Redis.from_url(address) as client:
            client.flushall()
            sent = publisher(address).send("sync.intake", [], INTAKE_QUEUE)
            waiting = client.llen(f"{KEY_PREFIX}{INTAKE_QUEUE}")

    assert (sent, waiting) == (True, 1)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("redis://127.0.0.1:7/3", {"broker_url": "redis://127.0.0.1:7/3"}),
        # A semicolon would be a second address to Celery, and a question mark the end of the password.
        ("redis://:a%3Bb%3Fc%40d@127.0.0.1/0", {"broker_url": "redis://:a%3Bb%3Fc%40d@127.0.0.1:6379/0"}),
        ("redis://:a;b@127.0.0.1/0", {"broker_url": "redis://:a%3Bb@127.0.0.1:6379/0"}),
        ("redis://127.0.0.1/0?hostname=elsewhere&transport=memory", {"broker_url": "redis://127.0.0.1:6379/0"}),
        (
            "rediss://r.example/0?ssl_ca_certs=/ca.pem&socket_timeout=1",
            {
                "broker_url": "rediss://r.example:6379/0",
                "broker_use_ssl": {
                    "ssl_cert_reqs": ssl.CERT_REQUIRED,
                    "ssl_check_hostname": True,
                    "ssl_ca_certs": "/ca.pem",
                },
            },
        ),
    ],
)
def test_celery_is_told_what_redis_py_reads(address: str, told: dict[str, object]) -> None:
    assert broker(address) == told


# ------------------------------------------------------------------------------------------------------- PostgreSQL
def by_engine(url: str) -> None:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        engine.dispose()


def by_receiver(url: str) -> None:
    async def look() -> None:
        connection = await connect(url)
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
        await connection.close()

    asyncio.run(look())


WAYS = pytest.mark.parametrize("reach", [by_engine, by_receiver])


ELSEWHERE = "?require_auth=scram-sha-256"
"""What an address on another machine is given."""


@WAYS
@pytest.mark.parametrize(
    ("answer", "address", "requirement"),
    [
        ("CLEARTEXT_PASSWORD", ELSEWHERE, "scram-sha-256"),
        ("AUTHENTICATION_OK", ELSEWHERE, "scram-sha-256"),
        ("CLEARTEXT_PASSWORD", "", "!password"),
    ],
)
def test_a_database_that_does_not_prove_itself_is_told_nothing(
    reach: Callable[[str], None], answer: str, address: str, requirement: str
) -> None:
    says = (getattr(fronts, answer) + (fronts.READY if answer == "AUTHENTICATION_OK" else b""),)
    with front(postgres=True, says=says) as rogue:
        with pytest.raises((OperationalError, psycopg.OperationalError), match=requirement):
            reach(f"postgresql://contactsync:{SECRET}@127.0.0.1:{rogue.port}/contactsync{address}")

        assert rogue.came.is_set()
        assert SECRET.encode() not in rogue.heard
        assert b"SELECT" not in rogue.heard


@WAYS
@pytest.mark.parametrize("certificate", ["self_signed.pem", "elsewhere.pem"])
def test_a_database_with_the_wrong_certificate_is_told_nothing(reach: Callable[[str], None], certificate: str) -> None:
    with front(postgres=True, certificate=certificate) as rogue:
        address = f"postgresql://contactsync:{SECRET}@127.0.0.1:{rogue.port}/contactsync?sslmode=verify-full"
        with pytest.raises((OperationalError, psycopg.OperationalError), match="certificate"):
            reach(f"{address}&sslrootcert={quote(str(AUTHORITY))}")

        assert rogue.came.is_set()
        assert bytes(rogue.heard) == b""


def test_the_public_authorities_count_where_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with front(postgres=True, certificate="server.pem") as rogue:
        with pytest.raises(OperationalError, match="certificate verify failed"):
            by_engine(f"postgresql://contactsync:{SECRET}@127.0.0.1:{rogue.port}/contactsync?sslmode=verify-full")

        assert bytes(rogue.heard) == b""


@WAYS
def test_a_database_with_the_right_certificate_is_used(postgres_url: str, reach: Callable[[str], None]) -> None:
    given = conninfo_to_dict(postgres_url)
    with front(postgres_behind(postgres_url), postgres=True, certificate="server.pem") as honest:
        login = f"{given['user']}:{quote(str(given['password']), safe='')}"
        reach(
            f"postgresql://{login}@127.0.0.1:{honest.port}/{given['dbname']}"
            f"?sslmode=verify-full&sslrootcert={quote(str(AUTHORITY))}"
        )

    assert honest.shaken == 1


@pytest.mark.parametrize(
    ("certificate", "step"), [(None, "switch ssl on in PostgreSQL"), ("self_signed.pem", "sslrootcert=FILE")]
)
def test_check_tells_a_server_without_tls_from_one_with_the_wrong_certificate(
    certificate: str | None, step: str
) -> None:
    with front(postgres=True, certificate=certificate) as rogue:
        address = f"postgresql://contactsync:{SECRET}@127.0.0.1:{rogue.port}/contactsync?sslmode=verify-full"
        database = checking.database(f"{address}&sslrootcert={quote(str(AUTHORITY))}")

    assert step in database.findings[0].next_step
    assert bytes(rogue.heard) == b""


def test_check_says_why_and_what_to_do(stranger: Front) -> None:
    with front(postgres=True, says=(fronts.CLEARTEXT_PASSWORD,)) as rogue:
        database = checking.database(f"postgresql://contactsync:{SECRET}@127.0.0.1:{rogue.port}/contactsync")
    server = checking.redis(f"rediss://:{SECRET}@127.0.0.1:{stranger.port}/0")

    assert (database.away, server.away) == (True, True)
    assert "authentication method requirement" in database.findings[0].message
    assert "scram-sha-256 (pg_hba.conf)" in database.findings[0].next_step
    assert "CERTIFICATE_VERIFY_FAILED" in server.findings[0].message
    assert "ssl_ca_certs=FILE" in server.findings[0].next_step
    assert SECRET not in f"{database}{server}"
