"""A port that is taken: `up` and `receiver` say so and start nothing; `ready` is said of our own receiver only."""

from __future__ import annotations

import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from worker.config import Settings
from worker.core.identity import PROCESS_HEADER
from worker.embedded.supervisor import ChildSpec, Supervisor
from worker.processes.listening import require_port
from worker.processes.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.command import Command


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def configured(folder: Path, taken: int) -> Path:
    systems = '[systems.robaws]\nenabled = true\nbase_url = "http://127.0.0.1:1/api/v2"\n'
    systems += 'username = "api"\npassword = "pass-word"\nwebhook_secrets = ["secret-one"]\n'
    (folder / "contactsync.toml").write_text(f"{systems}[receiver]\nport = {taken}\n")
    return folder


@pytest.mark.parametrize("part", ["up", "receiver"])
def test_a_busy_port_ends_the_command_before_anything_is_started(
    contactsync: Command, configured: Path, taken: int, part: str
) -> None:
    ran = contactsync(part)

    assert ran.status == 2
    assert f"cannot listen at 127.0.0.1 port {taken} (Address already in use)" in ran.err
    assert "receiver.port" in ran.err
    assert "ready" not in ran.out
    assert not (configured / ".contactsync").exists()


def test_a_connection_that_an_earlier_run_closed_does_not_hold_up_a_restart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as earlier:
        port = int(earlier.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as sender:
            accepted, _ = earlier.accept()
            accepted.close()  # who closes first is the one whose port stays in TIME_WAIT
            assert sender.recv(1) == b""
    with socket.socket() as strict, pytest.raises(OSError, match="in use"):
        strict.bind(("127.0.0.1", port))

    require_port("127.0.0.1", port)


class _Ready(BaseHTTPRequestHandler):
    """Somebody's `/readyz`."""

    process: str | None = None
    asked_for: str | None = None

    def do_GET(self) -> None:
        _Ready.asked_for = self.headers[PROCESS_HEADER]
        self.send_response(200)
        if self.process is not None:
            self.send_header(PROCESS_HEADER, self.process)
        self.end_headers()

    @override
    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.mark.slow
def test_the_answer_of_another_process_does_not_make_the_receiver_ready(folder: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ready) as other:
        serving = threading.Thread(target=other.serve_forever, args=(0.05,))
        serving.start()
        settings = Settings.model_validate({"home": str(folder), "receiver": {"port": other.server_port}})
        tree = Tree(settings, tell=print, on_ready=lambda _settings: None)
        asked: list[tuple[str, bool]] = []

        def look() -> bool:
            assert tree.supervisor is not None
            own = tree.supervisor.pids()["receiver"]
            for _Ready.process in (None, str(os.getpid()), str(own)):
                asked.append((_Ready.process or "", tree._receiver_ready()))
                assert _Ready.asked_for == str(own)
            tree.supervisor.stop()
            return True

        sleeper = ChildSpec("receiver", [sys.executable, "-c", "import signal; signal.pause()"], ready=look)
        tree.supervisor = Supervisor([sleeper], folder)
        tree.supervisor.run()
        other.shutdown()
        serving.join()

    assert [ready for _process, ready in asked] == [False, False, True]
