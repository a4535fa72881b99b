"""The mapping tables of all systems, and the names of members that they and the vendors' answers are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from worker.config import RecrasSettings, RompslompSettings, RoutixSettings, WorkspaceSettings
from worker.core import chosen, differences, emptied, field_merge, planning, preview, questions, sent, units
from worker.core import contact as canonical
from worker.core.mapping import FieldRow, VendorMapping
from worker.core.masks import (
    Vocabulary,
    is_count,
    is_currency,
    is_language,
    is_record_id,
    is_reference,
    is_time,
    one_of,
)
from worker.vendors.recras.mapping import mapping_for as recras
from worker.vendors.robaws.mapping import MAPPING as ROBAWS
from worker.vendors.rompslomp.mapping import mapping_for as rompslomp
from worker.vendors.routix.mapping import MAPPINGS as ROUTIX
from worker.vendors.workspace.mapping import mapping_for as workspace


def tables() -> dict[str, VendorMapping]:
    """The table of each system, as the defaults of the settings shape it."""
    books = RompslompSettings()
    return {
        "robaws": ROBAWS,
        "rompslomp": rompslomp(books.reference_member, books.reference_prefix, books.address),
        "recras": recras(RecrasSettings()),
        "workspace": workspace(WorkspaceSettings()),
        "routix": ROUTIX[RoutixSettings().api_version],
    }


# Around a vendor's record, and in our own decisions and questions. A name that stands here says nothing of its value.
_MORE_NAMES: Final = (
    "id uuid type data event items item totalitems total size page per_page count limit offset error errors message "
    "messages code field fields detail details title status value values duplicate contact contacts contactid "
    "client klant person persons contactpersonen extrafields extra_fields stringvalue datevalue decimalvalue "
    "integervalue booleanvalue numbervalue isprimary receivesinvoices createdat updatedat created_at updated_at "
    "timestamp correlationid search q sort include selection updatedfrom database-mode "
    "path action rule ours theirs changed members candidates evidence external_id externalid label reason says for why "
    "posts sent key main invoices person from to "
    "clients companies klanten contacten personeel me webhook-endpoints api accounts token v1 v2 v3 "
    "content-type user-agent traceparent robaws-signature"
)
_ACTIONS: Final = ("write", "park", "settle", "keep", "forget", "add", "remove")
_KINDS: Final = ("organisation", "person")

_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("id", "uuid", "external_id", "externalid", "contactid", "key", "person"), is_record_id),
    **dict.fromkeys(("totalitems", "total", "size", "page", "per_page", "count", "limit", "offset", "posts"), is_count),
    **dict.fromkeys(
        ("createdat", "updatedat", "created_at", "updated_at", "timestamp", "created", "modified", "deactivated_at"),
        is_time,
    ),
    "status": is_count,
    "action": one_of(_ACTIONS),
}

# By the canonical field, of those that carry no personal data.
_CANONICAL_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "kind": one_of(_KINDS),
    "language": is_language,
    "currency": is_currency,
    "references.robaws_id": is_reference,
    "references.routix_id": is_reference,
}


@cache
def vocabulary() -> Vocabulary:
    """What is known of all vendors' members, for masks. Made when somebody first asks: the tables take a while."""
    mappings = list(tables().values())
    rows = [row for mapping in mappings for row in mapping.rows]
    of_persons = [row for mapping in mappings if mapping.persons for row in mapping.persons.rows]
    paths = [path for row in (*rows, *of_persons) for path in (row.vendor, row.canonical)]
    paths += [known.path for known in (*canonical.FIELDS, *canonical.PERSON_FIELDS, *canonical.UNITS.values())]
    names = {part for path in paths for part in _parts(path)} | set(_MORE_NAMES.split())
    # A name that is personal in any table is so in all of them.
    personal = {_last(row.vendor) for row in rows if row.personal != "none"} | {_last(row.vendor) for row in of_persons}
    tests = {_last(row.vendor): test for row in rows if (test := _test(row)) and _last(row.vendor) not in personal}
    tests |= {_last(path): test for path, test in _CANONICAL_TESTS.items()}
    return Vocabulary(frozenset(names), tests | _TESTS, frozenset(_sentences()))


def _test(row: FieldRow) -> Callable[[Any], bool] | None:
    """Which values of a row's member may be shown; None where none may."""
    return one_of(row.choices) if row.choices else _CANONICAL_TESTS.get(row.canonical)


def _parts(path: str) -> list[str]:
    return [part for part in path.lower().replace("[", ".").replace("]", "").split(".") if part not in ("", "*")]


def _last(path: str) -> str:
    return _parts(path)[-1]


def _sentences() -> Iterator[str]:
    """The rules behind decisions, and the labels of fields."""
    for known in (*canonical.FIELDS, *canonical.PERSON_FIELDS, *canonical.UNITS.values()):
        yield known.label
    yield from questions.SENTENCES
    yield from (emptied.MANY_EMPTIED, planning.PERSONS_DECIDED, units.CHANGED_TOGETHER, units.WAITS)
    # As releases before this one stored them.
    yield from (
        "differs on the first link",
        "changed here, and a person decides about this field",
        "emptied there, and a person decides about this field",
    )
    yield from (differences.KEPT_BY_A_PERSON, *sent.RULES, preview.NEW_RECORD, preview.ITS_ID)
    yield from (preview.ANSWERED_OURS, preview.ANSWERED_THEIRS)
    yield from (chosen.A_PERSONS_VALUE, chosen.TAKEN_BACK)
    yield from (value for name, value in vars(field_merge).items() if name.isupper() and isinstance(value, str))
