"""The description is valid OpenAPI 3.1, and every real answer is what it says, with nothing left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.webhooks.api_data import fill
from tests.webhooks.conftest import Served
from webhooks.api.openapi import describe, reference
from webhooks.api.routes import CALLS


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe(CALLS)


def closed(schema: Any) -> Any:
    """The schema, with no member beyond those described."""
    if isinstance(schema, dict):
        made = {name: closed(value) for name, value in schema.items()}
        if isinstance(schema.get("properties"), dict):
            made.setdefault("additionalProperties", False)
        return made
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def check(description: dict[str, Any], method: str, path: str, status: int, answer: Any) -> None:
    operation = description["paths"][path][method]
    content = operation["responses"][str(status)]["content"]
    [media] = content.values()
    schema = closed({**media["schema"], "components": description["components"]})
    schema.pop("additionalProperties", None) if "$ref" in schema else None
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer)


def test_it_is_valid(description: dict[str, Any]) -> None:
    validate(description, cls=OpenAPIV31SpecValidator)


def test_it_is_served_to_everyone(shared: Served, description: dict[str, Any]) -> None:
    assert shared.http.get("/api/v1/openapi.json").json() == description


def test_every_name_of_an_operation_is_unique(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names)) == len(CALLS)


@pytest.mark.parametrize("token", ["viewer-token", "operator-token"])
def test_real_answers_are_what_it_says(served: Served, description: dict[str, Any], token: str) -> None:
    fill(served.engine)
    retries = [item["id"] for item in served.api("/retries").json()["items"]]
    [review] = [item["id"] for item in served.api("/reviews").json()["items"]]
    assert served.post(b'{"event": "client.updated"}').status_code == 400
    [rejected] = [item["id"] for item in served.api("/events/rejected").json()["items"]]
    waiting = served.api("/retries?state=waiting").json()["total"]
    wanted = {"action": "retry", "filter": {"state": "waiting"}, "reason": "x", "expect": waiting}
    bulk = served.act("/bulk", json=wanted).json()["id"]
    asked = [
        ("/api/v1/summary", "/summary"),
        ("/api/v1/systems", "/systems"),
        ("/api/v1/contacts", "/contacts"),
        ("/api/v1/contacts/{source_id}", "/contacts/1834"),
        ("/api/v1/contacts/{source_id}", "/contacts/1835"),
        ("/api/v1/retries", "/retries"),
        ("/api/v1/retries/groups", "/retries/groups"),
        *(("/api/v1/retries/{retry_id}", f"/retries/{retry}") for retry in retries),
        ("/api/v1/reviews", "/reviews"),
        ("/api/v1/reviews/{review_id}", f"/reviews/{review}"),
        ("/api/v1/events", "/events"),
        ("/api/v1/events/{event_id}", "/events/e-1"),
        ("/api/v1/events/rejected", "/events/rejected"),
        ("/api/v1/events/rejected/{number}", f"/events/rejected/{rejected}"),
        ("/api/v1/bulk/{bulk_id}", f"/bulk/{bulk}"),
    ]

    for template, path in asked:
        answer = served.api(path, token=token)
        assert answer.status_code == 200, answer.text
        check(description, "get", template, 200, answer.json())

    described = {path for path, methods in description["paths"].items() if "get" in methods}
    assert described == {template for template, _ in asked}


def test_real_actions_are_what_it_says(served: Served, description: dict[str, Any]) -> None:
    fill(served.engine)
    [fetch, link, _] = [item["id"] for item in served.api("/retries").json()["items"]]
    [review] = [item["id"] for item in served.api("/reviews").json()["items"]]
    place = {"system": "rompslomp", "reason": "x"}
    record = served.rompslomp.add_record(company_name="Dakwerken De Linde")
    done = [
        ("/retries/{retry_id}/retry", f"/retries/{fetch}/retry", None),
        ("/retries/{retry_id}/discard", f"/retries/{link}/discard", {"reason": "x"}),
        ("/systems/{name}/pause", "/systems/recras/pause", {"reason": "x"}),
        ("/systems/{name}/resume", "/systems/recras/resume", None),
        ("/reviews/{review_id}/resolve", f"/reviews/{review}/resolve", {"choose": "theirs", "rule": True}),
        ("/reviews/{review_id}/undo", f"/reviews/{review}/undo", None),
        ("/events/{event_id}/replay", "/events/e-1/replay", None),
        ("/bulk", "/bulk", {"action": "retry", "filter": {"state": "dead"}, "reason": "x", "expect": 0}),
        ("/contacts/{source_id}/include", "/contacts/1834/include", place),
        ("/contacts/{source_id}/unlink", "/contacts/1834/unlink", place),
        ("/contacts/{source_id}/link", "/contacts/1834/link", {**place, "external_id": record}),
        ("/contacts/{source_id}/exclude", "/contacts/1834/exclude", place),
        ("/contacts/{source_id}/sync", "/contacts/1834/sync", None),  # last: it takes in whoever is left out
    ]

    for template, path, body in done:
        answer = served.act(path, json=body)
        assert answer.status_code in (200, 202), answer.text
        check(description, "post", f"/api/v1{template}", answer.status_code, answer.json())

    described = {path for path, methods in description["paths"].items() if "post" in methods}
    assert described == {f"/api/v1{template}" for template, _, _ in done}


def test_real_refusals_are_what_it_says(shared: Served, description: dict[str, Any]) -> None:
    for status, path, token in (
        (401, "/contacts/1", "no-such-token"),
        (404, "/contacts/1", "viewer-token"),
        (422, "/contacts/1?x=1", "viewer-token"),
    ):
        answer = shared.api(path, token=token)
        assert answer.status_code == status
        check(description, "get", "/api/v1/contacts/{source_id}", status, answer.json())


def test_every_path_of_the_description_is_routed(description: dict[str, Any]) -> None:
    routed = {"/api/v1" + re.sub(r":path\}", "}", call.path) for call in CALLS}

    assert routed == set(description["paths"])


def test_the_page_lists_every_call_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()

    assert reference(CALLS) in page
