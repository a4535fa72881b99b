"""What one key alone cannot tell: a system without its credentials, a password that would travel in the open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from worker.config import servers
from worker.config.access import ambiguous, token_digest
from worker.config.base import header_text
from worker.config.keys import Path_
from worker.config.settings import Settings
from worker.config.systems import SystemName, SystemSettings
from worker.config.vendors import WorkspaceSettings
from worker.core.sensitive_names import is_sensitive

Problem = tuple[Path_, str]

Part = Literal["up", "receiver", "worker", "scheduler", "command"]
"""What is started. `command`: a subcommand that asks the database alone, `migrate` and `health` among them."""

PUBLIC_TOKENS: Final = ("sandbox-viewer-everybody-knows-this-token", "sandbox-operator-everybody-knows-this-token")
"""Tokens that stand in deploy/contactsync.sandbox.toml."""
PUBLIC_SECRETS: Final = frozenset(("5a9d0b0e-0000-4000-8000-000000000001",))
"""The webhook secret of the simulated Robaws."""

CALL_VENDORS: Final[frozenset[Part]] = frozenset(("up", "worker"))
"""The parts that do not start without the credentials of every system that is enabled."""

TAKE_WEBHOOKS: Final[frozenset[Part]] = frozenset(("up", "receiver"))
"""The parts that do not start without a webhook secret: each webhook could only be refused."""


def check(settings: Settings, part: Part = "worker") -> Iterator[Problem]:
    """Each problem as the key that it is about, and the sentence."""
    yield from _servers(settings)
    enabled = settings.enabled_systems()
    for name in enabled:
        if part in CALL_VENDORS:
            yield from lacking(name, settings.system(name))
        yield from _open_addresses(name, settings.system(name))
    if enabled and "robaws" not in enabled:
        yield (
            ("systems", "robaws", "enabled"),
            f"is false, but everything comes from Robaws: switch it on, or {' and '.join(enabled)} off",
        )
    rompslomp = settings.systems.rompslomp
    if rompslomp.number_from == "logic_id" and rompslomp.reference_member == "contact_number":
        yield (
            ("systems", "rompslomp", "reference_member"),
            'is "contact_number", where number_from puts the customer number: set it to "free_1"',
        )
    recras = settings.systems.recras
    if recras.enabled and recras.base_url and not _ends(recras.base_url, "api2", "api2.php"):
        yield (
            ("systems", "recras", "base_url"),
            "does not end in /api2: write it whole, like https://NAME.recras.nl/api2",
        )
    yield from _addresses_of_one_database(settings)
    yield from _fields_of_routix(settings)
    yield from _write_back(settings)
    yield from _never_read(settings)
    yield from _token_of_workspace(settings.systems.workspace)
    robaws = settings.systems.robaws
    if part in TAKE_WEBHOOKS and robaws.enabled and not robaws.webhook_secrets:
        yield (
            ("systems", "robaws", "webhook_secrets"),
            "is missing: name webhook_secrets_file, and contactsync webhooks register URL --write-secret fills it",
        )
    for key, sentence in ambiguous(settings.ops):
        yield ("ops", key), sentence
    if part in TAKE_WEBHOOKS:
        yield from public_credentials(settings)


def _token_of_workspace(workspace: WorkspaceSettings) -> Iterator[Problem]:
    """A token is made of what headers carry; only where it is a person's password it may hold any letter."""
    if workspace.auth != "basic" and workspace.token is not None:
        try:
            header_text(workspace.token.get_secret_value())
        except ValueError as error:
            yield ("systems", "workspace", "token"), str(error)


def _fields_of_routix(settings: Settings) -> Iterator[Problem]:
    for path, owner in settings.systems.routix.fields.items():
        if owner not in ("system", "ignore"):
            yield (
                ("systems", "routix", "fields", path),
                f'is "{owner}", but nothing can be written to Routix: leave it out',
            )


def _write_back(settings: Settings) -> Iterator[Problem]:
    """A field of Robaws that is written to holds one system's id, and nothing that people or the filter decide by."""
    taken: dict[str, str] = {}
    filtered = {_one_name(field) for field in settings.sync.filter.extra_field}
    for system, field in settings.systems.robaws.write_back.items():
        key = ("systems", "robaws", "write_back", system)
        other = taken.setdefault(_one_name(field), system)
        if system == "routix":
            yield (
                key,
                "names a field for an id that never comes, as nothing is synchronised from Routix yet: leave it out",
            )
        if other != system:
            yield key, f"names the field of {other} again, and one of the two ids would be lost: name another"
        if _one_name(field) in filtered:
            yield (
                key,
                "names a field that sync.filter.extra_field goes by, and an id is no such value: name another",
            )


def _never_read(settings: Settings) -> Iterator[Problem]:
    """A field whose value is left out of every answer can hold no id, and nothing can be decided by it."""
    robaws, recras = settings.systems.robaws, settings.systems.recras
    named: list[tuple[Path_, str]] = [
        *((("systems", "robaws", "write_back", system), field) for system, field in robaws.write_back.items()),
        *((("sync", "filter", "extra_field", field), field) for field in settings.sync.filter.extra_field),
        *((("sync", "person_kinds", field), field) for field in settings.sync.person_kinds),
    ]
    if recras.reference_extra_field:
        named.append((("systems", "recras", "reference_extra_field"), recras.reference_extra_field))
    for key, field in named:
        if is_sensitive(field):
            yield key, f'goes by "{field}", but a field for bank data or identity numbers is never read: name another'


def _one_name(field: str) -> str:
    """Robaws tells extra fields' names with blanks or with underscores (Robaws sheet 9.2)."""
    return field.strip().replace(" ", "_").casefold()


def lacking(name: str, system: SystemSettings) -> Iterator[Problem]:
    """What a system cannot be called without and is not given."""
    for attribute, step in system.needs.items():
        if not _given(getattr(system, attribute)):
            yield (("systems", name, attribute), f"is missing: {step}, or switch the system off")
    if isinstance(system, WorkspaceSettings) and system.auth == "basic" and not system.username:
        yield (("systems", name, "username"), 'is missing: auth is "basic", so give it, or change auth')


def _addresses_of_one_database(settings: Settings) -> Iterator[Problem]:
    database = settings.database
    if database.owner_url and not database.url:
        yield ("database", "owner_url"), "is given without database.url: name the application's user there"
    if database.admin_url and not database.owner_url:
        yield (
            ("database", "admin_url"),
            "is given without database.owner_url: name the user that is to own the tables there, or leave this out",
        )


def _servers(settings: Settings) -> Iterator[Problem]:
    database, redis = settings.database, settings.redis
    for name, url in database.addresses():
        problem = servers.postgres_problem(url, allow_insecure=database.allow_insecure)
        if problem is not None:
            yield ("database", name), problem
    if redis.url is not None:
        problem = servers.redis_problem(redis.url, allow_insecure=redis.allow_insecure)
        if problem is not None:
            yield ("redis", "url"), problem


def _given(value: Any) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _open_addresses(name: SystemName, system: SystemSettings) -> Iterator[Problem]:
    for attribute in ("base_url", "token_url"):
        url = getattr(system, attribute, None)
        if url and not system.allow_http and is_open(url):
            yield (
                ("systems", name, attribute),
                f"goes without TLS to another machine: write https://, or set systems.{name}.allow_http = true",
            )


def _ends(url: str, *names: str) -> bool:
    return urlsplit(url).path.rstrip("/").rpartition("/")[2] in names


def is_open(url: str) -> bool:
    """
    Whether credentials sent there could be read on the way: plain HTTP to any host but this machine.

    >>> is_open("http://127.0.0.1:8099/robaws"), is_open("http://robaws.example"), is_open("https://robaws.example")
    (False, True, False)
    """
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """
    Whether a host name or address is this machine, by its spelling alone.

    >>> is_loopback("demo.localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    return servers.is_here(host) or host.endswith(".localhost")


def is_simulated(name: SystemName, url: str | None) -> bool:
    """
    Whether a system's address may be one of `contactsync sandbox`: without TLS, on this machine or below its own name.

    >>> is_simulated("recras", "http://sandbox:9000/recras/api2"), is_simulated("recras", "http://127.0.0.1:9/api2")
    (True, True)
    >>> is_simulated("recras", "https://demo.recras.nl/api2")
    False
    """
    parts = urlsplit(url or "")
    return parts.scheme == "http" and (is_loopback(parts.hostname or "") or parts.path.startswith(f"/{name}/"))


def public_credentials(settings: Settings) -> Iterator[Problem]:
    """The sandbox's credentials stand in the documentation: they open nothing but an installation of sandboxes."""
    real = [
        name
        for name in settings.enabled_systems()
        if not is_simulated(name, getattr(settings.system(name), "base_url", None))
    ]
    if not real:
        return
    step = f"replace it, as {' and '.join(real)} {'is' if len(real) == 1 else 'are'} not simulated"
    public = [token_digest(token) for token in PUBLIC_TOKENS]
    if any(token.digest in public for token in settings.ops.tokens):
        yield ("ops", "tokens"), f"holds a token of the sandbox, which everybody knows: {step}"
    if any(secret.get_secret_value() in PUBLIC_SECRETS for secret in settings.systems.robaws.webhook_secrets):
        yield ("systems", "robaws", "webhook_secrets"), f"holds the secret of the sandbox, which is public: {step}"
