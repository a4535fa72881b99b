"""Under whose account the servers run: root's, an ordinary user's, and where root may not change it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.embedded.processes import ROOT, program
from tests.fixtures.servers import UNSAFE_BUT_FAST
from worker.embedded.accounts import CAP_DAC_READ_SEARCH, Account, choose_account, guard_command
from worker.embedded.binaries import postgres_programs
from worker.embedded.errors import EmbeddedError
from worker.embedded.home import HomeLock, give_to_owner_of
from worker.embedded.servers import LocalServers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="capabilities and namespaces are of Linux"),
]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

USE_SERVERS = """
import os, sys
from pathlib import Path
import psycopg, redis
from worker.embedded.servers import LocalServers

with LocalServers(Path(sys.argv[1]), postgres_settings={"fsync": "off"}) as servers:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("SELECT 1")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.ping()
    print("used by", os.geteuid(), flush=True)
"""


def _can_unshare() -> bool:
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "-rn", "true"], check=False, capture_output=True).returncode == 0
    )


needs_namespaces = pytest.mark.skipif(not _can_unshare(), reason="this machine allows no user namespaces")


def ordinary_user() -> list[str]:
    """
    Words to put before a command, so that an ordinary user runs it.

    Where the tests run as root: `nobody`, who may read what root can, as the interpreter may lie in root's own folders.
    """
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid, capability=CAP_DAC_READ_SEARCH)
    stop = {"parent": os.getpid(), "directory": str(ROOT), "stop_signals": [15], "stop_seconds": 30}
    return guard_command([], {**account.options(), **stop})


@pytest.fixture
def closed_folder(home: Path) -> Path:
    """A folder that only its owner may enter, as root's home is."""
    home.mkdir(mode=0o700)
    home.chmod(0o700)
    return home


def uid_of(server: int | None) -> int:
    assert server is not None
    return psutil.Process(server).uids().effective


def modes(path: Path) -> list[int]:
    return [folder.stat().st_mode for folder in (path, *path.parents)]


@as_root
def test_roots_servers_do_not_run_as_root(used_home: Path) -> None:
    with LocalServers(used_home, postgres_settings=UNSAFE_BUT_FAST) as servers:
        assert uid_of(servers.postgres.pid()) != 0
        assert uid_of(servers.redis.pid()) != 0
        assert psutil.Process(servers.postgres.pid()).cwd() == str(used_home / "postgres" / "data")


@as_root
def test_no_folder_on_the_way_is_opened_for_others(closed_folder: Path) -> None:
    before = modes(closed_folder)

    with LocalServers(closed_folder / "deep inside", postgres_settings=UNSAFE_BUT_FAST) as servers:
        assert servers.running()
        assert uid_of(servers.postgres.pid()) != 0

    assert modes(closed_folder) == before


@as_root
def test_a_capability_is_kept_only_where_it_is_needed(home: Path, closed_folder: Path) -> None:
    program = postgres_programs() / "postgres"
    closed = closed_folder / "inside"
    closed.mkdir()

    assert choose_account(program, closed).capability == CAP_DAC_READ_SEARCH
    home.chmod(0o755)
    assert choose_account(program, closed).capability is None


@as_root
def test_what_root_starts_in_a_users_home_stays_that_users(used_home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(used_home, nobody.pw_uid, nobody.pw_gid)
    for left in used_home.iterdir():
        if left.name not in {"postgres", "redis"}:  # which are root's, as after restoring a backup
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    with LocalServers(used_home, postgres_settings=UNSAFE_BUT_FAST) as servers:
        assert uid_of(servers.postgres.pid()) == nobody.pw_uid

    assert [path for path in used_home.rglob("*") if path.lstat().st_uid != nobody.pw_uid] == []


@as_root
def test_a_home_that_root_makes_in_a_users_folder_is_that_users(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    with LocalServers(home / "project" / "servers", postgres_settings=UNSAFE_BUT_FAST) as servers:
        assert uid_of(servers.postgres.pid()) == nobody.pw_uid

    assert [path for path in home.rglob("*") if path.lstat().st_uid != nobody.pw_uid] == []


@as_root
def test_a_file_that_was_planted_in_a_folder_is_not_given_away(home: Path) -> None:
    before, after = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    folder, theirs = home / "postgres", home / "theirs"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "own").write_text("")
    theirs.mkdir()
    for name in ("linked", "moved"):
        (theirs / name).write_text("root:x:0:0")
        os.link(theirs / name, folder / "data" / name)
    (theirs / "moved").unlink()  # one name is left, as where somebody is quick enough
    (folder / "data" / "followed").symlink_to(theirs / "linked")
    (folder / "data" / "inside").mkdir()
    for path in (folder, folder / "data", folder / "data" / "own"):
        os.chown(path, before.pw_uid, before.pw_gid)

    Account(after.pw_uid, after.pw_gid).take_over(folder)

    owners = {path.name: path.lstat().st_uid for path in (folder, *folder.rglob("*"))}
    given = {name for name, owner in owners.items() if owner == after.pw_uid}
    assert given == {"postgres", "data", "own"}
    assert (theirs / "linked").stat().st_uid == 0


@as_root
def test_what_was_linked_into_a_users_home_is_neither_given_nor_written(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    theirs = home.with_name("theirs")
    theirs.write_text("root:x:0:0")
    os.link(theirs, home / "servers.lock")

    give_to_owner_of(home, home / "servers.lock")
    with pytest.raises(EmbeddedError, match="another name"):
        HomeLock(home / "servers.lock").acquire()

    assert theirs.stat().st_uid == 0
    assert theirs.read_text() == "root:x:0:0"


@as_root
def test_a_folder_that_root_filled_is_given_whole(home: Path) -> None:
    after = pwd.getpwnam("nobody")
    (home / "postgres" / "data").mkdir(parents=True)
    (home / "postgres" / "data" / "theirs").write_text("")
    os.chown(home / "postgres" / "data" / "theirs", pwd.getpwnam("daemon").pw_uid, 0)

    Account(after.pw_uid, after.pw_gid).take_over(home / "postgres")

    assert {path.stat().st_uid for path in (home / "postgres", *(home / "postgres").rglob("*"))} == {after.pw_uid}


def test_an_ordinary_user_can_do_without_root(home: Path) -> None:
    home.parent.chmod(0o777)

    with program(USE_SERVERS, home, prefix=ordinary_user()) as user:
        line = user.wait_for("used by")

    assert line != "used by 0"
    assert home.stat().st_uid != 0


def test_a_read_only_home_is_refused_in_words(home: Path) -> None:
    home.mkdir()
    home.chmod(0o555)
    try:
        with program(USE_SERVERS, home, prefix=ordinary_user()) as user:
            line = user.wait_for("EmbeddedError")
    finally:
        home.chmod(0o755)

    assert f"The home {home} cannot be written to: Permission denied. Set `home` to a folder" in line


@needs_namespaces
def test_a_root_who_may_become_nobody_else_uses_a_namespace(home: Path) -> None:
    with program(USE_SERVERS, home, prefix=["unshare", "--map-root-user"]) as root:
        assert root.wait_for("used by") == "used by 0"
    assert home.stat().st_uid == os.geteuid()


IN_A_FULL_PORT_RANGE = """
import fcntl, socket, struct, sys
from pathlib import Path
import psycopg
from worker.embedded.postgres import EmbeddedPostgres

with socket.socket() as control:  # a new network namespace has its loopback switched off: SIOCSIFFLAGS, IFF_UP
    fcntl.ioctl(control, 0x8914, struct.pack("16sh", b"lo", 1))
Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40003")
held = [socket.create_server(("127.0.0.1", port)) for port in range(40000, 40004)]
with EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}) as postgres:
    with psycopg.connect(postgres.url) as connection:
        print("port", connection.execute("SHOW port").fetchone()[0], flush=True)
"""


@needs_namespaces
def test_when_the_ephemeral_ports_are_used_up_another_port_is_found(home: Path) -> None:
    with program(IN_A_FULL_PORT_RANGE, home, prefix=["unshare", "--map-root-user", "--net"]) as root:
        port = int(root.wait_for("port ").split()[1])

    assert port not in range(40000, 40004)
