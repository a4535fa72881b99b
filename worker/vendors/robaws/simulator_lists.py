"""Lists of the simulated Robaws: filter, sort, page (Robaws sheet 7)."""

from __future__ import annotations

import datetime
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from worker.vendors.robaws.simulator_rules import ExtraField, Refusal, Switches

if TYPE_CHECKING:
    from worker.vendors.simulation import SimRequest

Row = TypeVar("Row")

MAX_SIZE = 100
DEFAULT_SIZE = 10


@dataclass(frozen=True)
class ListQuery:
    """The query of one list, read once."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, request: SimRequest) -> ListQuery:
        """The request's query; raw brackets are refused as a servlet container does (7: "percent-encoded")."""
        if "[" in request.raw_query or "]" in request.raw_query:
            raise Refusal(400, "Invalid character found in the request target")
        return cls(tuple(request.query))

    def get(self, name: str) -> str | None:
        """The first value of that name."""
        return next((value for key, value in self.pairs if key == name), None)

    def includes(self, switches: Switches) -> set[str]:
        """The associations asked for; with the switch off only the first of a comma-separated list counts (7)."""
        names: set[str] = set()
        for key, value in self.pairs:
            if key == "include":
                parts = [part.strip() for part in value.split(",")]
                names.update(parts if switches.comma_includes else parts[:1])
        return names


def page(rows: Sequence[Row], query: ListQuery, write: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
    """
    One page in the envelope of section 7.

    `limit` with `page` is the trap: `page` is ignored then, and the first records come again for ever.
    """
    if query.get("limit") is not None:
        size = min(_whole(query, "limit", DEFAULT_SIZE, 1), MAX_SIZE)
        start = _whole(query, "offset", 0, 0)
    else:
        size = min(_whole(query, "size", DEFAULT_SIZE, 1), MAX_SIZE)
        start = _whole(query, "page", 0, 0) * size
    return {
        "items": [write(row) for row in rows[start : start + size]],
        "totalItems": len(rows),
        "totalPages": math.ceil(len(rows) / size),
        "currentPage": start // size,
        "size": size,
    }


@dataclass(frozen=True)
class Collection(Generic[Row]):
    """One listable resource: how a row is written, and when it was changed."""

    resource: str
    switches: Switches
    fields: tuple[ExtraField, ...]
    write: Callable[[Row], dict[str, Any]]
    updated_ms: Callable[[Row], int]

    def select(self, rows: Sequence[Row], query: ListQuery) -> list[Row]:
        """
        The rows that the query asks for, in its order; `rows` come by ascending id, which is the default.

        A filter that the resource does not know does nothing (7, trap 10).
        """
        chosen = list(rows)
        for name, value in query.pairs:
            if name == "updatedFrom":
                since = self._since(value)
                chosen = [row for row in chosen if self.updated_ms(row) >= since]
            elif name.startswith("extraFields["):
                chosen = self._by_extra_field(chosen, name[len("extraFields[") : -1], value)
            elif self.resource == "clients" and name in self.switches.client_filters:
                chosen = [row for row in chosen if _matches(self.write(row).get(name), name, value)]
        order = query.get("sort")
        return chosen if order is None else self._sorted(chosen, order)

    def _since(self, text: str) -> float:
        if self.resource in self.switches.updated_from_refused_on:
            raise Refusal(400, "updatedFrom: is not supported")
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise Refusal(400, "updatedFrom: must be an ISO 8601 date and time") from None
        if moment.tzinfo is None:
            raise Refusal(400, "updatedFrom: must name its zone")
        return round(moment.timestamp() * 1000)

    def _by_extra_field(self, rows: list[Row], name: str, wanted: str) -> list[Row]:
        known = next((candidate for candidate in self.fields if candidate.name == name), None)
        if known is None:
            return rows
        return [row for row in rows if _extra_text(self.write(row), known) == wanted]

    def _sorted(self, rows: list[Row], order: str) -> list[Row]:
        if self.resource in self.switches.sort_refused_on:
            raise Refusal(400, "sort: is not supported")
        if order in {"id", "id:asc"}:
            return rows
        for part in reversed(order.split(",")):
            name, _, direction = part.strip().partition(":")
            if direction not in {"", "asc", "desc"} or (rows and name not in self.write(rows[0])):
                raise Refusal(400, f"sort: {part.strip()} is not understood")
            key = functools.partial(self._sort_key, name=name)
            rows = sorted(rows, key=key, reverse=direction == "desc")
        return rows

    def _sort_key(self, row: Row, *, name: str) -> tuple[bool, int, str]:
        value = self.write(row).get(name)
        # Ids are text made of digits and are sorted by value.
        number = int(value) if value is not None and name in {"id", "logicId", "clientId"} else 0
        return (value is not None, number, "" if value is None else str(value))


def _matches(held: Any, name: str, wanted: str) -> bool:
    """A name is searched as text, any other member compared; both assumed."""
    text = "" if held is None else str(held)
    return wanted.casefold() in text.casefold() if name == "name" else text == wanted


def _extra_text(entity: dict[str, Any], known: ExtraField) -> str | None:
    """A value as the filter writes it (7): text as is, `true`/`false`, numbers with a point, dates as ISO."""
    held = (entity.get("extraFields") or {}).get(known.name, {})
    value = held.get(known.value_member, held.get("numberValue"))
    if value is None:
        return None
    if known.type == "CHECKBOX":
        return "true" if value else "false"
    return str(value)


def _whole(query: ListQuery, name: str, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise Refusal(400, f"{name}: must be a whole number of {least} or more")
    return int(text)
