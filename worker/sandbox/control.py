"""`/_sandbox/…`: look at the simulated vendors, change them as a person would, and break them on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from worker.errors import ConfigurationError
from worker.sandbox import guard
from worker.sandbox.faults import parse_faults
from worker.sandbox.pages import overview_page
from worker.sandbox.settings import as_environment, as_toml
from worker.sandbox.views import faults_of, overview, requests_of, set_switches, switches_of, webhooks_of
from worker.vendors.robaws.simulator_rules import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from worker.sandbox.sender import WebhookSender
    from worker.sandbox.world import World
    from worker.vendors.simulation import Simulator

Handler = Callable[["Request"], Awaitable[Response]]


class _ByHand(Protocol):
    """What a person can do at a vendor's screens; every simulator has it."""

    def add_record(self, **members: Any) -> str: ...

    def edit_record(self, record_id: str, members: dict[str, Any]) -> Any: ...

    def delete_record(self, record_id: str) -> None: ...


def control_app(world: World, sender: WebhookSender) -> Starlette:
    """The control API, and the life of the webhook sender with it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sending = asyncio.create_task(sender.run())
        yield
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending

    control = _Control(world, sender)
    routes = [
        Route("/", _to_overview),
        Route("/_sandbox", _to_overview),
        *(
            Route(f"/_sandbox{path}", _guarded(handler, world), methods=[method])
            for method, path, handler in control.routes()
        ),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _to_overview(_: Request) -> Response:
    return RedirectResponse("/_sandbox/")


def _guarded(handler: Handler, world: World) -> Handler:
    """A page of another site is refused. A mistake of the caller's is an answer with a sentence, never a 500."""

    async def run(request: Request) -> Response:
        refused = guard.refusal(request, urlsplit(world.url).hostname or "")
        if refused is not None:
            return refused
        try:
            return await handler(request)
        except KeyError as error:
            return JSONResponse({"error": f"there is no {error.args[0]!r}"}, 404)
        except ConfigurationError as error:
            return JSONResponse({"error": "nothing was changed", "problems": error.problems}, 400)
        except Refusal as error:
            return JSONResponse({"error": error.message or f"refused with {error.status}"}, 400)
        except (TypeError, ValueError, re.error) as error:
            return JSONResponse({"error": str(error)}, 400)

    return run


class _Control:
    """One method for each path."""

    def __init__(self, world: World, sender: WebhookSender) -> None:
        self._world = world
        self._sender = sender

    def routes(self) -> list[tuple[str, str, Handler]]:
        """The paths below `/_sandbox`; those of one system come last, as they match almost anything."""
        robaws = "/robaws"
        return [
            ("GET", "/", self._overview),
            ("GET", "/settings", self._settings),
            ("POST", "/reset", self._reset),
            ("POST", "/seed", self._seed),
            ("POST", f"{robaws}/clients", self._add_client),
            ("PATCH", f"{robaws}/clients/{{id}}", self._change_client),
            ("DELETE", f"{robaws}/clients/{{id}}", self._delete_client),
            ("PUT", f"{robaws}/clients/{{id}}/extra-fields", self._set_extra_fields),
            ("POST", f"{robaws}/clients/{{id}}/persons", self._add_person),
            ("PATCH", f"{robaws}/persons/{{id}}", self._change_person),
            ("DELETE", f"{robaws}/persons/{{id}}", self._remove_person),
            ("GET", f"{robaws}/webhooks", self._webhooks),
            ("POST", f"{robaws}/webhooks", self._register),
            ("POST", f"{robaws}/webhooks/resend", self._resend),
            ("GET", "/{system}", self._state),
            ("GET", "/{system}/requests", self._requests),
            ("GET", "/{system}/faults", self._faults),
            ("POST", "/{system}/faults", self._add_faults),
            ("DELETE", "/{system}/faults", self._clear_faults),
            ("GET", "/{system}/switches", self._switches),
            ("PATCH", "/{system}/switches", self._set_switches),
            ("PATCH", "/{system}/clock", self._set_clock),
            ("POST", "/{system}/records", self._add_record),
            ("PATCH", "/{system}/records/{id}", self._edit_record),
            ("DELETE", "/{system}/records/{id}", self._delete_record),
        ]

    # ----------------------------------------------------------------------------------------------- the whole of it

    async def _overview(self, request: Request) -> Response:
        shown = overview(self._world, self._sender)
        if "text/html" in request.headers.get("accept", ""):
            return Response(overview_page(shown), media_type="text/html")
        return JSONResponse(shown)

    async def _settings(self, request: Request) -> Response:
        settings = self._world.settings()
        match request.query_params.get("format", "json"):
            case "json":
                return JSONResponse({"systems": settings})
            case "toml":
                return PlainTextResponse(as_toml(settings))
            case "env":
                return PlainTextResponse(as_environment(settings))
            case other:
                raise ValueError(f"format is json, toml or env, not {other!r}")

    async def _reset(self, request: Request) -> Response:
        keep = (await _members(request)).get("keep_webhooks", False)
        self._world.reset(keep_webhooks=bool(keep))
        return JSONResponse(overview(self._world, self._sender))

    async def _seed(self, request: Request) -> Response:
        count = (await _members(request)).get("clients")
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError('write how many: {"clients": 100}')
        return JSONResponse({"ids": self._world.seed(count)}, 201)

    # ----------------------------------------------------------------------------------------- Robaws, as a person

    async def _add_client(self, request: Request) -> Response:
        return JSONResponse({"id": self._world.robaws.add_client(**await _members(request))}, 201)

    async def _change_client(self, request: Request) -> Response:
        client_id = request.path_params["id"]
        self._world.robaws.change_client(client_id, **await _members(request))
        return JSONResponse(self._world.robaws.client(client_id))

    async def _delete_client(self, request: Request) -> Response:
        self._world.robaws.delete_client(request.path_params["id"])
        return Response(status_code=204)

    async def _set_extra_fields(self, request: Request) -> Response:
        client_id = request.path_params["id"]
        for name, value in (await _members(request)).items():
            self._world.robaws.set_extra_field(client_id, name, value)
        return JSONResponse(self._world.robaws.client(client_id))

    async def _add_person(self, request: Request) -> Response:
        person_id = self._world.robaws.add_person(request.path_params["id"], **await _members(request))
        return JSONResponse({"id": person_id}, 201)

    async def _change_person(self, request: Request) -> Response:
        self._world.robaws.change_person(request.path_params["id"], **await _members(request))
        return Response(status_code=204)

    async def _remove_person(self, request: Request) -> Response:
        self._world.robaws.remove_person(request.path_params["id"])
        return Response(status_code=204)

    # ----------------------------------------------------------------------------------------------------- webhooks

    async def _webhooks(self, _: Request) -> Response:
        return JSONResponse(webhooks_of(self._world, self._sender))

    async def _register(self, request: Request) -> Response:
        url = (await _members(request)).get("url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ValueError('write where to: {"url": "http://127.0.0.1:8080/webhooks/robaws"}')
        return JSONResponse({"url": url, "secret": self._world.robaws.register_webhook(url)}, 201)

    async def _resend(self, request: Request) -> Response:
        event_id = (await _members(request)).get("event_id")
        return JSONResponse({"queued": self._world.robaws.resend_webhooks(event_id)}, 202)

    # --------------------------------------------------------------------------------------------------- any system

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._simulator(request).state())

    async def _requests(self, request: Request) -> Response:
        query = request.query_params
        most = int(query.get("limit", "100"))
        return JSONResponse(requests_of(self._simulator(request), query.get("method"), query.get("path"), most))

    async def _faults(self, request: Request) -> Response:
        return JSONResponse({"faults": faults_of(self._simulator(request))})

    async def _add_faults(self, request: Request) -> Response:
        simulator = self._simulator(request)
        faults = parse_faults(await request.json(), simulator)
        for fault in faults:
            fault.add_to(simulator)
        return JSONResponse({"added": len(faults)}, 201)

    async def _clear_faults(self, request: Request) -> Response:
        self._simulator(request).clear_faults()
        return Response(status_code=204)

    async def _switches(self, request: Request) -> Response:
        return JSONResponse(switches_of(self._simulator(request)))

    async def _set_switches(self, request: Request) -> Response:
        simulator = self._simulator(request)
        set_switches(simulator, await _members(request))
        return JSONResponse(switches_of(simulator))

    async def _set_clock(self, request: Request) -> Response:
        name = self._simulator(request).name
        ahead = (await _members(request)).get("ahead_seconds")
        if isinstance(ahead, bool) or not isinstance(ahead, int | float):
            raise TypeError('write how far before ours: {"ahead_seconds": 7200}')
        self._world.set_clock(name, float(ahead))
        return JSONResponse({"ahead_seconds": float(ahead)})

    async def _add_record(self, request: Request) -> Response:
        record_id = self._by_hand(request).add_record(**await _members(request))
        return JSONResponse({"id": record_id}, 201)

    async def _edit_record(self, request: Request) -> Response:
        self._by_hand(request).edit_record(request.path_params["id"], await _members(request))
        return Response(status_code=204)

    async def _delete_record(self, request: Request) -> Response:
        self._by_hand(request).delete_record(request.path_params["id"])
        return Response(status_code=204)

    def _simulator(self, request: Request) -> Simulator:
        return self._world.simulators[request.path_params["system"]]

    def _by_hand(self, request: Request) -> _ByHand:
        return cast("_ByHand", self._simulator(request))


async def _members(request: Request) -> dict[str, Any]:
    """The body as a JSON object; no body is an empty one."""
    raw = await request.body()
    members = await request.json() if raw else {}
    if not isinstance(members, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - said to a caller, not to a programmer
    return members
