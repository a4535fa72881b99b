"""
Wrong tokens, counted by address and in all: whoever sends too many of them waits.

All of it is in memory, and a receiver's own.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

WINDOW_SECONDS: Final = 60.0
MOST_OF_ONE: Final = 10
MOST_OF_ALL: Final = 100

_IPV6_BITS: Final = 64
"""Of an IPv6 address: the rest is chosen freely by whoever has the network."""


@dataclass
class _Window:
    """How many there were since a moment."""

    since: float
    count: int = 0

    def is_over(self, now: float) -> bool:
        return now - self.since >= WINDOW_SECONDS

    def wait_seconds(self, now: float, most: int) -> int:
        return 0 if self.count < most or self.is_over(now) else ceil(self.since + WINDOW_SECONDS - now)


class Throttle:
    """The counts of the last minute. Only what is let through is counted, so that they stay small."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = _Window(clock())
        self._addresses: dict[str, _Window] = {}

    def wait_seconds(self, address: str) -> int:
        """How long somebody there has to wait before another try; 0 for not at all."""
        now = self._clock()
        own = self._addresses.get(_network(address))
        return max(self._all.wait_seconds(now, MOST_OF_ALL), own.wait_seconds(now, MOST_OF_ONE) if own else 0)

    def wrong(self, address: str) -> None:
        """A wrong token came from there."""
        now = self._clock()
        if self._all.is_over(now):
            self._all = _Window(now)
            self._addresses = {name: window for name, window in self._addresses.items() if not window.is_over(now)}
        own = self._addresses.get(_network(address))
        if own is None or own.is_over(now):
            own = self._addresses[_network(address)] = _Window(now)
        self._all.count += 1
        own.count += 1


def _network(address: str) -> str:
    """What counts as one address."""
    try:
        version = ipaddress.ip_address(address)
    except ValueError:
        return address
    if version.version == 4:
        return address
    mapped = version.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((version, _IPV6_BITS), strict=False))
