"""
The loop fuse: notice that a contact goes to and fro, as two automations do that correct each other for ever.

Counted are returns: a field of the contact takes a value that it has had before, a short while ago. A person who
corrects and corrects back makes two or three; an automation makes them without end. When there are too many, the
contact rests, and each rest in which it was spoken of again is followed by a longer one. What it remembers is a few
digests, kept with the contact's row and dropped when they are old; values are not among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from worker.core.echo import content_hash

MOST_REMEMBERED: Final = 40
"""So many versions are remembered at most; more could not be shown to anybody."""
MOST_FIELDS: Final = 3
_DIGITS: Final = 12


@dataclass(frozen=True)
class FusePolicy:
    """
    Blow at so many `returns` of one field within `within_seconds`; 0 never blows. Then rest so long, and longer each
    time that it goes on; the last rest repeats.
    """

    returns: int = 6
    within_seconds: float = 3600.0
    rest_seconds: tuple[float, ...] = (30.0, 300.0, 3600.0)


@dataclass(frozen=True)
class Seen:
    """One version: when (seconds since 1970), and a digest of each field's value that it changed."""

    version: int
    at: float
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Memory:
    """The versions of late, oldest first, and how many rests the contact has had one after the other."""

    seen: tuple[Seen, ...] = ()
    rests: int = 0

    def to_json(self) -> dict[str, Any] | None:
        """For the contact's row; None where there is nothing to remember."""
        if not self.seen and not self.rests:
            return None
        return {"rests": self.rests, "seen": [[one.version, one.at, dict(one.digests)] for one in self.seen]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Memory:
        """Back from the row."""
        if value is None:
            return cls()
        return cls(tuple(Seen(version, at, digests) for version, at, digests in value["seen"]), value["rests"])


@dataclass(frozen=True)
class Rest:
    """The contact is left alone for so long; `message` is the evidence, without any value of a person's."""

    reason: ClassVar[str] = "ping_pong"
    seconds: float
    message: str


def changed(memory: Memory, policy: FusePolicy, version: int, patch: Mapping[str, Any], now: float) -> Memory:
    """Remember a new version by its patch (RFC 7396) against the one before; what is old is forgotten meanwhile."""
    if policy.returns == 0:
        return Memory()
    digests = {path: content_hash(value)[:_DIGITS] for path, value in _leaves(patch)}
    kept = memory.seen if memory.rests else tuple(one for one in memory.seen if one.at > now - policy.within_seconds)
    return replace(memory, seen=(*kept, Seen(version, now, digests))[-MOST_REMEMBERED:])


def judge(memory: Memory, policy: FusePolicy, *, calm: bool) -> tuple[Memory, Rest | None]:
    """
    Whether the contact rests now. `calm`: nothing had changed, and nobody had said that something did.

    The first look that finds a resting contact calm forgets everything.

    >>> flip = [{"city": city} for city in ("Gent", "Aalst") * 2]
    >>> policy, memory = FusePolicy(returns=2), Memory()
    >>> for version, patch in enumerate(flip, 2):
    ...     memory, rest = judge(changed(memory, policy, version, patch, 60.0 * version), policy, calm=False)
    >>> rest.seconds, memory.rests
    (30.0, 1)
    >>> judge(memory, policy, calm=True)
    (Memory(seen=(), rests=0), None)
    """
    if policy.returns == 0 or (memory.rests and calm):
        return Memory(), None
    counted = returns(memory.seen)
    if not memory.rests and max(counted.values(), default=0) < policy.returns:
        return memory, None
    seconds = policy.rest_seconds[min(memory.rests, len(policy.rest_seconds) - 1)]
    return replace(memory, rests=memory.rests + 1), Rest(seconds, _evidence(memory, counted))


def returns(seen: Sequence[Seen]) -> dict[str, int]:
    """How often each field came back to a value that it had had; fields that never did are left out."""
    had: set[tuple[str, str]] = set()
    counted: dict[str, int] = {}
    for one in seen:
        for field in one.digests.items():
            if field in had:
                counted[field[0]] = counted.get(field[0], 0) + 1
            had.add(field)
    return counted


def _evidence(memory: Memory, counted: Mapping[str, int]) -> str:
    worst = sorted(counted, key=lambda path: (-counted[path], path))[:MOST_FIELDS]
    told = "; ".join(f"{path} came back {counted[path]} times ({_groups(memory.seen, path)})" for path in worst)
    begun, ended = (_clock(at) for at in (memory.seen[0].at, memory.seen[-1].at))
    again = f" It went on through {memory.rests} rests." if memory.rests else ""
    return f"the client goes to and fro, from {begun} to {ended} UTC: {told}.{again}"


def _groups(seen: Sequence[Seen], path: str) -> str:
    """Which versions say the same: `versions 2 = 4 = 6, 3 = 5`."""
    by_value: dict[str, list[str]] = {}
    for one in seen:
        if path in one.digests:
            by_value.setdefault(one.digests[path], []).append(str(one.version))
    return "versions " + ", ".join(" = ".join(group) for group in by_value.values() if len(group) > 1)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _leaves(patch: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in patch.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
