"""The guard by itself: what it passes on, and that it needs nothing that only Linux has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.embedded.processes import Program, none_alive, program, wait_until
from worker.embedded.accounts import GUARD, guard_command
from worker.embedded.process import GuardedProcess

START_A_CHILD = """
import sys
from pathlib import Path
from worker.embedded.process import GuardedProcess
from worker.embedded.signals import run_until_signal

child = GuardedProcess(sys.argv[1:], directory=Path.cwd(), environment={}, log=None, stop_seconds=0.3)
child.start()
print("child", child.pid(), flush=True)
run_until_signal()
"""

SLEEPS = "import signal\nprint('sleeps', flush=True)\nwhile True: signal.pause()"
IGNORES = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS
# A daemon: it leaves the process group and the session, and its own parent ends.
LEAVES_A_DAEMON = f"""
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        exec({SLEEPS!r})
    os._exit(0)
os.wait()
{SLEEPS}
"""


def run(code: str, tmp_path: Path) -> GuardedProcess:
    command = [sys.executable, "-S", "-c", code]
    process = GuardedProcess(command, directory=tmp_path, environment={}, log=tmp_path / "log", stop_seconds=0.3)
    process.start()
    return process


@pytest.mark.parametrize(
    ("code", "status"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)],
    ids=["well", "with a status", "by a signal"],
)
def test_how_the_command_ended_is_passed_on(tmp_path: Path, code: str, status: int) -> None:
    process = run(code, tmp_path)

    assert process.wait() == status
    assert not process.running()


def test_the_command_starts_with_clean_signals_and_without_our_files(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "print(sorted(int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])),"
        " [signal.getsignal(s) == signal.SIG_DFL for s in (15, 1, 17)], sorted(os.listdir('/proc/self/fd'))[:-1])"
    )
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        process = run(code, tmp_path)
        process.wait()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    assert (tmp_path / "log").read_text() == "[] [True, True, True] ['0', '1', '2']\n"


@pytest.mark.slow
def test_a_stop_in_the_moment_of_the_start_is_not_lost(tmp_path: Path) -> None:
    for _ in range(20):
        process = run(SLEEPS, tmp_path)
        process.pid()  # the guard has forked, the command is about to begin

        assert process.stop() == 128 + signal.SIGTERM


def test_a_command_that_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    process = run(IGNORES, tmp_path)
    wait_until(lambda: "sleeps" in (tmp_path / "log").read_text())

    assert process.stop() == 128 + signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the guard")
def test_even_a_daemon_of_the_command_goes_with_it(tmp_path: Path) -> None:
    process = run(LEAVES_A_DAEMON, tmp_path)
    wait_until(lambda: (tmp_path / "log").read_text().count("sleeps") == 2)
    guard = psutil.Process(process.guard_pid)
    family = guard.children(recursive=True)
    assert len(family) == 2

    process.stop()

    assert none_alive(family)


def test_a_guard_whose_parent_is_gone_already_starts_nothing(tmp_path: Path) -> None:
    options = {"parent": 2**22 + 1, "directory": str(tmp_path), "stop_signals": [15], "stop_seconds": 1}
    command = guard_command([sys.executable, "-c", "open('started', 'w')"], options)

    assert subprocess.run(command, check=False).returncode == 0
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("code", [SLEEPS, IGNORES], ids=["obedient", "stubborn"])
def test_the_command_ends_when_the_parent_is_killed(code: str) -> None:
    with program(START_A_CHILD, sys.executable, "-c", code) as parent:
        _assert_all_goes_with(parent)


def test_the_command_ends_when_the_guard_is_killed(tmp_path: Path) -> None:
    process = run(SLEEPS, tmp_path)
    wait_until(lambda: "sleeps" in (tmp_path / "log").read_text())
    child = psutil.Process(process.pid())
    assert process.guard_pid is not None

    os.kill(process.guard_pid, signal.SIGKILL)
    process.wait()

    wait_until(lambda: none_alive([child]))


ON_ANOTHER_SYSTEM = f"""
import os, runpy, subprocess, sys

other = '''
import os, runpy, sys
sys.platform = "darwin"
del os.pidfd_open
sys.argv = [{str(GUARD)!r}, *sys.argv[1:]]
runpy.run_path({str(GUARD)!r}, run_name="__main__")
'''
options = sys.argv[1].replace("PARENT", str(os.getpid()))
guard = subprocess.Popen([sys.executable, "-I", "-S", "-c", other, options, sys.executable, "-c", {SLEEPS!r}])
guard.wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this is what all the tests are about")
def test_without_the_means_of_linux_the_guard_still_sees_that_it_is_alone(tmp_path: Path) -> None:
    options = {"parent": "PARENT", "directory": str(tmp_path), "stop_signals": [15], "stop_seconds": 1}

    with program(ON_ANOTHER_SYSTEM, json.dumps(options)) as parent:
        _assert_all_goes_with(parent)


def _assert_all_goes_with(parent: Program) -> None:
    parent.wait_for("sleeps")
    family = parent.family()
    assert len(family) == 2

    parent.kill()

    wait_until(lambda: none_alive(family))
