"""
What the suite has to know of a vendor that the contract does not say: how it is made ready, and how it is put into a
state. One small class for each vendor stands in `vendors/`; no check knows which one it has before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import SecretStr
from typing_extensions import override

from tests.conformance.declared import Feature
from tests.conformance.samples import email_of, name_of
from worker.config.systems import SystemSettings
from worker.core.contact import Json
from worker.core.mapping import Ours, VendorMapping
from worker.core.persons import PersonPlan
from worker.vendors import contract
from worker.vendors.contract import Created, Intent, Record
from worker.vendors.simulation import Simulator
from worker.vendors.transport import Request, Session


@dataclass(frozen=True)
class Says:
    """The subject of the finding with which `check()` tells of each state."""

    credentials: str
    right: str
    address: str
    unreachable: str
    limited: str
    broken: str


class Adapter(ABC):
    """
    One vendor for the suite.

    `lacks` says, for each feature that the vendor has not, why; what its capabilities tell is compared with it.
    `unknown_id` is the id of no record. `changes_by_itself` are members that a write of another member may move.
    `alike` are values with which the vendor makes two records of two contacts that differ in our id alone.
    `readings` are other answers to what its sheet leaves open, with which the client must live; `excused` are the
    checks that one of them makes void, by the name of its switch.
    `untold_wait_seconds` is how long a 429 without a wait is taken to mean, None where the caller decides.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings_type: ClassVar[type[SystemSettings]]
    lacks: ClassVar[Mapping[Feature, str]]
    unknown_id: ClassVar[str] = "2147483646"
    not_an_id: ClassVar[str] = "7/../8"
    changes_by_itself: ClassVar[frozenset[str]] = frozenset()
    untold_wait_seconds: ClassVar[float | None]
    says: ClassVar[Says]
    alike: ClassVar[Mapping[str, Any]] = {}
    open_on_a_tenant: ClassVar[frozenset[str]] = frozenset()

    # ------------------------------------------------------------------------------------------------- the simulator

    @abstractmethod
    def simulator(self, **switches: Any) -> Any:
        """A simulated vendor without records and without limits; `switches` answer what its sheet leaves open."""

    readings: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    excused: ClassVar[Mapping[str, frozenset[str]]] = {}

    @abstractmethod
    def by_hand(self, simulator: Any, tag: str) -> str:
        """A person makes a record with the name and e-mail of a tag; its id."""

    @abstractmethod
    def edit_by_hand(self, simulator: Any, external_id: str) -> tuple[str, str]:
        """A person changes a member that no check writes; its vendor path and the new value."""

    def unusable(self, simulator: Any, tag: str) -> str:
        """A person makes a record that no client may be linked to (a supplier, one in the bin); its id."""
        raise NotImplementedError

    @abstractmethod
    def names(self, simulator: Any) -> list[str]:
        """The names of all records there."""

    @abstractmethod
    def take_the_right(self, simulator: Any) -> None:
        """From now on the credentials are right, and the right to these records is missing."""

    def without_a_worry(self, simulator: Any) -> None:
        """See to it that `check()` has nothing to find; most simulators are so from the start."""
        return

    def crowd(self, simulator: Any) -> Mapping[str, Any]:
        """Make a list come in pages of a size worth a test, where it has pages; settings that belong to it."""
        return {}

    crowd_size: ClassVar[int] = 230

    def fill_the_subscription(self, simulator: Any) -> None:
        """No more records may be made."""
        raise NotImplementedError

    def spend_the_day(self, simulator: Any) -> None:
        """The day's calls are used up."""
        raise NotImplementedError

    def keep_keys_busy(self, simulator: Any) -> None:
        """A request under an idempotency key is still in work when it is repeated."""
        raise NotImplementedError

    def person_by_hand(self, simulator: Any, external_id: str) -> str:
        """A person adds a contact person of their own to a record; its id."""
        raise NotImplementedError

    bank_members: ClassVar[tuple[str, ...]] = ()

    # --------------------------------------------------------------------------------------------------- the settings

    def settings(self, values: Mapping[str, Any]) -> SystemSettings:
        """The settings from values as they stand in a file."""
        return self.settings_type.model_validate({"enabled": True, **values})

    @abstractmethod
    def wrong_credentials(self) -> Mapping[str, Any]:
        """Settings that are refused."""

    def wrong_address(self, settings: SystemSettings) -> Mapping[str, Any]:
        """Settings that lead to no API at the same host."""
        return {"base_url": f"{settings.base_url}/nothing/here"}

    def hosts(self, settings: SystemSettings) -> tuple[str, ...]:
        """The addresses that the client talks to."""
        return (settings.base_url,)

    def secrets(self, settings: SystemSettings) -> tuple[str, ...]:
        """All that is secret in the settings."""
        found: list[str] = []
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            values = value if isinstance(value, tuple) else (value,)
            found += [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
        return tuple(found)

    # ----------------------------------------------------------------------------------------------------- the client

    def build(self, settings: SystemSettings) -> Any:
        """The client, as the product makes it."""
        return contract.build(self.name, settings)

    @abstractmethod
    def read_request(self, client: Any, external_id: str) -> Request:
        """The request that reads one record; a clean-up sends it as DELETE."""

    can_delete: ClassVar[bool] = True

    @abstractmethod
    def mapping(self, client: Any) -> VendorMapping:
        """The table by which records are written."""

    @abstractmethod
    def read(self, client: Any, session: Session, external_id: str) -> Record:
        """One record."""

    @abstractmethod
    def ids(self, client: Any, session: Session) -> Iterator[str]:
        """The ids of a whole list, as the client gives them."""

    def reference(self, client: Any, contact: Json) -> str | None:
        """The reference that a record of this contact carries."""
        return None

    def mark(self, client: Any, session: Session) -> str | None:
        """What must be remembered before a create."""
        return None

    def create(self, client: Any, session: Session, intent: Intent, ours: Ours) -> Created:
        """Make the record."""
        raise NotImplementedError

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
        """Change the record."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ what is refused

    def refused_members(self) -> Mapping[str, Any]:
        """Members that the vendor refuses, by vendor path."""
        raise NotImplementedError

    def refused(self, intent: Intent) -> Intent:
        """A create that is refused for what is in it."""
        return replace(intent, body={**intent.body, **self.refused_members()})


class TargetAdapter(Adapter):
    """A vendor that is a `contract.Target`: the contract says all that the suite needs of its client."""

    @override
    def mapping(self, client: Any) -> VendorMapping:
        table: VendorMapping = client.mapping
        return table

    @override
    def read(self, client: Any, session: Session, external_id: str) -> Record:
        record: Record = client.read(session, external_id)
        return record

    @override
    def ids(self, client: Any, session: Session) -> Iterator[str]:
        for record in client.list_records(session):
            yield record.external_id

    @override
    def reference(self, client: Any, contact: Json) -> str | None:
        reference: str | None = client.reference_for(contact)
        return reference

    @override
    def mark(self, client: Any, session: Session) -> str | None:
        mark: str | None = client.mark(session)
        return mark

    @override
    def create(self, client: Any, session: Session, intent: Intent, ours: Ours) -> Created:
        created: Created = client.create(session, intent, ours)
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
        record: Record | None = client.update(session, external_id, patch, persons, current, key)
        return record

    @override
    def read_request(self, client: Any, external_id: str) -> Request:
        request: Request = client.requests.read(external_id)
        return request


def hand_made(tag: str) -> tuple[str, str]:
    """Name and e-mail of a record that a person makes."""
    return name_of(tag), email_of(tag)


def names_in(records: Sequence[Mapping[str, Any]], member: str) -> list[str]:
    """The names of records of a simulator's state."""
    return [str(record[member]) for record in records]


__all__ = ["Adapter", "Says", "Simulator", "TargetAdapter", "hand_made", "names_in"]
