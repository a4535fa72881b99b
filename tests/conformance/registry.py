"""The five vendors of the suite, and what each has and has not."""

from __future__ import annotations

from typing import Any, Final, get_args

from tests.conformance.adapter import Adapter
from tests.conformance.declared import Check, Feature
from tests.conformance.vendors.recras import RecrasAdapter
from tests.conformance.vendors.robaws import RobawsAdapter
from tests.conformance.vendors.rompslomp import RompslompAdapter
from tests.conformance.vendors.routix import RoutixAdapter
from tests.conformance.vendors.workspace import WorkspaceAdapter
from worker.vendors.contract import Capabilities, Target

ADAPTERS: Final[dict[str, Adapter]] = {
    adapter.name: adapter
    for adapter in (RobawsAdapter(), RompslompAdapter(), RecrasAdapter(), WorkspaceAdapter(), RoutixAdapter())
}

FEATURES: Final[tuple[Feature, ...]] = get_args(Feature)


def why_not(adapter: Adapter, check: Check) -> str | None:
    """Why a check does not apply to a vendor; None where it does."""
    return next((adapter.lacks[feature] for feature in check.needs if feature in adapter.lacks), None)


def told_by(client: Any) -> dict[Feature, bool]:
    """The features that a client's capabilities and its class tell of."""
    can: Capabilities = client.capabilities
    target = isinstance(client, Target)
    return {
        "single read": can.read,
        "canonical": not target,
        "target": target,
        "reference": can.reference,
        "unique reference": can.reference_is_unique,
        "search": can.search,
        "create": can.create,
        "find created": target,
        "update": can.update,
        "merge patch": can.merge_patch,
        "persons": can.persons,
        "persons written": can.persons and target,
        "keys": can.idempotency_keys,
        "read only": not (can.create or can.update or can.delete),
    }
