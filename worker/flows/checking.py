"""
What `contactsync check` looks at, each look a list of findings in sentences; nothing here is changed or started.

A finding that is right may still have a next step: a hint for whoever wants more than to be running.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import Connection as Driver
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from worker.config import TARGETS
from worker.config.checks import is_simulated
from worker.errors import ConfigurationError
from worker.runtime import SOURCE
from worker.store import directory, migrations, roles, summary
from worker.store.engine import is_away, make_engine
from worker.store.upgrading import require_owner
from worker.vendors import contract
from worker.vendors.contract import Finding
from worker.vendors.transport import Lane, Session, Unmetered, make_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from worker.config import Settings
    from worker.runtime import Runtime

PATIENCE_SECONDS: Final = 10.0
"""How long a vendor may take to answer here: somebody sits before the screen."""

SOON: Final = timedelta(days=14)
"""How long before the end of a token's time it is spoken of."""

_MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Checked:
    """The findings of one area; `away` where they come of a part that does not answer."""

    area: str
    findings: tuple[Finding, ...]
    away: bool = False

    @property
    def ok(self) -> bool:
        """Whether all of them are right."""
        return all(finding.ok for finding in self.findings)


class Paced(Unmetered):
    """A budget of one process alone, for looks before there is a Redis: so many calls a second, one at a time."""

    def __init__(self, calls_per_second: float) -> None:
        self._interval = 1 / calls_per_second if calls_per_second > 0 else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Wait for the next turn."""
        with self._lock:
            wait = self._next - time.monotonic()
            self._next = max(self._next, time.monotonic()) + self._interval
        if wait > 0:
            time.sleep(wait)


def plan(settings: Settings) -> Checked:
    """Whether the settings, which are valid each for itself, make something run."""
    enabled = settings.enabled_systems()
    targets = [name for name in TARGETS if name in enabled]
    if not enabled:
        step = (
            "switch on [systems.robaws] and one more in contactsync.toml (contactsync.example.toml says how), "
            "or see it work first: contactsync demo"
        )
        found = [Finding("systems", False, "no system is switched on, so there is nothing to do", step)]
    elif not targets:
        step = f"switch on one of {', '.join(TARGETS)}"
        found = [Finding("systems", False, "Robaws is on and no other system, so clients go nowhere", step)]
    else:
        found = [Finding("systems", True, f"clients go from Robaws to {', '.join(targets)}")]
    found += [*_tokens(settings), *_address(settings)]
    return Checked("configuration", tuple(found))


def _tokens(settings: Settings) -> list[Finding]:
    """Who has a token of the API, and whose time is over or soon will be."""
    tokens = settings.ops.tokens
    if not tokens:
        step = "to ask it from elsewhere, make one: contactsync tokens new NAME --role operator"
        return [Finding("API", True, "nobody has a token, so only this command sees the queue", step)]
    now = datetime.now(UTC)
    over = [token.name for token in tokens if token.expired(now)]
    soon = [token.name for token in tokens if token.expired(now + SOON) and token.name not in over]
    clear = [token.name for token in tokens if token.token is not None]
    names = ", ".join(f"{token.name} ({token.role})" for token in tokens)
    step = f"keep {_few(clear)} as token_hash (contactsync tokens new)" if clear else ""
    found = [Finding("API", True, f"{len(tokens)} token(s) may use it: {names}", step)]
    renew = "make new ones with contactsync tokens new, and take the old ones out"
    if over:
        found.append(Finding("API", False, f"the time of {_few(over)} is over", renew))
    if soon:
        found.append(Finding("API", True, f"the time of {_few(soon)} is over within {SOON.days} days", renew))
    return found


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _address(settings: Settings) -> list[Finding]:
    """Whether webhooks that come under a name of the internet are served."""
    receiver, robaws = settings.receiver, settings.systems.robaws
    if receiver.public_url is not None:
        return [Finding("address", True, f"webhooks are taken at {receiver.public_url}/webhooks/robaws")]
    if not robaws.enabled or receiver.allowed_hosts or is_simulated("robaws", robaws.base_url):
        return []
    text = "only requests to the names of this machine are served; under any other, a webhook is answered with 421"
    return [Finding("address", False, text, 'set receiver.public_url = "https://HOST", the address that Robaws uses')]


def database(url: str) -> Checked:
    """Whether PostgreSQL answers, keeps what it confirms, and holds the schema of this release."""
    engine = make_engine(url, pool_size=1, application_name="check")
    try:
        return Checked("database", tuple(_database(engine)))
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        lines = [line for line in str(error).splitlines() if line.strip()]
        step = _unverified(lines[0]) or "start PostgreSQL, or correct database.url (host, port, user, password)"
        return Checked("database", (Finding("connection", False, f"does not answer: {lines[0]}", step),), away=True)
    finally:
        engine.dispose()


def owner(url: str) -> Checked:
    """Whether the owner of the tables can sign in, and is that: the scheduler does not start without."""
    area, subject = "database", "owner"
    correct = "correct database.owner_url, which is the address of database.url with another user and password"
    try:
        if require_owner(url):
            return Checked(area, (Finding(subject, True, "database.owner_url owns the tables"),))
        return Checked(
            area, (Finding(subject, False, "database.owner_url leads to a database without tables", correct),)
        )
    except ConfigurationError as error:
        what, _, step = error.message.partition(": ")
        return Checked(area, (Finding(subject, False, what, step),))
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        line = str(error).splitlines()[0]
        return Checked(area, (Finding(subject, False, f"does not answer: {line}", correct),), away=True)


def _unverified(message: str) -> str | None:
    """The next step where something answered and did not prove that it is the server; None where it is not that."""
    if "authentication method requirement" in message:
        return "let it log in by scram-sha-256 (pg_hba.conf), or name its method in database.url: ?require_auth=…"
    if "certificate" in message:
        return "use the name that its certificate is for; ?sslrootcert=FILE names an authority of your own"
    if "does not support SSL" in message:
        return "switch ssl on in PostgreSQL, or see database.allow_insecure in docs/settings.md"
    return None


def _database(engine: Engine) -> list[Finding]:
    with engine.connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
        unsafe = [
            name
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            if connection.execute(text(f"SHOW {name}")).scalar_one() == "off"
        ]
        user = _user(connection)
        driver = connection.connection.driver_connection
        lacking = roles.missing(driver) if isinstance(driver, Driver) else []
    found = [Finding("connection", True, f"PostgreSQL {version.split()[0]} answers"), user]
    if unsafe:
        text_ = f"{', '.join(unsafe)} is off: an event that was accepted can be lost in a power cut"
        found.append(Finding("durability", False, text_, f"switch {' and '.join(unsafe)} on in PostgreSQL"))
    if lacking:
        text_ = f"the user of database.url may not use all it needs of {_few(lacking)}"
        step = "run `contactsync migrate` with database.owner_url, which gives the rights"
        found.append(Finding("rights", False, text_, step))
    try:
        migrations.require_current(engine)
    except ConfigurationError as error:
        what, _, step = error.message.partition(": ")
        found.append(Finding("schema", False, what, step))
    else:
        found.append(Finding("schema", True, f"the newest ({migrations.head()})"))
    return found


_USER: Final = text(
    """
    SELECT current_user, rolsuper, EXISTS (
        SELECT FROM pg_class WHERE oid = to_regclass('operator_action') AND pg_has_role(relowner, 'USAGE')
    ) FROM pg_roles WHERE rolname = current_user
    """
)


def _user(connection: Connection) -> Finding:
    """Whether the application may do more than it needs to; an installation with one user works all the same."""
    name, superuser, owner = connection.execute(_USER).one()
    step = "give it less: docs/running.md, Roles of the database"
    if superuser:
        return Finding("user", True, f"{name} is a superuser, who may run programs on the database's machine", step)
    if owner:
        return Finding("user", True, f"{name} owns the tables, and so may change the log of what people did", step)
    return Finding("user", True, f"{name} may use the tables, and change neither them nor the logs")


def redis(url: str) -> Checked:
    """Whether Redis answers and refuses when it is full, as an evicted key would make nudges vanish in silence."""
    from redis import Redis, RedisError

    try:
        with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            server: dict[str, Any] = client.info()
            found = [Finding("connection", True, f"{_product(server)} answers")]
            found.append(_policy(str(server.get("maxmemory_policy", ""))))
            found.append(_persistence(server))
    except (RedisError, OSError) as error:
        step = "start Redis, or correct redis.url (host, port, password, rediss:// for TLS)"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            step = "use the name that its certificate is for; ?ssl_ca_certs=FILE names an authority of your own"
        return Checked("redis", (Finding("connection", False, f"does not answer: {error}", step),), away=True)
    return Checked("redis", tuple(found))


def _product(server: dict[str, Any]) -> str:
    """The server's own name and version; Valkey tells one of Redis besides, for clients that ask for it."""
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server.get('redis_version', 'of unknown version')}"


def _policy(policy: str) -> Finding:
    if policy == "noeviction":
        return Finding("when it is full", True, "refuses rather than forget (noeviction)")
    told = f"evicts keys when it is full ({policy})" if policy else "does not tell what happens when it is full"
    return Finding("when it is full", not policy, told, "set maxmemory-policy to noeviction")


def _persistence(server: dict[str, Any]) -> Finding:
    if server.get("aof_enabled"):
        return Finding("persistence", True, "keeps its data over a restart (append-only file)")
    return Finding(
        "persistence",
        True,
        "is emptied by a crash, which loses nothing: what must be done is in PostgreSQL",
        "appendonly yes saves it a few seconds of finding its way back",
    )


def vendor(settings: Settings, name: str, runtime: Runtime | None = None) -> Checked:
    """
    Whether a vendor takes our credentials and lets us read, by its own `check`.

    With a runtime the calls come out of the budget that all processes share; without one they are only paced.
    """
    system = settings.system(name)
    if runtime is not None:
        client, session = runtime.client(name), runtime.session(name)
    else:
        rate = float(system.rate_per_second or 0) or float(system.rate_per_minute or 0) / 60
        more = {"public_url": settings.receiver.public_url} if name == SOURCE else {}
        client = contract.build(name, system, settings.systems.robaws.phone_region, **more)
        session = Session(
            name, make_client(system.base_url), Paced(rate), timeout_seconds=float(system.timeout_seconds)
        )
    session.timeout_seconds = min(session.timeout_seconds, PATIENCE_SECONDS)
    session.patience_seconds = PATIENCE_SECONDS
    try:
        findings: Sequence[Finding] = client.check(session)
    finally:
        if runtime is None:
            session.client.close()
    remarks = session.remarks or _remarks_of_the_last_list(runtime, name)
    findings = [*known_here(findings, name, runtime), *unreadable(remarks)]
    asked = [exchange.status for exchange in session.exchanges]
    away = bool(asked) and not any(asked) and not all(finding.ok for finding in findings)
    return Checked(name, tuple(findings), away)


HOW_CLIENTS_COME: Final = "a client comes over when it is saved in Robaws, or with contactsync contacts sync ID"


def known_here(findings: Sequence[Finding], name: str, runtime: Runtime | None) -> list[Finding]:
    """The same, with how many of the source's clients are known here, where there is a database that tells."""
    if name != SOURCE or runtime is None:
        return list(findings)
    try:
        with runtime.engine.connect() as connection:
            known = summary.contacts_known(connection)
    except SQLAlchemyError:
        return list(findings)
    step = "" if known else HOW_CLIENTS_COME
    return [
        replace(finding, message=f"{finding.message}, {known} known here", next_step=step)
        if finding.subject == "clients" and finding.ok
        else finding
        for finding in findings
    ]


def _remarks_of_the_last_list(runtime: Runtime | None, name: str) -> list[str]:
    """Empty where there is no database to ask, or none that is set up: that stands in a line of its own."""
    if runtime is None:
        return []
    try:
        with runtime.engine.connect() as connection:
            return directory.unreadable(connection, name)
    except SQLAlchemyError:
        return []


def unreadable(remarks: Sequence[str]) -> list[Finding]:
    """What of a system's list could not be read; these records are compared by the rest of what they hold."""
    if not remarks:
        return []
    more = f"; and {len(remarks) - _MOST_NAMED} more" if len(remarks) > _MOST_NAMED else ""
    told = f"{len(remarks)} cannot be read in full: {'; '.join(remarks[:_MOST_NAMED])}{more}"
    step = "look at them there: a client whose record is among them may not be recognised"
    return [Finding("records", True, told, step)]


def systems_to_check(settings: Settings) -> tuple[str, ...]:
    """The systems that take part, Robaws first."""
    enabled = settings.enabled_systems()
    return tuple(name for name in (SOURCE, *TARGETS, "routix") if name in enabled)
