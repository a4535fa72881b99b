"""
What the simulated Recras says when it refuses (Recras sheet 6).

The shape is that of the vendor's public REST generator (https://github.com/Recras/sfDoctrineRestGeneratorPlugin,
`formatValidatorError` and `handleException`): 406 with a list of faults, where a fault inside a list member sits in
`errors` of the fault of that member, its field written with the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.vendors.simulation import SimResponse

CONTENT_TYPE = "application/json"
REQUIRED = "Required."
INVALID = "Invalid."
UNKNOWN = "Could not validate extra field"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request; `inner` are the faults inside the member."""

    field: str
    message: str
    inner: tuple[Fault, ...] = ()

    def shown(self) -> dict[str, Any]:
        """As in the list of a 406."""
        if self.inner:
            return {"field": self.field, "message": self.message, "errors": [fault.shown() for fault in self.inner]}
        return {"field": self.field, "message": self.message, "parameters": []}


def around(field: str, inner: Sequence[Fault]) -> Fault:
    """The fault of a member that holds faulty ones; its sentence strings theirs together, as the framework does."""
    return Fault(field, " ".join(f"{fault.field} [{fault.message}]" for fault in inner), tuple(inner))


class ApiError(Exception):
    """A refusal, raised where it is found and turned into an answer at the door."""

    def __init__(self, response: SimResponse) -> None:
        super().__init__(response.status)
        self.response = response


def refused(faults: Sequence[Fault], *, flat: bool) -> ApiError:
    """406, Recras's status for everything that is wrong with what was sent. `flat`: inner faults without the outer."""
    listed = [inner for fault in faults for inner in fault.inner or (fault,)] if flat else faults
    return ApiError(SimResponse.of_json(406, [fault.shown() for fault in listed], content_type=CONTENT_TYPE))


def syntax_error() -> ApiError:
    """The body is not JSON (sheet 12.4)."""
    return _message(406, "Syntax error")


def unauthorized() -> ApiError:
    """No key, or a wrong one (sheet 12.2)."""
    return _message(401, "Unauthorized")


def forbidden() -> ApiError:
    """The key's user lacks the permission (sheet 12.2)."""
    return _message(403, "Forbidden")


def not_found() -> ApiError:
    """No such path, method or record; a page, since the framework answers it (sheets 6 and 12.1)."""
    return ApiError(SimResponse.of_html(404, "Oops! Page Not Found"))


def throttled(retry_after: str | None) -> ApiError:
    """Too many requests. No limit is documented, so the body is assumed (sheets 6 and 7)."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return _message(429, "Too Many Requests", headers)


def _message(status: int, sentence: str, headers: dict[str, str] | None = None) -> ApiError:
    return ApiError(SimResponse.of_json(status, [{"message": sentence}], headers, CONTENT_TYPE))
