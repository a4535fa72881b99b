"""What `/_sandbox/…` shows, as JSON values made from simulators."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from worker.vendors.robaws.simulator import RobawsSimulator

if TYPE_CHECKING:
    from worker.sandbox.sender import WebhookSender
    from worker.sandbox.world import World
    from worker.vendors.simulation import Exchange, Simulator

# Taken once, when a simulator is made.
_NO_SWITCHES = frozenset({"clock", "random", "seed", "return"})
_PLAIN = (bool, int, float, str, type(None), frozenset, tuple)


def overview(world: World, sender: WebhookSender) -> dict[str, Any]:
    """Each system's address, counts of its records, requests and faults; and how webhooks fare."""
    delivered = sum(delivery.delivered for delivery in sender.deliveries)
    return {
        "systems": {
            name: {
                "base_url": world.base_url(name),
                "records": _counts(simulator.state()),
                "requests": len(simulator.log),
                "faults": len(faults_of(simulator)),
            }
            for name, simulator in world.simulators.items()
        },
        "webhooks": {
            "endpoints": len(world.robaws.webhooks.endpoints),
            "delivered": delivered,
            "failed_tries": len(sender.deliveries) - delivered,
        },
    }


def _counts(state: Mapping[str, Any]) -> dict[str, int]:
    return {name: len(value) for name, value in state.items() if isinstance(value, dict | list)}


def faults_of(simulator: Simulator) -> list[dict[str, Any]]:
    """The faults that still wait for requests to match, and those for webhooks."""
    with simulator.lock:
        waiting = [dataclasses.asdict(fault) for fault in simulator.faults]
        if isinstance(simulator, RobawsSimulator):
            held = simulator.webhooks.faults
            waiting += [{**dataclasses.asdict(fault), "kind": f"webhook_{fault.kind}"} for fault in held]
    return waiting


def requests_of(simulator: Simulator, method: str | None, path: str | None, most: int) -> dict[str, Any]:
    """The requests seen, newest first; credentials are left out. `path` is a regular expression."""
    seen = simulator.calls(method, path)
    newest = list(reversed(seen))[: max(0, most)]
    return {"total": len(seen), "items": [_exchange(exchange) for exchange in newest]}


def _exchange(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return {
        "at": exchange.at,
        "method": request.method,
        "path": request.path,
        "query": request.raw_query,
        "headers": headers,
        "body": request.body.decode(errors="replace"),
        "status": None if response.dropped else response.status,
        "answer": response.body.decode(errors="replace"),
        "fault": exchange.fault,
    }


def webhooks_of(world: World, sender: WebhookSender) -> dict[str, Any]:
    """The registered endpoints, and the tries to deliver, newest first."""
    endpoints = [dataclasses.asdict(endpoint) for endpoint in world.robaws.webhooks.endpoints.values()]
    tries = [{**dataclasses.asdict(delivery), "delivered": delivery.delivered} for delivery in sender.deliveries]
    return {"endpoints": endpoints, "deliveries": tries[::-1]}


def switches_of(simulator: Simulator) -> dict[str, Any]:
    """What can be switched at this simulator, with how it stands."""
    holder, hints = _switches(simulator)
    return {name: _json(getattr(holder, name)) for name in hints}


def set_switches(simulator: Simulator, members: Mapping[str, Any]) -> None:
    """Switch all that is named, or nothing: ValueError for a name that does not exist or a value of another kind."""
    holder, hints = _switches(simulator)
    wanted: dict[str, Any] = {}
    for name, value in members.items():
        if name not in hints:
            raise ValueError(f"no such switch: {name}; there are {', '.join(sorted(hints))}")
        try:
            wanted[name] = TypeAdapter(hints[name]).validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            raise ValueError(f"{name}: {error.errors()[0]['msg']}, not {value!r}") from None
    with simulator.lock:
        for name, value in wanted.items():
            setattr(holder, name, value)


def _switches(simulator: Simulator) -> tuple[object, dict[str, Any]]:
    """What holds the switches, and the type of each: a dataclass `switches`, else what the constructor takes."""
    holder = getattr(simulator, "switches", None)
    if holder is not None and dataclasses.is_dataclass(holder):
        return holder, get_type_hints(type(holder))
    hints = get_type_hints(type(simulator).__init__)
    return simulator, {
        name: hint
        for name, hint in hints.items()
        if name not in _NO_SWITCHES and isinstance(getattr(simulator, name, simulator), _PLAIN)
    }


def _json(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
