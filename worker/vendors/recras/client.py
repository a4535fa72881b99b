"""
Recras, the bookings: a target. One contact is one customer (`klant`) with its contact persons.

The class only sends; what to send stands in `rules` and `bodies`, what an answer means in `rules`, what a record holds
in `mapping` and `persons`. Pages: https://demo.recras.nl/docs/api/endpoints/klanten.html,
https://demo.recras.nl/docs/api/endpoints/contacten.html, https://demo.recras.nl/docs/api/pagination.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from worker.core.contact import Json
from worker.core.mapping import Ours, VendorMapping
from worker.core.matching import Candidate
from worker.core.persons import PersonPlan
from worker.errors import (
    CredentialsRejected,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorRejected,
    WrongAddress,
)
from worker.vendors.contract import Capabilities, Created, Finding, Intent, Record, Target
from worker.vendors.recras import bodies, checks, rules
from worker.vendors.recras.changes import Changes
from worker.vendors.recras.created import Highest, has_email, is_alike, sent_email, without_known_emails
from worker.vendors.recras.mapping import mapping_for, record_of

if TYPE_CHECKING:
    from worker.config import RecrasSettings
    from worker.vendors.transport import Request, Response, Session

BLIND_POSTS_WITH_EMAIL: Final = 5
BLIND_POSTS_WITHOUT_EMAIL: Final = 2
"""After so many unanswered creates a person looks. With an e-mail Recras matches a repeat by itself (sheet 14.4-5)."""

MARK_SECONDS: Final = 600.0
"""How long the highest id that this process saw serves as a create's mark without a new look (see `mark`)."""

_Query = tuple[tuple[str, str], ...]
_BEYOND: Final[_Query] = ((rules.FROM_ID, str(rules.BEYOND_ALL_IDS)),)


def build(settings: RecrasSettings, phone_region: str = "BE") -> RecrasClient:
    """The client of one Recras."""
    return RecrasClient(settings, phone_region)


class RecrasClient(Target):
    """One Recras, as `worker.vendors.contract.Target` wants it; shared by the threads of a process."""

    name: str = "recras"

    def __init__(self, settings: RecrasSettings, phone_region: str = "BE") -> None:
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self.requests = rules.Requests(key, max(rules.LIST_TIMEOUT_SECONDS, float(settings.timeout_seconds)))
        self.sends_hidden = settings.send_landcode_btw
        self.fallback_name = settings.person_fallback_name
        self.reference_field = settings.reference_extra_field
        self.mapping: VendorMapping = mapping_for(settings).reading_phones(phone_region)
        self.capabilities = Capabilities(
            reference=self.reference_field is not None,
            reference_is_unique=False,
            write_replaces=True,
            persons=True,
            answer_shows_record=False,  # the answers to POST and PUT show no contact persons (sheet 5.1)
        )
        self._highest = Highest()
        self._changes = Changes(
            self.requests, settings.put_mode == "full", settings.send_landcode_btw, self._confirm_address
        )

    # ------------------------------------------------------------------------------------------------------ reading
    @override
    def reference_for(self, contact: Json) -> str | None:
        """The Robaws id, where the settings name an extra field for it."""
        robaws_id = (contact.get("references") or {}).get("robaws_id")
        return str(robaws_id) if self.reference_field and robaws_id else None

    @override
    def candidate(self, record: Record) -> Candidate:
        """A record in canonical terms, with the e-mails of all its persons."""
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
        """
        One customer with its contact persons; RecordGone when it is not there.

        Where country and VAT number are sent it is read under `contacten`, the only place that shows them (sheet 5).
        """
        if not self.sends_hidden:
            return self._record(self._read(session, self.requests.read(external_id), external_id))
        shown = self._read(session, self.requests.read_contact(external_id), external_id, persons=False)
        if not shown.get(bodies.PERSONS):
            shown = shown | self._read(session, self.requests.read(external_id), external_id)
        return self._record(shown)

    @override
    def list_records(self, session: Session) -> Iterator[Record]:
        """
        Every customer, from the list of contacts, as only that one shows e-mails (sheet 10).

        Where it is not offered or the right for it is missing, from the list of customers.
        """
        asked_at = session.clock()
        try:
            for contact in self._items(session, "list", self.requests.contacts):
                self._highest.saw(str(contact["id"]))
                if contact.get("type") in (None, "klant"):
                    yield self._record(contact)
        except (WrongAddress, CredentialsRejected) as error:
            if error.status == rules.UNAUTHORIZED:
                raise
            for klant in self._items(session, "list", self.requests.customers):
                yield self._record(klant)
        self._highest.looked(asked_at)

    @override
    def search(self, session: Session, contact: Json, reference: str | None) -> Iterator[Record]:
        """The whole list, as no search is documented; flows ask their directory instead."""
        return self.list_records(session)

    @override
    def find_created(self, session: Session, intent: Intent) -> list[Record]:
        """
        The customers above the mark with the name and address that were sent (sheet 14.4).

        Where an e-mail was sent, they are read one by one, and only those that have it are returned.
        """
        alike = [klant for klant in self._newer(session, int(intent.mark or 0)) if is_alike(intent, klant)]
        wanted = sent_email(intent)
        if not wanted:
            return [self._record(klant) for klant in alike]
        records = (self._still_there(session, str(klant["id"])) for klant in alike)
        return [record for record in records if record is not None and has_email(record, wanted)]

    @override
    def mark(self, session: Session) -> str | None:
        """
        The highest id known, below which a create's record cannot be (sheet 14.1).

        Any id that was there before is a right mark; a newer one only makes the later look shorter. So one that this
        process learned lately, from a list or a create, serves without a request; after a while the newest customers
        are asked for, and in a new process all of them, once.
        """
        now = session.clock()
        if self._highest.age_seconds(now) > MARK_SECONDS:
            for _ in self._newer(session, self._highest.id):
                pass
            self._highest.looked(now)
        return str(self._highest.id)

    def most_blind_posts(self, intent: Intent) -> int:
        """How many creates may go unanswered, each looked for in vain, before a person is asked."""
        return BLIND_POSTS_WITH_EMAIL if sent_email(intent) else BLIND_POSTS_WITHOUT_EMAIL

    # ------------------------------------------------------------------------------------------------------ writing
    @override
    def create(self, session: Session, intent: Intent, ours: Ours) -> Created:
        """
        Make the customer with its persons. 201 is a new one; any other 2xx is one that Recras took for it (trap 3).

        The answer shows no contact persons, so the caller reads once to learn their ids (sheet 14).
        """
        body = bodies.for_create(intent, self.reference_field, self.fallback_name)
        response = session.send(self.requests.create(body), intent.key)
        external_id, shown = rules.created_id(response)
        self._highest.saw(external_id)
        return Created(external_id, self._record(shown) if shown else None, matched=response.status != rules.CREATED)

    @override
    def without_match(self, intent: Intent, others: Sequence[Candidate], *, unseen: bool) -> Intent:
        """Recras takes a new customer for one with its name and the e-mail of a person: those e-mails are left out."""
        return without_known_emails(intent, others, unseen=unseen)

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
        """
        Change what the patch names, and the persons: one PUT for each person that changed, one for the customer.

        The customer's own PUT is made only where it or the list of its persons changes. Persons that were not read
        just now are never part of a list, so `current` is read where it is missing. None, so that the caller reads,
        where ids of persons are to be learnt or an answer showed nothing.
        """
        if not patch and (persons is None or not persons.changes):
            return current or self.read(session, external_id)
        held = current if current is not None and current.persons is not None else self.read(session, external_id)
        after: Json = dict(held.raw)
        whole = True
        for change in persons.kept if persons else ():
            if change.patch:
                whole &= self._changes.person(session, change, after, key)
        listing = bodies.listing_of(persons) if persons is not None and persons.list_changes else []
        if patch or listing:
            whole &= self._changes.klant(session, external_id, patch, listing, after, key)
        return self._record(after) if whole else None

    # -------------------------------------------------------------------------------------------------------- check
    @override
    def check(self, session: Session) -> list[Finding]:
        """
        Tell a wrong address, a wrong key and a missing right apart (sheet 2), in three short requests.

        The lists are asked from an id that no record has: the answer is empty, and shows that they may be read.
        """
        findings: list[Finding] = []
        try:
            response = session.send(self.requests.me())
            if response.status != rules.NOT_FOUND:
                findings.append(checks.user(rules.answer_of(response)))
            rules.list_of_answer(session.send(self.requests.customers("check", _BEYOND)))
            findings = [*(findings or [checks.user(None)]), checks.readable("customers")]
        except SyncError as error:
            return [*findings, checks.refused("customers" if findings else "key", error)]
        try:
            rules.list_of_answer(session.send(self.requests.contacts("check", _BEYOND)))
            findings.append(checks.readable("contacts"))
        except VendorRejected:
            # The parameter is documented for customers only; who refuses it would have answered without it.
            findings.append(checks.readable("contacts"))
        except SyncError as error:
            findings.append(checks.no_contacts(error))
        return [*findings, checks.country_and_vat(self.sends_hidden)]

    # ------------------------------------------------------------------------------------------------------ helpers
    def _record(self, klant: Mapping[str, Any]) -> Record:
        self._highest.saw(str(klant["id"]))
        return record_of(klant, self.mapping, self.reference_field)

    def _read(self, session: Session, request: Request, external_id: str, *, persons: bool = True) -> Json:
        """
        One record, with its persons: a plan without those that are there would throw them out (trap 2).

        At least one is required (sheet 5): an answer with none is asked for once more; null in their place is broken.
        """
        try:
            response = session.send(request)
            shown = rules.record_of_answer(response, external_id)
            if persons and shown.get(bodies.PERSONS) == []:
                response = session.send(request)
                shown = rules.record_of_answer(response, external_id)
        except RecordGone:
            self._confirm_address(session)
            raise
        if persons and not isinstance(shown.get(bodies.PERSONS), list):
            raise response.broken("the answer shows no contact persons")
        return shown

    def _still_there(self, session: Session, external_id: str) -> Record | None:
        try:
            return self.read(session, external_id)
        except RecordGone:
            return None

    def _confirm_address(self, session: Session) -> None:
        """
        Rule out that a 404 means the address: an unknown path and a missing record are the same page (sheets 6, 12.1).

        Every time, since a host can lose its paths while this process lives, and a 404 is rare. WrongAddress, or the
        error that the answer means, where nothing of Recras answers. A key's user who is no member of the staff may not
        be there either, so that then a list of customers decides, which is empty and is there.
        """
        response = session.send(self.requests.me())
        if response.status == rules.NOT_FOUND:
            response = session.send(self.requests.customers("check", _BEYOND))
        if response.is_json and response.status in (rules.FORBIDDEN, rules.NOT_ACCEPTABLE):
            return  # Recras itself says so, so the address is right
        rules.answer_of(response)

    def _newer(self, session: Session, mark: int) -> Iterator[Json]:
        """The customers with an id above the mark; `id>` may be inclusive or not (sheet 4)."""
        query: _Query = ((rules.FROM_ID, str(mark)),) if mark else ()
        for klant in self._items(session, "search", self.requests.customers, query):
            self._highest.saw(str(klant["id"]))
            if int(klant["id"]) > mark:
                yield klant

    def _items(
        self, session: Session, operation: str, request: Callable[[str, _Query], Request], query: _Query = ()
    ) -> Iterator[Json]:
        """
        The records of a whole list, each once, safe under every reading of sheet 4.

        A list that counts more than it brings is read once more, as it may have changed meanwhile. If both together are
        still too few it is VendorBroken: what seems not to be there would be made a second time.
        """
        brought: set[str] = set()
        total: int | None = None
        for _ in range(rules.MOST_LISTINGS):
            total = None
            for response, items in self._parts(session, operation, request, query):
                total = rules.total_of(response) if total is None else total
                fresh = {str(item["id"]): item for item in items if str(item["id"]) not in brought}
                brought |= fresh.keys()
                yield from fresh.values()
            if total is None or len(brought) >= total:
                return
        raise VendorBroken(f"the list counts {total} records and brings {len(brought)}")

    def _parts(
        self, session: Session, operation: str, request: Callable[[str, _Query], Request], query: _Query
    ) -> Iterator[tuple[Response, list[Json]]]:
        """
        The answers that make up one list, with what each holds.

        By Link where there is one. Else a list as long as a page is asked once more from its highest id on; a list
        that does not know that parameter has no pages.
        """
        seen: set[str] = set()
        first = True
        while True:
            try:
                response = session.send(request(operation, query))
                items = rules.list_of_answer(response, session.remarks)
            except VendorRejected:
                if first or not any(name == rules.FROM_ID for name, _ in query):
                    raise
                return
            fresh = {str(item["id"]) for item in items} - seen
            seen |= fresh
            yield response, items
            following = rules.following(response, len(items), seen)
            if following is None or not fresh:
                return
            query, first = following, False
