"""Rompslomp for the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from tests.conformance.adapter import Says, TargetAdapter, hand_made, names_in
from tests.conformance.declared import Feature
from worker.config.vendors import RompslompSettings
from worker.vendors.rompslomp.rules import UNTOLD_WAIT_SECONDS
from worker.vendors.rompslomp.simulator import RompslompSimulator

_NO_PERSONS: Final = "a contact has the name of one person, and no list of persons (Rompslomp sheet 6)"


class RompslompAdapter(TargetAdapter):
    """One administration."""

    name = "rompslomp"
    title = "Rompslomp"
    settings_type = RompslompSettings
    lacks: ClassVar[Mapping[Feature, str]] = {
        "canonical": "it is a target: its records are compared by vendor member",
        "persons": _NO_PERSONS,
        "persons written": _NO_PERSONS,
        "keys": "it has no idempotency keys (Rompslomp sheet 13): a create is found by its reference",
        "read only": "it is a target, and is written",
        "daily quota": "no limit of a day is published (Rompslomp sheet 5)",
        "bank data": "its contacts hold none (Rompslomp sheet 6)",
    }
    untold_wait_seconds = UNTOLD_WAIT_SECONDS
    says = Says("token", "contacts", "address", "host", "limits", "address")

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"unique_contact_number": False},
        {"email_any_case": False},
        {"null_draws_number": False},
    )
    excused: ClassVar[Mapping[str, frozenset[str]]] = {
        "unique_contact_number": frozenset({"test_a_second_record_with_the_same_reference_is_refused"}),
    }

    @override
    def simulator(self, **switches: Any) -> RompslompSimulator:
        return RompslompSimulator(**switches)

    @override
    def by_hand(self, simulator: RompslompSimulator, tag: str) -> str:
        name, email = hand_made(tag)
        return simulator.add_record(company_name=name, contact_person_email_address=email, city="Genk", phone="011 00")

    @override
    def edit_by_hand(self, simulator: RompslompSimulator, external_id: str) -> tuple[str, str]:
        simulator.edit_record(external_id, {"phone": "+32 9 111 11 11"})
        return "phone", "+32 9 111 11 11"

    @override
    def unusable(self, simulator: RompslompSimulator, tag: str) -> str:
        return simulator.add_record(company_name=hand_made(tag)[0], is_supplier=True)

    @override
    def names(self, simulator: RompslompSimulator) -> list[str]:
        return names_in(simulator.state()["records"], "name")

    @override
    def take_the_right(self, simulator: RompslompSimulator) -> None:
        for token in simulator.tokens.values():
            token.scopes = frozenset({"public"})

    @override
    def fill_the_subscription(self, simulator: RompslompSimulator) -> None:
        simulator.max_contacts = 0

    @override
    def wrong_credentials(self) -> Mapping[str, Any]:
        return {"token": "not-the-token"}

    @override
    def refused_members(self) -> Mapping[str, Any]:
        return {"country_code": "Belgium"}
