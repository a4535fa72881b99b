"""Free TCP ports on 127.0.0.1. A port that is free now may be taken a moment later: whoever binds it must retry."""

from __future__ import annotations

import secrets
import socket

from worker.embedded.errors import EmbeddedError

_LOWEST, _HIGHEST = 1024, 65535
_TRIES = 400


def free_port() -> int:
    """A port that nobody listens on: the kernel's choice, and where its ephemeral range is full, one outside of it."""
    port = _try_to_bind(0)
    if port is not None:
        return port
    for _ in range(_TRIES):
        port = _try_to_bind(_LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1))
        if port is not None:
            return port
    raise EmbeddedError(
        "There is no free TCP port on 127.0.0.1.",
        "See what holds them (`ss -tan`), or set `database.url` and `redis.url` to servers elsewhere.",
    )


def _try_to_bind(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
