"""A sandbox and a `contactsync up` for a drill alone, in a home of its own, both as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from worker.drills.parts import NotAsPromised
from worker.sandbox.settings import as_toml

STOP_SECONDS: Final = 60.0

# The simulated Robaws keeps to its fifteen calls a second; the others answer at once, and their rates do not hold a
# drill up. A lease is short, so that a worker can be paused beyond it; the ladder is, so that a fault is outlived.
_PACE: Final[Mapping[str, Mapping[str, Any]]] = {
    # Ten minutes at the full rate take 8,400 calls, and the default leaves some of the day's 10,000 to others.
    "robaws": {"rate_per_second": 14.0, "burst": 10, "daily_requests": 10_000, "timeout_seconds": 5},
    **{
        name: {"rate_per_second": 60.0, "burst": 20, "timeout_seconds": 5, "unknown_settle_seconds": 1.0}
        for name in ("rompslomp", "recras", "workspace")
    },
}
_GENERAL: Final = """
[receiver]
port = 0

[worker]
concurrency = 12
lease_seconds = 6

[scheduler]
sweep_seconds = 0.5

[retry]
ladder_seconds = [1, 1, 2, 3, 5, 8, 13, 30, 30, 30]

[breaker]
failures = 5
probe_seconds = 2

"""


@contextmanager
def running(home: Path, tell: Callable[[str], None]) -> Iterator[tuple[Path, str]]:
    """The settings file and the receiver's address of a product and a sandbox that run for the length of the block."""
    with _started(["sandbox", "--port", "0", "--json"], _clean_environment()) as sandbox:
        document = _document(sandbox.stdout)
        file = _write_settings(home, document["systems"])
        environment = {**_clean_environment(), "CONTACTSYNC_CONFIG": str(file)}
        with _started(["up"], environment) as up:
            address = _address(up.stdout)
            hearing = threading.Thread(target=_hear, args=(up.stdout, tell), name="up", daemon=True)
            hearing.start()
            yield file, address


def _write_settings(home: Path, systems: Mapping[str, Mapping[str, Any]]) -> Path:
    merged = {name: {**given, **_PACE.get(name, {})} for name, given in systems.items()}
    file = home / "contactsync.toml"
    file.touch(mode=0o600)
    file.write_text(f"home = {json.dumps(str(home / 'home'))}\n{_GENERAL}{as_toml(merged)}", encoding="utf-8")
    return file


def _clean_environment() -> dict[str, str]:
    """What the person's shell says of contactsync is about another one."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}


@contextmanager
def _started(arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "worker.cli", *arguments],
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the drill, which ends the others in their order
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _document(stream: IO[str] | None) -> Any:
    """The one JSON document that the sandbox prints when it can be reached; it goes on running."""
    lines: list[str] = []
    for line in stream or ():
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    raise NotAsPromised("the sandbox did not start: " + "".join(lines))


def _address(stream: IO[str] | None) -> str:
    for line in stream or ():
        if line.strip().startswith("webhooks"):
            return line.split()[1].removesuffix("/webhooks/robaws")
    raise NotAsPromised("`contactsync up` did not get ready")


def _hear(stream: IO[str] | None, tell: Callable[[str], None]) -> None:
    try:
        for line in stream or ():
            if "ended (" in line:
                tell(f"  up says: {line.strip()}")
    except ValueError:
        return  # closed in the end
