"""Made-up clients for the flow tests."""

from __future__ import annotations

from typing import Any


def client(number: int = 0, **members: Any) -> dict[str, Any]:
    """A complete, plainly made-up client, another one for each number; `members` are laid over it."""
    made: dict[str, Any] = {
        "name": f"Dakwerken De Linde {number}" if number else "Dakwerken De Linde",
        "email": f"info{number or ''}@delinde.example",
        "tel": f"+32 9 000 {number // 100:02d} {number % 100:02d}",
        "address": {
            "addressLine1": f"Kerkstraat {12 + number}",
            "postalCode": f"{9000 + number}",
            "city": "Gent",
            "country": "BE",
        },
    }
    return {**made, **members}
