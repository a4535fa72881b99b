"""
The process tree of `contactsync up`: children started in order, started again when they die, stopped in reverse.

Every child has a guard (`guard.py`), so that it does not outlive this process, however that ends. A child is a process
group of its own: Ctrl-C in the terminal reaches only the supervisor, which stops the others one by one.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from worker.embedded.home import make_folder, prepare_home
from worker.embedded.process import GuardedProcess
from worker.embedded.signals import StopSignals, run_until_signal

__all__ = ["Backoff", "ChildEvent", "ChildSpec", "Supervisor", "run_until_signal"]

_LOOK_SECONDS: Final = 0.1
_KILLED: Final = 128 + signal.SIGKILL

EventKind = Literal["started", "ready", "died", "restarted", "all ready", "stopping", "stopped", "killed"]


@dataclass(frozen=True)
class ChildSpec:
    """
    One process to keep running.

    `env` is laid over our own environment. `ready` is asked a few times a second and says when the child does its
    work; without it a child is ready when it is started. SIGKILL comes `stop_timeout_seconds` after SIGTERM.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    stop_timeout_seconds: float = 10.0


@dataclass(frozen=True)
class Backoff:
    """How long a dead child rests: `first_seconds`, doubled to `longest_seconds`, from anew after a good run."""

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    good_run_seconds: float = 60.0

    def wait(self, deaths: int) -> float:
        """The rest after so many deaths in a row, the first one being 1."""
        return float(min(self.first_seconds * 2 ** min(deaths - 1, 30), self.longest_seconds))


@dataclass(frozen=True)
class ChildEvent:
    """
    What happened to a child. `status` is how it ended, `problem` why it could not even be started, and
    `wait_seconds` after which time it is started again.
    """

    kind: EventKind
    name: str
    pid: int | None = None
    status: int | None = None
    wait_seconds: float | None = None
    problem: str = ""

    @property
    def reason(self) -> str:
        """How it ended, in words."""
        if self.status is None:
            return self.problem
        if self.status > 128:  # the shell's way to say which signal it was
            number = self.status - 128
            known = number in {int(one) for one in signal.Signals}
            return f"signal {number} ({signal.Signals(number).name})" if known else f"signal {number}"
        return f"exit status {self.status}"


class _Child:
    """One child's life so far."""

    def __init__(self, spec: ChildSpec, process: GuardedProcess) -> None:
        self.spec = spec
        self.process = process
        self.starts = 0
        self.deaths = 0
        self.started_at = 0.0
        self.next_start_at: float | None = 0.0
        self.is_ready = False
        self.was_ready = False


class Supervisor:
    """
    Runs children until it is told to stop. One object is for one `run`.

    `output`: each child's output goes to `home/logs/<name>.log`, or where ours goes. `in_order`: a child is started
    when the ones before it have been ready once; else all at the same time. `on_event` is called in the thread of
    `run` and should be quick.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        home: Path,
        *,
        in_order: bool = True,
        output: Literal["log", "inherit"] = "log",
        on_event: Callable[[ChildEvent], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.home = prepare_home(home)
        self.in_order = in_order
        self.backoff = backoff or Backoff()
        self._on_event = on_event or (lambda _event: None)
        self._logs = make_folder(self.home / "logs") if output == "log" else None
        self._children = [_Child(spec, self._process_of(spec)) for spec in children]
        self._signals = StopSignals()
        self._all_ready = False

    def run(self) -> int:
        """
        Block until SIGTERM, SIGINT, SIGHUP or `stop`, and until every child is gone.

        0 when each ended in its time, 1 when one had to be killed. A second signal kills the rest at once.
        """
        with self._signals:
            try:
                while not self._signals.asked:
                    self._look()
                    self._signals.wait(_LOOK_SECONDS)
            finally:
                clean = self._stop_children()
        return 0 if clean else 1

    def stop(self) -> None:
        """Have `run` stop everything and return; from any thread, and also before `run`."""
        self._signals.ask()

    def pids(self) -> dict[str, int]:
        """The pid of each child that runs at the moment, by name."""
        found = {child.spec.name: child.process.pid() for child in self._children if child.process.running()}
        return {name: pid for name, pid in found.items() if pid is not None}

    @property
    def all_ready(self) -> bool:
        """Tell whether every child has been ready."""
        return self._all_ready

    def _process_of(self, spec: ChildSpec) -> GuardedProcess:
        return GuardedProcess(
            spec.argv,
            directory=Path.cwd(),
            environment={**os.environ, **spec.env},
            log=None if self._logs is None else self._logs / f"{spec.name}.log",
            stop_signals=(signal.SIGTERM,),
            stop_seconds=spec.stop_timeout_seconds,
        )

    def _look(self) -> None:
        """Once around: bury the dead, start who is due, see who is ready."""
        for child in self._children:
            if child.next_start_at is None and not child.process.running():
                self._bury(child)
            if child.next_start_at is not None and time.monotonic() >= child.next_start_at:
                self._start(child)
            if child.next_start_at is None and not child.is_ready:
                self._ask_whether_ready(child)
            if self.in_order and not child.was_ready:
                return
        if not self._all_ready and all(child.is_ready for child in self._children):
            self._all_ready = True
            self._tell("all ready", None)

    def _start(self, child: _Child) -> None:
        child.started_at = time.monotonic()
        try:
            child.process.start()
        except OSError as error:  # no process or no file to be had at the moment: the others need not end for that
            self._lay_to_rest(child, problem=str(error))
            return
        child.starts += 1
        child.next_start_at = None
        self._tell("started" if child.starts == 1 else "restarted", child)

    def _ask_whether_ready(self, child: _Child) -> None:
        if child.spec.ready is None or child.spec.ready():
            child.is_ready = child.was_ready = True
            self._tell("ready", child)

    def _bury(self, child: _Child) -> None:
        self._lay_to_rest(child, status=child.process.wait())

    def _lay_to_rest(self, child: _Child, *, status: int | None = None, problem: str = "") -> None:
        ran = time.monotonic() - child.started_at
        child.deaths = 1 if ran >= self.backoff.good_run_seconds else child.deaths + 1
        wait = self.backoff.wait(child.deaths)
        child.next_start_at = time.monotonic() + wait
        child.is_ready = False
        self._tell("died", child, status=status, wait_seconds=wait, problem=problem)

    def _stop_children(self) -> bool:
        """Stop them in reverse order; whether all of them ended by themselves."""
        signals_before = self._signals.asked
        clean = True
        for child in reversed(self._children):
            if not child.process.running():
                continue
            self._tell("stopping", child)
            child.process.ask_to_stop()
            while child.process.running() and self._signals.asked <= max(signals_before, 1):
                self._signals.wait(_LOOK_SECONDS / 5)
            if child.process.running():
                child.process.kill()
            status = child.process.wait()
            killed = status in {_KILLED, -signal.SIGKILL}
            clean = clean and not killed
            self._tell("killed" if killed else "stopped", child, status=status)
        return clean

    def _tell(
        self,
        kind: EventKind,
        child: _Child | None,
        *,
        status: int | None = None,
        wait_seconds: float | None = None,
        problem: str = "",
    ) -> None:
        name, pid = ("", None) if child is None else (child.spec.name, child.process.pid())
        self._on_event(ChildEvent(kind, name, pid, status, wait_seconds, problem))
