"""
The client of Robaws: a thin shell that sends what `calls` builds and returns what `answers` and `refusals` make of it.

Robaws is the source of contacts. It is read one client at a time in live mode, and listed in replica mode, which has
a quota of its own; it is written only for a write-back of ids and, where another system is the source, to make or
change a client.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from worker.config.checks import is_simulated
from worker.errors import ConfigurationError, RecordGone, VendorBroken, VendorRejected, WrongAddress
from worker.vendors.contract import Capabilities, Created, Finding, Record
from worker.vendors.robaws import answers, calls, check, refusals
from worker.vendors.robaws.endpoints import ANYWHERE, Reception
from worker.vendors.robaws.mapping import (
    DEFAULT_OPTIONS,
    MAPPING,
    Options,
    condition_without_days,
    extra_field,
    extra_patch,
    holds,
    row_values,
    to_canonical,
)
from worker.vendors.robaws.partial import completed, left_out

if TYPE_CHECKING:
    from worker.config.vendors import RobawsSettings
    from worker.core.contact import Json
    from worker.core.wire import Request
    from worker.vendors.robaws.answers import Endpoint
    from worker.vendors.transport import Response, Session

log = structlog.get_logger()

CLIENT_EVENTS: Final = ("client.created", "client.updated")
"""All that Robaws tells of clients: no deletion, no contact person (Robaws sheet 3.5)."""


@dataclass(frozen=True)
class _ListStyle:
    """One way to ask for a list; some resources answer 400 to `updatedFrom` or to `sort` (Robaws sheet 7)."""

    updated_from: bool
    sort: bool


_LIST_STYLES: Final = (_ListStyle(True, True), _ListStyle(False, True), _ListStyle(False, False))


class RobawsClient:
    """Robaws for flows: `contract.Source`, and the few writes. One for each process; threads may share it."""

    name = "robaws"
    capabilities = Capabilities(
        search=False, idempotency_keys=True, merge_patch=True, persons=True, answer_shows_record=False
    )
    mapping = MAPPING

    def __init__(
        self,
        access: calls.Access,
        options: Options = DEFAULT_OPTIONS,
        *,
        sweep_mode: calls.Mode = "replica",
        secrets_known: int = 0,
        reception: Reception = ANYWHERE,
    ) -> None:
        self.access = access
        self.options = options
        self.sweep_mode: calls.Mode = sweep_mode
        self.secrets_known = secrets_known
        self.reception = reception
        self._list_style = 0
        self._address_confirmed = False

    # ------------------------------------------------------------------------------------------------------- reading

    def fetch(
        self, session: Session, source_id: str, before: Callable[[], Mapping[str, Any] | None] | None = None
    ) -> tuple[Json, Mapping[str, Any]]:
        """
        One client as it is now: (canonical, Robaws's own record without bank data).

        A member that the answer leaves out keeps the value of the record `before`, which is asked for only then.

        RecordGone when it is not there. One call; a second one only where Robaws leaves the contact persons out,
        or says null, although they were asked for.
        """
        try:
            raw = answers.client(self._send(session, calls.read_client(self.access, source_id)), source_id)
        except RecordGone:
            self._confirm_address(session)
            raise
        self._address_confirmed = True
        if raw.get("contacts") is None:
            raw["contacts"] = self._persons(session, source_id)
        known = before() if before is not None and left_out(raw) else None
        if known:
            raw, kept = completed(raw, known)
            if kept:
                log.warning("robaws.members_left_out", members=kept)
        condition = condition_without_days(raw, self.options)
        if condition is not None:
            log.warning("robaws.payment_condition_without_days", client=source_id, condition=condition)
        return to_canonical(raw, self.options), raw

    def extra_value(self, raw: Mapping[str, Any], name: str) -> str | int | float | bool | None:
        """The value of one extra field of a record, for the filter of the settings."""
        return extra_field(raw, name)

    def _confirm_address(self, session: Session) -> None:
        """
        Once in a process, before a 404 is believed: do the clients stand at this address at all?

        A wrong base url answers every client with the same 404 as one that is gone (Robaws sheet 10), and "gone" would
        skip their events. WrongAddress when the list is not there either.
        """
        if not self._address_confirmed:
            self.first_client(session)
            self._address_confirmed = True

    def _persons(self, session: Session, source_id: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for page in range(calls.MOST_PAGES):
            try:
                response = self._send(session, calls.list_persons(self.access, source_id, page))
            except RecordGone as error:
                # The client was there a moment ago: a 404 here must not be read as "the client is gone".
                raise VendorBroken("the contact persons of a client that is there cannot be found") from error
            fresh = {answers.record_id(item, response): item for item in answers.page(response)}
            if fresh.keys() <= found.keys():
                break
            found |= fresh
        return list(found.values())

    def list_ids(self, session: Session, updated_from: str | None = None) -> Iterator[tuple[str, str | None]]:
        """
        Every client's id with the time of its last change, each once; with `updated_from` only those changed since.

        `updated_from` is ISO 8601; ValueError where it cannot be read. The overlap between two sweeps is the caller's.
        Whether Robaws honours the filter or ignores it in silence does not matter: results are compared again here, and
        a record whose time is not told is given (Robaws sheet 7, trap 10). Deleted and perhaps archived clients are
        missing (Robaws sheet 11): not being listed does not prove that a client is gone.
        """
        since = None if updated_from is None else _moment(updated_from)
        for source_id, changed in self._listed(session, since):
            if since is None or changed is None or not _before(changed, since):
                yield source_id, changed

    def _listed(self, session: Session, since: datetime.datetime | None) -> Iterator[tuple[str, str | None]]:
        style, response = self._first_page(session, since)
        seen: set[str] = set()
        for page in range(calls.MOST_PAGES):
            if page > 0:
                response = self._send(session, self._list_call(page, since, style))
            listed = answers.listed_clients(response)
            fresh = {source_id: changed for source_id, changed in listed if source_id not in seen}
            if not fresh:
                # The end, whatever `totalPages` says; also where the same page comes for ever (trap 11).
                return
            seen |= fresh.keys()
            yield from fresh.items()

    def _first_page(self, session: Session, since: datetime.datetime | None) -> tuple[_ListStyle, Response]:
        """The first page, asked for more plainly where Robaws answers 400; what worked is remembered."""
        first = self._list_style if since is not None else max(1, self._list_style)
        *earlier, last = range(first, len(_LIST_STYLES))
        for index in earlier:
            try:
                response = self._send(session, self._list_call(0, since, _LIST_STYLES[index]))
            except VendorRejected as error:
                if error.status != 400:
                    raise
                continue
            if index > first:
                self._list_style = index
            return _LIST_STYLES[index], response
        response = self._send(session, self._list_call(0, since, _LIST_STYLES[last]))
        if last > first:
            self._list_style = last
        return _LIST_STYLES[last], response

    def _list_call(self, page: int, since: datetime.datetime | None, style: _ListStyle) -> Request:
        asked = since if style.updated_from else None
        return calls.list_clients(self.access, page, updated_from=asked, sort=style.sort, mode=self.sweep_mode)

    # ------------------------------------------------------------------------------------------------------- writing

    def patch_client(
        self, session: Session, source_id: str, patch: Mapping[str, Any], key: str
    ) -> dict[str, Any] | None:
        """
        Change what a merge patch names; the client as the answer shows it, None where it does not (204).

        The answer shows no contact persons. `key` stands for this one change: the same on every attempt, another one
        for another body (Robaws sheet 5). Busy while the first attempt is still in work; RecordGone where the client is
        not there, WrongAddress where nothing is.
        """
        try:
            response = self._send(session, calls.patch_client(self.access, source_id, patch, key))
        except RecordGone:
            self._confirm_address(session)
            raise
        self._address_confirmed = True
        return answers.patched_client(response, source_id)

    def write_back(
        self, session: Session, source_id: str, values: Mapping[str, str | None], key: str
    ) -> dict[str, str | None] | None:
        """
        Fill extra fields by name with text (None empties one); tells which of these values the answer shows as held.

        A name that is missing from the result was dropped: Robaws does that without an error where the tenant has no
        such field or choice (Robaws sheet 9.2, trap 16). An answer that shows no record (204) is read after, once
        (trap 15). None: the answer shows a record without extra fields, so nobody knows.
        """
        shown = self.patch_client(session, source_id, extra_patch(values), key)
        if shown is None:
            shown = answers.client(self._send(session, calls.read_client(self.access, source_id)), source_id)
        elif "extraFields" not in shown:
            return None
        return {name: value for name, value in values.items() if holds(shown, name, value)}

    def create_client(self, session: Session, body: Mapping[str, Any], key: str) -> Created:
        """
        Make a client of `mapping.body_of` members, once for each key.

        OutcomeUnknown when it may have been made and was not answered: repeat under the same key, within hours; the
        life of a key is not known (Robaws sheet 5).
        """
        response = self._send(session, calls.create_client(self.access, body, key))
        source_id, raw = answers.created_client(response)
        fields = {row.vendor: value for row, value in row_values(raw)}
        return Created(source_id, Record(source_id, fields, name=fields.get("name"), raw=raw))

    # ------------------------------------------------------------------------------------------------------ webhooks

    def list_webhooks(self, session: Session) -> list[Endpoint]:
        """The registered endpoints, without secrets. CredentialsRejected (`no_right`) for all but administrators."""
        found: dict[str, Endpoint] = {}
        for page in range(calls.MOST_PAGES):
            response = self._send(session, calls.list_endpoints(self.access, page))
            fresh = [answers.endpoint(item, response) for item in answers.page(response)]
            if all(endpoint.endpoint_id in found for endpoint in fresh):
                break
            found |= {endpoint.endpoint_id: endpoint for endpoint in fresh}
        return list(found.values())

    def register_webhook(self, session: Session, url: str, key: str, events: Sequence[str] = CLIENT_EVENTS) -> Endpoint:
        """
        Register an address for events; the answer's `secret` is told this once and belongs into the settings.

        `key` stands for this one registration. One that is made again after its removal is another: under the first
        one's key Robaws would answer with the endpoint that is gone.

        ConfigurationError where the address is registered already: Robaws would send every event twice (Robaws sheet
        3.1, trap 22). A Robaws that does not list its endpoints is asked without that look.
        """
        try:
            known = self.list_webhooks(session)
        except (RecordGone, WrongAddress, VendorBroken):
            known = []
        for endpoint in known:
            if endpoint.url.rstrip("/") == url.rstrip("/"):
                raise ConfigurationError(
                    f"{url} is registered at Robaws already (endpoint {endpoint.endpoint_id}): a second registration "
                    "doubles every event; remove that one first if its secret is lost"
                )
        response = self._send(session, calls.register_endpoint(self.access, url, events, key))
        return answers.registered_endpoint(response)

    def remove_webhook(self, session: Session, endpoint_id: str) -> None:
        """End a registration. RecordGone where there is none with that id."""
        self._send(session, calls.remove_endpoint(self.access, endpoint_id))

    # ------------------------------------------------------------------------------------------------------- the rest

    def check(self, session: Session) -> list[Finding]:
        """Look whether credentials, rights and a read work, what is left of the day, and who is told of changes."""
        return check.findings(self, session)

    def first_client(self, session: Session) -> Response:
        """The smallest read there is: a list of one client, in live mode."""
        call = calls.list_clients(self.access, 0, updated_from=None, sort=False, mode="live", size=1)
        return self._send(session, call)

    def _send(self, session: Session, request: Request) -> Response:
        """Send, obey what the headers say is left of the day and of the second, and raise what a refusal means."""
        response = session.send(request)
        told = refusals.quota(response)
        if told is not None:
            session.budget.learn(session.system, request.budget, told.remaining, told.reset_seconds)
        if refusals.nearly_spent(response):
            session.budget.rest(session.system, refusals.REST_SECONDS, request.budget)
        refusals.require_ok(response)
        return response


def build(
    settings: RobawsSettings,
    phone_region: str,
    *,
    private_status: Sequence[str] = (),
    person_kinds: Mapping[str, Sequence[str]] | None = None,
    public_url: str | None = None,
) -> RobawsClient:
    """
    The client from its settings. ConfigurationError where user name or password is missing.

    `private_status` and `person_kinds` are the settings of the same names under `sync`, `public_url` that of the
    receiver. `phone_region` is taken for the sake of the registry: numbers of Robaws are kept as they are written, and
    read where a system is compared with them.
    """
    del phone_region
    if not settings.username or settings.password is None:
        raise ConfigurationError("systems.robaws needs username and password of the API-only user")
    password = settings.password.get_secret_value()
    access = calls.Access(settings.username, password, settings.tenant)
    options = Options(
        tuple(private_status),
        dict(person_kinds or {}),
        frozenset(settings.write_back.values()),
        settings.payment_terms,
    )
    return RobawsClient(
        access,
        options,
        sweep_mode=settings.database_mode_for_sweeps,
        secrets_known=len(settings.webhook_secrets),
        reception=Reception(public_url, is_simulated("robaws", settings.base_url)),
    )


def _moment(text: str) -> datetime.datetime:
    """A time from ISO 8601; one without a zone is UTC (Robaws sheet 9)."""
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def _before(changed: str, since: datetime.datetime) -> bool:
    """Whether a record's own time is earlier; a time that cannot be read is not held against it."""
    try:
        return _moment(changed) < since
    except ValueError:
        return False
