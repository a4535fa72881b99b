"""
Finding the record of a create that was not answered (Recras sheet 14).

No reference of ours can be searched, and there is no idempotency key. What there is: ids ascend, so that a create's
record is among those above the highest id that was known before it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from worker.core.matching_keys import Candidate
from worker.core.normalise import NORMALISERS, folded
from worker.vendors.contract import Intent, Record

_ADDRESS: Final = ("adres", "plaats")
_EMAILS: Final = ("email1", "email2")


class Highest:
    """The highest id that this process has seen, and when it last looked for newer ones (Unix time). Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._id = 0
        self._looked_at: float | None = None

    def saw(self, external_id: str) -> None:
        """This id exists."""
        with self._lock:
            self._id = max(self._id, int(external_id))

    def looked(self, at: float) -> None:
        """All ids that there were at this time have been seen."""
        with self._lock:
            self._looked_at = max(self._looked_at or 0.0, at)

    @property
    def id(self) -> int:
        """The highest id seen, 0 before any."""
        return self._id

    def age_seconds(self, now: float) -> float:
        """How long ago all ids were seen; infinite before the first time."""
        return float("inf") if self._looked_at is None else now - self._looked_at


def sent_email(intent: Intent) -> str:
    """The first e-mail of a create's main contact person, as a key, empty without one; Recras itself matches by it."""
    main = next((person for person in intent.persons if person.get("main")), None)
    return NORMALISERS["email"](((main or {}).get("fields") or {}).get("email1"))


def without_known_emails(intent: Intent, others: Sequence[Candidate], *, unseen: bool) -> Intent:
    """
    A create without the e-mails that a record of `others` with the same name has, so that Recras makes a new customer;
    without any where there may be records that are not among them (`unseen`).
    """
    key, name = NORMALISERS["email"], folded(intent.body.get("naam"))
    known = {key(email) for other in others if folded(other.name) == name for email in other.emails}
    if not known and not unseen:
        return intent
    dropped = None if unseen else known
    return replace(intent, persons=tuple({**one, "fields": _without_emails(one, dropped)} for one in intent.persons))


def _without_emails(person: Mapping[str, Any], known: Set[str] | None) -> dict[str, Any]:
    """The fields of a contact person without these e-mails; None: without any."""
    key, fields = NORMALISERS["email"], dict(person.get("fields") or {})
    dropped = {path for path in _EMAILS if known is None or key(fields.get(path)) in known}
    return {path: value for path, value in fields.items() if path not in dropped}


def is_alike(intent: Intent, klant: Mapping[str, Any]) -> bool:
    """Whether a customer of the list has the name and the address that were sent; case, accents and blanks aside."""
    sent = intent.body
    if not folded(sent.get("naam")) or folded(sent.get("naam")) != folded(klant.get("naam")):
        return False
    postcode = NORMALISERS["postcode"]
    return postcode(sent.get("postcode")) == postcode(klant.get("postcode")) and all(
        folded(sent.get(member)) == folded(klant.get(member)) for member in _ADDRESS
    )


def has_email(record: Record, wanted: str) -> bool:
    """Whether any person of a record has the address."""
    return wanted in {NORMALISERS["email"](email) for email in record.emails}
