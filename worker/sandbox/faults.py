"""Faults as JSON: what the faults file and the control API take, checked whole before any of it is set to work."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from worker.errors import ConfigurationError
from worker.vendors.simulation import Simulator


def _not_zero(times: int) -> int:
    if times == 0:
        raise ValueError("is 0: write how many requests, or -1 for all until it is cleared")
    return times


def _expression(path: str | None) -> str | None:
    try:
        re.compile(path or "")
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return path


class FaultSpec(BaseModel):
    """One fault: a kind that the simulator has, and the settings of `worker.vendors.simulation.Fault`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: str
    times: Annotated[int, AfterValidator(_not_zero)] = 1
    method: str | None = None
    path: Annotated[str | None, AfterValidator(_expression)] = None
    sent: Annotated[str | None, AfterValidator(_expression)] = None
    seconds: float = Field(default=0.0, ge=0)
    calls: int = Field(default=0, ge=0)
    status: int = Field(default=500, ge=200, le=599)
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    retry_after: float | None = Field(default=None, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)
    copies: int = Field(default=2, ge=1)

    def add_to(self, simulator: Simulator) -> None:
        """
        Set the fault to work; only what was written is passed on.

        ValueError for a kind that this simulator does not have, TypeError for a setting that the kind does not take.
        """
        written = self.model_dump(include=self.model_fields_set - {"kind"})
        simulator.fail(self.kind, **written)  # type: ignore[arg-type]  # the simulator says which kinds it has


FaultPlan: TypeAlias = Mapping[str, tuple[FaultSpec, ...]]
"""Faults by system."""


def load_faults(path: Path, systems: Mapping[str, Simulator]) -> FaultPlan:
    """The faults file, `{"system": [fault, …]}`. ConfigurationError with all its mistakes at once."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): give the faults file's path") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f'{path} is no object: write {{"robaws": [{{"kind": "drop_after"}}]}}')
    problems: list[str] = []
    plan: dict[str, tuple[FaultSpec, ...]] = {}
    for system, given in document.items():
        if system not in systems:
            problems.append(f"{path}: {system!r} is no system: {_one_of(system, systems)}")
            continue
        try:
            plan[system] = parse_faults(given, systems[system])
        except ConfigurationError as error:
            problems += [f"{path}: {system}: {problem}" for problem in error.problems]
    if problems:
        raise ConfigurationError(problems)
    return plan


def parse_faults(given: Any, simulator: Simulator) -> tuple[FaultSpec, ...]:
    """One fault or a list of them, each tried out on another simulator of the kind. ConfigurationError otherwise."""
    entries = [given] if isinstance(given, dict) else given
    if not isinstance(entries, list):
        raise ConfigurationError("is neither a fault nor a list of faults")
    problems: list[str] = []
    faults: list[FaultSpec] = []
    scratch = type(simulator)()
    for number, entry in enumerate(entries, start=1):
        try:
            fault = FaultSpec.model_validate(entry)
            fault.add_to(scratch)
        except ValidationError as error:
            problems += [f"fault {number}: {_sentence(detail)}" for detail in error.errors()]
        except (TypeError, ValueError) as error:
            problems.append(f"fault {number}: {error}")
        else:
            faults.append(fault)
    if problems:
        raise ConfigurationError(problems)
    return tuple(faults)


def _sentence(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"{name} is not a setting: {_one_of(name, FaultSpec.model_fields)}"
        case "model_type":
            return 'is no object: write {"kind": …}'
        case _:
            return f"{name}: {detail['msg']}"


def _one_of(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(known)}"
