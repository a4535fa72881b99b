"""Where the receiver listens: seen to be free before anything is started."""

from __future__ import annotations

import http.client
import json
import os
import socket
from typing import Final

from worker.errors import ConfigurationError

ANSWER_SECONDS: Final = 2.0
"""How long a receiver of this machine may take to say that it lives."""


def require_port(host: str, port: int) -> None:
    """
    ConfigurationError unless a server can listen there now; 0 stands for any port.

    It is tried as the server will do it, on every address of the host and with SO_REUSEADDR: connections of an earlier
    run that the system still remembers (TIME_WAIT, RFC 9293 section 3.6) are no reason to refuse a restart.
    """
    try:
        for family, kind, protocol, _name, where in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(where)
                probe.listen(1)
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"the receiver cannot listen at {host} port {port} ({why}): end the program that listens there (another "
            "`contactsync up`?), or choose another address with receiver.host and receiver.port"
        ) from None


def receiver_answers(host: str, port: int) -> bool:
    """Whether a receiver of contactsync, of these settings or of others, serves at that address of this machine."""
    name = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host  # noqa: S104  -- compared with
    line = http.client.HTTPConnection(name, port, timeout=ANSWER_SECONDS)
    try:
        line.request("GET", "/healthz")
        answer = line.getresponse()
        return answer.status == 200 and json.loads(answer.read(1_000)) == {"status": "alive"}
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        line.close()


def free_port(host: str) -> int:
    """A port of this host that nobody listens on at the moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
