"""
What keeps a request from being sent or answered, as an error of `worker.errors`; what a vendor answers is elsewhere.

The two must not be confused: what was never sent has changed nothing, while a write that left may have been done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from worker.core import sensitive
from worker.errors import CredentialsRejected, OutcomeUnknown, SyncError, TransientError, VendorUnavailable

if TYPE_CHECKING:
    from worker.core.wire import Request

CREDENTIAL_HEADERS: Final = frozenset(("Authorization", "X-Tenant"))
"""The same in every request to a system: where one cannot be sent, none can."""

_INTERNAL: Final = "internal_error"


class NotFormed(Exception):
    """A request could not even be formed. The text is the kind of the error: its own words quote headers."""


def not_formed(error: NotFormed) -> SyncError:
    """It concerns this one request, and nothing was sent."""
    return TransientError(f"the request could not be formed ({error}); it was not sent", reason=_INTERNAL)


def sendable(system: str, request: Request) -> Request:
    """The request, if HTTP can carry its headers; else an error that says nothing of their values."""
    header = request.unsendable_header
    if header is None:
        return request
    if header not in CREDENTIAL_HEADERS:
        raise TransientError(f"the header {header} cannot be sent as it is; nothing was sent", reason=_INTERNAL)
    what = "a blank at the end, a line break or a character that no header can carry"
    raise CredentialsRejected(
        f"nothing was sent, as the credentials hold {what}: correct systems.{system} in the settings"
    )


def describe(error: httpx.HTTPError) -> str:
    """Its kind and its words, for the attempt's row."""
    return f"{type(error).__name__}: {sensitive.clean_text(str(error))}" if str(error) else type(error).__name__


def network_error(request: Request, error: httpx.HTTPError) -> VendorUnavailable | OutcomeUnknown:
    """What silence means: nothing was sent, it was sent and only asked, or it may have been done."""
    never_sent = isinstance(
        error,
        (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError),
    )
    if never_sent:
        return VendorUnavailable(f"the vendor cannot be reached ({describe(error)})", reason="unreachable")
    if request.writes or request.creates:
        return OutcomeUnknown(f"sent, but not answered ({describe(error)})")
    return VendorUnavailable(f"the vendor did not answer ({describe(error)})", reason="no_answer")
