"""
What a user would otherwise pick, beside our receiver: installed for the bench alone, with what each promises.

`bench/.peers` holds an environment with Procrastinate and DBOS (`bench/peers.lock`), and a folder each for Node-RED and
n8n from npm, whose versions stand here. One that does not install or start within its time is a row that says why; it
is not tried again while `bench/.peers/NAME.failed` is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString
from urllib.parse import unquote, urlsplit

import psutil
import psycopg
from psycopg import sql

from bench.peer_flows import N8N_WORKFLOW, NODE_RED_FLOW, NODE_RED_SETTINGS
from bench.processes import ROOT, SECRET, answers, free_port, wait_until

if TYPE_CHECKING:
    from worker.embedded.servers import LocalServers

FOLDER: Final = Path(__file__).parent / ".peers"
LOCK: Final = Path(__file__).parent / "peers.lock"
INSTALL_SECONDS: Final = {"python": 240, "node-red": 240, "n8n": 480}
START_SECONDS: Final = 90


class Unavailable(Exception):
    """A peer that is not there; the words say why."""


@dataclass(frozen=True)
class Started:
    """A peer that runs: where, and how many events it has stored (None where it stores none)."""

    port: int
    stored: Callable[[], int] | None = None


@dataclass(frozen=True)
class Peer:
    """One product, what it promises about an event that it has answered, and how it is had and started."""

    promises: str
    install: Callable[[], Path]
    start: Callable[[ExitStack, Path, Path, LocalServers], Started]


def start(stack: ExitStack, home: Path, running: LocalServers) -> tuple[dict[str, Started], dict[str, str]]:
    """All that can be had, each for as long as the stack; and of the others why they cannot."""
    there: dict[str, Started] = {}
    missing: dict[str, str] = {}
    for name, peer in PEERS.items():
        try:
            place = _installed(name, peer)
            there[name] = peer.start(stack, place, home, running)
        except (Unavailable, RuntimeError, subprocess.SubprocessError, OSError) as error:
            missing[name] = " ".join(str(error).split())[:200]
    return there, missing


def _installed(name: str, peer: Peer) -> Path:
    FOLDER.mkdir(exist_ok=True)
    failed = FOLDER / f"{name}.failed"
    if failed.exists():
        raise Unavailable(failed.read_text().strip())
    try:
        return peer.install()
    except Unavailable as error:
        failed.write_text(f"{error} (tried {datetime.now(UTC):%Y-%m-%d})\n")
        raise


# ---------------------------------------------------------------------------------------------------- from Python


def _environment() -> Path:
    """The interpreter of the peers' own environment, made anew when the lock has changed."""
    place = FOLDER / "python"
    python, stamp = place / "bin" / "python", place / ".ready"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(place, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(place)], FOLDER, "python")
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)]
        _run([str(python), *install], FOLDER, "python")
        stamp.write_text(wanted)
    return python


def _python(name: str, table: LiteralString) -> Callable[[ExitStack, Path, Path, LocalServers], Started]:
    def begin(stack: ExitStack, python: Path, _home: Path, running: LocalServers) -> Started:
        database = f"peer_{name}"
        _database(running, database)
        url, port = running.database_admin_url.replace("/contactsync?", f"/{database}?", 1), free_port()
        argv = [str(python), "-m", "bench.peer_receivers", name, str(port), url, SECRET]
        stack.enter_context(_process(argv, ROOT, {}))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), START_SECONDS, f"{name} is ready")
        return Started(port, lambda: _rows(running, database, table))

    return begin


def _database(running: LocalServers, name: str) -> None:
    """One of a peer's own, in the same PostgreSQL."""
    with psycopg.connect(running.database_admin_url, autocommit=True) as connection:
        owner = str(urlsplit(running.database_owner_url).username)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))


def _rows(running: LocalServers, database: str, table: LiteralString) -> int:
    with psycopg.connect(running.database_admin_url.replace("/contactsync?", f"/{database}?", 1)) as connection:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table))).fetchone()
    return int(row[0]) if row else 0


# ------------------------------------------------------------------------------------------------------- from npm


def _npm(name: str, version: str, *more: str, overrides: Mapping[str, str] | None = None) -> Callable[[], Path]:
    """`more` are options of npm's; `overrides` replaces dependencies, by name."""

    def install() -> Path:
        place = FOLDER / name
        stamp = place / ".ready"
        if not stamp.exists() or stamp.read_text() != version:
            if shutil.which("npm") is None:
                raise Unavailable("npm is not there")
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            wanted = {"private": True, "dependencies": {name: version}, "overrides": dict(overrides or {})}
            (place / "package.json").write_text(json.dumps(wanted))
            quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--omit=dev", "--loglevel=error"]
            _run(["npm", "install", *quiet, *more], place, name)
            stamp.write_text(version)
        return place

    return install


def _node_red(stack: ExitStack, place: Path, home: Path, _running: LocalServers) -> Started:
    folder, port = home / "node-red", free_port()
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps(NODE_RED_FLOW))
    (folder / "settings.js").write_text(NODE_RED_SETTINGS)
    program = str(place / "node_modules" / "node-red" / "red.js")
    argv = ["node", program, "--userDir", str(folder), "--settings", str(folder / "settings.js"), "--port", str(port)]
    stack.enter_context(_process(argv, folder, {}))
    wait_until(lambda: _ready(port), START_SECONDS, "node-red is ready", every=0.2)
    return Started(port)


def _n8n(stack: ExitStack, place: Path, home: Path, running: LocalServers) -> Started:
    folder, port = home / "n8n", free_port()
    folder.mkdir()
    database = urlsplit(running.database_owner_url)
    _database(running, "peer_n8n")
    env = {
        "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": str(database.hostname),
        "DB_POSTGRESDB_PORT": str(database.port),
        "DB_POSTGRESDB_DATABASE": "peer_n8n",
        "DB_POSTGRESDB_USER": str(database.username),
        "DB_POSTGRESDB_PASSWORD": unquote(database.password or ""),
        "DB_POSTGRESDB_POOL_SIZE": "16",
        "N8N_USER_FOLDER": str(folder),
        "N8N_PORT": str(port),
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_ENDPOINT_WEBHOOK": "webhooks",
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
        "N8N_RUNNERS_ENABLED": "false",
        "N8N_EXPRESSION_ENGINE": "legacy",  # the other one needs a native module
        "N8N_LOG_LEVEL": "error",
    }
    program = ["node", str(place / "node_modules" / "n8n" / "bin" / "n8n")]
    file = folder / "workflow.json"
    file.write_text(json.dumps(N8N_WORKFLOW))
    for more in (
        ["import:workflow", f"--input={file}"],
        ["update:workflow", f"--id={N8N_WORKFLOW['id']}", "--active=true"],
    ):
        _run([*program, *more], folder, "n8n", seconds=START_SECONDS, env=env)
    stack.enter_context(_process([*program, "start"], folder, env))
    wait_until(lambda: _ready(port), START_SECONDS, "n8n is ready", every=0.5)
    return Started(port, lambda: _rows(running, "peer_n8n", "execution_entity"))


def _ready(port: int) -> bool:
    """Whether an event's address is there: a GET of it is refused in HTTP, and not for want of the route's server."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as wire:
            wire.sendall(
                b"POST /webhooks/robaws HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
            )
            return wire.recv(64).split(b" ")[1:2] in ([b"401"], [b"202"], [b"200"])
    except OSError:
        return False


# ----------------------------------------------------------------------------------------------------- processes


def _run(argv: list[str], place: Path, name: str, *, seconds: int = 0, env: Mapping[str, str] | None = None) -> None:
    """One command to its end; Unavailable with what it said last when it fails or takes too long."""
    limit = seconds or INSTALL_SECONDS[name]
    with _process(argv, place, env or {}, subprocess.PIPE) as process:
        try:
            _, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"did not install or start within {limit} s") from error
    if process.returncode != 0:
        raise Unavailable(f"did not install or start: {_reason(said.decode(errors='replace'))}")


def _reason(said: str) -> str:
    """The telling part of what npm or pip said: the cause, without the addresses."""
    lines = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()[-3:]
    words = [word for line in lines[:4] for word in line.removeprefix("npm error").split() if "://" not in word]
    return " ".join(words)


@contextmanager
def _process(
    argv: list[str], place: Path, env: Mapping[str, str], error: int | None = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A process and all that it starts; none of them outlives the context."""
    process = subprocess.Popen(
        argv, cwd=place, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=error, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        _end(process)
        if process.stderr is not None:
            process.stderr.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked first, made to after ten seconds."""
    if process.poll() is not None:
        return
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for one in alive:
        one.kill()
    process.wait(10)


PEERS: Final[Mapping[str, Peer]] = {
    "procrastinate": Peer(
        "signature checked; a job committed before its 202, with a NOTIFY; a repetition is a second job",
        _environment,
        _python("procrastinate", "procrastinate_jobs"),
    ),
    "dbos": Peer(
        "signature checked; a workflow committed before its 202, under the event's id, so a repetition is none",
        _environment,
        _python("dbos", "dbos.workflow_status"),
    ),
    "node-red": Peer(
        "signature checked in a function node; nothing stored: an event is gone with the process; repetitions not seen",
        _npm("node-red", "4.1.15"),
        _node_red,
    ),
    "n8n": Peer(
        "answers 200 before a node could check the signature; the execution becomes a row in the same PostgreSQL about "
        "then, not surely before; repetitions not seen",
        # Node 20 builds none of its native modules, of which a webhook needs none; one dependency is in no registry.
        _npm("n8n", "1.123.81", "--ignore-scripts", overrides={"xlsx": "0.18.5"}),
        _n8n,
    ),
}


def judged(started: Started, results: list[dict[str, Any]]) -> str:
    """What makes a peer's figures worth nothing, in words: answers that are no 2xx, or events that are not there."""
    taken = sum(count for one in results for status, count in one["statuses"].items() if status.startswith("2"))
    others = sum(one["answered"] for one in results) - taken + sum(one["errors"] for one in results)
    if others:
        return f"{others} answers were not 2xx"
    stored = started.stored() if started.stored else taken
    return "" if stored >= taken else f"{taken} answered, {stored} stored"
