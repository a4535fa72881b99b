"""The embedded PostgreSQL by itself: what it is like, what it keeps, and what does not stop it from starting."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from typing_extensions import override

from tests.embedded.processes import wait_until
from tests.fixtures.servers import UNSAFE_BUT_FAST
from worker.embedded.errors import EmbeddedError, HomeInUse, PortTaken
from worker.embedded.postgres import EmbeddedPostgres


def remember(url: str, value: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def remembered(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server, durable as by default, for the tests that only look."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("pg")) as postgres:
        yield postgres


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SHOW server_encoding", "UTF8"),
        ("SHOW timezone", "UTC"),
        ("SHOW fsync", "on"),
        ("SHOW full_page_writes", "on"),
        ("SHOW synchronous_commit", "on"),
        ("SELECT current_database()::text", "contactsync"),
        ("SELECT 'Z' < 'a'", True),
        ("SELECT lower('ZOË')", "zoë"),
        ("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", 0),
    ],
)
def test_the_database_is_utf_8_sorted_by_code_point_in_utc_durable_and_empty(
    running: EmbeddedPostgres, query: str, answer: object
) -> None:
    assert ask(running.url, query) == answer


def test_it_is_reached_by_socket_and_by_tcp(running: EmbeddedPostgres) -> None:
    assert ask(running.url, "SELECT inet_server_addr() IS NULL") is True
    assert ask(running.owner_url, "SELECT host(inet_server_addr())") == "127.0.0.1"


def test_nobody_comes_in_without_the_password(running: EmbeddedPostgres) -> None:
    for url in (running.url, running.owner_url, running.admin_url):
        password = urlsplit(url).password or ""
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "guessed"))


def test_the_application_is_no_superuser_and_owns_nothing(running: EmbeddedPostgres) -> None:
    powerful = (
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    owned = "SELECT EXISTS (SELECT FROM pg_database WHERE pg_get_userbyid(datdba) = current_user)"

    assert [ask(url, powerful) for url in (running.url, running.owner_url, running.admin_url)] == [False, False, True]
    assert [ask(url, owned) for url in (running.url, running.owner_url)] == [False, True]
    for url in (running.url, running.owner_url):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY pg_class TO PROGRAM 'cat'")


@pytest.mark.slow
def test_a_home_of_a_release_with_one_user_is_brought_over(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        remember(postgres.admin_url, 1)  # a table of the superuser's, as every table was
        with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE contactsync OWNER TO contactsync")
            connection.execute("ALTER SCHEMA public OWNER TO contactsync")
            connection.execute("DROP ROLE contactsync_owner")
            connection.execute("DROP ROLE contactsync_app")

    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        assert remembered(postgres.owner_url) == [1]
        assert ask(postgres.owner_url, "SELECT tableowner::text FROM pg_tables WHERE tablename = 'kept'") == (
            "contactsync_owner"
        )


def test_the_password_is_for_the_owner_only(running: EmbeddedPostgres) -> None:
    file = running.home / "postgres" / "password"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(file.read_text() in line for line in _command_lines(running))


def _command_lines(postgres: EmbeddedPostgres) -> list[str]:
    pid = postgres.pid()
    assert pid is not None
    server = psutil.Process(pid)
    return [" ".join(process.cmdline()) for process in (server, *server.parents()[:1])]


def test_starting_what_runs_changes_nothing(running: EmbeddedPostgres) -> None:
    pid = running.pid()

    assert running.start() == running.url
    assert running.pid() == pid


def test_a_second_one_in_the_same_process_is_told_who_has_the_home(running: EmbeddedPostgres) -> None:
    with pytest.raises(HomeInUse, match=str(running.home)):
        EmbeddedPostgres(running.home).start()

    assert ask(running.url, "SELECT 1") == 1


def test_data_survive_a_stop_and_a_start(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        remember(postgres.owner_url, 1)
    assert not postgres.running()

    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        assert remembered(postgres.owner_url) == [1]


@pytest.mark.slow
def test_a_commit_survives_a_crash_of_the_server(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        url, owner_url = postgres.url, postgres.owner_url
        remember(owner_url, 1)

        postgres.kill()
        assert not postgres.running()
        postgres.restart()

        assert (postgres.url, postgres.owner_url) == (url, owner_url)
        assert ask(url, "SELECT 1") == 1
        assert remembered(owner_url) == [1]


@pytest.mark.slow
def test_the_database_is_made_again_when_somebody_has_dropped_it(used_home: Path) -> None:
    with (
        EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres,
        psycopg.connect(postgres.admin_url.replace("/contactsync?", "/postgres?"), autocommit=True) as connection,
    ):
        connection.execute("DROP DATABASE contactsync")

    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        assert ask(postgres.url, "SELECT current_database()::text") == "contactsync"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["with blanks and Zoë’s", 'quote " percent % equals = plus + at @ and colon :', "comma,comma"]
)
def test_a_home_may_have_an_odd_name(home: Path, name: str) -> None:
    with EmbeddedPostgres(home / name, settings=UNSAFE_BUT_FAST) as postgres:
        assert ask(postgres.url, "SELECT 1") == 1
        assert ask(postgres.owner_url, "SELECT 1") == 1
        assert (home / name / "postgres" / "data" / "PG_VERSION").exists()


@pytest.mark.slow
def test_a_home_too_deep_for_a_socket_is_reached_by_tcp(home: Path) -> None:
    deep = home.joinpath(*["a-folder-with-a-long-name"] * 30)  # about as deep as PostgreSQL goes

    with EmbeddedPostgres(deep, settings=UNSAFE_BUT_FAST) as postgres:
        assert urlsplit(postgres.url).hostname == "127.0.0.1"
        assert ask(postgres.url, "SELECT 1") == 1


def test_a_home_too_deep_for_postgres_is_refused_in_words(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="too long for PostgreSQL"):
        EmbeddedPostgres(home.joinpath(*["x" * 100] * 10)).start()


def test_a_home_that_is_a_file_is_refused_in_words(home: Path) -> None:
    home.write_text("not a folder")

    with pytest.raises(EmbeddedError, match="cannot be written to") as caught:
        EmbeddedPostgres(home).start()

    assert str(home) in caught.value.message
    assert "`home`" in caught.value.next_step


@pytest.mark.slow
def test_a_lost_password_is_replaced(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        remember(postgres.owner_url, 1)
    (used_home / "postgres" / "password").unlink()

    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        assert remembered(postgres.owner_url) == [1]


def test_a_wrong_password_file_is_said_at_once(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST):
        pass
    (used_home / "postgres" / "password").write_text("another")

    with pytest.raises(EmbeddedError, match="does not accept the password") as caught:
        EmbeddedPostgres(used_home).start()

    assert "remove the file" in caught.value.next_step


@pytest.mark.slow
def test_a_setting_that_postgres_refuses_is_in_the_message(used_home: Path) -> None:
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        EmbeddedPostgres(used_home, settings={**UNSAFE_BUT_FAST, "no_such_setting": "1"}).start()

    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST) as postgres:
        assert ask(postgres.url, "SELECT 1") == 1


def test_a_fixed_port_that_is_taken_is_named(used_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=str(port)):
            EmbeddedPostgres(used_home, port=port, settings=UNSAFE_BUT_FAST).start()

    with EmbeddedPostgres(used_home, port=port, settings=UNSAFE_BUT_FAST) as postgres:
        assert f":{port}/" in postgres.owner_url


def test_a_port_lost_in_a_race_is_replaced_by_another(used_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        class Unlucky(EmbeddedPostgres):
            """Finds a port that somebody else takes before PostgreSQL can."""

            found = 0

            @override
            def _find_port(self) -> int:
                self.found += 1
                return int(other.getsockname()[1]) if self.found < 3 else super()._find_port()

        with Unlucky(used_home, settings=UNSAFE_BUT_FAST) as postgres:
            assert postgres.found == 3
            assert ask(postgres.owner_url, "SELECT 1") == 1


@pytest.mark.slow
@pytest.mark.parametrize("file", ["postgres/data/postmaster.pid", "run/.s.PGSQL.5432.lock"])
def test_a_stale_pid_file_whose_pid_is_another_programs_by_now_is_no_obstacle(used_home: Path, file: str) -> None:
    somebody_else = psutil.Process().ppid()
    postgres = EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST)
    with postgres:
        remember(postgres.owner_url, 1)
    content = f"{somebody_else}\n{used_home / 'postgres' / 'data'}\n1700000000\n5432\n{used_home / 'run'}\n127.0.0.1\n"
    (used_home / file).write_text(content)
    owner = (used_home / file).parent.stat()
    shutil.chown(used_home / file, owner.st_uid, owner.st_gid)

    with EmbeddedPostgres(used_home, port=0, settings=UNSAFE_BUT_FAST) as postgres:
        assert remembered(postgres.owner_url) == [1]
        assert psutil.pid_exists(somebody_else)


@pytest.mark.slow
def test_what_a_start_that_was_cut_off_left_is_cleared_away(home: Path) -> None:
    half = home / "postgres.new-0123abcd" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(home, settings=UNSAFE_BUT_FAST) as postgres:
        assert ask(postgres.url, "SELECT 1") == 1
        assert not half.exists()


def test_a_folder_that_is_no_data_folder_is_left_alone_and_named(home: Path) -> None:
    precious = home / "postgres" / "data" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("keep me")

    with pytest.raises(EmbeddedError, match="not a data folder of PostgreSQL"):
        EmbeddedPostgres(home).start()

    assert precious.read_text() == "keep me"


def test_data_of_a_version_that_is_not_carried_are_refused_in_words(home: Path) -> None:
    version = home / "postgres" / "data" / "PG_VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("12\n")

    with pytest.raises(EmbeddedError, match="no PostgreSQL 12"):
        EmbeddedPostgres(home).start()


@pytest.mark.slow
def test_its_log_quotes_no_row(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE picky (name text CHECK (name = ''), other text NOT NULL)")
        for row in (("Marleen Verbruggen", "x"), ("", None)):
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute("INSERT INTO picky VALUES (%s, %s)", row)
        connection.execute("DROP TABLE picky")

    said = running.log.read_text()

    assert "picky" in said
    assert "Marleen" not in said
    assert "Failing row" not in said


def test_stopping_ends_the_server_and_frees_the_home(used_home: Path) -> None:
    postgres = EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST)
    postgres.start()
    with psycopg.connect(postgres.url) as open_connection:
        postgres.stop()

        wait_until(lambda: _is_broken(open_connection))

    assert not postgres.running()
    assert not (postgres.data / "postmaster.pid").exists()
    with EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST):
        pass


def _is_broken(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.slow
def test_stopping_twice_or_before_the_start_is_harmless(used_home: Path) -> None:
    postgres = EmbeddedPostgres(used_home, settings=UNSAFE_BUT_FAST)
    postgres.stop()

    postgres.start()
    postgres.stop()
    postgres.stop()

    assert not postgres.running()
