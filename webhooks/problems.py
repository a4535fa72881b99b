"""
Answers: problems as `application/problem+json` (RFC 9457), and JSON made once where it never changes.

A problem says what is wrong and what to do; it quotes nothing that was sent, and never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

PROBLEM_TYPE: Final = "application/problem+json"


_ROUTER: Final = {404: "there is nothing at this address", 405: "this address does not take this method"}


def problem_body(status: int, detail: str, **more: Any) -> bytes:
    """The body of a problem. `more` are further members."""
    return orjson.dumps({"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more})


class Problem(HTTPException):
    """Ends a request with a problem, from anywhere in a handler."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.more = dict(more or {})


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem as Starlette's response."""
    return Response(problem_body(status, detail, **more), status, headers, PROBLEM_TYPE)


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """What Starlette's router raises (404, 405), and `Problem`."""
    if not isinstance(error, HTTPException):
        return await on_error(_request, error)
    if isinstance(error, Problem):
        return problem(error.status_code, error.detail, headers=error.headers, **error.more)
    detail = _ROUTER.get(error.status_code, error.detail)
    return problem(error.status_code, detail, headers=error.headers)


async def on_error(_request: Request, _error: Exception) -> Response:
    """Something that nobody foresaw: it is in the log, not in the answer."""
    return problem(500, "something went wrong here; the log of this process tells what")
