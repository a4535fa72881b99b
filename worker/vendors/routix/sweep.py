"""
A whole reading of Routix's accounts, and whether it adds up.

The list is paged by offset and has no stated order, so records may be skipped or repeated while it is read; there is
no single read and no change feed (Routix sheet 8, traps 3 to 5). Only a sweep that adds up may count as complete, and
even then one sweep alone does not prove that an account is gone: several in a row do (Routix sheet 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.vendors.routix.answers import Account, Page


@dataclass(frozen=True)
class BranchSweep:
    """
    The accounts of one branch, each once.

    `received` counts what came, repeats included; the two totals are what Routix counted on the first and on the last
    page.
    """

    branch: str
    accounts: Mapping[str, Account]
    received: int
    first_total: int
    last_total: int

    @property
    def why_not(self) -> str:
        """Why this does not count as complete; empty where it does."""
        if self.first_total != self.last_total:
            return f"branch {self.branch} went from {self.first_total} to {self.last_total} accounts while it was read"
        if self.received != len(self.accounts):
            return f"branch {self.branch} moved while it was read: {self.received - len(self.accounts)} came twice"
        if len(self.accounts) != self.last_total:
            return f"branch {self.branch} gave {len(self.accounts)} of its {self.last_total} accounts"
        return ""

    @property
    def complete(self) -> bool:
        """Whether every account of the branch was seen, as far as can be told."""
        return not self.why_not


@dataclass(frozen=True)
class Sweep:
    """All branches. An account that appears in several is one account (Routix sheet 7): the first reading counts."""

    branches: tuple[BranchSweep, ...]

    @property
    def accounts(self) -> dict[str, Account]:
        """Every account by its id."""
        found: dict[str, Account] = {}
        for branch in self.branches:
            for account_id, account in branch.accounts.items():
                found.setdefault(account_id, account)
        return found

    @property
    def why_not(self) -> str:
        """Why this does not count as complete; empty where it does."""
        return "; ".join(branch.why_not for branch in self.branches if branch.why_not)

    @property
    def complete(self) -> bool:
        """Whether an account that is missing here was missing there. False for no branch at all."""
        return bool(self.branches) and all(branch.complete for branch in self.branches)


def collect(branch: str, pages: Iterable[Page]) -> BranchSweep:
    """The sweep of one branch from its pages, at least one."""
    accounts: dict[str, Account] = {}
    totals: list[int] = []
    received = 0
    for page in pages:
        totals.append(page.total)
        received += len(page.accounts)
        for account in page.accounts:
            accounts.setdefault(account.account_id, account)
    return BranchSweep(branch, accounts, received, totals[0], totals[-1])
