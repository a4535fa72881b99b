"""Stored answers of Recras; each file says which condition it is and how sure it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from worker.vendors.transport import Request, Response

FOLDER = Path(__file__).parent / "fixtures"


def answer(name: str, operation: str = "read", path: str | None = None) -> Response:
    """A stored answer, as if it came to a request of this kind."""
    stored: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    body = stored["body"] if isinstance(stored["body"], str) else json.dumps(stored["body"])
    method = {"create": "POST", "update": "PUT"}.get(operation, "GET")
    path = path or ("/klanten/83" if operation in ("read", "update") else "/klanten")
    request = Request(operation, method, path, creates=operation == "create", writes=method != "GET")
    return Response(stored["status"], stored["headers"], body.encode(), request)
