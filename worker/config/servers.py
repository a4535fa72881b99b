"""
How our own PostgreSQL and Redis are reached, and whether the connection to them is verified.

An address is read by the library that connects with it (libpq, redis-py) and by nothing else: where two parsers
disagree about the host, a password goes to a machine that nobody checked. Nothing here connects.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MUTUAL: Final = "scram-sha-256"
"""The authentication method that sends no password and has the server prove that it knows it."""

NOT_IN_CLEAR: Final = "!password"
"""For a server on this machine, which a distribution may have set to `md5` or `trust`: any but a password in clear."""

NONE_SENT: Final = "!password,!md5"
"""For an address without a password: any method but those that hand over one from elsewhere (`~/.pgpass`)."""

_AUTHORITIES: Final = Path("~/.postgresql/root.crt")
"""Where libpq looks for authorities unless it is told a file."""


def postgres_parameters(url: str) -> dict[str, Any]:
    """
    What libpq is told for this address, by keyword.

    Unless the address says otherwise, no password is sent, a server on another machine has to prove that it knows it
    (`require_auth`), and a certificate is checked against the public authorities. ValueError where libpq cannot read
    the address.
    """
    given = _libpq(url)
    with_password = NOT_IN_CLEAR if _stays_here(given) else MUTUAL
    defaults: dict[str, Any] = {"require_auth": with_password if given.get("password") else NONE_SENT}
    mode = _mode(given)
    if mode.startswith("verify-") and _authorities_missing(given):
        # libpq's own name for them, "system", is an empty folder in the library that comes with the psycopg wheel.
        given = {**given, "sslmode": mode, "sslrootcert": _public_authorities()}
    return {**defaults, **given}


def postgres_problem(url: str, *, allow_insecure: bool = False) -> str | None:
    """What is wrong with this address, a colon, and the next step; None where nothing is."""
    try:
        given = _libpq(url)
    except ValueError:
        return "cannot be read as an address: write postgresql://USER:PASSWORD@HOST:5432/DATABASE, with %40 for an @"
    if allow_insecure or _mode(given) == "verify-full" or _stays_here(given):
        return None
    return (
        "goes to another machine without a verified certificate: add ?sslmode=verify-full (and &sslrootcert=FILE for "
        "an authority of your own), or set database.allow_insecure = true"
    )


def redis_problem(url: str, *, allow_insecure: bool = False) -> str | None:
    """The same for an address of Redis."""
    try:
        options = redis_options(url)
    except ValueError:
        return "cannot be read as an address: write redis://:PASSWORD@HOST:6379/0, with %40 for an @"
    if allow_insecure or "path" in options:
        return None
    if is_encrypted(options):
        verified = options.get("ssl_cert_reqs", "required") == "required"
        if verified and options.get("ssl_check_hostname", True) is True:
            return None
        return (
            "does not verify the server's certificate: take ssl_cert_reqs and ssl_check_hostname out "
            "(ssl_ca_certs=FILE names an authority of your own), or set redis.allow_insecure = true"
        )
    if is_here(options.get("host", "localhost")):
        return None
    return "goes without TLS to another machine: write rediss://, or set redis.allow_insecure = true"


def redis_options(url: str) -> dict[str, Any]:
    """What redis-py makes of an address, by keyword. ValueError where it cannot read it."""
    from redis.connection import parse_url

    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return options


def is_encrypted(options: Mapping[str, Any]) -> bool:
    """Whether these options of redis-py stand for TLS."""
    from redis.connection import SSLConnection

    return options.get("connection_class") is SSLConnection


def is_here(host: str) -> bool:
    """
    Whether a name or an address is this machine's own, whoever is asked.

    >>> [is_here(host) for host in ("localhost", "127.0.0.1", "::1", "db.example", "10.0.0.1", "localhost.example")]
    [True, True, True, False, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _libpq(url: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except ProgrammingError:
        # Its text quotes the address, with the password in it.
        raise ValueError("libpq cannot read the address") from None


def _mode(given: Mapping[str, Any]) -> str:
    """The `sslmode` that counts; libpq itself takes the strictest one with the authorities of the system."""
    return str(given.get("sslmode") or ("verify-full" if given.get("sslrootcert") == "system" else ""))


def _stays_here(given: Mapping[str, Any]) -> bool:
    """Whether every host that libpq may try is a socket or this machine; a service file may name any."""
    if given.get("service") or os.environ.get("PGSERVICE"):
        return False
    hosts = given.get("host") or os.environ.get("PGHOST", "")
    addresses = given.get("hostaddr") or os.environ.get("PGHOSTADDR", "")
    return all(one.startswith(("/", "@")) or is_here(one) for one in f"{hosts},{addresses}".split(",") if one)


def _authorities_missing(given: Mapping[str, Any]) -> bool:
    named = given.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "")
    return named == "system" or (not named and not _AUTHORITIES.expanduser().exists())


def _public_authorities() -> str:
    import certifi

    return os.environ.get("SSL_CERT_FILE") or certifi.where()
