"""Robaws for the suite: a `contract.Source` that can be written too, by methods of its own (`create_client` …)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from tests.conformance.adapter import Adapter, Says, hand_made
from tests.conformance.declared import Feature
from worker.config.systems import SystemSettings
from worker.config.vendors import RobawsSettings
from worker.core import contact as canonical
from worker.core.mapping import Ours, VendorMapping
from worker.core.persons import PersonPlan, TheirPerson
from worker.vendors.contract import Created, Intent, Record
from worker.vendors.robaws import calls
from worker.vendors.robaws.mapping import CREATING, PERSON_ROWS, body_of, row_values
from worker.vendors.robaws.simulator import RobawsSimulator, Switches
from worker.vendors.transport import Request, Session

_KEYS: Final = "a create is resolved by repeating it under its idempotency key (Robaws sheet 5)"
_SOURCE: Final = "it is the source: nothing is matched or linked there"


class RobawsAdapter(Adapter):
    """Reads go through `fetch` and `list_ids`; creates and changes through `create_client` and `patch_client`."""

    name = "robaws"
    title = "Robaws"
    settings_type = RobawsSettings
    lacks: ClassVar[Mapping[Feature, str]] = {
        "reference": _SOURCE,
        "unique reference": _SOURCE,
        "search": _SOURCE,
        "target": _SOURCE,
        "unusable records": _SOURCE,
        "find created": _KEYS,
        "persons written": "its contact persons are read, and nothing writes any",
        "read only": "it is written: ids are written back, and clients of another source",
        "full subscription": "no such refusal is known (Robaws sheet 10)",
        "named faults": "the body of a refusal is documented nowhere, so it is kept as text (Robaws sheet 10)",
    }
    untold_wait_seconds = 1.0
    says = Says("credentials", "clients", "address", "connection", "limits", "address")
    open_on_a_tenant = frozenset({"webhooks", "webhook secret", "daily quota"})
    # Version 1 of the API had such members, and nobody knows whether they live on (Robaws sheet 9).
    bank_members = ("accountNr", "bank", "creditInfo")

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"created_status": 200},
        {"patch_answers_entity": False},
        {"comma_includes": False},
        {"updated_from_refused_on": frozenset({"clients"})},
        {"sort_refused_on": frozenset({"clients"})},
        {"lists_abbreviated": True},
        {"phones_normalised": True},
        {"refused_values_status": 422},
        {"idempotency_headers": ("idempotency-key",)},
        {"idempotency_headers": ("x-robaws-idempotency-key",)},
    )

    @override
    def simulator(self, **switches: Any) -> RobawsSimulator:
        return RobawsSimulator(switches=Switches(**{"rate_per_second": None, "block_after_throttles": 10, **switches}))

    @override
    def by_hand(self, simulator: RobawsSimulator, tag: str) -> str:
        name, email = hand_made(tag)
        address = {"addressLine1": "Havenweg 3", "postalCode": "3600", "city": "Genk", "country": "BE"}
        person = {"name": "Cas", "surname": "Maas", "email": f"cas-{email}"}
        return simulator.add_client(name=name, email=email, address=address, contacts=[person])

    @override
    def edit_by_hand(self, simulator: RobawsSimulator, external_id: str) -> tuple[str, str]:
        simulator.change_client(external_id, gsm="+32 470 11 11 11")
        return "gsm", "+32 470 11 11 11"

    @override
    def names(self, simulator: RobawsSimulator) -> list[str]:
        return [str(client["name"]) for client in simulator.state()["clients"].values()]

    @override
    def take_the_right(self, simulator: RobawsSimulator) -> None:
        simulator.switches.forbidden_modules = frozenset({"clients"})

    @override
    def without_a_worry(self, simulator: RobawsSimulator) -> None:
        simulator.register_webhook("https://contactsync.example/webhooks/robaws")

    @override
    def spend_the_day(self, simulator: RobawsSimulator) -> None:
        simulator.spend_daily_quota("live")
        simulator.spend_daily_quota("replica")

    @override
    def keep_keys_busy(self, simulator: RobawsSimulator) -> None:
        simulator.switches.idempotency_busy_seconds = 60.0

    @override
    def settings(self, values: Mapping[str, Any]) -> SystemSettings:
        # What the suite has just written is read back, which the replica does not promise (Robaws sheet 4).
        return super().settings({**values, "database_mode_for_sweeps": "live"})

    @override
    def wrong_credentials(self) -> Mapping[str, Any]:
        return {"password": "not-the-password"}

    @override
    def read_request(self, client: Any, external_id: str) -> Request:
        return calls.read_client(client.access, external_id)

    @override
    def mapping(self, client: Any) -> VendorMapping:
        return CREATING

    @override
    def read(self, client: Any, session: Session, external_id: str) -> Record:
        contact, raw = client.fetch(session, external_id)
        fields = {row.vendor: value for row, value in row_values(raw)}
        persons = tuple(
            TheirPerson(person["key"], person["main"], {row.vendor: person[row.canonical] for row in PERSON_ROWS})
            for person in contact["persons"]
        )
        return Record(external_id, fields, persons, name=contact["name"], raw=raw)

    @override
    def ids(self, client: Any, session: Session) -> Iterator[str]:
        for source_id, _ in client.list_ids(session):
            yield source_id

    @override
    def create(self, client: Any, session: Session, intent: Intent, ours: Ours) -> Created:
        created: Created = client.create_client(session, body_of(intent.body), intent.key)
        return created

    @override
    def update(
        self,
        client: Any,
        session: Session,
        external_id: str,
        patch: Mapping[str, Any],
        persons: PersonPlan | None,
        current: Record | None,
        key: str,
    ) -> Record | None:
        nested: dict[str, Any] = {}
        for path, value in patch.items():
            canonical.put(nested, path, value)
        raw = client.patch_client(session, external_id, nested, key)
        if raw is None:
            return None
        fields = {row.vendor: value for row, value in row_values(raw)}
        return Record(external_id, fields, name=fields["name"], raw=raw)

    @override
    def refused_members(self) -> Mapping[str, Any]:
        return {"address": []}

    @override
    def refused(self, intent: Intent) -> Intent:
        # An address that is a list is a 400 (Robaws sheet 6); its own members would make an object of it again.
        body = {path: value for path, value in intent.body.items() if not path.startswith("address.")}
        return super().refused(Intent(intent.key, intent.reference, body))
