"""Systems and the summary over the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from webhooks.api.calls import Asked, Call, Outcome
from webhooks.api.contacts import MaybeReason
from webhooks.api.retries import Reason
from worker.core.masks import BY_WORD, Id, Word
from worker.store import operating, summary, systems
from worker.store.operating import Acted
from worker.store.summary import Summary, System
from worker.store.systems import SystemView

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from worker.config import Settings


@dataclass(frozen=True)
class SystemLine(System):
    """
    One system with its links by state (none for a system that is not delivered to).

    `rate_per_second` is how often it may be called: as configured, or less after it refused calls; None where no rate
    is configured. `refusals`: calls refused for their rate (429) since a client last got through.
    """

    name: Word
    links: Annotated[dict[str, int], BY_WORD] | None
    rate_per_second: float | None
    refusals: int


@dataclass(frozen=True)
class SystemList:
    """All systems; there are few, so that there is only one page."""

    items: list[SystemLine]
    total: int
    next: Id | None = None
    total_is_capped: bool = False


def show_summary(connection: Connection, asked: Asked) -> Summary:
    """Everything in figures, as of one moment."""
    return summary.read(connection, asked.parts.settings, asked.now)


def list_systems(connection: Connection, asked: Asked) -> SystemList:
    """All systems."""
    items = lines(connection, asked.parts.settings, asked.now)
    return SystemList(items, len(items))


def lines(connection: Connection, settings: Settings, now: datetime) -> list[SystemLine]:
    """One line for each system."""
    found = summary.read(connection, settings, now)
    views = systems.views(connection)
    items = []
    for name, system in found.systems.items():
        view = views.get(name) or SystemView(name)
        items.append(
            SystemLine(
                **vars(system),
                name=name,
                links=dict(found.links[name]) if name in found.links else None,
                rate_per_second=view.rate or settings.system(name).calls_per_second,
                refusals=view.recovery.refusals if view.recovery else 0,
            )
        )
    return items


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
