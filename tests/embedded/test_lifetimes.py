"""Nothing outlives its process, however that ends, and the next start always works and has the data."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests.embedded.processes import Program, names, none_alive, program, wait_until
from tests.embedded.test_servers import RUN_SERVERS
from worker.embedded.leftovers import servers_in
from worker.embedded.servers import LocalServers, connect_existing

pytestmark = pytest.mark.slow

FILL_AND_WAIT = """
import sys
from functools import partial
from pathlib import Path
import psycopg, redis
from worker.embedded.servers import LocalServers, connect_existing
from worker.embedded.signals import run_until_signal

with LocalServers(Path(sys.argv[1])) as servers:
    with psycopg.connect(servers.database_owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS value")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("kept", "42")
    print("filled", flush=True)
    run_until_signal()
"""


def assert_a_fresh_start_has_the_data(home: Path) -> None:
    with LocalServers(home) as servers:
        with psycopg.connect(servers.database_owner_url) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (42,)
        with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
            assert client.get("kept") == "42"


def guards_of(parent: Program) -> list[psutil.Process]:
    return psutil.Process(parent.pid).children()


def test_a_parent_killed_by_sigkill_leaves_no_process_behind(used_home: Path) -> None:
    with program(FILL_AND_WAIT, used_home) as parent:
        parent.wait_for("filled")
        family = parent.family()
        assert {"postgres", "valkey-server"} <= set(names(family))

        parent.kill()

        wait_until(lambda: none_alive(family))
    assert_a_fresh_start_has_the_data(used_home)


def test_the_next_start_need_not_wait_for_the_end_of_the_last(used_home: Path) -> None:
    with program(FILL_AND_WAIT, used_home) as parent:
        parent.wait_for("filled")
        guards = guards_of(parent)
        servers = [process for process in parent.family() if process not in guards]

        parent.kill()
        assert_a_fresh_start_has_the_data(used_home)

        assert none_alive(servers)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_not_even_when_its_guards_are_killed_with_it(used_home: Path) -> None:
    with program(FILL_AND_WAIT, used_home) as parent:
        parent.wait_for("filled")
        family = parent.family()

        for process in [*guards_of(parent), psutil.Process(parent.pid)]:
            process.kill()

        wait_until(lambda: none_alive(family))
    assert_a_fresh_start_has_the_data(used_home)


def test_servers_that_did_outlive_everybody_are_ended_by_the_next_start(used_home: Path) -> None:
    with program(FILL_AND_WAIT, used_home) as parent:
        parent.wait_for("filled")
        guards = guards_of(parent)
        family = parent.family()
        servers = [process for process in family if process not in guards]
        try:
            for guard in guards:
                guard.suspend()  # it lives, so that the kernel says nothing to its child, and does nothing
            parent.kill()
            assert not none_alive(servers)

            assert_a_fresh_start_has_the_data(used_home)

            assert none_alive(servers)
        finally:
            for guard in guards:
                guard.kill()
        wait_until(lambda: none_alive(family))


def test_a_start_killed_in_the_middle_of_initdb_is_simply_done_again(home: Path) -> None:
    with program(RUN_SERVERS, home) as parent:
        wait_until(lambda: list(home.glob("postgres.new-*/data/base")))
        family = parent.family()
        parent.kill()
        assert not (home / "postgres").exists()
        wait_until(lambda: none_alive(family))

    with LocalServers(home) as servers:
        assert servers.running()
        assert list(home.glob("postgres.new-*")) == []


def test_a_start_killed_at_any_moment_is_no_obstacle_to_the_next(home: Path) -> None:
    for file in ("logs", "servers.lock", "postgres", "logs/postgres.log", "postgres/data/postmaster.pid"):
        with program(RUN_SERVERS, home) as parent:
            wait_until((home / file).exists)
            family = parent.family()
            parent.kill()
            wait_until(partial(none_alive, family))

    with LocalServers(home) as servers:
        assert servers.running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_parent_that_is_asked_to_end_stops_them_in_good_order(used_home: Path, number: signal.Signals) -> None:
    with program(RUN_SERVERS, used_home) as parent:
        parent.wait_for("running")
        family = parent.family()

        os.kill(parent.pid, number)

        assert parent.wait() == 0
        assert parent.lines[-1] == "stopped"
        wait_until(lambda: none_alive(family))
    assert "database system is shut down" in (used_home / "logs" / "postgres.log").read_text()
    assert not (used_home / "postgres" / "data" / "postmaster.pid").exists()


def test_ctrl_c_in_the_terminal_reaches_the_parent_alone(used_home: Path) -> None:
    with program(RUN_SERVERS, used_home) as parent:
        parent.wait_for("running")

        groups = {os.getpgid(process.pid) for process in parent.family()}

        assert os.getpgid(parent.pid) not in groups


def test_a_parent_that_ends_by_an_exception_or_by_forgetting_leaves_none(used_home: Path) -> None:
    forgetful = RUN_SERVERS.replace(
        "with LocalServers(Path(sys.argv[1])):", "LocalServers(Path(sys.argv[1])).start()\nif True:"
    )
    with program(forgetful, used_home) as parent:
        parent.wait_for("running")
        family = parent.family()

        os.kill(parent.pid, signal.SIGTERM)

        parent.wait()
        wait_until(lambda: none_alive(family))
    assert servers_in(used_home / "postgres" / "data") == []


def test_a_forked_child_of_the_parent_neither_stops_the_servers_nor_keeps_the_lock(used_home: Path) -> None:
    in_the_child = "servers.stop()\n        os.write(1, f'forked {servers.owned}\\n'.encode())\n        signal.pause()"
    with_fork = RUN_SERVERS.replace("sys.argv[1])):", "sys.argv[1])) as servers:").replace(
        'print("running", flush=True)',
        f"import os, signal\n    if os.fork() == 0:\n        {in_the_child}\n    os.write(1, b'running\\n')",
    )
    with program(with_fork, used_home) as parent:
        parent.wait_for("running")
        family = parent.family()
        servers = [process for process in family if process.name() in {"postgres", "valkey-server"}]
        forked = [process for process in family if process.cmdline()[1:2] == ["-c"]]
        assert len(forked) == 1
        try:
            assert parent.wait_for("forked") == "forked False"
            assert connect_existing(used_home) is not None
            parent.kill()

            wait_until(lambda: none_alive(servers))
            with LocalServers(used_home) as again:
                assert again.running()
        finally:
            forked[0].kill()
