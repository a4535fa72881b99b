"""
Rompslomp, the books: a target. One contact is one record; contact persons have no place but the main one's name.

The class only sends; what to send and what an answer means stands in `rules`, what a record holds in `mapping`.
Pages: https://rompslomp.nl/developer/requests-responses, https://rompslomp.nl/developer/algemeen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
from typing_extensions import override

from worker.core import contact as canonical
from worker.core.matching import Candidate, recognise
from worker.errors import MappingError, SyncError, VendorBroken, VendorRejected
from worker.vendors.contract import Capabilities, Created, Finding, Intent, Record, Target
from worker.vendors.rompslomp import checks, rules
from worker.vendors.rompslomp.mapping import SEARCHABLE_REFERENCE, mapping_for, record_of, reference_of, search_terms
from worker.vendors.values import numbers_to_search

if TYPE_CHECKING:
    from worker.config import RompslompSettings
    from worker.core.contact import Json
    from worker.core.mapping import Ours, VendorMapping
    from worker.core.persons import PersonPlan
    from worker.vendors.transport import Request, Session

log = structlog.get_logger()

_EMAIL_FILTER: Final = "search[contact_person_email_address]"
_ANY_FILTER: Final = "search[q]"
_NUMBER: Final = ("contact_number",)
_NAMES: Final = ("company_name", "contact_person_name")
_SAME_CREATE: Final = {"name": "text", "contact_person_email_address": "email"}


def build(settings: RompslompSettings, phone_region: str = "BE") -> RompslompClient:
    """The client of one administration."""
    return RompslompClient(settings, phone_region)


class RompslompClient(Target):
    """One administration, as `worker.vendors.contract.Target` wants it."""

    name: str = "rompslomp"

    def __init__(self, settings: RompslompSettings, phone_region: str = "BE") -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        self.requests = rules.Requests(settings.company_id or "", settings.path_template, token)
        self.member: str | None = None if settings.reference_member == "none" else settings.reference_member
        self.prefix = settings.reference_prefix
        self.numbered = settings.number_from == "logic_id"
        mapping = mapping_for(self.member, self.prefix, settings.address, numbered=self.numbered)
        self.mapping: VendorMapping = mapping.reading_phones(phone_region)
        self.capabilities = Capabilities(
            search=True,
            reference=self.member is not None,
            # "unique reference number" is said of `contact_number` alone (sheet 6); free_1..3 take what they are given.
            reference_is_unique=self.member == SEARCHABLE_REFERENCE,
            merge_patch=True,
            answer_shows_record=True,
        )

    # ------------------------------------------------------------------------------------------------------ reading
    @override
    def reference_for(self, contact: Json) -> str | None:
        """Prefix and Robaws id, such as RB-1834; None where no member is set aside for it."""
        return reference_of(contact, self.prefix) if self.member else None

    @override
    def candidate(self, record: Record) -> Candidate:
        """A record in canonical terms."""
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
        """One contact; RecordGone when it is not there."""
        return self._record(rules.contact_of(session.send(self.requests.read(external_id))))

    @override
    def list_records(self, session: Session) -> Iterator[Record]:
        """Every contact, suppliers too. Pages move while they are read, so one may come twice or be missed."""
        yield from self._pages(session, "list")

    @override
    def search(self, session: Session, contact: Json, reference: str | None) -> Iterator[Record]:
        """
        By our reference, VAT number, kvk number, e-mail and name, in this order; all pages of each.

        What comes are candidates: `search[q]` is no equality (sheet 4.1), and is compared by whoever asked. It is not
        known to look through points and blanks either, so the number is asked for in its other spellings too, until
        something comes.
        """
        number = reference if self.member == SEARCHABLE_REFERENCE else self.number_of(contact)
        if number:
            yield from self._pages(session, "search", (_ANY_FILTER, number), needs=_NUMBER)
        for spellings in numbers_to_search(contact):
            for spelling in spellings:
                found = list(self._pages(session, "search", (_ANY_FILTER, spelling), needs=("vat_number",)))
                yield from found
                if found:
                    break
        for member, text in search_terms(contact):
            exact = member == "contact_person_email_address"
            needs = _NAMES if member == "name" else (member,)
            yield from self._pages(session, "search", (_EMAIL_FILTER if exact else _ANY_FILTER, text), needs=needs)

    @override
    def find_created(self, session: Session, intent: Intent) -> list[Record]:
        """
        The record of an unanswered create (sheet 13).

        By our reference where it can be searched. Where it sits in free_1..3, among the records with the customer
        number that was sent, those of the same e-mail and name, and if it is not there in the whole list. Without a
        reference, by e-mail and name alone.
        """
        if intent.reference and self.member == SEARCHABLE_REFERENCE:
            found = self._pages(session, "search", (_ANY_FILTER, intent.reference), needs=_NUMBER)
            return _with_reference(found, intent.reference)
        if intent.reference is None or self.member is None:
            return self._alike(session, intent)
        numbered = self._numbered(session, intent, intent.reference)
        if numbered:
            return numbered
        return _with_reference(self._alike(session, intent), intent.reference) or _with_reference(
            self._pages(session, "list", needs=(self.member,)), intent.reference
        )

    @override
    def mark(self, session: Session) -> str | None:
        """Nothing: the reference is enough."""
        return None

    # ------------------------------------------------------------------------------------------------------ writing
    @override
    def create(self, session: Session, intent: Intent, ours: Ours) -> Created:
        """
        Make the contact. A number that is taken is a VendorRejected with the word `validation` (sheet 13.6).

        What is sent is the intent as it was committed, so that a second POST is the same as the first. Where the number
        is the customer's, the record that has it may be our own of an earlier POST: then it carries our reference.
        """
        members = {member: value for member, value in intent.body.items() if value is not None}
        if self.member and intent.reference:
            members[self.member] = intent.reference
        response = session.send(self.requests.create(members), intent.key)
        try:
            record = self._record(rules.contact_of(response))
        except VendorRejected as error:
            made = self._numbered(session, intent, intent.reference) if error.word == "validation" else []
            if len(made) != 1:
                raise
            return Created(made[0].external_id, made[0])
        return Created(record.external_id, record)

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
        """Change what the patch names; the answer shows the whole record (sheet 6.1)."""
        held = current.fields if current else None
        if held is None and rules.name_wanted(patch):
            held = self.read(session, external_id).fields
        members = rules.patch_members(patch, held)
        if not members:
            return current or self.read(session, external_id)
        response = session.send(self.requests.update(external_id, members), key)
        record = self._record(rules.contact_of(response))
        if record.external_id != external_id:
            raise response.broken(f"contact {record.external_id} was shown after a change of {external_id}")
        return record

    # -------------------------------------------------------------------------------------------------------- check
    @override
    def check(self, session: Session) -> list[Finding]:
        """
        Tell a wrong token, a wrong administration, a missing right and a missing subscription apart (sheet 3).

        One GET of the administrations does it but for the token's own scopes, which are shown nowhere: one GET of a
        page of contacts tells them, and with it whether the path is right and whether those can be read in full.
        """
        findings: list[Finding] = []
        try:
            companies = list(self._items(session, self.requests.companies, "companies"))
            reached = checks.listed(companies) or "no administration"
            findings.append(Finding("token", True, f"is accepted and reaches {reached}"))
            findings += checks.administration(companies, self.requests.company_id)
            if all(finding.ok for finding in findings):
                page = rules.page_of(session.send(self.requests.contacts("check", 1)), "contacts")
                _remark(session, page, ())
                number = "some" if page.total is None else page.total
                findings.append(Finding("contacts", True, f"can be read ({number} there)"))
        except SyncError as error:
            findings.append(checks.refused("contacts" if findings else "token", error))
        return findings

    # ------------------------------------------------------------------------------------------------------ helpers
    def number_of(self, contact: Json) -> str | None:
        """The number of a contact where it is the customer's and not our reference; it is searched like one."""
        number = canonical.get(contact, "references.customer_number") if self.numbered else None
        return str(number) if number else None

    def _numbered(self, session: Session, intent: Intent, reference: str | None) -> list[Record]:
        """The records with the customer number that was sent and with our reference."""
        number = intent.body.get("contact_number") if self.numbered else None
        if not number or reference is None or self.member is None:
            return []
        found = self._pages(session, "search", (_ANY_FILTER, str(number)), needs=(self.member,))
        return _with_reference(found, reference)

    def _pages(
        self, session: Session, operation: str, *filters: tuple[str, str], needs: tuple[str, ...] = ()
    ) -> Iterator[Record]:
        """
        The contacts of all pages. VendorBroken where one of them is odd in what the question `needs`, as nobody could
        tell then whether it is the one that was searched for, and it would be made a second time.
        """

        def request(page: int) -> Request:
            return self.requests.contacts(operation, page, *filters)

        for item in self._items(session, request, "contacts", needs):
            yield self._record(item)

    def _items(
        self, session: Session, request: Callable[[int], Request], root: str, needs: tuple[str, ...] = ()
    ) -> Iterator[Json]:
        """
        The items of all pages, each once, a page asked for when it is wanted.

        A list that counts more than it brings is read once more, as pages move while one reads (sheet 10.6). If both
        together are still too few it is VendorBroken: what seems not to be there would be made a second time.
        """
        brought: set[str] = set()
        total: int | None = None
        for _ in range(rules.MOST_LISTINGS):
            number = seen = 0
            known: set[str] = set()
            while True:
                number += 1
                page = rules.page_of(session.send(request(number)), root)
                _remark(session, page, needs)
                seen += len(page.items)
                fresh = {str(item.get("id")): item for item in page.items if str(item.get("id")) not in known}
                known |= fresh.keys()
                yield from (item for one, item in fresh.items() if one not in brought)
                brought |= fresh.keys()
                if rules.is_last(page, seen, len(fresh)):
                    break
            total = page.total
            if total is None or len(brought) >= total:
                return
        raise VendorBroken(f"the list counts {total} {root} and brings {len(brought)}")

    def _alike(self, session: Session, intent: Intent) -> list[Record]:
        """The records that hold the e-mail and the name of what was sent."""
        sent = dict(intent.body)
        sent["name"] = sent.get("contact_person_name") if sent.get("is_individual") else sent.get("company_name")
        email = sent.get("contact_person_email_address")
        if not email and not sent["name"]:
            raise MappingError("the create had neither a name nor an e-mail to find its record by")
        wanted = (_EMAIL_FILTER, str(email)) if email else (_ANY_FILTER, str(sent["name"]))
        found = {record.external_id: record for record in self._pages(session, "search", wanted)}
        alike = recognise(sent, [(each, record.raw) for each, record in found.items()], _SAME_CREATE)
        return [found[each] for each in alike]

    def _record(self, contact: Json) -> Record:
        return record_of(contact, self.member)


def _remark(session: Session, page: rules.Page, needs: tuple[str, ...]) -> None:
    """Keep and log what of a page cannot be read; VendorBroken where that is what the question `needs`."""
    for external_id, members in page.odd.items():
        remark = f"contact {external_id}: {', '.join(members)} cannot be read"
        if not set(needs).isdisjoint(members):
            raise VendorBroken(f"{remark}, and it may be the one that is searched for")
        if remark not in session.remarks:
            session.remarks.append(remark)
            log.warning("rompslomp.unreadable", contact=external_id, members=list(members))


def _with_reference(records: Iterator[Record] | list[Record], reference: str) -> list[Record]:
    # Compared here: a search for RB-1 brings RB-10 as well (sheet 10.3).
    return [record for record in records if record.reference == reference]
