"""
The host names that this receiver answers to.

A browser that was given our address under another name (DNS rebinding) sends that name as the Host. Only the names of
the settings are served: those of this machine, the listening address, that of `receiver.public_url`, and
`receiver.allowed_hosts`. The port is not compared, since a proxy may have another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from worker.config.sections import ReceiverSettings

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104  -- compared with, not bound to
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s\[\]:/@?#]+))(?::[0-9]*)?")
_MOST_SPELLINGS: Final = 64


@dataclass(frozen=True)
class Misdirected:
    """Why a request is not served: its status, the sentence, and the kind under which it is counted."""

    status: int
    kind: str
    detail: str


_MISSING: Final = Misdirected(400, "host_missing", "the request names no host, or two: send one Host header")
_UNKNOWN: Final = Misdirected(
    421, "host", "this name is not served here: add it to receiver.allowed_hosts, or set receiver.public_url"
)


class AllowedHosts:
    """The allow list of one receiver."""

    def __init__(self, receiver: ReceiverSettings) -> None:
        names = {*LOOPBACK, *receiver.allowed_hosts}
        if receiver.host not in _ANY:
            names.add(receiver.host)
        if receiver.public_url is not None:
            names.add(urlsplit(receiver.public_url).hostname or "")
        self.names: Final = frozenset(name.lower().strip("[]").rstrip(".") for name in names)
        # Hosts as they are written on the wire, so that a sender's usual one costs a look-up and no parsing.
        self._spellings: set[bytes] = set()

    def refusal(self, headers: Sequence[tuple[bytes, bytes]]) -> Misdirected | None:
        """None for a request that may be served."""
        host: bytes | None = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    return _MISSING
                host = value
        if host in self._spellings:
            return None
        return self._look(host)

    def _look(self, host: bytes | None) -> Misdirected | None:
        if not host:
            return _MISSING
        parts = _HOST.fullmatch(host.decode("latin-1").lower())
        if parts is None or (parts[1] or parts[2].rstrip(".")) not in self.names:
            return _UNKNOWN
        if len(self._spellings) < _MOST_SPELLINGS:
            self._spellings.add(host)
        return None
