"""Stored answers of Workspace; each file says which condition it is and how sure it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from worker.vendors.transport import Request, Response
from worker.vendors.workspace.rules import BANK_MEMBERS

FOLDER = Path(__file__).parent / "fixtures"


def answer(name: str, operation: str = "read") -> Response:
    """A stored answer, as if it came to a request of this kind."""
    stored: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    body = stored["body"] if isinstance(stored["body"], str) else json.dumps(stored["body"])
    writes = operation in ("create", "update")
    method = "POST" if writes else "GET"
    request = Request(operation, method, "/", creates=operation == "create", writes=writes, hidden=BANK_MEMBERS)
    return Response(stored["status"], stored["headers"], body.encode(), request)
