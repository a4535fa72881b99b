"""
`python -m tools.fuzzing.seeds`: what the corpus begins with, in tests/fuzz/corpus.

Answers of the five simulators to every call of every client, well and failing, and the stored answers of the vendors'
tests; every call of the API; events; and HTTP answers as bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx
from typing_extensions import override

from tools.fuzzing import documents
from tools.fuzzing.targets import CORPUS, ROOT
from tools.fuzzing.vendors import CALLS
from webhooks.api.routes import CALLS as API_CALLS
from worker.config.vendors import RecrasSettings, RobawsSettings, RompslompSettings, RoutixSettings, WorkspaceSettings
from worker.core.wire import Request
from worker.errors import SyncError
from worker.vendors.contract import build
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.robaws.simulator import RobawsSimulator
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.routix.simulator import RoutixSimulator
from worker.vendors.simulation import FaultKind, Simulator, transport
from worker.vendors.transport import Response, Session, Unmetered
from worker.vendors.workspace.simulator import WorkspaceSimulator

if TYPE_CHECKING:
    from pydantic import BaseModel

BASE: Final = "https://vendor.example"
ASKED: Final = {"robaws": "1834", "routix": "a-1", "rompslomp": "83", "recras": "83", "workspace": "83"}
"""The id that the calls of `tools.fuzzing.vendors` ask for."""

FAULTS: Final[tuple[tuple[FaultKind, dict[str, Any]], ...]] = (
    ("throttle", {"retry_after": 3}),
    ("html", {"status": 502}),
    ("truncate", {}),
    ("wrong_json", {}),
    ("empty", {}),
)
_WELL: Final[tuple[FaultKind | None, dict[str, Any]]] = (None, {})
PERSON: Final = {"voornaam": "An", "achternaam": "Peeters", "email1": "an@delinde.example"}


class Recording(Session):
    """Keeps every answer whole."""

    def __init__(self, system: str, client: httpx.Client) -> None:
        super().__init__(system, client, Unmetered())
        self.answers: list[Response] = []

    @override
    def send(self, request: Request, key: str | None = None) -> Response:
        response = super().send(request, key)
        self.answers.append(response)
        return response


def vendors() -> dict[str, tuple[Simulator, Any, str]]:
    """Each simulator with one record, its settings and the record's id."""
    robaws, rompslomp, recras = RobawsSimulator(), RompslompSimulator(), RecrasSimulator()
    workspace, routix = WorkspaceSimulator(), RoutixSimulator()
    address = {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"}
    person = {"name": "An", "surname": "Peeters", "email": "an@delinde.example"}
    ids = {
        "robaws": robaws.add_client(name="De Linde", tel="1", address=address, contacts=[person]),
        "rompslomp": rompslomp.add_record(company_name="Dakwerken De Linde", contact_number="RB-1834", city="Gent"),
        "recras": recras.add_record(naam="Dakwerken De Linde", plaats="Gent", contactpersonen=[PERSON]),
        "workspace": workspace.add_record(name="Dakwerken De Linde", client_reference="1834"),
        "routix": routix.add_account(company_name="Dakwerken De Linde", visit_address_city="Gent"),
    }
    kinds: dict[str, tuple[Simulator, type[BaseModel]]] = {
        "robaws": (robaws, RobawsSettings),
        "rompslomp": (rompslomp, RompslompSettings),
        "recras": (recras, RecrasSettings),
        "workspace": (workspace, WorkspaceSettings),
        "routix": (routix, RoutixSettings),
    }
    return {
        name: (simulator, kind.model_validate(simulator.settings(BASE + simulator.prefix)), ids[name])
        for name, (simulator, kind) in kinds.items()
    }


def answers() -> Iterator[tuple[str, str, documents.Document]]:
    """(vendor, name, document) for every call, well and with each fault in its first answer."""
    for system in CALLS:
        for name, call in CALLS[system].items():
            for fault, given in (_WELL, *FAULTS):
                simulator, settings, held = vendors()[system]
                if fault is not None and name not in ("read", "fetch", "create", "check"):
                    continue
                if fault is not None:
                    simulator.fail(fault, **given)
                http = httpx.Client(base_url=BASE + simulator.prefix, transport=_asked(simulator, system, held))
                session = Recording(system, http)
                with suppress(SyncError):
                    call(build(system, settings), session)
                told = [_document(one, held, ASKED[system]) for one in session.answers]
                yield system, "-".join(filter(None, (name, fault))), {"call": name, "answers": told}


def _asked(simulator: Simulator, system: str, held: str) -> httpx.MockTransport:
    """The simulator, under the id that the calls ask for."""
    inner = transport((BASE, simulator))

    def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path.replace(f"/{ASKED[system]}", f"/{held}")
        url = request.url.copy_with(raw_path=path.encode() + (b"?" + request.url.query if request.url.query else b""))
        return inner.handle_request(httpx.Request(request.method, url, headers=request.headers, content=request.read()))

    return httpx.MockTransport(handle)


def _document(response: Response, held: str, asked: str) -> documents.Document:
    headers = {name: value for name, value in response.headers.items() if name not in ("content-length", "date")}
    body: documents.Document = {"text": documents.text_of(response.body)}
    with suppress(ValueError):
        body = {"json": _renamed(json.loads(response.body), held, asked)}
    return {"status": response.status, "headers": headers, "body": body}


def _renamed(value: Any, held: str, asked: str) -> Any:
    """The same answer about the record that is asked for."""
    if isinstance(value, dict):
        return {name: _renamed(one, held, asked) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, held, asked) for one in value]
    if not isinstance(value, bool) and str(value) == held:
        return int(asked) if isinstance(value, int) else asked
    return value


def stored() -> Iterator[tuple[str, str, documents.Document]]:
    """The stored answers of the vendors' tests."""
    for path in sorted((ROOT / "tests" / "vendors").glob("*/fixtures/*.json")):
        answer = json.loads(path.read_text())
        if not isinstance(answer, dict) or not isinstance(answer.get("status"), int) or "body" not in answer:
            continue
        body = {"text" if isinstance(answer["body"], str) else "json": answer["body"]}
        call = (
            "create" if "created" in path.stem else "list" if "page" in path.stem or path.stem == "contacts" else "read"
        )
        one = {"status": answer["status"], "headers": answer["headers"], "body": body}
        yield path.parents[1].name, f"stored-{path.stem}", {"call": call, "answers": [one]}


def questions() -> Iterator[tuple[str, str, documents.Document]]:
    """Every call of the API, with all of its parameters, and with none."""
    parts = {
        "{name}": "recras", "{source_id}": "1834", "{retry_id}": "link-1", "{bulk_id}": "1", "{review_id}": "1",
        "{event_id:path}": "e/2",
    }  # fmt: skip
    bodies: Mapping[str, Any] = {
        "action": "retry", "reason": "seen with the vendor", "choose": "ours", "expect": 1,
        "filter": {"system": "rompslomp", "reason": "validation"},
    }  # fmt: skip
    samples = {"limit": "2", "system": "rompslomp", "source_id": "1834", "query": "linde", "reason": "validation"}
    for number, call in enumerate(API_CALLS):
        path = call.path
        for name, value in parts.items():
            path = path.replace(name, value)
        given = [(one.name, samples.get(one.name, next(iter(one.choices), ""))) for one in call.parameters]
        query = urlencode([pair for pair in given if pair[1]])
        body = {name: bodies[name] for name in (call.body.model_fields if call.body else ()) if name in bodies}
        document = {"method": call.method, "token": "administrator", "body": {"json": body}}
        word = f"{number:02}-{call.method.lower()}"
        yield "api", f"{word}-all", {**document, "target": f"/api/v1{path}?{query}"}
        yield "api", f"{word}-plain", {**document, "target": f"/api/v1{path}", "body": {"text": ""}, "token": "viewer"}


def events() -> Iterator[tuple[str, str, documents.Document]]:
    """Webhooks: right, and wrong in the ways that the receiver has words for."""
    event = {"id": "e-1", "event": "client.updated", "data": {"id": "1834", "name": "De Linde", "contacts": [{}]}}
    headers = [["content-type", "application/json"], ["user-agent", "Robaws"], ["robaws-delivery", "1"]]
    right: documents.Document = {"method": "POST", "headers": headers, "body": [{"json": event}], "sign": "right"}
    text = json.dumps(event)
    yield "receiver", "right", right
    yield "receiver", "pieces", {**right, "body": [{"text": text[:9]}, {"text": text[9:30]}, {"text": text[30:]}]}
    yield "receiver", "left", {**right, "leave": True, "body": [{"text": text[:9]}, {"text": text[9:]}]}
    yield "receiver", "old", {**right, "sign": "old"}
    yield "receiver", "unsigned", {**right, "sign": "no"}
    yield "receiver", "no-json", {**right, "headers": [["content-type", "text/plain"]]}
    yield "receiver", "a-length", {**right, "headers": [*headers, ["content-length", "9999999"]]}
    yield "receiver", "chunked", {**right, "headers": [*headers, ["transfer-encoding", "chunked"]]}
    yield "receiver", "get", {**right, "method": "GET"}
    yield "receiver", "array", {**right, "body": [{"json": [event]}]}
    yield "receiver", "twice", {**right, "body": [{"text": '{"id":"1","id":"2","event":"a","data":{"id":"1"}}'}]}
    yield "receiver", "colon", {**right, "body": [{"text": '{"id":"1","ev\\u003a":"","event":"a","data":{"id":1}}'}]}
    yield "receiver", "nul", {**right, "body": [{"json": {**event, "id": "a\x00b"}}]}
    yield "receiver", "large", {**right, "body": [{"text": "x" * 3_000}, {"text": "x" * 3_000}]}
    trace = ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
    yield "receiver", "trace", {**right, "headers": [*headers, trace]}
    for word in ("duplicate", "away", "full", "unstorable"):
        yield "receiver", word, {**right, "store": word}


def sockets() -> Iterator[tuple[str, str, documents.Document]]:
    """What a vendor's socket says, as it is on the line."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    lines = {
        "length": [head + "Content-Length: 11\r\n\r\n", '{"id": "1"}'],
        "chunked": [head + "Transfer-Encoding: chunked\r\n\r\n", "b\r\n", '{"id": "1"}', "\r\n0\r\n\r\n"],
        "until-the-end": [head + "\r\n", '{"id":', '"1"}'],
        "short": [head + "Content-Length: 99\r\n\r\n", '{"id": "1"}'],
        "nothing": [],
        "no-http": ["SSH-2.0-OpenSSH_9.2\r\n"],
        "continue": ["HTTP/1.1 100 Continue\r\n\r\n", head + "Content-Length: 2\r\n\r\n{}"],
        "a-gzip-that-is-none": [head + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"],
        "two-lengths": [head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
        "a-chunk-that-is-none": [head + "Transfer-Encoding: chunked\r\n\r\n", "zz\r\n{}\r\n"],
        "limited": ["HTTP/1.1 429 Wait\r\nRetry-After: Mon, 01 Jan 2035 00:00:00 +0100\r\nContent-Length: 0\r\n\r\n"],
        "redirect": ["HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n"],
        "no-content": ["HTTP/1.1 204 No Content\r\n\r\n"],
    }
    for name, parts in lines.items():
        yield "wire", name, {"writes": name in ("short", "length"), "body": [{"text": part} for part in parts]}


def main(folder: Path = CORPUS) -> None:
    """Write what is not there yet; what is there by another name stays."""
    for system, name, document in (*answers(), *stored(), *questions(), *events(), *sockets()):
        place = folder / system / f"{name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(documents.write(document) + b"\n")


if __name__ == "__main__":
    main()
