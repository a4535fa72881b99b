"""
The transport: bytes of an HTTP/1.1 answer, as a vendor's socket gives them, to `Session.send`.

A document is `{"writes": bool, "body": [part, …]}`; each part is what one read of the socket brings. Between the bytes
and the session are httpx and h11 as they are installed.
"""

from __future__ import annotations

import httpcore
import httpx

from tools.fuzzing import documents
from tools.fuzzing.scripted import CREDENTIAL, check_error, check_exchanges
from worker.core.wire import Request
from worker.errors import SyncError
from worker.vendors.transport import MAX_ANSWER_BYTES, Session, Unmetered, make_client

READ = Request("read", "GET", "/x", headers={"Authorization": f"Bearer {CREDENTIAL}"}, hidden=("iban",))
CREATE = Request(
    "create",
    "POST",
    "/x",
    (),
    READ.headers,
    b"{}",
    idempotency_key="key",
    creates=True,
    writes=True,
    hidden=READ.hidden,
)

_TRANSPORT = httpx.HTTPTransport()
"""One for all: to read the certificates of the world takes longer than what is tried here."""


def try_wire(data: bytes) -> None:
    """Send one request to a socket that answers these bytes. It ends as an answer, or as an error by name."""
    document = documents.read(data)
    backend = httpcore.MockBackend(documents.pieces_of(document.get("body")))
    _TRANSPORT._pool = httpcore.ConnectionPool(network_backend=backend)
    session = Session("rompslomp", make_client("http://vendor.example", _TRANSPORT), Unmetered(), timeout_seconds=5)
    try:
        response = session.send(CREATE if document.get("writes") else READ)
        assert len(response.body) <= MAX_ANSWER_BYTES, "an answer without bounds"
        try:
            response.json()
        except SyncError as error:
            check_error(error, session)
        response.json_or_none()
        check_error(response.limited(), session)
    except SyncError as error:
        check_error(error, session)
    finally:
        session.client.close()
    check_exchanges(session.exchanges)
