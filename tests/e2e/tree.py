"""`contactsync up` against the sandbox, as a person runs them: real processes, a real socket, a signed webhook."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from worker.core import signature
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-that-only-these-tests-use"


class Tree:
    """The running product. `post` sends a signed event; `get` asks the API; `wait_for` waits for a condition."""

    def __init__(self, process: subprocess.Popen[str], address: str, secret: str, sandbox: SandboxServer) -> None:
        self.process = process
        self.address = address
        self.secret = secret
        self.sandbox = sandbox
        self.events = 0

    @property
    def robaws(self) -> Any:
        return self.sandbox.simulators["robaws"]

    def records(self, system: str) -> list[dict[str, Any]]:
        return list(self.sandbox.simulators[system].state()["records"])

    def post(self, source_id: str, event_id: str | None = None) -> int:
        """Send an event and give the status."""
        self.events += 1
        event_id = event_id or f"event-{self.events}-{time.time_ns()}"
        body = json.dumps({"id": event_id, "event": "client.updated", "data": {"id": source_id}}).encode()
        headers = {
            "Content-Type": "application/json",
            "Robaws-Signature": signature.sign(self.secret, int(time.time()), body),
        }
        request = urllib.request.Request(f"{self.address}/webhooks/robaws", data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)

    def get(self, path: str) -> Any:
        request = urllib.request.Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read())

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, "`contactsync up` has ended"
            assert time.monotonic() < end, f"not within {seconds} s; the summary is {self.get('/api/v1/summary')}"
            time.sleep(0.02)

    def settled(self) -> bool:
        """Whether nothing is owed any more."""
        try:
            summary = self.get("/api/v1/summary")
        except OSError:
            return False
        busy = ("due", "working", "waiting", "unknown")
        links = sum(counts[state] for counts in summary["links"].values() for state in busy)
        return not links and summary["events"]["open"] == 0 and summary["contacts"]["fetch_due"] == 0

    def children(self) -> dict[str, int]:
        """The parts' process ids by name."""
        import psutil

        found: dict[str, int] = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = child.cmdline()
            except psutil.Error:
                continue
            if "worker.cli" in line and line[0] == sys.executable:
                found[line[-1]] = child.pid
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def running_tree(
    home: Path,
    tokens: Mapping[str, str] | None = None,
    prepare: Callable[[SandboxServer], None] | None = None,
    stderr: IO[str] | None = None,
    open_files: int | None = None,
    **extra: Any,
) -> Iterator[Tree]:
    """
    Sandbox and tree, with rates that do not hold a test up; both end with the block.

    `tokens` are more tokens of the API by their roles; `prepare` is told of the sandbox before the settings are
    written; `stderr` takes what the tree writes there; `open_files` limits each process.
    """
    with SandboxServer() as sandbox:
        if prepare is not None:
            prepare(sandbox)
        sandbox.simulators["robaws"].switches.rate_per_second = None  # type: ignore[attr-defined]
        systems = sandbox.settings()
        for name, settings in systems.items():
            if name in ("rompslomp", "recras", "workspace"):
                settings.update(rate_per_second=500, burst=100)
            if name == "robaws":
                settings.update(rate_per_second=15, burst=15)
        home.mkdir(parents=True, exist_ok=True)
        config = home / "contactsync.toml"
        known = {"tests": ("admin", TOKEN), **{role: (role, token) for role, token in (tokens or {}).items()}}
        lines = [
            f'[[ops.tokens]]\nname = "{name}"\nrole = "{role}"\ntoken = "{token}"\n'
            for name, (role, token) in known.items()
        ]
        lines.append("[receiver]\nport = 0\n")
        lines += [
            f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for section, keys in extra.items()
        ]
        config.write_text(as_toml(systems) + "\n" + "\n".join(lines))
        env = {**os.environ, "CONTACTSYNC_CONFIG": str(config), "CONTACTSYNC_HOME": str(home / "home")}
        limited = [] if open_files is None else ["bash", "-c", f'ulimit -n {open_files} && exec "$@"', "limited"]
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "worker.cli", "up"],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        try:
            assert process.stdout is not None
            address = ""
            for line in process.stdout:
                if line.strip().startswith("webhooks"):
                    address = line.split()[1].removesuffix("/webhooks/robaws")
                    break
            assert address, f"`contactsync up` did not get ready; it ended with {process.poll()}"
            yield Tree(process, address, str(systems["robaws"]["webhook_secrets"][0]), sandbox)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
            if process.stdout is not None:
                process.stdout.close()
