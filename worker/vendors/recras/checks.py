"""What `contactsync check` says of Recras, from the key's user and two short lists (Recras sheets 2, 5 and 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.vendors.contract import Finding, down
from worker.vendors.recras.rules import KEY_STEP, PATH_STEP, RIGHT_STEP

if TYPE_CHECKING:
    from worker.errors import SyncError

_REACH_STEP: Final = "look at systems.recras.base_url and at the network"
_TRY_STEP: Final = "try it in a Recras for testing first: a Recras that does not know these members refuses every write"
_STEPS: Final = {
    "credentials": ("key", KEY_STEP),
    "no_right": ("rights", RIGHT_STEP),
    "wrong_address": ("address", PATH_STEP),
    "broken_answer": ("address", PATH_STEP),
    "unreachable": ("host", _REACH_STEP),
    "no_answer": ("host", _REACH_STEP),
    "server_error": ("host", down("Recras")),
    "rate_limited": ("limits", "wait a minute, then check again; nothing is lost meanwhile"),
}


def user(me: Any) -> Finding:
    """Whose key it is."""
    name = ""
    if isinstance(me, Mapping):
        parts = (me.get("voornaam"), me.get("achternaam"))
        name = str(me.get("displaynaam") or " ".join(str(part) for part in parts if part))
    return Finding("key", True, f"is accepted, and belongs to {name}" if name else "is accepted")


def readable(subject: str) -> Finding:
    """A list that may be read."""
    return Finding(subject, True, "can be read")


def no_contacts(error: SyncError) -> Finding:
    """Without the list of contacts everything works but matching by e-mail."""
    text = f"cannot be read ({error.message}), so that records that are there already are matched without e-mails"
    return Finding("contacts", True, text, "give the key's user the right to see contacts")


def country_and_vat(sent: bool) -> Finding:
    """What the setting means, since nothing but a write can prove it."""
    if sent:
        text = "are sent (send_landcode_btw is on), which no read can prove to be accepted"
        return Finding("country and VAT number", True, text, _TRY_STEP)
    return Finding("country and VAT number", True, "are not sent (send_landcode_btw is off)", _TRY_STEP)


def refused(subject: str, error: SyncError) -> Finding:
    """The finding for a call that failed."""
    told, step = _STEPS.get(error.word, (subject, "try again later"))
    return Finding(told, False, error.message.removesuffix(f": {step}"), step)
