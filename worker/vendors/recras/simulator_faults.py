"""A fault that only Recras has: null and "" are mixed, and may change places in any answer (Recras sheet 11.9)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from worker.vendors.simulation import SimRequest, SimResponse


@dataclass
class Swap:
    """For the next `times` requests that match (`times` < 0: until it is cleared), as in `Fault`."""

    times: int = 1
    method: str | None = None
    path: str | None = None

    def matches(self, request: SimRequest) -> bool:
        """Tell whether this is meant for the request."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        return self.path is None or re.search(self.path, request.path) is not None


class EmptySwaps:
    """The swaps that were ordered."""

    def __init__(self) -> None:
        self._ordered: list[Swap] = []

    def add(self, **settings: Any) -> None:
        """Order one; see `Swap` for the settings."""
        self._ordered.append(Swap(**settings))

    def clear(self) -> None:
        """From now on nothing is swapped."""
        self._ordered.clear()

    def applied(self, request: SimRequest, response: SimResponse) -> SimResponse:
        """The answer, with null and "" in each other's place where that is ordered and the answer is a record."""
        if not (200 <= response.status < 300) or not response.body:
            return response
        swap = next((swap for swap in self._ordered if swap.matches(request)), None)
        if swap is None:
            return response
        swap.times -= 1
        if swap.times == 0:
            self._ordered.remove(swap)
        return replace(response, body=json.dumps(_swapped(json.loads(response.body)), ensure_ascii=False).encode())


def _swapped(value: Any) -> Any:
    match value:
        case None:
            return ""
        case "":
            return None
        case dict():
            return {name: _swapped(inner) for name, inner in value.items()}
        case list():
            return [_swapped(inner) for inner in value]
        case _:
            return value
