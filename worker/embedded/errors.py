"""What keeps the embedded servers from starting: always a matter of the surroundings, so a ConfigurationError."""

from __future__ import annotations

from worker.errors import ConfigurationError


class EmbeddedError(ConfigurationError):
    """An embedded server cannot run. `message` says what is wrong, `next_step` what the person can do about it."""

    reason = "embedded_server"

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(f"{message} {next_step}")
        self.message = message
        self.next_step = next_step


class HomeInUse(EmbeddedError):
    """Another process runs the servers of this home. `pid` is that process, None when it could not be told."""

    reason = "home_in_use"

    def __init__(self, message: str, next_step: str, *, pid: int | None) -> None:
        super().__init__(message, next_step)
        self.pid = pid


class PortTaken(EmbeddedError):
    """Somebody else listens on the port."""

    reason = "port_taken"
