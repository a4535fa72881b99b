"""
How one call of the API is made: who may, what it takes, what it gives, and the function that answers.

The routes, the checks and the OpenAPI description all come from the same `Call`, so that they cannot drift apart.
A call's function gets one transaction and gives a value; it knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import DataError, IntegrityError

from webhooks.api.responses import json_response
from webhooks.figures import Figures
from webhooks.problems import Problem
from worker.core.masks import Id, Word, for_viewer
from worker.store.listing import DEFAULT_LIMIT, MOST_LIMIT, Paging
from worker.store.operating import Acted, Actor
from worker.store.operating_bulk import Bulk
from worker.store.refusals import Conflict, Forbidden, NotFound, Unfit

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from webhooks.access import Access, Caller
    from webhooks.database import Database
    from webhooks.lookup import Lookup
    from webhooks.nudge import Nudger
    from worker.config import Role, Settings

B = TypeVar("B", bound="Body")

MOST_BODY_BYTES: Final = 64 * 1024
ABOUT_REASONS: Final = "why, for the log of actions; name no person here, as it is kept"
REFUSALS: Final = {Forbidden: 403, NotFound: 404, Conflict: 409, Unfit: 422}


class Body(BaseModel):
    """What a call takes as its JSON body; an unknown member is refused, as it may have been meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query. Unknown ones are refused: a filter that is ignored answers another question."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    whole: bool = False


PAGING: Final = (
    Parameter("limit", f"how many at most, 1 to {MOST_LIMIT}; {DEFAULT_LIMIT} if not given", whole=True),
    Parameter("cursor", "`next` of the page before; not given for the first"),
)


@dataclass(frozen=True)
class Outcome:
    """An action was taken on what `id` names; `outcome` is one word, `message` a sentence."""

    id: Id
    outcome: Word
    message: str


@dataclass(frozen=True)
class Parts:
    """What the calls need of the process."""

    settings: Settings
    database: Database
    access: Access
    nudger: Nudger
    lookup: Lookup
    bulk_is_due: Callable[[], None]
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True)
class Asked:
    """One request, checked."""

    parts: Parts
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    given: Body | None
    now: datetime

    @property
    def actor(self) -> Actor:
        """Who acts, for the log of actions."""
        return Actor(self.caller.name, self.caller.role)

    @property
    def masked(self) -> bool:
        """Whether this caller sees only what a viewer does (`worker.core.masks`)."""
        return not self.caller.may("operator")

    @property
    def paging(self) -> Paging:
        """Which page; Unfit for a limit that is none."""
        text = self.query.get("limit", str(DEFAULT_LIMIT))
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            raise Unfit(f"limit is a number from 1 to {MOST_LIMIT}")
        return Paging(int(text), self.query.get("cursor"))

    def body(self, model: type[B]) -> B:
        """The body, as the model that the call names."""
        assert isinstance(self.given, model), "the call names this model"  # noqa: S101
        return self.given


@dataclass(frozen=True)
class Call:
    """One call. `answer` is the type of what it gives; an `Acted` goes out as an `Outcome`."""

    method: str
    path: str
    role: Role
    summary: str
    handler: Callable[[Connection, Asked], Any]
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    body: type[Body] | None = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    before: Callable[[Parts, Mapping[str, str], Any], Awaitable[None]] | None = None
    """What is looked up first, without a transaction: given the parts, what the path names, and the body."""

    async def __call__(self, parts: Parts, request: Request) -> Response:
        """Answer a request: who, what, the transaction, and nudges once it is committed."""
        call = f"{self.method} {self.path}"
        caller = parts.access.require(request, self.role, call)
        query = _query(request, self.parameters)
        given = _validated(self.body, await _read(request)) if self.body else None

        def answer(connection: Connection, now: datetime) -> Any:
            asked = Asked(parts, caller, request.path_params, query, given, now)
            result = self.handler(connection, asked)
            return _for_viewer(result) if asked.masked else result

        try:
            if self.before is not None:
                await self.before(parts, request.path_params, given)
            async with parts.database.turn(caller.name):
                result = await parts.database.run_at(answer)
        except (Forbidden, NotFound, Conflict, Unfit) as refusal:
            if isinstance(refusal, Forbidden):
                parts.access.refuse(request, call, "role", 403, token=caller.name)
            raise Problem(REFUSALS[type(refusal)], refusal.message) from refusal
        except IntegrityError as error:
            raise Problem(409, "somebody else was faster: look again") from error
        except DataError as error:
            raise Problem(422, "a value here is none that can be looked for or stored") from error
        if isinstance(result, Acted):
            _nudge(parts, result)
            result = Outcome(result.id, result.outcome, result.message)
        elif isinstance(result, Bulk):
            parts.bulk_is_due()
        return json_response(result, self.status)


def _for_viewer(result: Any) -> Any:
    # The tables are loaded when a viewer first asks: a receiver that only takes events does without them.
    from worker.vendors.tables import vocabulary

    return for_viewer(result, vocabulary())


def _nudge(parts: Parts, acted: Acted) -> None:
    for contact_id in acted.owed.contacts:
        parts.nudger.fetch(contact_id)
    for link_id, system in acted.owed.links:
        parts.nudger.deliver(system, link_id)


def _query(request: Request, parameters: tuple[Parameter, ...]) -> dict[str, str]:
    known = {parameter.name for parameter in parameters}
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise Problem(422, f"the parameter {name[:40]!r} is not known here; this call takes {takes}")
        if name in query:
            raise Problem(422, f"the parameter {name} is given twice")
        if value:
            query[name] = value
    return query


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise Problem(413, f"a body has at most {MOST_BODY_BYTES} bytes here", headers={"Connection": "close"})
        parts.append(part)
    return b"".join(parts)


def _validated(model: type[Body], body: bytes) -> Body:
    try:
        return model.model_validate_json(body.strip() or b"{}")
    except ValidationError as error:
        faults = [
            {"member": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        words = "; ".join(f"{fault['member'] or 'the body'}: {fault['message']}" for fault in faults[:5])
        raise Problem(422, words, more={"faults": faults[:20]}) from None
