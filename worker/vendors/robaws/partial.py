"""
Answers of Robaws that leave members out: what is not shown is not known, and only null says that it is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from worker.core import contact as canonical
from worker.vendors.robaws.mapping import PERSON_ROWS, ROWS

if TYPE_CHECKING:
    from worker.core.contact import Json

_MEMBERS: Final = (*(row.vendor for row in ROWS), "extraFields")
_PERSON_MEMBERS: Final = tuple(row.vendor for row in PERSON_ROWS)
_PERSON_MARKS: Final = ("isPrimary", "receivesInvoices")


def left_out(raw: Mapping[str, Any]) -> list[str]:
    """The members of the table that an answer does not show, not even as null, by their dotted paths."""
    members = [path for path in _MEMBERS if _is_left_out(raw, path)]
    contacts = raw.get("contacts")
    listed = [item for item in contacts if isinstance(item, dict)] if isinstance(contacts, list) else []
    return members + [f"contacts.{name}" for name in _PERSON_MEMBERS if any(name not in item for item in listed)]


def completed(raw: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Json, list[str]]:
    """
    The record with what its answer left out taken from the one that was fetched before, and what that brought back.

    A member that is not shown is not known; only null says that it is empty. A mark of one person (`isPrimary`) is
    taken over only where the answer shows it of nobody, as Robaws may leave out one that is not set.
    """
    whole: Json = {name: dict(value) if isinstance(value, dict) else value for name, value in raw.items()}
    kept = []
    for path in _MEMBERS:
        if _is_left_out(raw, path) and not _is_left_out(before, path):
            canonical.put(whole, path, canonical.get(before, path))
            kept += [path] if canonical.get(before, path) is not None else []
    known = {str(item.get("id")): item for item in before.get("contacts") or () if isinstance(item, dict)}
    contacts = raw.get("contacts")
    if isinstance(contacts, list):
        listed = [item for item in contacts if isinstance(item, dict)]
        names = (*_PERSON_MEMBERS, *(flag for flag in _PERSON_MARKS if not any(flag in item for item in listed)))
        whole["contacts"] = [_completed_person(item, known, names) for item in contacts]
        kept += [f"contacts.{name}" for name in names if _brought_back(listed, known, name)]
    return whole, kept


def _completed_person(item: Any, known: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> Any:
    if not isinstance(item, dict):
        return item
    before = known.get(str(item.get("id")), {})
    return {**{name: before[name] for name in names if name in before}, **item}


def _brought_back(listed: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    missing = (known.get(str(item.get("id")), {}) for item in listed if name not in item)
    return any(before.get(name) is not None for before in missing)


def _is_left_out(record: Mapping[str, Any], path: str) -> bool:
    value: Any = record
    for part in path.split("."):
        if not isinstance(value, dict):
            return False
        if part not in value:
            return True
        value = value[part]
    return False
