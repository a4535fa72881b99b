"""The log of requests keeps what was sent and answered, whatever is in it, in the order in which it left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from worker.core.wire import Exchange, Request
from worker.store import attempts
from worker.store.attempts import AttemptContext

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

STARTED = datetime(2026, 3, 9, 7, 59, 59, 123456, UTC)
WHOSE = AttemptContext(contact_id=None, correlation_id="c-1", contact_version=3, fence=9)


def exchange(logged: Any = None, *, answer: str | None = "{}", status: int | None = 200, number: int = 0) -> Exchange:
    request = Request("update", "PUT", f"/clients/{number}", (("a", "1"), ("b", "x y")), logged=logged, writes=True)
    return Exchange("rompslomp", request, status, answer, None if status else "Timeout", STARTED.timestamp(), 0.0123)


def logged(hub: Hub, *exchanges: Exchange, decisions: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    with hub.engine.begin() as connection:
        attempts.add(connection, exchanges, WHOSE, [decisions] if decisions else ())
        rows = connection.execute(text("SELECT * FROM attempt ORDER BY id")).mappings().all()
    return [dict(row) for row in rows]


def test_a_row_says_what_was_sent_and_what_came_of_it(hub: Hub) -> None:
    (row,) = logged(hub, exchange({"name": "Fietsen Peeters"}), decisions=[{"path": "name"}])

    assert row["at"] == STARTED
    assert (row["system"], row["operation"], row["method"], row["path"]) == (
        "rompslomp",
        "update",
        "PUT",
        "/clients/0?a=1&b=x y",
    )
    assert (row["sent"], row["decisions"]) == ({"name": "Fietsen Peeters"}, [{"path": "name"}])
    assert (row["status"], row["answer"], row["error"], row["duration_ms"]) == (200, "{}", None, 12)
    assert (row["correlation_id"], row["contact_version"], row["fence"]) == ("c-1", 3, 9)


def test_rows_stand_in_the_order_in_which_requests_left(hub: Hub) -> None:
    rows = logged(hub, *(exchange(number=number) for number in range(12)))

    assert [row["path"] for row in rows] == [f"/clients/{number}?a=1&b=x y" for number in range(12)]


def test_a_request_without_an_answer_or_a_body_is_kept_as_such(hub: Hub) -> None:
    (row,) = logged(hub, exchange(None, answer=None, status=None))

    assert (row["sent"], row["status"], row["answer"], row["error"]) == (None, None, None, "Timeout")


def test_what_is_no_object_is_kept_under_a_name(hub: Hub) -> None:
    (row,) = logged(hub, exchange(["a", 1]))

    assert row["sent"] == {"value": ["a", 1]}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\u0000x", "C:\\u0000x"),
        ("\\", "\\"),
        ("a\x00b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\x00\x00", "\N{REPLACEMENT CHARACTER}" * 2),
        ("\\\x00", "\\\N{REPLACEMENT CHARACTER}"),
        ("\\\\u0000\x00\\u0000", "\\\\u0000\N{REPLACEMENT CHARACTER}\\u0000"),
        ("{1,2} \"quoted\" 'too' \r\n", "{1,2} \"quoted\" 'too' \r\n"),
    ],
)
def test_any_text_is_kept_and_a_nul_is_replaced(hub: Hub, sent: str, kept: str) -> None:
    (row,) = logged(hub, exchange({"name": sent, sent: 1}, answer=sent))

    assert row["sent"] == {"name": kept, kept: 1}
    assert row["answer"] == kept
