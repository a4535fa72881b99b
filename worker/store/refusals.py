"""What is answered to an operator who asks for something that cannot be: not by them, not there, not now, not so."""

from __future__ import annotations

from worker.errors import SyncError


class Forbidden(SyncError):
    """It takes an admin (HTTP 403)."""

    reason = "forbidden"


class NotFound(SyncError):
    """There is no such thing (HTTP 404)."""

    reason = "not_found"


class Conflict(SyncError):
    """It cannot be done as things stand now (HTTP 409)."""

    reason = "conflict"


class Unfit(SyncError):
    """What was asked makes no sense, whatever the state of things (HTTP 422)."""

    reason = "unfit"
