"""What a vendor is like for a while or for the whole story: what it refuses, how much it allows, what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simulation.network import WireFault
from simulation.plots_identity import REFUSED_AFTER_SECONDS, REFUSED_CITY

if TYPE_CHECKING:
    from simulation.story import Story

REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "rompslomp": (422, ('{"error": {"message": "Contact is invalid: City is onjuist.", '
                  '"type": "client.parameters.validation"}}')),
    "recras": (406, '[{"field": "plaats", "message": "Is geen plaats.", "parameters": []}]'),
    "workspace": (400, '{"code": 400}'),
}  # fmt: skip
"""How each vendor refuses a town, by status and body."""
NAME_REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    **REFUSALS,
    "rompslomp": (422, ('{"error": {"message": "Contact is invalid: Company name is onjuist.", '
                  '"type": "client.parameters.validation"}}')),
    "recras": (406, '[{"field": "naam", "message": "Is geen naam.", "parameters": []}]'),
}  # fmt: skip
"""The same for a name, which no request can leave out."""


def refuse_city(story: Story, args: Mapping[str, Any]) -> None:
    """A vendor refuses one word for as long as the story lasts, whoever sends it, and takes its time to say so."""
    status, body = (NAME_REFUSALS if args.get("within") == "name" else REFUSALS)[args["system"]]
    story.faults["refused town"] += 1
    vendor = story.simulators[args["system"]]
    vendor.fail("status", times=-1, sent=REFUSED_CITY, status=status, body=body, seconds=REFUSED_AFTER_SECONDS)
    story.memory.refuses_city.add(args["system"])


def limit(story: Story, args: Mapping[str, Any]) -> None:
    """From now on a vendor allows a few calls in some seconds, and says so with 429 only."""
    simulator: Any = story.simulators[args["system"]]
    limited = simulator.access if hasattr(simulator, "access") else simulator
    limited.rate_limit, limited.rate_window_seconds = args["calls"], args["seconds"]
    story.faults["tight limit"] += 1


def partial(story: Story, args: Mapping[str, Any]) -> None:
    """Robaws leaves members out of its next answers about a client."""
    story.network.faults.append(WireFault("partial", "robaws", args["times"]))
