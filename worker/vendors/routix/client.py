"""
The client of Routix: a source that can only be listed. There is no method that writes, as there is nothing to write to.

A thin shell that sends what `calls` builds and returns what `answers` makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from worker.errors import ConfigurationError, RecordGone, StaleRead
from worker.vendors.contract import Capabilities, Finding
from worker.vendors.routix import answers, calls, check
from worker.vendors.routix.mapping import MAPPINGS, expected, to_canonical
from worker.vendors.routix.sweep import BranchSweep, Sweep, collect
from worker.vendors.routix.tokens import Tokens

if TYPE_CHECKING:
    from worker.config.vendors import RoutixSettings
    from worker.core.contact import Json
    from worker.vendors.routix.answers import Account, Page
    from worker.vendors.transport import Response, Session

MOST_PAGES: Final = 100_000
"""A guard only: a list ends where its total is reached or a page brings nothing new."""


class RoutixClient:
    """
    Routix for flows: `contract.Source`. One for each process; threads may share it.

    `account_types` and `statuses` say which accounts take part; the spelling of a status is not documented, so case
    does not count (Routix sheet 4.1 and 7). `rate_above` is the rate that `check` warns of, None where there is none.
    """

    name = "routix"
    capabilities = Capabilities(
        read=False, list=True, search=False, create=False, update=False, delete=False, answer_shows_record=False
    )

    def __init__(
        self,
        access: calls.Access,
        branches: Sequence[str],
        *,
        country: str = "NL",
        account_types: Sequence[str] = ("customer",),
        statuses: Sequence[str] = ("active",),
        rate_above: float | None = None,
    ) -> None:
        self.access = access
        self.rate_above = rate_above
        self.branches = tuple(dict.fromkeys(branches))
        self.country = country
        self.account_types = frozenset(kind.casefold() for kind in account_types)
        self.statuses = frozenset(status.casefold() for status in statuses)
        self.mapping = MAPPINGS[access.version]
        self._tokens = Tokens(access)

    # ------------------------------------------------------------------------------------------------------- reading

    def list_accounts(self, session: Session, branch: str) -> BranchSweep:
        """Every account of one branch, whatever its type and status. WrongAddress for a branch that does not exist."""
        return collect(branch, self._pages(session, branch))

    def sweep(self, session: Session) -> Sweep:
        """Every account of every branch; see `Sweep.complete` before anything that is missing means something."""
        return Sweep(tuple(self.list_accounts(session, branch) for branch in self.branches))

    def list_ids(self, session: Session, updated_from: str | None = None) -> Iterator[tuple[str, str | None]]:
        """
        The accounts that take part, with the time of their last change, which only v2 tells.

        All of them, whatever `updated_from` says: Routix has no such filter, and whether every edit moves that time is
        not known (Routix sheet 8, trap 3).
        """
        del updated_from
        for account in self.sweep(session).accounts.values():
            if self.takes_part(account):
                yield account.account_id, answers.moment(account.members.get("last_updated_at"))

    def fetch(self, session: Session, source_id: str) -> tuple[Json, Mapping[str, Any]]:
        """
        One account as it is now, found by reading the whole list: there is no single read (Routix sheet 2, trap 5).

        Where a sweep is at hand, `canonical` of its account costs nothing. RecordGone only where the list adds up,
        else StaleRead; one list alone does not prove that an account was deleted.
        """
        swept = self.sweep(session)
        account = swept.accounts.get(source_id)
        if account is not None:
            return self.canonical(account), account.members
        if swept.complete:
            raise RecordGone("the account is in no branch of Routix")
        raise StaleRead(f"the accounts of Routix could not be read as a whole: {swept.why_not}")

    def canonical(self, account: Account) -> Json:
        """The canonical contact of an account. VendorBroken where a member is of a wrong kind."""
        return to_canonical(account.members, self.country)

    def expected(self, contact: Json) -> dict[str, Any]:
        """What the account of a contact should say, for showing drift."""
        return expected(contact, self.access.version)

    def takes_part(self, account: Account) -> bool:
        """Whether the settings want this account, by its type and its status."""
        kind, status = (str(account.members.get(name) or "").casefold() for name in ("account_type", "status"))
        return kind in self.account_types and status in self.statuses

    def check(self, session: Session) -> list[Finding]:
        """Look whether the app's credentials work and which branches can be read."""
        return check.findings(self, session)

    def page(self, session: Session, branch: str, offset: int, limit: int | None = None) -> Page:
        """One page of a branch's accounts."""
        response = self._authorised(session, branch, offset, limit)
        if not response.ok:
            raise answers.failure(response, branch)
        return answers.page(response, self.access.version)

    # ------------------------------------------------------------------------------------------------------- sending

    def _pages(self, session: Session, branch: str) -> Iterator[Page]:
        """
        The pages of a branch. The offset goes on by what came, since a larger page than allowed may be cut (sheet 4).
        """
        seen: set[str] = set()
        offset = 0
        for _ in range(MOST_PAGES):
            page = self.page(session, branch, offset)
            yield page
            ids = {account.account_id for account in page.accounts}
            offset += len(page.accounts)
            if ids <= seen or offset >= page.total:
                return
            seen |= ids

    def _authorised(self, session: Session, branch: str, offset: int, limit: int | None) -> Response:
        """
        Send under the held token; once more under a new one where that was refused.

        A 401 right after a fresh token is a fault of the configuration, and nothing further is tried (trap 9).
        """
        token, fresh = self._tokens.get(session)
        response = session.send(calls.accounts(self.access, token, branch, offset, limit))
        if response.status == 401 and not fresh:
            token, _ = self._tokens.get(session, refused=token)
            response = session.send(calls.accounts(self.access, token, branch, offset, limit))
        if response.status == 401:
            self._tokens.drop(token)
            raise answers.refused_again(response)
        return response


def build(settings: RoutixSettings, phone_region: str) -> RoutixClient:
    """
    The client from its settings. ConfigurationError where the app's id, its secret or the branches are missing.

    `phone_region` is taken for the sake of the registry: numbers of Routix are kept as they are written.
    """
    del phone_region
    if not settings.client_id or settings.client_secret is None or not settings.branches:
        raise ConfigurationError("systems.routix needs client_id, client_secret and branches")
    access = calls.Access(
        settings.client_id,
        settings.client_secret.get_secret_value(),
        settings.token_endpoint,
        settings.api_version,
        settings.page_size,
    )
    return RoutixClient(
        access,
        settings.branches,
        country=settings.country,
        account_types=settings.account_types,
        statuses=settings.statuses,
        rate_above=settings.rate_of_functions_exceeded,
    )
