"""
How the simulated Workspace answers: the envelope, and what comes without one (Workspace sheets 3, 6 and 11).

The envelope is that of https://apidocs.workspace.nl/contacts; the framework's own error body is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.vendors.simulation import SimResponse

CONTENT_TYPE = "application/json; charset=UTF-8"
NOT_SAVED = "Something went wrong while saving the data."
CONTACT_NOT_FOUND = "Contact not found."
CONTACTS_NOT_FOUND = "Contacts not found."


def envelope(code: int, message: str, data: Any) -> dict[str, Any]:
    """What is around every answer; PHP writes an empty object as a list (sheet 3)."""
    return {"response": {"message": message, "exception": [], "code": code, "data": data or []}}


def cake_error(name: str, path: str) -> dict[str, Any]:
    """The framework's own error, without an envelope (sheets 6 and 11.1)."""
    return {"name": name, "message": name, "url": path}


def success(data: Any, code: int = 200) -> SimResponse:
    """An answer that says that it worked; the HTTP status is the envelope's code."""
    return SimResponse.of_json(code, envelope(code, "success", data), content_type=CONTENT_TYPE)


class ApiError(Exception):
    """A refusal, raised where it is found and turned into an answer at the door."""

    def __init__(self, response: SimResponse) -> None:
        super().__init__(response.status)
        self.response = response


def failure(code: int, message: str, headers: Mapping[str, str] | None = None) -> ApiError:
    """A refusal in an envelope."""
    return ApiError(SimResponse.of_json(code, envelope(code, message, []), headers, CONTENT_TYPE))


def no_such_path(path: str) -> ApiError:
    """A path or method that is not there, which is not a contact that is not there (sheet 11.1)."""
    return ApiError(SimResponse.of_json(404, cake_error("Not Found", path), content_type=CONTENT_TYPE))
