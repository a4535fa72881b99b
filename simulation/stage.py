"""Where a story takes place: the simulated vendors and the settings, as the script wants them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from worker.config import Settings
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.robaws.simulator import RobawsSimulator, Switches
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.workspace.simulator import WorkspaceSimulator

if TYPE_CHECKING:
    from simulation.clock import Clock
    from simulation.script import Script
    from worker.vendors.simulation import Simulator

BASES: Final = {
    "robaws": "https://robaws.example/api/v2",
    "rompslomp": "https://rompslomp.example/api/v1",
    "recras": "https://recras.example/api2",
    "workspace": "https://workspace.example/api/v1",
}
EXTRA_FIELDS: Final = {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"}


def build_simulators(script: Script, clock: Clock, rng: random.Random) -> dict[str, Simulator]:
    """The vendors, on the true time."""
    options: dict[str, dict[str, Any]] = script.setup.simulators
    common: dict[str, Any] = {"clock": clock.vendor_time, "random": rng.random}
    return {
        "robaws": RobawsSimulator(seed=script.seed, switches=Switches(**options["robaws"]), **common),
        "rompslomp": RompslompSimulator(seed=script.seed, **options["rompslomp"], **common),
        "recras": RecrasSimulator(seed=script.seed, **options["recras"], **common),
        "workspace": WorkspaceSimulator(**options["workspace"], **common),
    }


def build_settings(script: Script, simulators: dict[str, Simulator]) -> Settings:
    """The settings that point at them."""
    setup = script.setup
    found: dict[str, dict[str, Any]] = {}
    for name, simulator in simulators.items():
        found[name] = {**simulator.settings(BASES[name]), **setup.settings[name]}
        if name != "robaws":
            found[name] |= {"on_gone": setup.on_gone[name], "fields": setup.owners[name]}
    found["robaws"]["write_back"] = {system: EXTRA_FIELDS[system] for system in setup.write_back}
    return Settings.model_validate({"systems": found, "worker": {"concurrency": 4 * setup.slots}})
