"""The addresses of our own servers: what leaves this machine is verified, or refused unless a switch says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from worker.config.keys import known_keys
from worker.config.servers import is_here, postgres_parameters, postgres_problem, redis_problem

if TYPE_CHECKING:
    from tests.config.loading import Given

ADDRESSES = [path[1] for path in known_keys() if path[0] == "database" and path[-1].endswith("url")]
LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLROOTCERT")


@pytest.fixture(autouse=True)
def no_variables_of_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBPQ_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hub:pw@db.example/hub",
        "postgresql://hub:pw@10.0.0.5:5432/hub",
        "postgresql://hub:pw@db.example/hub?sslmode=require",
        "postgresql://hub:pw@db.example/hub?sslmode=verify-ca",
        "postgresql://hub:pw@db.example/hub?sslmode=disable",
        "postgresql://hub:pw@127.0.0.1,db.example/hub",
        "postgresql://hub:pw@127.0.0.1/hub?hostaddr=10.0.0.5",
        "postgresql://hub:pw@db.example/hub?hostaddr=127.0.0.1",
        "postgresql://hub:pw@127.0.0.1/hub?host=db.example",
        "postgresql://hub:pw@localhost.example/hub",
        "postgresql:///hub?service=elsewhere",
    ],
)
def test_a_database_elsewhere_is_verified_or_refused(given: Given, url: str) -> None:
    given.environ["CONTACTSYNC_DATABASE__URL"] = url

    assert given.problem() == (
        "database.url (CONTACTSYNC_DATABASE__URL) goes to another machine without a verified certificate: add "
        "?sslmode=verify-full (and &sslrootcert=FILE for an authority of your own), "
        "or set database.allow_insecure = true"
    )

    given.toml("[database]\nallow_insecure = true")
    assert given.load().database.url == url


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_address_of_the_database_is_looked_at(given: Given, name: str) -> None:
    variables = {one: f"CONTACTSYNC_DATABASE__{one.upper()}" for one in ADDRESSES}
    given.environ |= {variable: f"postgresql://{one}:pw@127.0.0.1/hub" for one, variable in variables.items()}
    given.environ[variables[name]] = f"postgresql://{name}:pw@db.example/hub"

    assert given.problem().startswith(f"database.{name} ({variables[name]}) goes to another machine")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hub:pw@127.0.0.1/hub",
        "postgresql://hub:pw@localhost:5432/hub?sslmode=disable",
        "postgresql://hub:pw@[::1]/hub",
        "postgresql://hub:pw@/hub?host=/run/hub&port=5432",
        "postgresql:///hub",
        "postgresql://hub:pw@db.example/hub?sslmode=verify-full",
        "postgresql://hub:pw@db.example/hub?sslrootcert=system",
        "postgresql://hub:pw@a.example,b.example/hub?sslmode=verify-full&sslrootcert=/ca.pem",
    ],
)
def test_a_database_here_or_verified_is_taken(given: Given, url: str) -> None:
    given.environ["CONTACTSYNC_DATABASE__URL"] = url

    assert given.load().database.url == url


@pytest.mark.parametrize(("variable", "value"), [("PGHOST", "db.example"), ("PGSERVICE", "elsewhere")])
def test_a_host_that_libpq_takes_from_the_environment_counts(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert postgres_problem("postgresql://hub:pw@/hub") is not None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://:pw@redis.example:6379/0", "goes without TLS to another machine: write rediss://"),
        ("redis:///0?host=redis.example", "goes without TLS to another machine: write rediss://"),
        ("rediss://:pw@redis.example/0?ssl_cert_reqs=none", "does not verify the server's certificate"),
        ("rediss://:pw@redis.example/0?ssl_cert_reqs=optional", "does not verify the server's certificate"),
        ("rediss://:pw@redis.example/0?ssl_check_hostname=false", "does not verify the server's certificate"),
        ("rediss://:pw@127.0.0.1/0?ssl_cert_reqs=none", "does not verify the server's certificate"),
    ],
)
def test_a_redis_elsewhere_is_verified_or_refused(given: Given, url: str, says: str) -> None:
    given.environ["CONTACTSYNC_REDIS__URL"] = url

    problem = given.problem()

    assert problem.startswith(f"redis.url (CONTACTSYNC_REDIS__URL) {says}")
    assert problem.endswith("or set redis.allow_insecure = true")
    given.environ["CONTACTSYNC_REDIS__ALLOW_INSECURE"] = "true"
    assert given.load().redis.url == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pw@127.0.0.1:6379/0",
        "redis://localhost/0",
        "unix:///run/redis.sock?db=1",
        "rediss://:pw@redis.example/0",
        "rediss://:pw@redis.example/0?ssl_ca_certs=/ca.pem",
    ],
)
def test_a_redis_here_or_verified_is_taken(given: Given, url: str) -> None:
    given.environ["CONTACTSYNC_REDIS__URL"] = url

    assert given.load().redis.url == url


@pytest.mark.parametrize("key", ["DATABASE", "REDIS"])
@pytest.mark.parametrize("switch", ["true", "false"])
def test_an_address_that_cannot_be_read_is_refused_without_being_shown(given: Given, key: str, switch: str) -> None:
    scheme = {"DATABASE": "postgresql", "REDIS": "redis"}[key]
    given.environ[f"CONTACTSYNC_{key}__URL"] = f"{scheme}://hub:very%zzsecret@[host:port]:x/hub"
    given.environ[f"CONTACTSYNC_{key}__ALLOW_INSECURE"] = switch

    problem = given.problem()

    assert "cannot be read as an address: write" in problem
    assert "secret" not in problem


@examples(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True))
def test_whatever_name_is_not_this_machine_s_is_refused(host: str) -> None:
    refused = (postgres_problem(f"postgresql://u:p@{host}/d"), redis_problem(f"redis://u:p@{host}/0"))

    assert [problem is None for problem in refused] == [is_here(host)] * 2


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("postgresql://hub:pw@db.example/hub?sslmode=verify-full", "scram-sha-256"),
        ("postgresql://hub:pw@127.0.0.1/hub", "!password"),
        ("postgresql:///hub?host=/run/hub", "!password,!md5"),
        ("postgresql://hub:pw@127.0.0.1/hub?require_auth=md5", "md5"),
    ],
)
def test_a_server_elsewhere_has_to_prove_that_it_knows_the_password_and_none_is_sent_it(url: str, method: str) -> None:
    assert postgres_parameters(url)["require_auth"] == method
