"""
What makes two states the same: everything that later steps depend on, and nothing else.

Ids, counters that only grow and absolute times differ between two paths to one situation; what counts of them is how
they stand to each other, so versions are told from the contact's, and times from now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from simulation.exhaustive.world import World

AHEAD: Final = frozenset(
    {"next_attempt_at", "fetch_next_attempt_at", "probe_at", "throttled_until", "creates_paused_until"}
)
"""Times that something waits for."""
DROPPED: Final = frozenset(
    {
        "id", "correlation_id", "fence", "fetch_fence", "received_at", "created_at", "changed_at", "fetched_at",
        "synced_at", "since", "fetch_since", "seen_at", "at", "closed_at", "raw", "headers", "body", "event_id", "fuse",
        "message", "fetch_message", "fingerprint", "fetch_fingerprint", "resolved_at", "resolved_by", "asked_at",
        "learned", "paused_at", "paused_reason", "content_hash", "sent_at", "key", "modified", "updated_at", "cursor",
        "created", "contact_version",
    }
)  # fmt: skip
VERSIONS: Final = ("wanted_version", "synced_version")


def fingerprint(world: World, rows: Mapping[str, Any], *more: object) -> bytes:
    """Equal for equal situations; `more` is what else makes a difference."""
    contacts = {row["id"]: row for row in rows["contact"] or ()}
    parts = {
        "contact": [_contact(world, row) for row in contacts.values()],
        "link": [_link(world, row, contacts[row["contact_id"]]) for row in rows["link"] or ()],
        "review": sorted(
            (row["link_id"], row["kind"], row["path"]) for row in rows["review"] or () if row["resolved_at"] is None
        ),
        "events": sorted(_event(row, contacts) for row in rows["inbox_event"] or ()),
        "rest": [
            [name, [_plain(world, row) for row in rows[name] or ()]]
            for name in rows
            if name not in ("contact", "link", "review", "inbox_event", "event_tally", "sequences")
        ],
        "vendors": [_without_times(simulator.state()) for simulator in world.simulators.values()],
        "flows": sorted(_flow(flow, rows, contacts) for flow in world.flows.values()),
        "ghost": _ghost(world),
        "more": more,
    }
    return hashlib.blake2b(orjson.dumps(parts, default=_last, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _contact(world: World, row: Mapping[str, Any]) -> dict[str, Any]:
    kept = _plain(world, row)
    kept["version"] = row["version"] > 0
    kept["fetch_wanted"], kept["fetch_done"] = min(2, row["fetch_wanted"] - row["fetch_done"]), 0
    kept["gone_at"] = row["gone_at"] is not None
    return kept


def _link(world: World, row: Mapping[str, Any], contact: Mapping[str, Any]) -> dict[str, Any]:
    kept = _plain(world, row)
    for name in VERSIONS:
        # A version far behind is behind, however far.
        kept[name] = max(-1, row[name] - contact["version"]) if row[name] else None
    return kept


def _event(row: Mapping[str, Any], contacts: Mapping[int, Mapping[str, Any]]) -> tuple[Any, ...]:
    """An event that is over counts only in the equation."""
    if row["state"] in ("applied", "skipped"):
        return ("over",)
    contact = contacts.get(row["contact_id"])
    behind = row["fetch_seq"] - contact["fetch_done"] if contact is not None and row["fetch_seq"] else 0
    return (row["state"], row["source_id"], min(behind, 2))


def _flow(flow: Any, rows: Mapping[str, Any], contacts: Mapping[int, Mapping[str, Any]]) -> tuple[Any, ...]:
    claim = flow.claim
    if claim is None:
        return (flow.name, flow.sent, flow.writes)
    row = next(row for row in rows["link"] if row["id"] == claim.id)
    version = claim.version - contacts[claim.contact_id]["version"]
    kept = {name: value for name, value in vars(claim).items() if name in ("restore", "external_id", "attempts")}
    return (
        flow.name,
        flow.sent,
        flow.writes,
        version,
        row["fence"] == claim.fence,
        orjson.dumps(kept, default=_last).decode(),
    )


def _ghost(world: World) -> dict[str, Any]:
    return {name: value for name, value in vars(world.ghost).items() if name != "received"}


def _without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_times(one) for name, one in value.items() if not _tells_a_time(name)}
    if isinstance(value, list | tuple):
        return [_without_times(one) for one in value]
    return value


def _tells_a_time(name: object) -> bool:
    word = str(name).lower()
    return word in DROPPED - {"id", "key", "at"} or word.endswith(("_at", "date", "datum", "modified", "created"))


def _plain(world: World, row: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in row.items():
        if name in AHEAD:
            kept[name] = None if value is None else _ahead(world, value)
        elif name not in DROPPED:
            kept[name] = _without_keys(value)
    return kept


def _without_keys(value: Any) -> Any:
    """Inside a document, too, a time and a key of one request say nothing."""
    if isinstance(value, Mapping):
        return {name: _without_keys(one) for name, one in value.items() if name not in ("sent_at", "key", "at", "mark")}
    if isinstance(value, list):
        return [_without_keys(one) for one in value]
    return value


def _ahead(world: World, moment: str) -> float:
    """Seconds until then; what is past is due, however long."""
    return max(0.0, round((datetime.fromisoformat(moment) - world.now).total_seconds(), 1))


def _last(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
