"""Recras for the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from tests.conformance.adapter import Says, TargetAdapter, hand_made, names_in
from tests.conformance.declared import Feature
from worker.config.vendors import RecrasSettings
from worker.vendors.recras.rules import UNTOLD_WAIT_SECONDS
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.recras.simulator_access import Key

_NO_REFERENCE: Final = "no reference of ours can be searched, perhaps not even read back (Recras sheets 5.2 and 14)"


class RecrasAdapter(TargetAdapter):
    """One Recras."""

    name = "recras"
    title = "Recras"
    settings_type = RecrasSettings
    lacks: ClassVar[Mapping[Feature, str]] = {
        "canonical": "it is a target: its records are compared by vendor member",
        "reference": _NO_REFERENCE,
        "unique reference": _NO_REFERENCE,
        "unusable records": "a supplier is a 404 there, and no read shows that one is deactivated (Recras sheet 5)",
        "search": "no search is documented (Recras sheet 4): flows keep a directory of its list",
        "merge patch": "a change sends the whole record as it was just read (Recras sheet 5.3)",
        "keys": "it has no idempotency keys (Recras sheet 14): a create is found among the newest records",
        "read only": "it is a target, and is written",
        "full subscription": "no such refusal is known (Recras sheet 6)",
        "daily quota": "no limit is published (Recras sheet 7)",
        "bank data": "its customers hold none (Recras sheet 5)",
    }
    changes_by_itself = frozenset({"displaynaam"})
    untold_wait_seconds = UNTOLD_WAIT_SECONDS
    says = Says("key", "rights", "address", "host", "limits", "address")
    can_delete = False
    # With an e-mail it would answer with the first of the two (Recras sheet 14).
    alike: ClassVar[Mapping[str, Any]] = {"email": None}

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"accept_landcode_btw": True},
        {"person_members_with_id": "refuse"},
        {"person_members_with_id": "apply"},
        {"dedupe": False},
        {"dedupe_effect": "none"},
        {"order": "newest"},
        {"order": "id"},
        {"id_gt_exclusive": True},
        {"page_size": 20},
        {"page_size": 20, "order": "newest"},
        {"show_extra_fields": True},
        {"put_requires_all": True},
        {"delete_orphans": True},
        {"flat_errors": True},
    )

    @override
    def simulator(self, **switches: Any) -> RecrasSimulator:
        return RecrasSimulator(**switches)

    @override
    def by_hand(self, simulator: RecrasSimulator, tag: str) -> str:
        name, email = hand_made(tag)
        person = {"voornaam": "Cas", "achternaam": "Maas", "email1": email}
        return simulator.add_record(naam=name, plaats="Genk", adres="Havenweg 3", contactpersonen=[person])

    @override
    def edit_by_hand(self, simulator: RecrasSimulator, external_id: str) -> tuple[str, str]:
        simulator.edit_record(external_id, {"provinciecode": "BE-VOV"})
        return "provinciecode", "BE-VOV"

    @override
    def names(self, simulator: RecrasSimulator) -> list[str]:
        return names_in(simulator.state()["records"], "naam")

    @override
    def take_the_right(self, simulator: RecrasSimulator) -> None:
        simulator.access.keys = dict.fromkeys(simulator.access.keys, Key(frozenset()))

    @override
    def crowd(self, simulator: RecrasSimulator) -> Mapping[str, Any]:
        simulator.switches.page_size = 50
        return {}

    crowd_size = 120

    @override
    def person_by_hand(self, simulator: RecrasSimulator, external_id: str) -> str:
        return simulator.add_person(external_id, voornaam="Door", achternaam="Staff", email1="door@recras.example")

    @override
    def wrong_credentials(self) -> Mapping[str, Any]:
        return {"api_key": "not-the-key"}

    @override
    def refused_members(self) -> Mapping[str, Any]:
        # Must be one of the kinds of that company (Recras sheet 5); `afdeling` and the like take any text.
        return {"soort_klant": "not a kind of customer"}
