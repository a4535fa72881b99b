"""A claimed link's lease, looked at before each request and renewed under the fencing token where it runs short."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from worker.errors import LeaseLost
from worker.store import links

if TYPE_CHECKING:
    from worker.runtime import Runtime
    from worker.store.links import LinkClaim

MOST_RENEWALS: Final = 3
SHARE: Final = 0.75
"""No more of a lease than this is ever asked for, so that one shorter than a vendor's timeout works as well."""


def lasting_seconds(runtime: Runtime, system: str, timeout_seconds: float) -> float:
    """How long a lease must last for a write to leave: its timeout, and the time in which it may yet be made."""
    settle = float(runtime.settings.system(system).unknown_settle_seconds)
    return min(timeout_seconds + settle, SHARE * float(runtime.settings.worker.lease_seconds))


class LinkLease:
    """
    The time that a delivery has left; `begun` is the runtime's `elapsed` when the link was claimed.

    The fencing token keeps a late worker from writing into the row; the vendor knows no token. So before a write
    leaves, the lease is made to last until that write is made, or given up and settled. A worker that was stopped for
    longer than its lease loses it here, before anything is sent. What remains is the moment between this look and the
    socket.
    """

    def __init__(self, runtime: Runtime, claim: LinkClaim, begun: float) -> None:
        self.runtime = runtime
        self.claim = claim
        self.until: datetime = claim.until
        self._ends = begun + float(runtime.settings.worker.lease_seconds)

    def hold(self, seconds: float) -> None:
        """
        Renew the lease where a write that may take so long could outlast it.

        LeaseLost where another worker has taken the link over.
        """
        lease = float(self.runtime.settings.worker.lease_seconds)
        lasting = lasting_seconds(self.runtime, self.claim.system, seconds) if seconds else 0.0
        for _ in range(MOST_RENEWALS):
            now, elapsed = self.runtime.now(), self.runtime.elapsed()
            # By both: the database's clock may be set back, and this machine's counter may stand still while its host
            # has taken it off the processor.
            if now + timedelta(seconds=lasting) < self.until and elapsed + lasting < self._ends:
                return
            until = now + timedelta(seconds=lease)
            with self.runtime.statement("deliver.renew") as connection:
                links.renew(connection, self.claim, until)
            self.until, self._ends = until, elapsed + lease
        raise LeaseLost(f"the lease of link {self.claim.id} ran out again and again before a request could leave")
