"""
The OpenAPI 3.1 description, made from the calls and the types of their answers.

Nothing in it is written by hand twice: a call that changes changes its description.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from pydantic import TypeAdapter

from webhooks.api.calls import PAGING, Call, Parameter
from webhooks.problems import PROBLEM_TYPE

PREFIX: Final = "/api/v1"

_PROBLEM: Final = {
    "type": "object",
    "description": "A problem (RFC 9457); `detail` says what is wrong and what to do.",
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
    "required": ["title", "status", "detail"],
}
_REFUSALS: Final = {
    401: "no token, or an unknown one",
    403: "the token's role is too small",
    404: "there is no such thing",
    409: "not as things stand now",
    413: "the body is too large",
    422: "what was asked makes no sense",
    429: "too many unknown tokens were sent, or too many calls at once",
    503: "the database is away",
}
_OF_PAGES: Final = frozenset(parameter.name for parameter in PAGING)
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")


def describe(calls: Sequence[Call]) -> dict[str, Any]:
    """The whole description."""
    types: dict[str, Any] = {}
    for call in calls:
        types[_key(call.answer)] = call.answer
        if call.body is not None:
            types[_key(call.body)] = call.body
    schemas, definitions = TypeAdapter.json_schemas(
        [(key, "serialization", TypeAdapter(type_)) for key, type_ in types.items()],
        ref_template="#/components/schemas/{model}",
    )
    by_key = {key: schema for (key, _mode), schema in schemas.items()}
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        path = PREFIX + _PATH_PARAMETER.sub(r"{\1}", call.path)
        paths.setdefault(path, {})[call.method.lower()] = _operation(call, by_key)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "contactsync",
            "version": version("contactsync"),
            "description": "For operators, scripts and monitors. Times are ISO 8601 in UTC. Lists are asked for with "
            "`limit` and `cursor`; `total` counts exactly unless `total_is_capped`.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **definitions.get("$defs", {})},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def reference(calls: Sequence[Call]) -> str:
    """The table of calls for docs/api.md; a test holds the page to it."""
    rows = ["| call | role | gives |", "| --- | --- | --- |"]
    for call in calls:
        path = _PATH_PARAMETER.sub(r"{\1}", call.path)
        takes = "".join(f" `{parameter.name}`" for parameter in call.parameters if parameter.name not in _OF_PAGES)
        body = ", ".join(f"`{name}`" for name in call.body.model_fields) if call.body else ""
        notes = (f" Filters:{takes}." if takes else "") + (f" Body: {body}." if body else "")
        rows.append(f"| `{call.method} {path}` | {call.role} | {call.summary}{notes} |")
    return "\n".join(rows)


def _operation(call: Call, schemas: dict[str, Any]) -> dict[str, Any]:
    statuses = sorted({401, 403, 422, 429, 503, *call.refusals, *((413,) if call.body else ())})
    operation: dict[str, Any] = {
        "operationId": f"{call.handler.__module__.rpartition('.')[2]}_{call.handler.__name__}",
        "summary": call.summary,
        "description": f"Role: {call.role}.",
        "parameters": [_path_parameter(name) for name in _PATH_PARAMETER.findall(call.path)]
        + [_query_parameter(parameter) for parameter in call.parameters],
        "responses": {
            str(call.status): {
                "description": "done" if call.status == 200 else "taken on; it is done in the background",
                "content": {"application/json": {"schema": schemas[_key(call.answer)]}},
            },
            **{str(status): _refusal(status) for status in statuses},
        },
    }
    if call.body is not None:
        content = {"application/json": {"schema": schemas[_key(call.body)]}}
        operation["requestBody"] = {"required": _is_required(call.body), "content": content}
    return operation


def _is_required(body: Any) -> bool:
    return any(field.is_required() for field in body.model_fields.values())


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _REFUSALS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer" if parameter.whole else "string"}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    return {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}


def _key(type_: Any) -> str:
    return str(type_)
