"""One request to a vendor as a line for people: what it was for, what was answered, and what it changed and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

ENVELOPES: Final = ("contact", "extraFields")
"""Members that a vendor wants around what is sent."""


MOST_NAME: Final = 60
"""So much of a client's name stands in a list, where a longer one would push everything else off the screen."""


def name_in_list(name: str | None) -> str:
    """A client's name as a cell of a table; the whole of it is in `--json` and in `contacts show`."""
    return shortened(name, MOST_NAME) if name else "without a name"


class Told(Protocol):
    """A request as the log keeps it."""

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
    """What a request changed, as the decisions behind it say; for a read of Robaws, what was new in it."""
    decisions = list(request.decisions or ())
    if decisions and "changed" in decisions[0]:
        new = _leaves(decisions[0]["changed"])
        return "new" if "kind" in new else f"new: {shortened(', '.join(new), 90)}"
    sent = _members(request.sent)
    if request.operation == "create" and why:
        return shortened(", ".join(name for name, value in sent.items() if value not in (None, "", [])), 110)
    if request.operation not in ("update", "write_back") or request.method == "GET" or not sent:
        return ""
    rules = {one["path"]: one for one in decisions if one.get("action") == "write" and one["path"] in sent}
    if not rules:
        return shortened(", ".join(f"{name}: {value_text(value)}" for name, value in sent.items()), 110)
    return ", ".join(_change(name, sent[name], one, why=why) for name, one in rules.items())


def _change(name: str, new: Any, decision: Mapping[str, Any], *, why: bool) -> str:
    """One field; what it held before is known only where it was read."""
    before = decision.get("theirs")
    held = "" if before in (None, "") else f"{value_text(before)} → "
    told = f"{name}: {held}{value_text(new)}"
    return f"{told} ({decision.get('rule')})" if why else told


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


def _members(sent: Mapping[str, Any] | None) -> Mapping[str, Any]:
    for envelope in ENVELOPES:
        inner = (sent or {}).get(envelope)
        if isinstance(inner, Mapping):
            return inner
    return sent or {}


def _leaves(patch: Any, prefix: str = "") -> list[str]:
    if not isinstance(patch, Mapping):
        return [prefix]
    return [leaf for name, value in patch.items() for leaf in _leaves(value, f"{prefix}.{name}" if prefix else name)]
