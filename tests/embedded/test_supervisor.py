"""The process tree of `contactsync up`, with children that behave well, die, or will not go."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.embedded.processes import none_alive, program, wait_until
from worker.embedded.supervisor import Backoff, ChildEvent, ChildSpec, Supervisor, run_until_signal

QUICK = Backoff(first_seconds=0.05, longest_seconds=0.2, good_run_seconds=60)

# Each tells by a file that it runs, as its output may go anywhere.
WELL_BEHAVED = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).touch(); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WELL_BEHAVED + "\nwhile True: signal.pause()"
)
WITH_A_CHILD = (
    "import pathlib, signal, subprocess, sys;"
    "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);" + WELL_BEHAVED
)


def child(name: str, mark: Path, code: str = WELL_BEHAVED, **more: object) -> ChildSpec:
    """A child that runs this code, and is ready when its mark is there."""
    return ChildSpec(name, [sys.executable, "-c", code, str(mark / name)], ready=(mark / name).exists, **more)  # type: ignore[arg-type]


class Watched:
    """A supervisor in a thread, with the events that it told."""

    def __init__(self, *children: ChildSpec, home: Path, **more: object) -> None:
        self.events: list[ChildEvent] = []
        self.supervisor = Supervisor(
            children,
            home,
            on_event=self.events.append,
            **{"backoff": QUICK, **more},  # type: ignore[arg-type]
        )
        self.status: int | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.status = self.supervisor.run()

    def told(self, *kinds: str) -> list[tuple[str, str]]:
        return [(event.kind, event.name) for event in self.events if event.kind in kinds]

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.supervisor.all_ready)

    def stop(self) -> int | None:
        self.supervisor.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.status


@contextmanager
def supervised(*children: ChildSpec, home: Path, **more: object) -> Iterator[Watched]:
    watched = Watched(*children, home=home, **more)
    watched.thread.start()
    try:
        yield watched
    finally:
        watched.stop()


def test_each_child_is_started_when_the_one_before_is_ready(tmp_path: Path) -> None:
    with supervised(child("a", tmp_path), child("b", tmp_path), child("c", tmp_path), home=tmp_path) as watched:
        watched.wait_until_ready()

    assert watched.told("started", "ready", "all ready") == [
        ("started", "a"),
        ("ready", "a"),
        ("started", "b"),
        ("ready", "b"),
        ("started", "c"),
        ("ready", "c"),
        ("all ready", ""),
    ]


def test_at_once_means_not_waiting_for_each_other(tmp_path: Path) -> None:
    never_ready = ChildSpec("a", [sys.executable, "-c", WELL_BEHAVED, str(tmp_path / "a")], ready=lambda: False)

    with supervised(never_ready, child("b", tmp_path), home=tmp_path, in_order=False) as watched:
        wait_until(lambda: ("ready", "b") in watched.told("ready"))

        assert not watched.supervisor.all_ready


def test_children_are_stopped_in_reverse_order_with_status_0(tmp_path: Path) -> None:
    with supervised(child("a", tmp_path), child("b", tmp_path), home=tmp_path) as watched:
        watched.wait_until_ready()

        assert watched.stop() == 0

    assert watched.told("stopping", "stopped", "killed") == [
        ("stopping", "b"),
        ("stopped", "b"),
        ("stopping", "a"),
        ("stopped", "a"),
    ]


def test_a_stop_before_everything_is_ready_works_too(tmp_path: Path) -> None:
    never_ready = ChildSpec("a", [sys.executable, "-c", WELL_BEHAVED, str(tmp_path / "a")], ready=lambda: False)

    with supervised(never_ready, child("b", tmp_path), home=tmp_path) as watched:
        wait_until(lambda: watched.told("started"))

        assert watched.stop() == 0

    assert watched.told("started") == [("started", "a")]


def test_a_child_killed_from_outside_is_started_again(tmp_path: Path) -> None:
    with supervised(child("a", tmp_path), child("b", tmp_path), home=tmp_path) as watched:
        watched.wait_until_ready()
        before = watched.supervisor.pids()

        os.kill(before["a"], signal.SIGKILL)
        wait_until(lambda: ("restarted", "a") in watched.told("restarted"))

        after = watched.supervisor.pids()
        assert after["a"] != before["a"]
        assert after["b"] == before["b"]
    died = next(event for event in watched.events if event.kind == "died")
    assert (died.name, died.pid, died.reason, died.wait_seconds) == ("a", before["a"], "signal 9 (SIGKILL)", 0.05)


@pytest.mark.slow
def test_a_child_that_dies_again_and_again_rests_longer_each_time(tmp_path: Path) -> None:
    dying = ChildSpec("a", [sys.executable, "-S", "-c", "import sys; sys.exit(3)"], ready=lambda: False)

    with supervised(dying, home=tmp_path) as watched:
        wait_until(lambda: len(watched.told("died")) >= 4)

    deaths = [event for event in watched.events if event.kind == "died"][:4]
    assert [event.wait_seconds for event in deaths] == [0.05, 0.1, 0.2, 0.2]
    assert {event.reason for event in deaths} == {"exit status 3"}


@pytest.mark.slow
def test_after_a_good_run_the_rest_is_short_again(tmp_path: Path) -> None:
    any_run_is_good = Backoff(first_seconds=0.05, longest_seconds=0.2, good_run_seconds=0)
    dying = ChildSpec("a", [sys.executable, "-S", "-c", ""])

    with supervised(dying, home=tmp_path, backoff=any_run_is_good) as watched:
        wait_until(lambda: len(watched.told("died")) >= 3)

    assert {event.wait_seconds for event in watched.events if event.kind == "died"} == {0.05}


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (100, 30.0), (10_000, 30.0)]
)
def test_the_rest_doubles_up_to_half_a_minute(deaths: int, seconds: float) -> None:
    assert Backoff().wait(deaths) == seconds


def test_a_command_that_does_not_exist_is_a_death_like_any_other(tmp_path: Path) -> None:
    with supervised(ChildSpec("a", ["/no/such/program"], ready=lambda: False), home=tmp_path) as watched:
        wait_until(lambda: len(watched.told("died")) >= 2)

    assert "No such file" in (tmp_path / "logs" / "a.log").read_text()


def test_a_stubborn_child_is_killed_and_the_status_tells(tmp_path: Path) -> None:
    stubborn = child("a", tmp_path, STUBBORN, stop_timeout_seconds=0.2)

    with supervised(stubborn, home=tmp_path) as watched:
        watched.wait_until_ready()
        processes = [psutil.Process(pid) for pid in watched.supervisor.pids().values()]

        assert watched.stop() == 1

    assert watched.told("killed") == [("killed", "a")]
    assert none_alive(processes)


def test_a_child_whose_log_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    obstacle = tmp_path / "logs" / "a.log"
    obstacle.mkdir(parents=True)

    with supervised(child("a", tmp_path), child("b", tmp_path), home=tmp_path) as watched:
        wait_until(lambda: watched.told("died"))
        obstacle.rmdir()
        watched.wait_until_ready()

    assert "Is a directory" in watched.events[0].reason
    assert watched.told("started") == [("started", "a"), ("started", "b")]


@pytest.mark.slow
def test_a_second_request_to_stop_does_not_wait_any_longer(tmp_path: Path) -> None:
    stubborn = child("a", tmp_path, STUBBORN, stop_timeout_seconds=600)

    with supervised(stubborn, home=tmp_path) as watched:
        watched.wait_until_ready()
        watched.supervisor.stop()
        wait_until(lambda: watched.told("stopping"))

        assert watched.stop() == 1


def test_what_a_child_has_started_goes_with_it(tmp_path: Path) -> None:
    with supervised(child("a", tmp_path, WITH_A_CHILD), home=tmp_path) as watched:
        watched.wait_until_ready()
        family = psutil.Process(watched.supervisor.pids()["a"]).children(recursive=True)
        assert len(family) == 1

        os.kill(watched.supervisor.pids()["a"], signal.SIGKILL)

        wait_until(lambda: none_alive(family))


def test_output_goes_to_a_log_that_is_moved_aside_when_it_has_grown(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_bytes(b"old " * 3_000_000)
    code = "import sys; print('said', flush=True); print('warned', file=sys.stderr, flush=True);" + WELL_BEHAVED

    with supervised(child("a", tmp_path, code), home=tmp_path) as watched:
        watched.wait_until_ready()

    assert log.read_text() == "said\nwarned\n"
    assert log.with_name("a.log.1").stat().st_size == 12_000_000


def test_a_child_has_our_environment_and_its_own_on_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTSYNC_TEST_INHERITED", "ours")
    code = "import os; print({k: v for k, v in os.environ.items() if 'TEST_' in k and 'PYTEST' not in k}, flush=True);"
    spec = child("a", tmp_path, code + WELL_BEHAVED, env={"CONTACTSYNC_TEST_OWN": "its own"})

    with supervised(spec, home=tmp_path) as watched:
        watched.wait_until_ready()

    said = (tmp_path / "logs" / "a.log").read_text()
    assert "'CONTACTSYNC_TEST_INHERITED': 'ours'" in said
    assert "'CONTACTSYNC_TEST_OWN': 'its own'" in said


SUPERVISE = f"""
import pathlib, sys
from worker.embedded.supervisor import ChildSpec, Supervisor

folder = pathlib.Path(sys.argv[1])
code = {WITH_A_CHILD!r}
children = [
    ChildSpec(name, [sys.executable, "-c", code, str(folder / name)], ready=(folder / name).exists) for name in "ab"
]
tell = lambda event: print(event.kind, event.name, flush=True)
sys.exit(Supervisor(children, folder, on_event=tell, output=sys.argv[2]).run())
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_tree_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with program(SUPERVISE, tmp_path, "log") as up:
        up.wait_for("all ready")
        family = up.family()

        os.kill(up.pid, number)

        assert up.wait() == 0
        assert [line for line in up.lines if line.startswith("stopp")] == [
            "stopping b",
            "stopped b",
            "stopping a",
            "stopped a",
        ]
        wait_until(lambda: none_alive(family))


@pytest.mark.slow
def test_a_killed_supervisor_takes_the_whole_tree_with_it(tmp_path: Path) -> None:
    with program(SUPERVISE, tmp_path, "log") as up:
        up.wait_for("all ready")
        family = up.family()
        assert len(family) == 6  # for each of two children: its guard, itself, and what it has started

        up.kill()

        wait_until(lambda: none_alive(family))


@pytest.mark.slow
def test_output_can_pass_through(tmp_path: Path) -> None:
    talkative = SUPERVISE.replace(
        "import pathlib, signal, subprocess", "print('hello', flush=True); import pathlib, signal, subprocess"
    )
    assert talkative != SUPERVISE

    with program(talkative, tmp_path, "inherit") as up:
        up.wait_for("hello")
        up.wait_for("all ready")

    assert not (tmp_path / "logs" / "a.log").exists()


WAIT = """
from worker.embedded.supervisor import run_until_signal
print("waiting", flush=True)
print("got", run_until_signal(), flush=True)
"""


def test_run_until_signal_tells_which_one_it_was() -> None:
    with program(WAIT) as waiting:
        waiting.wait_for("waiting")
        wait_until(lambda: _catches(waiting.pid, signal.SIGTERM))

        os.kill(waiting.pid, signal.SIGTERM)

        assert waiting.wait_for("got") == "got 15"
        assert waiting.wait() == 0


def _catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether the process has a handler of its own for this signal (man 5 proc, SigCgt)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught & (1 << (number - 1)))


def test_run_until_signal_ends_when_there_is_no_more_reason_to_wait() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    asked: list[int] = []

    def check() -> bool:
        asked.append(1)
        return len(asked) < 2

    assert run_until_signal(check) is None
    assert run_until_signal(seconds=0) is None
    assert signal.getsignal(signal.SIGTERM) is handler
