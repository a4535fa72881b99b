"""Workspace for the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from tests.conformance.adapter import Says, TargetAdapter, hand_made, names_in
from tests.conformance.declared import Feature
from worker.config.vendors import WorkspaceSettings
from worker.vendors.workspace.rules import UNTOLD_WAIT_SECONDS
from worker.vendors.workspace.simulator import WorkspaceSimulator

_NO_PERSONS: Final = "how contact persons (SubContact) are read and written is not known (Workspace sheet 4.1)"


class WorkspaceAdapter(TargetAdapter):
    """One account."""

    name = "workspace"
    title = "Workspace"
    settings_type = WorkspaceSettings
    lacks: ClassVar[Mapping[Feature, str]] = {
        "canonical": "it is a target: its records are compared by vendor member",
        "pages": "its list is one answer (Workspace sheet 4)",
        "unique reference": "that references are unique is not promised (Workspace sheet 13)",
        "search": "it has no search (Workspace sheet 4): flows keep a directory of its list",
        "persons": _NO_PERSONS,
        "persons written": _NO_PERSONS,
        "keys": "it has no idempotency keys (Workspace sheet 13): a create is found by its reference",
        "read only": "it is a target, and is written",
        "named faults": "its refusal names no field (Workspace sheet 6)",
        "full subscription": "no such refusal is known (Workspace sheet 6)",
        "daily quota": "no limit is published (Workspace sheet 7)",
    }
    changes_by_itself = frozenset({"modified"})
    bank_members = ("bank_name", "bank_nr")
    untold_wait_seconds = UNTOLD_WAIT_SECONDS
    says = Says("token", "rights", "address", "host", "limits", "answer")

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"create_answer": "201"},
        {"create_answer": "id_only"},
        {"create_answer": "empty"},
        {"change_answer": "empty"},
        {"duplicate_reference": "refuse"},
        {"list_trashed": True},
        {"trashed_get": "200"},
        {"refuse_readonly": True},
        {"touch_always": False},
        {"empty_ok": True},
        {"form_styles": ("flat",)},
    )

    @override
    def simulator(self, **switches: Any) -> WorkspaceSimulator:
        return WorkspaceSimulator(**switches)

    @override
    def by_hand(self, simulator: WorkspaceSimulator, tag: str) -> str:
        name, email = hand_made(tag)
        return simulator.add_record(
            name=name, email=email, client_reference=f"7{tag}", location_city="Genk", phone="011 00"
        )

    @override
    def edit_by_hand(self, simulator: WorkspaceSimulator, external_id: str) -> tuple[str, str]:
        simulator.edit_record(external_id, {"fax": "+32 9 111 11 11"})
        return "fax", "+32 9 111 11 11"

    @override
    def unusable(self, simulator: WorkspaceSimulator, tag: str) -> str:
        return simulator.add_record(name=hand_made(tag)[0], type="2")

    @override
    def names(self, simulator: WorkspaceSimulator) -> list[str]:
        return names_in(simulator.state()["records"], "name")

    @override
    def take_the_right(self, simulator: WorkspaceSimulator) -> None:
        simulator.access.allowed = False

    @override
    def wrong_credentials(self) -> Mapping[str, Any]:
        return {"token": "not-the-token"}

    @override
    def refused_members(self) -> Mapping[str, Any]:
        return {"payment_term": "veertien"}
