"""Whoever acts in these tests, and a client to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from worker.store.operating import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub

OPERATOR = Actor("An Peeters", "operator")
VAT = "BE0000000097"

CLIENT: dict[str, Any] = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
}


def act(hub: Hub, action: Callable[..., Any], /, *arguments: Any, **more: Any) -> Any:
    """Run an operator's action in a transaction of its own, with the hub's clock."""
    with hub.engine.begin() as connection:
        return action(connection, *arguments, OPERATOR, hub.time, **more)


def ask(hub: Hub, query: Callable[..., Any], /, *arguments: Any, **more: Any) -> Any:
    """Run a read."""
    with hub.engine.connect() as connection:
        return query(connection, *arguments, **more)


def actions(hub: Hub) -> list[tuple[str, str, str | None]]:
    """What people did: action, target, reason."""
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT action, target, reason FROM operator_action ORDER BY id"))
        return [(row.action, row.target, row.reason) for row in rows]
