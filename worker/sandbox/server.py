"""The sandbox as a server: in a thread for tests and the demonstration, or for ever for the command line."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from typing_extensions import override

from worker.errors import ConfigurationError
from worker.sandbox.app import DroppableProtocol, SandboxApp
from worker.sandbox.control import control_app
from worker.sandbox.faults import load_faults
from worker.sandbox.sender import RETRY_SECONDS, WebhookSender
from worker.sandbox.world import World
from worker.vendors.simulation import Simulator

STOP_SECONDS = 1


class SandboxServer:
    """
    Five simulated vendors on one port.

    `faults` is a faults file; `clients` made-up clients are there from the start. Port 0 takes a free one. The
    constructor raises ConfigurationError for a faults file with mistakes, `start` and `serve_forever` for a port
    that cannot be had.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Path | None = None,
        *,
        clients: int = 0,
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
    ) -> None:
        self._host = host
        self._port = port
        plan = load_faults(faults, World().simulators) if faults is not None else None
        self.world = World(plan, clients)
        self.sender = WebhookSender(lambda: self.world.robaws, retry_seconds)
        self.world.on_reset.append(self.sender.begin_anew)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end; known once it has started."""
        if not self.world.url:
            raise RuntimeError("the sandbox has not been started")
        return self.world.url

    @property
    def simulators(self) -> Mapping[str, Simulator]:
        """The simulators by system. A reset puts new ones in, so look them up each time."""
        return self.world.simulators

    def settings(self) -> dict[str, dict[str, Any]]:
        """The `systems.<name>` settings of every system that point here."""
        return self.world.settings()

    def register_webhook(self, url: str) -> str:
        """Register an endpoint at the simulated Robaws; returns its secret, the first one being the printed one."""
        return self.world.robaws.register_webhook(url)

    def seed(self, count: int) -> list[str]:
        """Create made-up clients in Robaws, as a person would; returns their ids."""
        return self.world.seed(count)

    def start(self) -> None:
        """Serve in a thread; returns when requests are answered."""
        bound = self._bind()
        self._server = _Server(self._config())
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [bound]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self._server.serving.wait()

    def stop(self) -> None:
        """End the thread and the port; a request that is being delayed is cut off. Harmless when not started."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> SandboxServer:
        """Started."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stopped."""
        self.stop()

    def serve_forever(self, on_ready: Callable[[SandboxServer], None] | None = None) -> None:
        """Serve in this thread until SIGINT or SIGTERM, then return; `on_ready` is called once it can be reached."""
        bound = self._bind()
        server = _Server(self._config(), on_serving=lambda: on_ready(self) if on_ready is not None else None)
        server.run(sockets=[bound])

    def _bind(self) -> socket.socket:
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            bound = socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            raise ConfigurationError(
                f"the sandbox cannot listen at {self._host} port {self._port} ({error.strerror}): choose another port"
            ) from None
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.world.url = f"http://{host}:{bound.getsockname()[1]}"
        # Some simulators write addresses of their own into answers, and learn theirs here.
        self.world.settings()
        return bound

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            SandboxApp(self.world, control_app(self.world, self.sender)),
            http=DroppableProtocol,
            lifespan="on",
            ws="none",
            # Logging belongs to the process that the sandbox runs in.
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it serves, and which a signal ends without being raised once more."""

    def __init__(self, config: uvicorn.Config, on_serving: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self.serving = threading.Event()
        self._on_serving = on_serving

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with contextlib.ExitStack() as stack:
            # Set also when the start fails: nobody waits for ever.
            stack.callback(self.serving.set)
            await super().startup(sockets)
        if self._on_serving is not None and self.started:
            self._on_serving()

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
