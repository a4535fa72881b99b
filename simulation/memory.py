"""What the story knows and the product does not: which records the product made, and what people typed where."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Edit:
    """A person put this value into a member of a record of a target."""

    system: str
    record: str
    member: str
    value: Any
    owner: str
    stands: bool = False
    """Nothing of ours is on its way to that field: only Robaws saying something new, or a person, may replace it."""


@dataclass
class Memory:
    """Kept by the director; the checks compare it with the vendors and the rows."""

    clients: dict[int, str] = field(default_factory=dict)
    persons: dict[tuple[int, int], str] = field(default_factory=dict)
    deleted_clients: set[str] = field(default_factory=set)
    known_gone: set[str] = field(default_factory=set)
    """Clients that the product knew to be gone from Robaws while nothing of theirs was under way."""
    unheard: set[str] = field(default_factory=set)
    by_hand: dict[tuple[str, str], str] = field(default_factory=dict)
    edits: dict[tuple[str, str, str], Edit] = field(default_factory=dict)
    deleted_records: set[tuple[str, str]] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    created: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    their_persons: dict[tuple[str, str], str] = field(default_factory=dict)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    there_before: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    chosen: set[tuple[str, str, str]] = field(default_factory=set)
    let_stand: set[tuple[str, str, str]] = field(default_factory=set)
    excuses: set[str] = field(default_factory=set)
    refused: set[tuple[str, str, str]] = field(default_factory=set)
    """System, client and record, of which a person said that they are not the same."""
    refuses_city: set[str] = field(default_factory=set)
    """Systems that refuse one town."""
    merged_there: set[tuple[str, str]] = field(default_factory=set)
    """System and client, where the vendor puts the client into a record that a person said is somebody else."""
    relinked: bool = False
    """A person linked or unlinked something by hand."""
    left_out: set[tuple[str, str]] = field(default_factory=set)
    """System and client, where a person left the client out."""

    def made(self, system: str, contact_id: int, record: str) -> None:
        """The product made this record for this contact."""
        self.created[system, contact_id].append(record)

    def edited(self, edit: Edit) -> None:
        """A person typed something; from now on it must stay, unless Robaws owns the field."""
        self.edits[edit.system, edit.record, edit.member] = edit

    def said_anew(self, records: set[tuple[str, str]], members: set[tuple[str, str]]) -> None:
        """Robaws says something else of these members, by system, of these records: what people typed there may go."""
        for key, edit in self.edits.items():
            if key[:2] in records and (edit.system, edit.member) in members:
                self.edits[key] = replace(edit, stands=False)

    def wanted_back(self, _client_id: str, records: set[tuple[str, str]]) -> None:
        """An operator wants this client as Robaws has it: edits of what Robaws owns are to be put back."""
        self.edits = {key: edit for key, edit in self.edits.items() if key[:2] not in records or edit.owner != "robaws"}

    def given_back(self, system: str, record: str) -> None:
        """A person decided whose this record is: nothing that was made or typed before tells of it any longer."""
        self.there_before.pop((system, record), None)
        for key in [key for key in self.created if key[0] == system]:
            self.created[key] = [made for made in self.created[key] if made != record]
        self.edits = {key: edit for key, edit in self.edits.items() if key[:2] != (system, record)}

    def removed(self, system: str, record: str) -> None:
        """A person deleted a record."""
        self.deleted_records.add((system, record))
        self.edits = {key: edit for key, edit in self.edits.items() if key[:2] != (system, record)}
        self.their_persons = {key: name for key, name in self.their_persons.items() if key[0] != record}
