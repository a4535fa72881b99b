"""The routes of `/api/v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from webhooks.api.responses import json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from webhooks.access import Access
    from webhooks.database import Database
    from webhooks.nudge import Nudger
    from worker.config import Settings


def api_routes(settings: Settings, database: Database, access: Access, nudger: Nudger) -> list[Route]:
    """Every route of the API."""

    async def summary(request: Request) -> Response:
        access.require(request, "viewer")
        return json_response((await database.summary(0)).to_json())

    return [Route("/api/v1/summary", summary)]
