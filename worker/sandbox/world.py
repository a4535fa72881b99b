"""The five simulated vendors of one sandbox, their addresses, and how they begin."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from worker.sandbox.faults import FaultPlan
from worker.sandbox.seed import seed
from worker.vendors.robaws.simulator import RobawsSimulator
from worker.vendors.simulation import Simulator

SIMULATORS: Final[dict[str, str]] = {
    "robaws": "RobawsSimulator",
    "rompslomp": "RompslompSimulator",
    "recras": "RecrasSimulator",
    "workspace": "WorkspaceSimulator",
    "routix": "RoutixSimulator",
}


class World:
    """
    One simulator for each system.

    `simulators` stays the same mapping for ever, while a reset puts new simulators in: look them up each time.
    `ahead_seconds` says by system how far its clock goes before ours; negative: behind.
    """

    def __init__(self, faults: FaultPlan | None = None, clients: int = 0) -> None:
        self.simulators: dict[str, Simulator] = {}
        self.on_reset: list[Callable[[], None]] = []
        self.url = ""
        self.ahead_seconds: dict[str, float] = {}
        self._faults = faults or {}
        self._clients = clients
        self._begin()

    @property
    def robaws(self) -> RobawsSimulator:
        """The simulated Robaws, which alone sends webhooks."""
        simulator = self.simulators["robaws"]
        assert isinstance(simulator, RobawsSimulator)  # noqa: S101 - `_begin` has put it there
        return simulator

    def base_url(self, system: str) -> str:
        """Where a system answers, with the vendor's own prefix, as its `base_url` setting wants it."""
        return f"{self.url}/{system}{self.simulators[system].prefix}"

    def settings(self) -> dict[str, dict[str, Any]]:
        """The `systems.<name>` settings of each system that point at this sandbox."""
        return {name: simulator.settings(self.base_url(name)) for name, simulator in self.simulators.items()}

    def seed(self, count: int) -> list[str]:
        """Create made-up clients in Robaws, as a person would; returns their ids."""
        return seed(self.robaws, count)

    def reset(self, *, keep_webhooks: bool = False) -> None:
        """Everything as at the start; the registered webhook endpoints too, unless they are kept."""
        kept = list(self.robaws.webhooks.endpoints.values()) if keep_webhooks else []
        self._begin()
        for endpoint in kept:
            self.robaws.webhooks.keep(endpoint)
        for callback in self.on_reset:
            callback()

    def set_clock(self, system: str, ahead_seconds: float) -> None:
        """From now on a system's clock goes so far before ours. An endpoint that has warmed up stays so."""
        moved = ahead_seconds - self.ahead_seconds.get(system, 0.0)
        self.ahead_seconds[system] = ahead_seconds
        if system == "robaws":
            for endpoint in self.robaws.webhooks.endpoints.values():
                endpoint.receives_from += moved

    def _clock_of(self, name: str) -> Callable[[], float]:
        return lambda: time.time() + self.ahead_seconds.get(name, 0.0)

    def _begin(self) -> None:
        self.ahead_seconds.clear()
        for name, class_name in SIMULATORS.items():
            module = import_module(f"worker.vendors.{name}.simulator")
            simulator: Simulator = getattr(module, class_name)(clock=self._clock_of(name))
            simulator.random = random.random
            self.simulators[name] = simulator
        self.seed(self._clients)
        for name, faults in self._faults.items():
            for fault in faults:
                fault.add_to(self.simulators[name])
        self.settings()
