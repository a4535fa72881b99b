"""What settings allow and nobody should leave so: readable secrets, short ones, checks and encryption switched off."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.config import servers
from worker.config.checks import is_open, public_credentials
from worker.config.settings import Settings

SHORTEST_SECRET: Final = 16
"""A secret that keys a signature or opens a server can be guessed offline or over the network where it is shorter."""

HANDED_IN: Final = Path("/run/secrets")
"""Where container engines mount secrets. Their modes are the engine's, and nobody else is in the container."""


@dataclass(frozen=True)
class Advice:
    """One thing that works and is unwise: what it is about, the sentence, and the next step."""

    subject: str
    message: str
    next_step: str


def advise(settings: Settings, secret_files: Mapping[Path, str]) -> Iterator[Advice]:
    """Everything about these settings, and about the files that their secrets were read from."""
    for path, key in secret_files.items():
        yield from _permissions(path, key)
    yield from _short_secrets(settings)
    if settings.receiver.signature_tolerance_seconds == 0:
        yield Advice(
            "receiver.signature_tolerance_seconds",
            "is 0, so a signed webhook that somebody recorded is accepted however old it is",
            "take it out; the default allows 300 seconds",
        )
    yield from _open_connections(settings)
    for key_path, sentence in public_credentials(settings):
        message, _, step = sentence.partition(": ")
        yield Advice(".".join(key_path), message, step)


# ------------------------------------------------------------------------------------------------------------ files
def _permissions(path: Path, key: str) -> Iterator[Advice]:
    try:
        who = _who_else(path)
    except OSError:
        return
    if who:
        yield Advice(
            "permissions",
            f"{path} holds secrets ({key}, for one) and can be read or changed by {who}",
            f"chmod 600 {path}",
        )


def _who_else(path: Path) -> str:
    """Who besides the account that runs this may read or write a file, in words; nobody: empty."""
    path = path.resolve()
    if HANDED_IN in path.parents:
        return ""
    state = path.stat()
    folders = [folder.stat().st_mode for folder in path.parents]
    if state.st_mode & (stat.S_IROTH | stat.S_IWOTH) and all(mode & stat.S_IXOTH for mode in folders):
        return "everybody on this machine"
    # A service that reads a file of root's through its own group is how it should be.
    ours_by_group = state.st_uid != os.geteuid()
    shared = state.st_mode & (stat.S_IRGRP | stat.S_IWGRP) and all(
        mode & (stat.S_IXGRP | stat.S_IXOTH) for mode in folders
    )
    if shared and not ours_by_group and _has_others(state.st_gid, state.st_uid):
        return f"its group ({_group(state.st_gid)})"
    return ""


def _has_others(gid: int, owner: int) -> bool:
    """Whether somebody besides the owner is in a group; systems that give each user a group of their own count so."""
    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        return True
    members |= {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == gid}
    return bool(members - {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in (owner, 0)})


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


# ---------------------------------------------------------------------------------------------------------- secrets
def _short_secrets(settings: Settings) -> Iterator[Advice]:
    secrets = settings.systems.robaws.webhook_secrets
    for number, secret in enumerate(secrets, 1):
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            yield Advice(
                "systems.robaws.webhook_secrets",
                f"entry {number} of {len(secrets)} has fewer than {SHORTEST_SECRET} characters: whoever sees one "
                "signed webhook can find it by trying",
                "use the secret that contactsync webhooks register shows",
            )
    for token in settings.ops.tokens:
        if token.is_weak:
            yield Advice(
                "ops.tokens",
                f"the token that is called {token.name} could be guessed",
                "make another with contactsync tokens new NAME --role ROLE, and put its line in its place",
            )
    for key, password in _passwords(settings):
        if password and len(password) < SHORTEST_SECRET:
            yield Advice(
                key,
                f"its password has fewer than {SHORTEST_SECRET} characters",
                "give the server a random one, such as openssl rand -hex 24 makes",
            )


def _passwords(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, url in settings.database.addresses():
        yield f"database.{name}", str(servers.postgres_parameters(url).get("password", ""))
    if settings.redis.url is not None:
        yield "redis.url", str(servers.redis_options(settings.redis.url).get("password", ""))


# ------------------------------------------------------------------------------------------------------ connections
def _open_connections(settings: Settings) -> Iterator[Advice]:
    database, redis = settings.database, settings.redis
    open_ = [name for name, url in database.addresses() if servers.postgres_problem(url) is not None]
    if database.allow_insecure and open_:
        yield Advice(
            "database.allow_insecure",
            "the connection to PostgreSQL leaves this machine without a verified certificate",
            f"add ?sslmode=verify-full to {' and '.join(f'database.{name}' for name in open_)} and take the switch out,"
            " unless that network is yours alone",
        )
    if redis.url is not None and redis.allow_insecure and servers.redis_problem(redis.url) is not None:
        yield Advice(
            "redis.allow_insecure",
            "the connection to Redis leaves this machine without TLS or without a verified certificate",
            "write rediss:// in redis.url and take the switch out, unless that network is yours alone",
        )
    for name in settings.enabled_systems():
        system = settings.system(name)
        if system.allow_http and is_open(system.base_url):
            yield Advice(
                f"systems.{name}.allow_http",
                "credentials and clients travel to another machine without TLS",
                "write https:// in base_url and take the switch out, unless it is a sandbox",
            )
