"""
What every vendor offers, and the registry of vendors.

A vendor is one folder: `client.py` (requests and answers as pure functions, and a thin class that sends),
`mapping.py` (its table), `simulator.py`, `README.md`. Flows know only what stands here. A client turns every answer
into a value or into an error of `worker.errors` at its edge; nothing above knows httpx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.core.contact import Json
    from worker.core.identity import IdShape
    from worker.core.mapping import FieldRow, Ours, VendorMapping
    from worker.core.matching import Candidate
    from worker.core.persons import PersonPlan, TheirPerson
    from worker.vendors.transport import Session

Lane = Literal["live", "background"]


@dataclass(frozen=True)
class Capabilities:
    """
    What a system can do, so that flows need not know which one it is.

    `reference`: a record carries a reference of ours. `reference_is_unique`: the vendor refuses a second record with
    it. `search`: records can be searched at the vendor; otherwise flows keep a directory from whole lists.
    `idempotency_keys`: a repeated create under one key makes nothing twice. `merge_patch`: a write changes only
    what it names; `write_replaces`: a write may replace members that it does not name, so it wants a fresh read.
    `answer_shows_record`: a write's answer holds the whole record. `list_shows_persons`: whether a list is enough to
    match by a person's e-mail.
    """

    read: bool = True
    list: bool = True
    search: bool = False
    create: bool = True
    update: bool = True
    delete: bool = False
    reference: bool = False
    reference_is_unique: bool = False
    idempotency_keys: bool = False
    merge_patch: bool = False
    write_replaces: bool = False
    persons: bool = False
    answer_shows_record: bool = True


@dataclass(frozen=True)
class Record:
    """
    One record as a system holds it.

    `fields` by vendor path: the rows of the mapping that the answer showed, others left out. `persons` is None where
    the answer does not show them. `usable` is False for a record that no client may be linked to (a supplier, one in
    the bin), with the reason in `why_not`. `raw` is the vendor's own record without bank data.
    """

    external_id: str
    fields: Mapping[str, Any]
    persons: tuple[TheirPerson, ...] | None = None
    reference: str | None = None
    usable: bool = True
    why_not: str = ""
    emails: tuple[str, ...] = ()
    name: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


def _in_order(value: Any) -> Any:
    """Members by name, at every level; lists as they are."""
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Intent:
    """
    A create that was decided, as it is committed before the request leaves.

    `body` are the fields by vendor path as they will be sent; `key` the idempotency key; `mark` what the vendor's
    client wants to remember from before the request (Recras: the highest id known), None where it needs nothing;
    `posts` how often a request left; `sent_at` Unix time when the last one left, or was given up, None before that.
    """

    key: str
    reference: str | None
    body: Mapping[str, Any]
    persons: tuple[Mapping[str, Any], ...] = ()
    mark: str | None = None
    posts: int = 0
    sent_at: float | None = None

    def __post_init__(self) -> None:
        # In an order of its own, since jsonb keeps none: a repeat says the same, byte for byte.
        object.__setattr__(self, "body", _in_order(self.body))
        object.__setattr__(self, "persons", tuple(_in_order(person) for person in self.persons))

    def to_json(self) -> dict[str, Any]:
        """The intent as it stands in the link's row."""
        return {
            "key": self.key,
            "reference": self.reference,
            "body": dict(self.body),
            "persons": [dict(person) for person in self.persons],
            "mark": self.mark,
            "posts": self.posts,
            "sent_at": self.sent_at,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Intent:
        """The intent from a link's row."""
        return cls(
            value["key"],
            value.get("reference"),
            value.get("body") or {},
            tuple(value.get("persons") or ()),
            value.get("mark"),
            int(value.get("posts") or 0),
            value.get("sent_at"),
        )


@dataclass(frozen=True)
class Created:
    """
    The answer to a create.

    `external_id` is None where the answer does not tell it (then the outcome is looked up). `matched`: the vendor
    answered with a record that was there before (Recras 200). `record` is what the answer showed, None where nothing.
    """

    external_id: str | None
    record: Record | None = None
    matched: bool = False


@dataclass(frozen=True)
class Finding:
    """
    One line of `contactsync check`: what was looked at, whether it is right, and what to do.

    `warning`: it works, so that the exit status stays as it is, and should not be left so.
    """

    subject: str
    ok: bool
    message: str
    next_step: str = ""
    warning: bool = False


def down(vendor: str) -> str:
    """What to do about a 5xx, whoever sent it."""
    return f"{vendor} itself is down: check again later"


def said(ours: str, theirs: str) -> str:
    """
    A refusal for people: our own sentence, and what the vendor said behind it, which may be in its own language.

    >>> said("Rompslomp does not accept the token", "Het toegangstoken is ongeldig")
    'Rompslomp does not accept the token (Het toegangstoken is ongeldig)'
    """
    return f"{ours} ({theirs.rstrip('.')})" if theirs else ours


@runtime_checkable
class Source(Protocol):
    """A system that contacts come from."""

    name: str
    capabilities: Capabilities

    def fetch(
        self, session: Session, source_id: str, before: Callable[[], Mapping[str, Any] | None] | None = None
    ) -> tuple[Json, Mapping[str, Any]]:
        """
        One contact as it is now: (canonical, the vendor's own record). RecordGone when it is not there.

        `before` gives the vendor's record as it was last fetched: what an answer leaves out is not known, and keeps the
        value that it had.
        """

    def list_ids(self, session: Session, updated_from: str | None = None) -> Iterator[tuple[str, str | None]]:
        """Every id, with the time of its last change where the vendor tells one."""

    def check(self, session: Session) -> list[Finding]:
        """Look whether credentials, rights and a read work; never raises for what the vendor refuses."""


@runtime_checkable
class Target(Protocol):
    """A system that contacts go to. Every method may raise the errors of `worker.errors`."""

    name: str
    capabilities: Capabilities
    mapping: VendorMapping

    def reference_for(self, contact: Json) -> str | None:
        """The reference that a record of this contact carries there; None where the system has no place for one."""

    def candidate(self, record: Record) -> Candidate:
        """A record in canonical terms, for matching."""

    def read(self, session: Session, external_id: str) -> Record:
        """One record; RecordGone when it is not there."""

    def list_records(self, session: Session) -> Iterator[Record]:
        """Every record, page by page; may repeat a record, never reads an empty answer as "all gone"."""

    def search(self, session: Session, contact: Json, reference: str | None) -> Iterator[Record]:
        """
        Records that may be this contact, the likeliest kind of search first, one batch a request.

        Only where `capabilities.search`; the caller stops reading when it knows enough, so a request is made only
        when it is asked for.
        """

    def find_created(self, session: Session, intent: Intent) -> list[Record]:
        """
        After an unanswered create: records that may have come of it, found without trusting any cache.

        Through the reference where there is one, else through what is newer than the intent's mark. The vendor's
        folder has compared them with what was sent: each one returned is, as far as can be told, that create's.
        """

    def mark(self, session: Session) -> str | None:
        """What must be remembered before a create is sent (see `Intent.mark`)."""

    def create(self, session: Session, intent: Intent, ours: Ours) -> Created:
        """Make the record, once. OutcomeUnknown when it may have been made and was not answered."""

    def without_match(self, intent: Intent, others: Sequence[Candidate], *, unseen: bool) -> Intent:
        """
        The same create, without that by which the vendor would take it for one of `others`; with `unseen` also for
        records that are not among them.

        Unchanged where the vendor would take it for none of them, or matches nothing by itself.
        """
        return intent

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
        Change what `patch` names (None empties) and the persons; `current` is the record that was just read, if it was.

        Returns the record as it then stands where the answers showed it whole enough to serve as a snapshot, else
        None: the caller reads. Repeating the same update is harmless. OutcomeUnknown is raised like at a create.
        """

    def check(self, session: Session) -> list[Finding]:
        """Look whether credentials, rights and a read work; never raises for what the vendor refuses."""


Builder = Callable[[Any, str], Any]
"""Makes a client from its settings and the default region for phone numbers."""

KNOWN: Final[tuple[str, ...]] = ("robaws", "rompslomp", "recras", "workspace", "routix")


def build(name: str, settings: Any, phone_region: str = "BE", **more: Any) -> Any:
    """
    The client of a system (its folder's `client.build`), imported only when it is wanted.

    `more` are the folder's own keywords, such as `private_status` and `person_kinds` of Robaws (from `sync`).
    """
    module = import_module(f"worker.vendors.{name}.client")
    return module.build(settings, phone_region, **more)


def field_rows(settings: Settings) -> Callable[[str, str], FieldRow]:
    """How to find the row of a system's table, as these settings shape it, by the system and the vendor path."""

    def row_of(name: str, path: str) -> FieldRow:
        mapping: VendorMapping = build(name, settings.system(name), settings.systems.robaws.phone_region).mapping
        return mapping.row(path)

    return row_of


def id_shape(name: str) -> IdShape:
    """What ids look like in a system that contacts go to (its folder's `ids.SHAPE`); imports no client."""
    shape: IdShape = import_module(f"worker.vendors.{name}.ids").SHAPE
    return shape
