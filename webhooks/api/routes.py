"""The routes of `/api/v1`: one for each call, and the description of them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from webhooks.api import contacts, events, retries, reviews, systems
from webhooks.api.openapi import PREFIX, describe

if TYPE_CHECKING:
    from starlette.requests import Request

    from webhooks.api.calls import Call, Parts

CALLS: Final[tuple[Call, ...]] = (
    *systems.CALLS,
    *contacts.CALLS,
    *retries.CALLS,
    *reviews.CALLS,
    *events.CALLS,
)


def api_routes(parts: Parts) -> list[Route]:
    """Every route of the API. The description itself needs no token: it holds nothing of this installation."""

    @cache
    def description() -> bytes:
        return orjson.dumps(describe(CALLS))

    async def openapi(_request: Request) -> Response:
        return Response(description(), media_type="application/json")

    routes = [Route(PREFIX + call.path, _endpoint(call, parts), methods=[call.method]) for call in CALLS]
    return [*routes, Route(f"{PREFIX}/openapi.json", openapi)]


def _endpoint(call: Call, parts: Parts) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            answer = await call(parts, request)
        except HTTPException as problem:
            parts.figures.answered(problem.status_code)
            raise
        except Exception:
            parts.figures.answered(500)
            raise
        parts.figures.answered(answer.status_code)
        return answer

    return endpoint
