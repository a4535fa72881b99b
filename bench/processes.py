"""The product's own processes, started as an operator starts them, for as long as a measurement takes."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from worker.core import signature
from worker.embedded.servers import LocalServers
from worker.sandbox.settings import as_toml

ROOT = Path(__file__).resolve().parents[1]
SECRET = "bench-secret-0123456789abcdef"
TOKEN = "a-token-that-only-the-benchmarks-use"
_FILLERS = 64


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on disk of the measurement's own."""
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as name:
        yield Path(name)


@contextmanager
def servers(home: Path) -> Iterator[LocalServers]:
    """PostgreSQL and Redis exactly as `contactsync up` runs them: durable."""
    with LocalServers(home / "servers") as running:
        yield running


def settings_file(
    home: Path, systems: Mapping[str, Mapping[str, Any]], port: int, **sections: Mapping[str, Any]
) -> Path:
    """A settings file for the parts; `systems` as the sandbox gives them."""
    path = home / "contactsync.toml"
    lines = [f'[[ops.tokens]]\nname = "bench"\nrole = "admin"\ntoken = "{TOKEN}"\n']
    lines += [f"[receiver]\nport = {port}\nsignature_tolerance_seconds = 0\n"]
    lines += ['[log]\nlevel = "error"\n']
    lines += [
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        for name, keys in sections.items()
    ]
    path.write_text(as_toml(systems) + "\n" + "\n".join(lines))
    return path


def environment(home: Path, config: Path, running: LocalServers | None) -> dict[str, str]:
    """What the parts are told; without servers they are to start their own."""
    urls = (
        {}
        if running is None
        else {
            "CONTACTSYNC_DATABASE__URL": running.database_url,
            "CONTACTSYNC_DATABASE__OWNER_URL": running.database_owner_url,
            "CONTACTSYNC_REDIS__URL": running.redis_url,
        }
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")},
        "CONTACTSYNC_CONFIG": str(config),
        "CONTACTSYNC_HOME": str(home),
        **urls,
    }


def command(env: Mapping[str, str], *arguments: str) -> None:
    """One command of the product, to its end."""
    subprocess.run(
        [sys.executable, "-m", "worker.cli", *arguments], env=dict(env), cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )


def part(env: Mapping[str, str], *arguments: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A long-running part of the product."""
    return process_of(env, [sys.executable, "-m", "worker.cli", *arguments])


@contextmanager
def process_of(env: Mapping[str, str], argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as it is needed; it is asked to end, and made to when it does not."""
    process = subprocess.Popen(argv, env=dict(env), cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.02) -> float:
    """Wait for a condition; the seconds it took. RuntimeError when it does not come."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise RuntimeError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
    return time.monotonic() - begun


def answers(url: str) -> bool:
    """Whether a server answers 2xx there."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status < 300)
    except OSError:
        return False


def summary(port: int) -> dict[str, Any]:
    """`GET /api/v1/summary`."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/summary", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read()))


def event_request(source_id: str, body_bytes: int, port: int, number: int = 0, secret: str = SECRET) -> bytes:
    """One signed event as bytes on the wire, its body of about so many bytes, its id new."""
    filler = _filler(number % _FILLERS, body_bytes)
    body = (
        f'{{"id":"{uuid.uuid4()}","event":"client.updated","data":{{"id":"{source_id}",'
        f'"name":"Voorbeeld {number}",{filler}}}}}'
    ).encode()
    signed = signature.sign(secret, 1_760_000_000, body)
    head = (
        f"POST /webhooks/robaws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Robaws-Signature: {signed}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@cache
def _filler(number: int, body_bytes: int) -> str:
    """
    The rest of a client as a webhook carries it: address, language, and its extra fields keyed by GUID (Robaws sheet
    12.2), the same GUIDs in each. It compresses as such JSON does; a body of one repeated letter would be squeezed to
    nothing on its way to the disk.
    """
    chance = Random(number)

    def word() -> str:
        return "".join(chance.choices("abcdefghijklmnoprstuvwz", k=chance.randint(4, 11)))

    address = (
        f'"address":{{"addressLine1":"{word()} {chance.randint(1, 99)}","addressLine2":null,"postalCode":'
        f'"{chance.randint(1000, 9999)}","city":"{word()}","country":"BE","latitude":0,"longitude":0}}'
    )
    known = f'"email":"{word()}@{word()}.example","tel":null,"gsm":null,{address},"language":"nl","currency":"EUR"'
    kinds = (
        lambda: '"type":"CHECKBOX","booleanValue":true',
        lambda: f'"type":"TEXT","stringValue":"{word()} {word()} {word()}"',
        lambda: f'"type":"NUMBER","decimalValue":{chance.random() * 1000:.2f}',
        lambda: (
            f'"type":"DATE","dateValue":"202{chance.randint(0, 6)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"'
        ),
    )
    fields: list[str] = []
    size = len(known) + 200
    while size < body_bytes:
        fields.append(f'"{uuid.uuid5(uuid.NAMESPACE_OID, str(len(fields)))}":{{{chance.choice(kinds)()}}}')
        size += len(fields[-1]) + 1
    return f'{known},"extraFields":{{{",".join(fields)}}}'


def write_requests(
    path: Path,
    count: int,
    port: int,
    *,
    body_bytes: int = 4_000,
    clients: Sequence[str] | int = 500,
    secret: str = SECRET,
) -> None:
    """A file of requests for `load.c`, spread over these clients, or so many made-up ones."""
    known = clients if not isinstance(clients, int) else [str(1_000 + number) for number in range(clients)]
    with path.open("wb") as file:
        for number in range(count):
            request = event_request(known[number % len(known)], body_bytes, port, number, secret)
            file.write(struct.pack("I", len(request)) + request)


class Load:
    """The compiled load generator."""

    def __init__(self, home: Path) -> None:
        self.binary = home / "load"
        subprocess.run(
            ["cc", "-O2", "-o", str(self.binary), str(Path(__file__).parent / "load.c")],
            check=True,
        )

    def run(self, port: int, requests: Path, *, connections: int, seconds: float, rate: float = 0) -> dict[str, Any]:
        """One run; what `load.c` printed."""
        arguments = ["127.0.0.1", str(port), str(requests), str(connections), str(seconds), str(rate)]
        done = subprocess.run([str(self.binary), *arguments], check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))
