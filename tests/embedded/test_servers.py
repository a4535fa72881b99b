"""Both servers together, and how other processes find them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.embedded.processes import program, wait_until
from tests.fixtures.servers import UNSAFE_BUT_FAST
from worker.embedded.errors import EmbeddedError, HomeInUse
from worker.embedded.home import prepare_home
from worker.embedded.servers import LocalServers, connect_existing

RUN_SERVERS = """
import sys
from pathlib import Path
from worker.embedded.servers import LocalServers
from worker.embedded.signals import run_until_signal

with LocalServers(Path(sys.argv[1])):
    print("running", flush=True)
    run_until_signal()
print("stopped", flush=True)
"""

LOOK_FOR_SERVERS = """
import sys
from pathlib import Path
import psycopg
from worker.embedded.servers import connect_existing

servers = connect_existing(Path(sys.argv[1]))
if servers is None:
    print("found none")
else:
    with psycopg.connect(servers.database_url) as connection:
        print("found", connection.execute("SELECT current_database()").fetchone()[0], servers.owned)
    servers.stop()
"""

START_SERVERS = """
import sys
from pathlib import Path
from worker.embedded.errors import HomeInUse
from worker.embedded.servers import LocalServers

try:
    LocalServers(Path(sys.argv[1])).start()
except HomeInUse as error:
    print("refused", error.pid, error.message)
"""


@pytest.fixture
def running(used_home: Path) -> Iterator[LocalServers]:
    with LocalServers(used_home, postgres_settings=UNSAFE_BUT_FAST) as servers:
        yield servers


def test_both_answer(running: LocalServers) -> None:
    with psycopg.connect(running.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(running.database_owner_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(running.redis_url) as client:
        assert client.ping()
    assert running.running()


def test_without_a_start_there_is_no_url(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="not running"):
        _ = LocalServers(home).database_url


def test_what_others_read_is_private(running: LocalServers) -> None:
    assert stat.S_IMODE((running.home / "servers.json").stat().st_mode) == 0o600


def test_a_second_terminal_reaches_the_same_database_and_cannot_stop_it(running: LocalServers) -> None:
    with program(LOOK_FOR_SERVERS, running.home) as second:
        assert second.wait_for("found") == "found contactsync False"

    assert running.running()


def test_no_other_user_can_read_anything_of_theirs(running: LocalServers) -> None:
    with redis.Redis.from_url(running.redis_url) as client:
        client.set("key", "value")
    inside = [path for path in running.home.rglob("*") if not path.is_symlink()]

    assert len(inside) > 20
    assert [path for path in inside if path.stat().st_mode & 0o077] == []


def test_the_home_itself_is_closed(home: Path) -> None:
    prepare_home(home / "inside")

    # Root's servers run as somebody else, who has to get through and no more.
    assert stat.S_IMODE((home / "inside").stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize(("file", "mode", "closed"), [("servers.lock", 0o755, True), ("servers.lock", 0o750, False)])
def test_a_home_that_an_earlier_release_left_open_is_closed(home: Path, file: str, mode: int, closed: bool) -> None:
    home.mkdir()
    (home / file).touch()
    home.chmod(mode)

    prepare_home(home)

    assert (stat.S_IMODE(home.stat().st_mode) & 0o066 == 0) is closed


def test_a_folder_that_was_somebodys_before_is_not_closed(home: Path) -> None:
    home.mkdir()
    home.chmod(0o755)

    prepare_home(home)

    assert stat.S_IMODE(home.stat().st_mode) == 0o755


@pytest.mark.slow
def test_a_second_start_is_told_the_pid_and_the_home(used_home: Path) -> None:
    with program(RUN_SERVERS, used_home) as first:
        first.wait_for("running")

        with program(START_SERVERS, used_home) as second:
            line = second.wait_for("refused")

        assert line.startswith(f"refused {first.pid} ")
        assert str(used_home) in line


def test_a_second_start_in_the_same_process_is_refused_too(running: LocalServers) -> None:
    with pytest.raises(HomeInUse):
        LocalServers(running.home).start()

    assert running.running()


@pytest.mark.slow
def test_there_is_nothing_to_find_before_and_after(used_home: Path) -> None:
    assert connect_existing(used_home) is None
    with LocalServers(used_home, postgres_settings=UNSAFE_BUT_FAST):
        assert connect_existing(used_home) is not None
    assert connect_existing(used_home) is None


def test_a_folder_that_does_not_exist_is_not_made_by_looking(home: Path) -> None:
    assert connect_existing(home) is None
    assert not home.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"database": 1}', json.dumps({"database": "postgresql://x/"})])
def test_a_state_file_that_nobody_stands_behind_is_no_server(used_home: Path, content: str) -> None:
    (used_home / "servers.json").write_text(content)

    assert connect_existing(used_home) is None


@pytest.mark.slow
def test_a_start_that_fails_leaves_nothing_running(used_home: Path) -> None:
    servers = LocalServers(used_home, redis_settings={"no-such-setting": "1"}, postgres_settings=UNSAFE_BUT_FAST)

    with pytest.raises(EmbeddedError, match="no-such-setting"):
        servers.start()

    assert not servers.postgres.running()
    with LocalServers(used_home, postgres_settings=UNSAFE_BUT_FAST) as again:
        assert again.running()


@pytest.mark.slow
@pytest.mark.parametrize("which", ["postgres", "redis"])
def test_a_server_that_dies_comes_back_under_the_same_url(running: LocalServers, which: str) -> None:
    server = {"postgres": running.postgres, "redis": running.redis}[which]
    before = server.pid()

    server.kill()

    wait_until(lambda: server.running() and server.pid() != before and running.running())


@pytest.mark.slow
def test_a_server_that_was_stopped_on_purpose_stays_so(running: LocalServers) -> None:
    running.redis.stop()
    before = running.postgres.pid()
    running.postgres.kill()

    wait_until(lambda: running.postgres.pid() != before and database_answers(running))

    assert not running.redis.running()


def database_answers(servers: LocalServers) -> bool:
    try:
        psycopg.connect(servers.database_url).close()
    except psycopg.OperationalError:
        return False
    return True
