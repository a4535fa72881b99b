"""
How many connections may be open at once, and which of them are closed when there are too many.

Each connection takes an open file, and a process that has none left can accept nobody. So connections end below that
limit: whoever only keeps one open makes room for whoever sends something. A connection that has carried a signed event
is closed last, and never while it sends or waits for an answer.
"""

from __future__ import annotations

import heapq
import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, TypeVar

MOST_CONNECTIONS: Final = 8_192
RESERVED_FILES: Final = 100
"""Open files for everything else: the database, Redis, logs, libraries."""

CLOSED_SHARE: Final = 16
"""One in this many connections is closed at a time, so that a flood does not cost a search for each newcomer."""


class Activity(IntEnum):
    """What a connection does, in the order in which connections are closed."""

    IDLE = 0
    ARRIVING = 1
    ANSWERING = 2


@dataclass(slots=True)
class Sender:
    """What is known of whoever sends on a connection; the application sets `signed` once an event's signature fits."""

    signed: bool = False


class Connection(Protocol):
    """A connection, as far as the choice goes. `since`: when it last changed what it does, in seconds of the loop."""

    @property
    def sender(self) -> Sender: ...

    @property
    def address(self) -> str: ...

    @property
    def activity(self) -> Activity: ...

    @property
    def active_since(self) -> float: ...


C = TypeVar("C", bound=Connection)


def raise_file_limit() -> int:
    """Allow this process the open files that `MOST_CONNECTIONS` need, as far as the system lets it; the limit now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):  # macOS allows less than it says
            return soft
        return wanted
    return soft


def most_connections() -> int:
    """How many connections this process may have, by the limit on open files that it has now."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(soft - RESERVED_FILES, soft // 2))


def to_close(connections: Iterable[C], limit: int) -> list[C]:
    """
    The connections to close so that some more fit below the limit, the least useful first.

    Idle ones come before those whose request is still arriving. Among equals, those of the address that holds the most
    connections come first, and of these the ones that have been so for the longest: one flooding address closes its
    own connections.
    """
    held = list(connections)
    by_address = Counter(connection.address for connection in held)
    candidates = [
        connection for connection in held if not connection.sender.signed or connection.activity is Activity.IDLE
    ]
    wanted = max(1, len(held) - limit + limit // CLOSED_SHARE)
    return heapq.nsmallest(
        wanted,
        candidates,
        key=lambda connection: (
            connection.sender.signed,
            connection.activity,
            -by_address[connection.address],
            connection.active_since,
        ),
    )
