"""The logs of children: moved aside while they are written, whole lines, bounded, and no reason for a child to stop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.embedded.processes import wait_until
from worker.embedded.process import LOG_BYTES, GuardedProcess

LINES = 3_000
SAYS = f"import sys\nfor number in range({LINES}): print(f'{{number:06d}} ' + 'x' * 92, flush=number % 7 == 0)\n"
STAYS = "sys.stdout.flush()\nimport signal\nsignal.pause()"
"""Lines of a hundred bytes, in pieces that end anywhere."""


def process(code: str, tmp_path: Path, log: Path, log_bytes: int = LOG_BYTES) -> GuardedProcess:
    command = [sys.executable, "-S", "-c", code]
    made = GuardedProcess(command, directory=tmp_path, environment={}, log=log, stop_seconds=5, log_bytes=log_bytes)
    made.start()
    return made


def logs(log: Path) -> list[Path]:
    """The logs that there are, the oldest first."""
    aside = [log.with_name(f"{log.name}.{number}") for number in (3, 2, 1)]
    return [one for one in (*aside, log) if one.exists()]


def numbers(log: Path) -> list[int]:
    """What stands at the beginning of each line; every line has to be whole."""
    lines = [line for one in logs(log) for line in one.read_text().splitlines()]
    assert {len(line) for line in lines} == {99}
    return [int(line[:6]) for line in lines]


def test_a_log_is_moved_aside_while_its_process_runs(tmp_path: Path) -> None:
    log = tmp_path / "a.log"

    running = process(SAYS + STAYS, tmp_path, log, log_bytes=40_000)
    try:
        wait_until(lambda: log.exists() and f"{LINES - 1:06d}" in log.read_text())
        assert running.running()
    finally:
        running.stop()

    assert len(logs(log)) == 4
    assert all(one.stat().st_size <= 40_000 for one in logs(log))
    assert {one.stat().st_mode & 0o777 for one in logs(log)} == {0o600}
    kept = numbers(log)
    assert kept == list(range(LINES - len(kept), LINES)), "the newest lines, none of them lost in between"
    assert len(kept) > 1_200


def test_everything_that_a_process_said_until_its_end_is_there(tmp_path: Path) -> None:
    log = tmp_path / "a.log"

    process(SAYS, tmp_path, log).wait()

    assert numbers(log) == list(range(LINES))


def test_a_line_that_is_longer_than_a_log_may_be_is_written_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "a.log"

    process("print('x' * 200_000); print('after')", tmp_path, log, log_bytes=1_000).wait()

    assert "".join(one.read_text() for one in logs(log)).endswith("x\nafter\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_does_not_stop_a_process_that_has_something_to_say(tmp_path: Path) -> None:
    assert process(SAYS + "open('ended', 'w')", tmp_path, Path("/dev/full")).wait() == 0
    assert (tmp_path / "ended").exists()


def test_a_log_that_somebody_gave_another_name_is_not_written(tmp_path: Path) -> None:
    other = tmp_path / "somebody's"
    other.write_text("theirs\n")
    (tmp_path / "a.log").hardlink_to(other)

    with pytest.raises(OSError, match="another name"):
        process("print('ours')", tmp_path, tmp_path / "a.log")

    assert other.read_text() == "theirs\n"
