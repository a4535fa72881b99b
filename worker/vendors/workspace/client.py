"""
Workspace: a target. One contact is one record; contact persons (SubContact) are read as they are and never written.

The class only sends; what to send and what an answer means stands in `rules`, what a record holds in `mapping`. Pages:
https://apidocs.workspace.nl/contacts, https://apidocs.workspace.nl/authorization. There is no search, no paging and no
"changed since": one list holds everything, so flows keep a directory of it (sheet 10.10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from worker.core.contact import Json
from worker.core.mapping import Ours
from worker.core.matching import Candidate
from worker.core.persons import PersonPlan
from worker.errors import MappingError, SyncError
from worker.vendors.contract import Capabilities, Created, Finding, Intent, Record, Target
from worker.vendors.transport import Session
from worker.vendors.workspace import checks, rules
from worker.vendors.workspace.mapping import editable, is_whole, mapping_for, record_of, reference_of

if TYPE_CHECKING:
    from worker.config import WorkspaceSettings

_KEPT: Final = ("client_code", "fax")
"""Members that may be changed and are not ours: a change that sends all members sends these as they are (sheet 5)."""


def build(settings: WorkspaceSettings, phone_region: str = "BE") -> WorkspaceClient:
    """The client of one Workspace account."""
    return WorkspaceClient(settings, phone_region)


class WorkspaceClient(Target):
    """One account. `repeat_400` is how often flows try a 400 again before it is dead (sheet 6)."""

    name: str = "workspace"

    def __init__(self, settings: WorkspaceSettings, phone_region: str = "BE") -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        self.requests = rules.Requests(
            settings.collection_path,
            settings.element_path,
            settings.form_style,
            max(rules.LIST_TIMEOUT_SECONDS, settings.timeout_seconds),
            rules.authorization(settings.auth, settings.username, token),
        )
        self.reference_style = settings.reference_style
        self.reference_offset = settings.reference_offset
        self.repeat_400 = settings.repeat_400
        self.sends_all = settings.update_mode == "all_editable"
        self.table = mapping_for(settings).reading_phones(phone_region)
        self.mapping = self.table
        self.capabilities = Capabilities(
            reference=True,
            reference_is_unique=False,  # not promised: a second POST is taken to make a second record (sheet 13)
            merge_patch=not self.sends_all,
            write_replaces=self.sends_all,
            answer_shows_record=False,  # what a POST answers is assumed, and nothing may depend on it (sheet 4)
        )

    # ------------------------------------------------------------------------------------------------------ reading
    @override
    def reference_for(self, contact: Json) -> str | None:
        """The `client_reference` as the settings shape it."""
        return reference_of(contact, self.reference_style, self.reference_offset)

    @override
    def candidate(self, record: Record) -> Candidate:
        return Candidate(
            record.external_id,
            record.name,
            self.mapping.inward(record.fields),
            record.emails,
            record.reference,
            record.usable,
            record.why_not,
        )

    @override
    def read(self, session: Session, external_id: str) -> Record:
        """One contact; RecordGone when it is not there. One in the bin that is still shown is not usable."""
        response = session.send(self.requests.read(external_id))
        record = record_of(rules.contact_of(response), self.mapping)
        if record.external_id != external_id:
            raise response.broken(f"contact {record.external_id} was shown for {external_id}")
        return record

    @override
    def list_records(self, session: Session) -> Iterator[Record]:
        """Every contact in one GET, suppliers and all. An empty one is no proof that all were deleted (sheet 10.3)."""
        for contact in rules.contacts_of(session.send(self.requests.contacts("list")), session.remarks):
            yield record_of(contact, self.mapping)

    @override
    def search(self, session: Session, contact: Json, reference: str | None) -> Iterator[Record]:
        """The whole list, as the vendor has no search; flows ask their directory instead."""
        return self.list_records(session)

    @override
    def find_created(self, session: Session, intent: Intent) -> list[Record]:
        """The records that carry the create's reference, from a fresh list (sheet 13.4); several may."""
        if intent.reference is None:
            return []
        found = [record for record in self.list_records(session) if record.reference == intent.reference]
        return sorted(found, key=lambda record: int(record.external_id))

    @override
    def mark(self, session: Session) -> str | None:
        """Nothing: the reference is enough."""
        return None

    # ------------------------------------------------------------------------------------------------------ writing
    @override
    def create(self, session: Session, intent: Intent, ours: Ours) -> Created:
        """
        Make the contact. Without an id in the answer the outcome is looked up by its reference (sheet 13.4).

        MappingError, before anything is sent, where a required member has neither value nor stand-in: what is given
        only once could not be put right later (sheet 10.5).
        """
        members = {member: value for member, value in intent.body.items() if value not in (None, "")}
        if intent.reference:
            members["client_reference"] = intent.reference
        for row in self.mapping.rows:
            if row.required and row.vendor not in members:
                members[row.vendor] = self._stand_in(row.vendor)
        shown = rules.contact_if_shown(session.send(self.requests.create(members), intent.key))
        if shown is None or shown.get("client_reference", members["client_reference"]) != members["client_reference"]:
            return Created(None)
        return Created(shown["id"], self._whole(shown))

    @override
    def update(
        self,
        session: Session,
        external_id: str,
        patch: Mapping[str, Any],
        persons: PersonPlan | None,
        current: Record | None,
        key: str,
    ) -> Record | None:
        """Change the members of the patch, or all that may be changed where `update_mode` says so."""
        if not patch:
            return current or self.read(session, external_id)
        members = {
            member: self._stand_in(member) if value in (None, "") and self.mapping.row(member).required else value
            for member, value in patch.items()
        }
        if self.sends_all:
            held = (current or self.read(session, external_id)).fields
            kept = (*editable(self.mapping), *_KEPT)
            # What is blank there is left out: a required member that is blank would have the change refused (10.6).
            members = {member: held[member] for member in kept if held.get(member)} | members
        shown = rules.contact_if_shown(session.send(self.requests.update(external_id, members), key))
        return self._whole(shown) if shown is not None and shown["id"] == external_id else None

    def _stand_in(self, member: str) -> str:
        text = self.table.stand_in(member)
        if text is None:
            raise MappingError(f"Workspace requires {member}, and the client has none")
        return text

    def _whole(self, contact: Json) -> Record | None:
        return record_of(contact, self.mapping) if is_whole(contact, self.mapping) else None

    # -------------------------------------------------------------------------------------------------------- check
    @override
    def check(self, session: Session) -> list[Finding]:
        """One GET of the list: whether the host answers, which 401 it gives, and what is there."""
        try:
            records = list(self.list_records(session))
        except SyncError as error:
            return [checks.refused(error)]
        return checks.listed(records, self.requests.style)
