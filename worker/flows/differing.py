"""Where the systems hold another value than they should, for people: by the tables that the settings shape."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from worker.config import TARGETS
from worker.core.differences import Difference, differences
from worker.core.snapshot import Snapshot
from worker.store.listing_history import Because, DifferenceView
from worker.vendors import contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config import Settings
    from worker.store.agreements import Agreement


def of_contact(settings: Settings, agreed: Sequence[Agreement]) -> list[DifferenceView]:
    """The differences of one contact's links, in the systems that are switched on."""
    return [
        _view(link.system, difference)
        for link in agreed
        if (snapshot := Snapshot.from_json(link.snapshot)) is not None
        and link.system in TARGETS
        and settings.system(link.system).enabled
        for difference in _differences(settings, link.system, snapshot)
    ]


def _differences(settings: Settings, system: str, snapshot: Snapshot) -> list[Difference]:
    client = contract.build(system, settings.system(system), settings.systems.robaws.phone_region)
    return differences(client.mapping, snapshot)


def _view(system: str, one: Difference) -> DifferenceView:
    at = datetime.fromisoformat(one.at) if one.at else None
    because = Because(one.rule, one.by, at, one.review)
    return DifferenceView(system, one.path, one.field, one.state, one.ours, one.theirs, because)
