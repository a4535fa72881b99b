"""One field of one system in every state that it can be in: what the tests of planning draw from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from typing_extensions import override

from worker.core import contact as canonical
from worker.core.field_merge import Decision
from worker.core.mapping import FieldRow, Ours, Owner, VendorMapping
from worker.core.planning import Snapshot, agree, needs_read, plan_update

FIELD: Final = "f"
STAND_IN: Final = "-"
TERM: Final = "14"
LONG: Final = "too long"

KINDS: Final[dict[str, FieldRow]] = {
    "plain": FieldRow("legal_name", FIELD),
    "sticky": FieldRow("legal_name", FIELD, null_rule="never"),
    "stand-in": FieldRow("legal_name", FIELD, required=True, missing=f"placeholder:{STAND_IN}", null_rule="empty"),
    "sticky stand-in": FieldRow("legal_name", FIELD, required=True, missing="placeholder:-", null_rule="never"),
    "term": FieldRow("legal_name", FIELD, "integer_text", required=True, missing=f"placeholder:{TERM}"),
    "asked": FieldRow("legal_name", FIELD, required=True, missing="review"),
    "short": FieldRow("legal_name", FIELD, max_length=3),
    "once": FieldRow("legal_name", FIELD, write="create"),
    "number": FieldRow("legal_name", FIELD, adopt=False, null_rule="never"),
    "inward": FieldRow("legal_name", FIELD, direction="in"),
}


class _Unknown:
    """What the record holds is not known: not read, or read and not shown."""

    def __init__(self, name: str) -> None:
        self.name = name

    @override
    def __repr__(self) -> str:
        return self.name


UNREAD: Final = _Unknown("unread")
HIDDEN: Final = _Unknown("hidden")


@cache
def _mapping(kind: str) -> VendorMapping:
    return VendorMapping("sandbox", "1", (KINDS[kind],), inward=lambda fields: fields)


@cache
def _ours(kind: str, here: Any) -> Ours:
    return _mapping(kind).outward(canonical.build({"legal_name": here}))


@dataclass(frozen=True)
class State:
    """
    A field: the kind of its row, its owner, the base as (ours, theirs) or None, ours now, theirs now.

    `base` with the row's own stand-in as ours means that we wrote it. `there` is a value, UNREAD or HIDDEN.
    """

    kind: str
    owner: Owner
    base: tuple[Any, Any] | None
    here: Any
    there: Any
    restore: bool = False

    @property
    def mapping(self) -> VendorMapping:
        return _mapping(self.kind)

    @property
    def owners(self) -> dict[str, Owner]:
        return self.mapping.owners({"legal_name": self.owner})

    @property
    def ours(self) -> Ours:
        return _ours(self.kind, self.here)

    @property
    def snapshot(self) -> Snapshot:
        if self.base is None:
            return Snapshot({"other": 1}, {"other": 1})
        ours, theirs = self.base
        written = ours is not None and ours == KINDS[self.kind].stand_in
        return Snapshot({FIELD: ours}, {FIELD: theirs}, placeholders=(FIELD,) if written else ())

    @property
    def record(self) -> dict[str, Any] | None:
        if self.there is UNREAD:
            return None
        return {} if self.there is HIDDEN else {FIELD: self.there}

    def decide(self) -> Decision | None:
        """What the plan says of the field."""
        plan = plan_update(self.mapping, self.ours, self.owners, self.snapshot, self.record, restore=self.restore)
        return next((one for one in plan.decisions if one.path == FIELD), None)

    def wants_read(self) -> bool:
        return needs_read(self.mapping, self.ours, self.owners, self.snapshot, write_replaces=False)

    def after(self, held: dict[str, Any] | None) -> Snapshot:
        """What stands in the link after the plan was carried out and the record was shown as `held`."""
        plan = plan_update(self.mapping, self.ours, self.owners, self.snapshot, self.record, restore=self.restore)
        return agree(self.ours, self.snapshot, plan.decisions, held, None, None)
