"""
One line for each thing that happens to a client in a system, where the log has a line for every request.

A line is held back for a moment, so that lines come out in the order of their times although the log of requests does
not: a request is logged when its answer is there, and later than a shorter one that began after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from worker.cli.demo_words import LOST, next_text, reason_text, times
from worker.cli.telling import changed, shortened, told
from worker.core.sent import members
from worker.store.feed import Call, LinkNow

FOLD_SECONDS: Final = 1.0
"""A run of requests is shown at the latest so long after its last one, also when its link has not settled."""

MOST_NAMES: Final = 36
_WRITES: Final = ("create", "update", "write_back")


@dataclass(frozen=True)
class Line:
    """Something that happened: when (Unix time), to whom, what, and the state that it led to."""

    at: float
    who: str
    text: str
    state: str = ""


class Folder:
    """Collects requests until their link settles; `verbose` has a line for each request and each state instead."""

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose
        self._runs: dict[tuple[str | None, str], list[Call]] = {}
        self._settled: dict[tuple[str | None, str], LinkNow] = {}
        self._shown: dict[tuple[str | None, str], tuple[str, int, str | None]] = {}

    def call(self, call: Call) -> list[Line]:
        """Take a request; the lines that are complete now."""
        if self.verbose:
            return [Line(call.at.timestamp(), call.system, told(call))]
        if call.system == "robaws" and call.operation not in _WRITES:
            return [Line(call.at.timestamp(), call.system, _fetched(call))]
        self._runs.setdefault((call.source_id, call.system), []).append(call)
        return []

    def link(self, link: LinkNow, now: datetime) -> list[Line]:
        """Take a link as it stands; a line where it has come to a state in which it stays for a while."""
        key, state = (link.source_id, link.system), (link.state, link.synced_version, link.reason)
        if link.state in ("due", "working"):
            self._settled.pop(key, None)
            return []
        self._settled[key] = link
        if self._shown.get(key) == state:
            return []
        self._shown[key] = state
        calls = self._runs.pop(key, [])
        if self.verbose:
            stands = f"record {link.external_id}, version {link.synced_version}"
            text = stands if link.state == "synced" else reason_text(link) + next_text(link, now)
            return [Line(now.timestamp(), link.system, f"{link.name or link.source_id}: {text}", link.state)]
        if not calls and link.state == "synced":
            return []  # its requests are not in the log yet
        return [_line(calls, link, now)]

    def leftover(self, now: datetime, *, all_of_them: bool = False) -> list[Line]:
        """The runs that no change of their link has ended: the old ones, or all."""
        old = [key for key, run in self._runs.items() if all_of_them or now.timestamp() - _at(run) > FOLD_SECONDS]
        return [_line(self._runs.pop(key), self._settled.get(key), now, key[1]) for key in old]


def _line(calls: Sequence[Call], link: LinkNow | None, now: datetime, system: str = "") -> Line:
    at = _at(calls) if calls else now.timestamp()
    if link is None:
        return Line(at, system, story(calls))
    if link.state == "synced":
        return Line(at, link.system, story(calls, link.external_id), link.state)
    # A request that failed says why by itself.
    why = "" if calls and _kind(calls[-1])[1] else reason_text(link)
    return Line(at, link.system, " → ".join(filter(None, (story(calls), why))) + next_text(link, now), link.state)


def _at(calls: Sequence[Call]) -> float:
    return max(call.at.timestamp() for call in calls)


def story(calls: Sequence[Call], external_id: str | None = None) -> str:
    """A run of requests as one line, with the record that came of it: `5 searches, none found → create ✓ as 12`."""
    groups = [(key, list(group)) for key, group in itertools.groupby(calls, key=_kind)]
    record = f" as {external_id}" if external_id else ""
    parts = []
    for place, ((operation, failed), group) in enumerate(groups):
        creates_next = any(name == "create" for (name, _failed), _ in groups[place + 1 : place + 2])
        if failed:
            parts.append(_failure(group[-1]))
        elif operation == "create":
            parts.append(f"create ✓{record}")
        elif operation in _WRITES:
            parts.append(_updated(group))
        else:
            parts.append(times(len(group), operation) + (", none found" if creates_next else ""))
    if record and not any(operation in _WRITES and not failed for (operation, failed), _ in groups):
        parts.append(f"there it is{record}")
    return " → ".join(parts)


def _kind(call: Call) -> tuple[str, bool]:
    """Requests of one kind stand together; a list that does not exist yet (404) is an empty one."""
    if call.operation in _WRITES:
        return call.operation, call.status is None or call.status >= 400
    operation = "search" if call.operation in ("search", "list") else "read"
    return operation, call.status is None or (call.status >= 400 and call.status != 404)


def _failure(call: Call) -> str:
    writes = call.operation in _WRITES
    if call.status is None:
        return f"{call.operation} sent, {LOST}" if writes else "no answer"
    return f"{call.operation} refused ({call.status})" if call.status < 500 else f"error page ({call.status})"


def _updated(group: Sequence[Call]) -> str:
    """Updates with the fields that they changed."""
    updates = f"{times(len(group), 'update') if len(group) > 1 else 'update'} ✓"
    if group[0].system == "robaws":
        # A write-back: the values are the ids that people at the office see.
        return f"{updates} {shortened(', '.join(filter(None, map(changed, group))), 90)}"
    names = [name for call in group for name in _written(call)]
    return f"{updates} {shortened(', '.join(dict.fromkeys(names)), MOST_NAMES)}".rstrip()


def _written(call: Call) -> list[str]:
    """The fields that a request wrote, where the decisions behind it are known; else all that it sent."""
    sent = members(call.sent)
    rules = [one["path"] for one in call.decisions or () if one.get("action") == "write" and one["path"] in sent]
    return rules or list(sent)


def _fetched(call: Call) -> str:
    if call.status is None or call.status >= 400:
        return _failure(call)
    new = changed(call)
    if new == "new":
        return "read: a new client"
    return f"read, changed: {new.removeprefix('new: ')}" if new else "read, nothing changed"
