"""Systems and the summary over the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from webhooks.api.calls import Asked, Call, Outcome
from webhooks.api.contacts import MaybeReason
from webhooks.api.retries import Reason
from worker.store import operating, summary
from worker.store.operating import Acted
from worker.store.summary import Summary, System

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class SystemLine(System):
    """One system with its links by state (none for a system that is not delivered to)."""

    name: str
    links: dict[str, int] | None


@dataclass(frozen=True)
class SystemList:
    """All systems; there are few, so that there is only one page."""

    items: list[SystemLine]
    total: int
    next: str | None = None
    total_is_capped: bool = False


def show_summary(connection: Connection, asked: Asked) -> Summary:
    """Everything in figures, as of one moment."""
    return summary.read(connection, asked.parts.settings, asked.now)


def list_systems(connection: Connection, asked: Asked) -> SystemList:
    """All systems."""
    found = summary.read(connection, asked.parts.settings, asked.now)
    items = [
        SystemLine(**vars(system), name=name, links=dict(found.links[name]) if name in found.links else None)
        for name, system in found.systems.items()
    ]
    return SystemList(items, len(items))


def pause(connection: Connection, asked: Asked) -> Acted:
    """Hold a system."""
    return operating.pause(connection, asked.path["name"], asked.actor, asked.now, asked.body(Reason).reason)


def resume(connection: Connection, asked: Asked) -> Acted:
    """Let it go on."""
    return operating.resume(connection, asked.path["name"], asked.actor, asked.now, asked.body(MaybeReason).reason)


CALLS = (
    Call("GET", "/summary", "viewer", "Everything in figures, as of one moment.", show_summary, Summary),
    Call("GET", "/systems", "viewer", "The systems with their state, quota and lag.", list_systems, SystemList),
    Call(
        "POST",
        "/systems/{name}/pause",
        "operator",
        "Send nothing there until it is resumed; wants a reason.",
        pause,
        Outcome,
        body=Reason,
        refusals=(404,),
    ),
    Call(
        "POST",
        "/systems/{name}/resume",
        "operator",
        "Lift all that holds it back; what waited for it is due.",
        resume,
        Outcome,
        body=MaybeReason,
        refusals=(404,),
    ),
)
