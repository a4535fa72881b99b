"""What `contactsync check` says of Workspace, from one GET of the list (Workspace sheets 4, 6 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from worker.vendors.contract import Finding, Record, down
from worker.vendors.workspace.rules import CREDENTIALS_STEP, PATH_STEP, RIGHT_STEP

if TYPE_CHECKING:
    from worker.errors import SyncError

_REACH_STEP: Final = "look at systems.workspace.base_url and at the network; ask Workspace whether its API is offered"
_STEPS: Final = {
    "credentials": ("token", CREDENTIALS_STEP),
    "access_denied": ("rights", RIGHT_STEP),
    "wrong_address": ("address", PATH_STEP),
    "broken_answer": ("answer", PATH_STEP),
    "unreachable": ("host", _REACH_STEP),
    "no_answer": ("host", _REACH_STEP),
    "server_error": ("host", down("Workspace")),
    "rate_limited": ("limits", "wait a minute, then check again; nothing is lost meanwhile"),
}


def refused(error: SyncError) -> Finding:
    """The finding for a list that could not be read."""
    subject, step = _STEPS.get(error.word, ("contacts", "try again later"))
    return Finding(subject, False, error.message.removesuffix(f": {step}"), step)


def listed(records: Sequence[Record], form_style: str) -> list[Finding]:
    """What a list that could be read says; none, or nothing but suppliers, is as good as many."""
    unusable = sum(not record.usable for record in records)
    there = f"{len(records)} there, {unusable} of them suppliers or in the bin" if records else "none there yet"
    return [
        Finding("token", True, "is accepted"),
        Finding("contacts", True, f"can be read ({there})"),
        Finding(
            "form",
            True,
            f"members are written in the style {form_style!r}, which no read can prove",
            "look at the first contact that is made there; if it is refused or empty, try another form_style",
        ),
    ]
