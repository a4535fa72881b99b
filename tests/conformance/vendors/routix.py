"""Routix for the suite: a `contract.Source` that can only be listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from tests.conformance.adapter import Adapter, Says, hand_made
from tests.conformance.declared import Feature
from worker.config.systems import SystemSettings
from worker.config.vendors import RoutixSettings
from worker.core.mapping import VendorMapping
from worker.vendors.contract import Record
from worker.vendors.routix.simulator import RoutixSimulator, RoutixSwitches
from worker.vendors.transport import Request, Session

_READ_ONLY: Final = "it can only be read: 405 to anything but GET (Routix sheet 2)"


class RoutixAdapter(Adapter):
    """One organisation; a single account is found by reading the whole list, as there is no other way."""

    name = "routix"
    title = "Routix"
    settings_type = RoutixSettings
    lacks: ClassVar[Mapping[Feature, str]] = {
        "single read": "there is no read of one account (Routix sheet 2, trap 5)",
        "reference": _READ_ONLY,
        "unique reference": _READ_ONLY,
        "search": "there is no filter (Routix sheet 4)",
        "target": _READ_ONLY,
        "unusable records": _READ_ONLY,
        "create": _READ_ONLY,
        "find created": _READ_ONLY,
        "update": _READ_ONLY,
        "merge patch": _READ_ONLY,
        "persons": "the application has contact persons, the API does not show them (Routix sheet 2)",
        "persons written": _READ_ONLY,
        "keys": _READ_ONLY,
        "ids in addresses": "no id of a record is part of an address",
        "named faults": _READ_ONLY,
        "full subscription": _READ_ONLY,
        "daily quota": "its limits are by the minute (Routix sheet 5)",
    }
    unknown_id = "00000000-0000-4000-8000-00000000dead"
    untold_wait_seconds = None
    says = Says("credentials", "branch", "address", "connection", "limits", "address")
    can_delete = False
    bank_members = ("iban", "bic", "comment")

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"token_answer_is_bare": True},
        {"bad_client_status": 400},
        {"v2_grows": True},
        {"empty_as": "text"},
        {"empty_as": "absent"},
        {"naive_times": True},
        {"over_limit": "refuse"},
    )

    @override
    def simulator(self, **switches: Any) -> RoutixSimulator:
        unlimited = RoutixSwitches(requests_per_minute=None, tokens_per_minute=None, **switches)
        return RoutixSimulator(switches=unlimited)

    @override
    def by_hand(self, simulator: RoutixSimulator, tag: str) -> str:
        name, email = hand_made(tag)
        return simulator.add_account(company_name=name, email=email, visit_address_city="Rotterdam")

    @override
    def edit_by_hand(self, simulator: RoutixSimulator, external_id: str) -> tuple[str, str]:
        simulator.change_account(external_id, phone="+31 10 111 1111")
        return "phone", "+31 10 111 1111"

    @override
    def names(self, simulator: RoutixSimulator) -> list[str]:
        return [str(account["company_name"]) for account in simulator.state()["accounts"].values()]

    @override
    def take_the_right(self, simulator: RoutixSimulator) -> None:
        simulator.switches.scopes = ()

    @override
    def crowd(self, simulator: RoutixSimulator) -> Mapping[str, Any]:
        return {"page_size": 20}

    crowd_size = 50

    @override
    def hosts(self, settings: SystemSettings) -> tuple[str, ...]:
        assert isinstance(settings, RoutixSettings)
        return (settings.base_url, settings.token_endpoint)

    @override
    def wrong_credentials(self) -> Mapping[str, Any]:
        return {"client_secret": "routix_not_the_secret"}

    @override
    def read_request(self, client: Any, external_id: str) -> Request:
        raise NotImplementedError("there is no request for one account")

    @override
    def mapping(self, client: Any) -> VendorMapping:
        table: VendorMapping = client.mapping
        return table

    @override
    def read(self, client: Any, session: Session, external_id: str) -> Record:
        contact, raw = client.fetch(session, external_id)
        return Record(external_id, dict(raw), name=contact["name"], raw=raw)

    @override
    def ids(self, client: Any, session: Session) -> Iterator[str]:
        for source_id, _ in client.list_ids(session):
            yield source_id
