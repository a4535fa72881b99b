"""Webhooks of the simulated Recras: their registration and what they send (Recras sheets 8 and 12.12)."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from worker.vendors.recras.simulator_errors import INVALID, REQUIRED, UNKNOWN, Fault
from worker.vendors.recras.simulator_records import Contact, Person, Records

Change = Literal["postInsert", "postUpdate", "postDelete"]
_NAME = re.compile(r"\w+::post(Insert|Update|Delete|Save)|BookingDefinitive|InvoiceDefinitive")


@dataclass(frozen=True)
class Webhook:
    """One delivery, as it goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    name: str


class Webhooks:
    """The registered addresses and the deliveries that wait to be taken."""

    def __init__(self) -> None:
        self.registered: dict[int, dict[str, Any]] = {}
        self._due: deque[Webhook] = deque(maxlen=10_000)
        self._last_id = 0

    def faults(self, body: Mapping[str, Any], *, new: bool) -> list[Fault]:
        """Why a registration is refused."""
        faults = [Fault(member, UNKNOWN) for member in body if member not in {"name", "url", "active"}]
        faults += [Fault(member, REQUIRED) for member in ("name", "url") if new and not body.get(member)]
        name, url = body.get("name"), body.get("url")
        if name and not (isinstance(name, str) and _NAME.fullmatch(name)):
            faults.append(Fault("name", INVALID))
        if url and not isinstance(url, str):
            faults.append(Fault("url", INVALID))
        if not isinstance(body.get("active", True), bool):
            faults.append(Fault("active", INVALID))
        return faults

    def register(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new registration, as the API shows it."""
        self._last_id += 1
        webhook = {"id": self._last_id, "active": True, **body}
        self.registered[self._last_id] = webhook
        return webhook

    def take(self) -> list[Webhook]:
        """What is to be delivered, oldest first; each is given once."""
        due = list(self._due)
        self._due.clear()
        return due

    def contact_changed(self, records: Records, contact: Contact, change: Change) -> None:
        """Tell of a contact: no persons, no time stamps, the extra fields as text (sheet 8)."""
        values = records.shown_whole(contact)
        del values["contactpersonen"]
        values["extra_fields"] = json.dumps(values["extra_fields"], ensure_ascii=False)
        self._announce("Klant" if contact.type == "klant" else "Contact", change, values)

    def person_changed(self, person: Person, change: Change) -> None:
        """Tell of a person: with time stamps, without the customer's id (sheet 8)."""
        stamps = {"created_at": person.created_at, "updated_at": person.updated_at}
        self._announce("Contactpersoon", change, {**person.shown(), **stamps})

    def _announce(self, kind: str, change: Change, data: dict[str, Any]) -> None:
        # `postSave` always goes together with insert or update (sheet 8).
        names = [f"{kind}::{change}"] + ([] if change == "postDelete" else [f"{kind}::postSave"])
        body = json.dumps({"version": "0.1", "data": data, "meta": {}}, ensure_ascii=False).encode()
        for name in names:
            for webhook in self.registered.values():
                if webhook["active"] and webhook["name"] == name:
                    headers = {"content-type": "application/json"}
                    self._due.append(Webhook(webhook["url"], headers, body, name))
