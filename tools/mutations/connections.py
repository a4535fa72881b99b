"""The connections to our own servers, and what each part starts with."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

SERVERS: Final = "worker/config/servers.py"
CHECKS: Final = "worker/config/checks.py"
ENCRYPTED: Final = "tests/store/test_encrypted_servers.py"
ADDRESSES: Final = "tests/config/test_servers.py"

MUTATIONS: Final = (
    Mutation(
        "the broker's certificate is not looked at",
        "Celery verifies the server behind rediss:// as redis-py does",
        "worker/app.py",
        '"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True',
        '"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False',
        f"{ENCRYPTED}::test_a_broker_that_nobody_vouches_for_is_told_no_password",
    ),
    Mutation(
        "a password of the database is given to whoever asks",
        "PostgreSQL has to prove that it knows the password, which is never sent",
        SERVERS,
        "    return {**defaults, **given}\n",
        "    return given\n",
        f"{ENCRYPTED}::test_a_database_that_does_not_prove_itself_is_told_nothing",
    ),
    Mutation(
        "TLS without a look at the certificate is enough for a database elsewhere",
        "a connection that leaves this machine is verified or refused",
        SERVERS,
        'or _mode(given) == "verify-full" or',
        'or _mode(given) in ("require", "verify-full") or',
        f"{ADDRESSES}::test_a_database_elsewhere_is_verified_or_refused",
    ),
    Mutation(
        "the first host of an address stands for all of them",
        "every host that libpq may try counts",
        SERVERS,
        "    return all(one.startswith",
        "    return any(one.startswith",
        f"{ADDRESSES}::test_a_database_elsewhere_is_verified_or_refused",
    ),
    Mutation(
        "a receiver wants the credentials of the vendors",
        "the process that faces the internet need not hold them",
        CHECKS,
        'CALL_VENDORS: Final[frozenset[Part]] = frozenset(("up", "worker"))\n',
        'CALL_VENDORS: Final[frozenset[Part]] = frozenset(("up", "worker", "receiver"))\n',
        "tests/config/test_parts.py::test_a_part_that_calls_nobody_starts_without_credentials",
    ),
    Mutation(
        "a load test asks for an address of this machine only",
        "a load test uses up nobody's quota, through a tunnel neither",
        "worker/cli/loadtest.py",
        "        sandbox_of(settings)\n",
        "        all(is_here(target.hostname or '') for _ in (settings, sandbox_of))\n",
        "tests/cli/test_loadtest.py::test_a_tunnel_on_this_machine_is_not_a_sandbox",
    ),
)
