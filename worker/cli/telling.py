"""One request to a vendor as a line for people: what it was for, what was answered, and what it changed and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final, Protocol

from worker.core.mapping import PERSONS
from worker.core.persons import MAIN_PATH
from worker.core.sent import members

MOST_NAME: Final = 60
"""So much of a client's name stands in a list, where a longer one would push everything else off the screen."""


def name_in_list(name: str | None) -> str:
    """A client's name as a cell of a table; the whole of it is in `--json` and in `contacts show`."""
    return shortened(name, MOST_NAME) if name else "without a name"


class Told(Protocol):
    """A request as the log keeps it."""

    @property
    def system(self) -> str: ...

    @property
    def operation(self) -> str: ...

    @property
    def method(self) -> str: ...

    @property
    def status(self) -> int | None: ...

    @property
    def error(self) -> str | None: ...

    @property
    def sent(self) -> Mapping[str, Any] | None: ...

    @property
    def decisions(self) -> Sequence[Any] | None: ...


def told(request: Told, *, why: bool = False) -> str:
    """The whole line; `why` adds the rule behind each field."""
    answer = str(request.status) if request.status is not None else f"no answer ({shortened(request.error or '', 40)})"
    what = changed(request, why=why)
    if request.operation == "list" and request.status == 404:
        what = "its way to say that there is none yet"
    return f"{request.operation:<9} {request.method:<6} {answer}{f'   {what}' if what else ''}"


def changed(request: Told, *, why: bool = False) -> str:
    """
    What a request changed: every member of it that the decisions behind it are about, and nothing that was not in it.
    For a read of Robaws, what was new in it; for the last request of a delivery, also what a person is asked.
    """
    decisions = list(request.decisions or ())
    if decisions and "changed" in decisions[0]:
        new = _leaves(decisions[0]["changed"])
        return "new" if "kind" in new else f"new: {shortened(', '.join(new), 90)}"
    asked = [f"asks about {one['path']}" + (f" ({one.get('rule')})" if why else "") for one in _parked(decisions)]
    return ", ".join([*_said(request, decisions, why=why), *asked])


def _said(request: Told, decisions: Sequence[Mapping[str, Any]], *, why: bool) -> list[str]:
    sent = members(request.sent)
    if request.method == "GET" or not sent or request.operation not in ("create", "update", "write_back"):
        return []
    if request.operation == "create":
        given = {name: value for name, value in sent.items() if value not in (None, "", [])}
        return [_member(request.system, name, given[name]) for name in _in_order(request.system, given)] if why else []
    changes = [one for one in decisions if one.get("action") in ("write", "add", "remove")]
    told = [(text, one.get("rule")) for one in changes if (text := _change(request.system, one, sent))]
    if not told:
        # Nothing was written down about the fields: all that was sent is told.
        return [_member(request.system, name, sent[name]) for name in _in_order(request.system, sent)]
    return ["; ".join(_with_rules(told))] if why else [text for text, _ in told]


def _with_rules(told: Sequence[tuple[str, Any]]) -> list[str]:
    """The changes, each run of them that has one rule with that rule behind it."""
    runs = groupby(told, key=lambda one: one[1])
    return [f"{', '.join(text for text, _ in run)} ({rule})" for rule, run in runs]


def _parked(decisions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in decisions if one.get("action") == "park"]


def _member(system: str, name: str, value: Any) -> str:
    """A member that is sent; contact persons one by one, each with what is sent of it."""
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return f"{name}: {'; '.join(_person(system, one) for one in value)}"
    return f"{name}: {value_text(value)}"


def _person(system: str, fields: Mapping[str, Any]) -> str:
    given = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    return ", ".join(f"{name} {value_text(given[name])}" for name in _in_order(f"{system}.{PERSONS}", given))


def _change(system: str, decision: Mapping[str, Any], sent: Mapping[str, Any]) -> str:
    """One field or person; what it held before is known only where it was read. Empty for what was not sent."""
    path, before = str(decision.get("path")), decision.get("theirs")
    who = value_text(decision.get("name"))
    if decision.get("action") == "add":
        return f"contact person {who} added: {_person(system, decision.get('ours') or {})}"
    if decision.get("action") == "remove":
        return f"contact person {who} removed"
    if path == MAIN_PATH:
        return f"main contact person: {f'{value_text(before)} → ' if before else ''}{who}"
    about, member = ("", path)
    if "person" in decision:
        about, member = f"contact person {who}: ", path.removeprefix(f"{PERSONS}.")
    if member not in sent:
        return ""
    held = "" if before in (None, "") else f"{value_text(before)} → "
    return f"{about}{member}: {held}{value_text(sent[member])}"


def _in_order(system: str, sent: Mapping[str, Any]) -> list[str]:
    """The members in the order of the system's table; those that it does not know come last."""
    order = _order().get(system, {})
    return sorted(sent, key=lambda name: order.get(name, len(order)))


@cache
def _order() -> dict[str, dict[str, int]]:
    from worker.vendors.tables import tables

    known = tables()
    rows = {system: table.rows for system, table in known.items()}
    rows |= {f"{system}.{PERSONS}": table.persons.rows for system, table in known.items() if table.persons}
    return {name: {row.vendor: place for place, row in enumerate(table)} for name, table in rows.items()}


def value_text(value: Any, most: int = 30) -> str:
    """A value of any kind, short."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, Mapping) and len(value) == 1:
        # Robaws wraps an extra field's value in its type.
        return value_text(next(iter(value.values())), most)
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), most)


def shortened(text: str, most: int) -> str:
    """
    One line of at most so many characters.

    >>> shortened("a  long\\ntext", 6)
    'a lon…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _leaves(patch: Any, prefix: str = "") -> list[str]:
    if not isinstance(patch, Mapping):
        return [prefix]
    return [leaf for name, value in patch.items() for leaf in _leaves(value, f"{prefix}.{name}" if prefix else name)]
