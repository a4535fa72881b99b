"""The whole product around a sandbox that runs in this process, for the benches that follow a change to its end."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from bench.processes import (
    answers,
    command,
    environment,
    folder,
    free_port,
    part,
    process_of,
    servers,
    settings_file,
    summary,
    wait_until,
)
from worker.embedded.servers import LocalServers
from worker.sandbox.seed import made_up_client
from worker.sandbox.server import SandboxServer
from worker.vendors.simulation import Exchange

TARGETS: Final = ("rompslomp", "recras", "workspace")
OPEN: Final = ("due", "working", "waiting", "unknown", "review", "dead")


@dataclass
class Product:
    """Everything that runs, and what a bench asks of it."""

    home: Path
    running: LocalServers
    sandbox: SandboxServer
    port: int
    env: Mapping[str, str]
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        """What the simulated Robaws signs with."""
        return str(self.sandbox.settings()["robaws"]["webhook_secrets"][0])

    def clients(self, count: int, name: str = "Bench") -> list[str]:
        """New clients in Robaws, made by a person, each name its own; returns once the hub knows them all."""
        robaws, known = self.sandbox.world.robaws, self.count("SELECT count(*) FROM contact")
        made = [
            robaws.add_client(**{**made_up_client(known + n), "name": f"{name} {n} v0."}) for n in range(1, count + 1)
        ]
        wait_until(
            lambda: self.count("SELECT count(*) FROM contact") >= known + count, 120, "the hub knows the clients"
        )
        return made

    def summary(self) -> dict[str, Any]:
        """`GET /api/v1/summary`, at most a second old."""
        return summary(self.port)

    def count(self, sql: str, *values: Any) -> int:
        """One number from the database."""
        with psycopg.connect(self.running.database_url) as connection:
            row = connection.execute(sql, values).fetchone()
        return int(row[0]) if row else 0

    def at_rest(self) -> bool:
        """Whether nothing is owed anywhere, read from the rows themselves."""
        return (
            self.count(
                "SELECT (SELECT count(*) FROM inbox_event WHERE state IN ('new', 'taken'))"
                " + (SELECT count(*) FROM contact WHERE fetch_state IN ('due', 'working', 'waiting'))"
                " + (SELECT count(*) FROM link WHERE state IN ('due', 'working', 'waiting', 'unknown'))"
            )
            == 0
        )

    def settle(self, seconds: float = 120.0) -> float:
        """Wait until nothing is owed; RuntimeError when that does not come."""
        return wait_until(self.at_rest, seconds, "everything is delivered", every=0.05)

    def calls(self, system: str) -> list[Exchange]:
        """What a system has seen."""
        return self.sandbox.simulators[system].calls()

    def forget_calls(self) -> None:
        """Begin counting anew, with no limit to how much is kept."""
        for simulator in self.sandbox.simulators.values():
            simulator.log = deque()

    def wrong(self, names: Sequence[str], systems: Sequence[str] = TARGETS) -> str:
        """
        What is lost, doubled or left open, in words; empty when every system holds each name exactly as often as it
        holds clients, and the books of the inbox agree.
        """
        for system in systems:
            held = [json.dumps(one, ensure_ascii=False, default=str) for one in self.records(system)]
            for name in names:
                times = sum(name in one for one in held)
                if times != 1:
                    return f"{system} holds {name!r} {times} times"
            links = self.count("SELECT count(*) FROM link WHERE system = %s AND external_id IS NOT NULL", system)
            if len(held) != links:
                return f"{system} holds {len(held)} records for {links} links"
        return self.unbalanced()

    def records(self, system: str) -> list[Any]:
        """All records of a target."""
        return list(self.sandbox.simulators[system].state()["records"])

    def unbalanced(self) -> str:
        """What is wrong with the inbox, in words, or nothing."""
        unsettled = self.count("SELECT count(*) FROM inbox_event WHERE state NOT IN ('applied', 'skipped')")
        if unsettled:
            return f"{unsettled} events are neither applied nor skipped"
        stored = self.count("SELECT count(*) FROM inbox_event")
        keys = self.count("SELECT count(*) FROM inbox_key")
        counted = self.count("SELECT COALESCE(sum(received), 0) FROM event_tally")
        if not stored == keys == counted:
            return f"the inbox holds {stored} events, {keys} keys, and counted {counted}"
        return ""

    def commits(self) -> int:
        """Transactions that wrote something, so far (reads and looks at the connection take no number)."""
        return self.count("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Workers and scheduler stand still, so that work gathers; they go on at the end."""
        held = [psutil.Process(pid) for name, pid in self.parts.items() if name != "receiver"]
        for one in held:
            one.suspend()
        try:
            yield
        finally:
            for one in held:
                one.resume()

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far by part, PostgreSQL and Redis with all their processes."""
        found = {name: _cpu(psutil.Process(pid)) for name, pid in self.parts.items()}
        for name in ("postgres", "redis"):
            found[name] = sum(_cpu(one) for one in server_processes(name))
        found["bench and sandbox"] = _cpu(psutil.Process())
        return found


def server_processes(needle: str) -> list[psutil.Process]:
    """The processes of an embedded server, all of which are our descendants."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name().startswith(needle):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


@contextmanager
def product(
    workers: int = 1,
    *,
    unlimited: bool = True,
    concurrency: int | None = None,
    systems: Mapping[str, Mapping[str, Any]] | None = None,
    webhook: bool = True,
    layers: Path | None = None,
    receiver_only: bool = False,
    sections: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Product]:
    """
    The product with a sandbox. `unlimited` workers know no rates (then the simulated Robaws has none either); `systems`
    adds settings by system, `sections` others; `webhook` registers the receiver, so that a change in Robaws is told.
    """
    with ExitStack() as stack:
        home = stack.enter_context(folder())
        running = stack.enter_context(servers(home))
        sandbox = stack.enter_context(SandboxServer())
        switches = sandbox.world.robaws.switches
        switches.rate_per_second = switches.daily_requests = None
        port = free_port()
        given = {name: dict(values) for name, values in sandbox.settings().items() if name != "routix"}
        for name, values in (systems or {}).items():
            given[name] |= values
        more = {**({"worker": {"concurrency": concurrency}} if concurrency else {}), **(sections or {})}
        env = environment(home, settings_file(home, given, port, **more), running)
        command(env, "migrate")
        made = Product(home, running, sandbox, port, env)
        made.parts["receiver"] = stack.enter_context(part(env, "receiver")).pid
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), 30, "the receiver is ready")
        if not receiver_only:
            start_workers(stack, made, workers, unlimited=unlimited, layers=layers)
        if webhook:
            sandbox.register_webhook(f"http://127.0.0.1:{port}/webhooks/robaws")
        yield made


def start_workers(
    stack: ExitStack, made: Product, workers: int, *, unlimited: bool = True, layers: Path | None = None
) -> None:
    """So many workers and a scheduler beside the receiver; returns when they live."""
    for number in range(workers):
        env = {**made.env, **({"BENCH_LAYERS": str(layers)} if layers else {})}
        name = "worker" if workers == 1 else f"worker {number + 1}"
        made.parts[name] = stack.enter_context(_run(env, "worker", unlimited=unlimited)).pid
    made.parts["scheduler"] = stack.enter_context(_run(made.env, "scheduler", unlimited=unlimited)).pid
    wait_until(lambda: _live(made), 60, "worker and scheduler are there", every=0.1)


def _run(env: Mapping[str, str], name: str, *, unlimited: bool) -> Any:
    return process_of(env, [sys.executable, "-m", "bench.unlimited", name]) if unlimited else part(env, name)


def _live(made: Product) -> bool:
    for name in made.parts:
        if name != "receiver" and not psutil.pid_exists(made.parts[name]):
            raise RuntimeError(f"the {name} has ended")
    for name in ("worker", "scheduler"):
        environment = {**os.environ, **made.env}
        check = psutil.Popen(
            [sys.executable, "-m", "worker.cli", "health", name], env=environment, stdout=-3, stderr=-3, cwd=None
        )
        if check.wait(30) != 0:
            return False
    return True
