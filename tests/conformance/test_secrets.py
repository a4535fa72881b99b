"""Credentials and bank data: they are sent or read, and never shown, logged or quoted."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote as in_address

import httpx

from tests.conformance.declared import FAULT, check
from tests.conformance.place import Place, Way, error_of
from tests.conformance.wire import Answering
from worker.errors import VendorError

ACCOUNT = "NL00BANK0123456789"


def secrets_of(place: Place, way: Way) -> set[str]:
    """What is secret: the settings' own, and whatever a request carried as its credential."""
    found = set(place.adapter.secrets(way.settings))
    for request in way.wire.left:
        _, _, credential = request.headers.get("authorization", "").partition(" ")
        found.add(credential)
        if request.headers.get("authorization", "").startswith("Basic "):
            found.add(base64.b64decode(credential).decode().partition(":")[2])
    return {secret for secret in found if secret}


def kept_of(way: Way) -> str:
    """All that the product keeps of its calls, as one text."""
    kept: list[Any] = []
    for exchange in way.exchanges:
        request = exchange.request
        kept += [exchange, request, request.path, request.query, request.logged, exchange.answer, exchange.error]
    return "\n".join(one if isinstance(one, str) else repr(one) for one in kept)


def said_by(error: Exception | None) -> str:
    """All that an error says."""
    if not isinstance(error, VendorError):
        return repr(error)
    return "\n".join([str(error), repr(error), error.message, repr(error.fields), error.excerpt or ""])


def shown_in(text: str, secrets: set[str]) -> list[str]:
    return [secret for secret in secrets if secret in text]


@check("Secrets")
def test_no_repr_shows_a_credential(place: Place) -> None:
    place.there()
    parts = [place.client, place.way.settings, place.session(), *vars(place.client).values()]

    assert shown_in("\n".join(map(repr, parts)), secrets_of(place, place.way)) == []


@check("Secrets")
def test_what_is_kept_of_a_call_shows_no_credential(place: Place) -> None:
    for call in place.operations(place.prepare()).values():
        call()
    findings = place.client.check(place.session())

    secrets = secrets_of(place, place.way)
    assert len(secrets) >= 1
    assert shown_in(kept_of(place.way), secrets) == []
    assert shown_in(repr(findings), secrets) == []


@check("Secrets")
def test_what_is_kept_of_a_refused_call_shows_no_credential(place: Place) -> None:
    prepared = place.prepare()
    way = place.other_way(**place.adapter.wrong_credentials())

    errors = [error_of(call) for call in place.operations(prepared, way).values()]

    secrets = secrets_of(place, way)
    assert shown_in(kept_of(way), secrets) == []
    assert shown_in("\n".join(map(said_by, errors)), secrets) == []


@check("Secrets", simulator_only=FAULT)
def test_an_answer_that_quotes_the_request_gives_no_credential_away(place: Place) -> None:
    # Proxies and debugging pages do that: every header, and the body.
    prepared = place.prepare()

    def quote(request: httpx.Request) -> httpx.Response:
        shown = {"headers": dict(request.headers), "body": request.content.decode()}
        return httpx.Response(500, headers={"content-type": "application/json"}, text=json.dumps(shown))

    way = place.other_way()
    way.wire.interfere = lambda request, ask: quote(request)
    errors = [error_of(call) for call in place.operations(prepared, way).values()]

    secrets = secrets_of(place, way)
    assert shown_in(kept_of(way), secrets) == []
    assert shown_in("\n".join(map(said_by, errors)), secrets) == []


FORMS: Final[dict[str, Callable[[str], str]]] = {
    "as it stands": lambda secret: secret,
    "in JSON": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "in an address": lambda secret: in_address(secret, safe=""),
    "in Base64": lambda secret: base64.b64encode(b"Bearer " + secret.encode()).decode().rstrip("="),
    "in a page": html.escape,
}
REFUSALS: Final = (400, 401, 403, 404, 406, 409, 422, 429, 500, 503)
MEMBERS: Final = ("message", "error", "detail", "title", "exception", "error_description", "correlationId")


def _proofs(request: httpx.Request) -> set[str]:
    """What a request proves with who sends it."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    found = {credential} if credential else set()
    if scheme == "Basic":
        found.add(base64.b64decode(credential).decode().partition(":")[2])
    if b"client_secret" in request.content:
        found.add(json.loads(request.content)["client_secret"])
    return found


def _refusal(status: int, said: str) -> httpx.Response:
    """A refusal that says it in every member in which any vendor's sentences stand, and in its headers."""
    faults: list[Any] = [{"field": "name", "property": "name", "message": said, "detail": said, "parameters": [said]}]
    inner = {**dict.fromkeys(MEMBERS, said), "code": status, "errors": faults, "data": {}}
    body = {**inner, "response": {**inner, "exception": [said]}, "error": {"message": said, "errors": {"name": [said]}}}
    headers = {"content-type": "application/json", "x-robaws-unauthorized-reason": said.replace("\n", " ")}
    return httpx.Response(status, headers=headers, text=json.dumps(body))


@check("Secrets", simulator_only=FAULT)
def test_a_refusal_that_quotes_a_credential_in_any_form_gives_it_to_nobody(place: Place) -> None:
    prepared = place.prepare()
    for status in REFUSALS:
        for form in FORMS.values():
            way = place.other_way()

            def quote(
                request: httpx.Request, status: int = status, form: Callable[[str], str] = form
            ) -> httpx.Response:
                shown = [form(one) for one in sorted(_proofs(request))]
                return _refusal(status, "your request had " + ", ".join(shown))

            way.wire.interfere = lambda request, ask, quote=quote: quote(request)
            errors = [error_of(call) for call in place.operations(prepared, way).values()]

            secrets = {one for request in way.wire.left for one in _proofs(request)}
            forms = {form(secret) for secret in secrets} | secrets
            assert shown_in(kept_of(way), forms) == []
            assert shown_in("\n".join(map(said_by, errors)), forms) == []


@check("Secrets", simulator_only=FAULT)
def test_bank_data_and_identity_numbers_in_a_refusal_are_not_quoted(place: Place) -> None:
    prepared = place.prepare()
    said = "BE68 5390 0754 7034 of 85.07.30-033.28, or NL91ABNA0417164300, is not accepted"
    for status in REFUSALS:
        way = place.other_way()
        way.wire.interfere = lambda request, ask, status=status: _refusal(status, said)

        errors = [error_of(call) for call in place.operations(prepared, way).values()]

        kept = kept_of(way) + "\n".join(map(said_by, errors))
        assert shown_in(kept, {"5390 0754", "ABNA0417", "85.07.30-033"}) == []


@check("Secrets", "bank data", simulator_only=FAULT)
def test_bank_data_that_comes_along_is_neither_kept_nor_quoted(place: Place) -> None:
    prepared = place.prepare()
    way = place.other_way()
    way.wire.interfere = _with_bank_data(place)

    found = [call() for call in place.operations(prepared, way).values()]
    record = place.adapter.read(way.client, way.session(), prepared.record.external_id)

    assert shown_in(kept_of(way), {ACCOUNT}) == []
    assert shown_in(repr([found, record.raw, record.fields]), {ACCOUNT}) == []


def _with_bank_data(place: Place) -> Any:
    def interfere(request: httpx.Request, ask: Answering) -> httpx.Response:
        answer = ask(request)
        if "json" not in answer.headers.get("content-type", ""):
            return answer
        body = _filled(json.loads(answer.content), dict.fromkeys(place.adapter.bank_members, ACCOUNT))
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, text=json.dumps(body))

    return interfere


def _filled(value: Any, members: dict[str, str]) -> Any:
    """The same JSON with these members in each record, which is the outermost object with an id."""
    if isinstance(value, list):
        return [_filled(one, members) for one in value]
    if not isinstance(value, dict):
        return value
    return {**value, **members} if "id" in value else {name: _filled(one, members) for name, one in value.items()}
