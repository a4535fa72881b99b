"""A failure's line in the log names reason and fingerprint; what the vendor said stands in the row alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.ground.log_calls import log_calls

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

SENTENCE = "Geheimstraat 88 hoort bij Jan Stranger (geb. 1950)"


def failed(logs: list[Any], event: str) -> dict[str, Any]:
    return next(one for one in logs if one["event"] == event)


def test_a_refused_delivery(hub: Hub) -> None:
    body = json.dumps({"error": {"type": "invalid_record", "message": SENTENCE}})
    hub.rompslomp.fail("status", status=422, body=body, method="POST")

    with capture_logs() as logs:
        client = hub.robaws.add_client(name="Bakkerij Zonnehof")
        hub.sync(client)

    link = hub.link(client, "rompslomp")
    assert "Jan Stranger" in link["message"]
    assert "Stranger" not in str(logs)
    line = failed(logs, "deliver.failed")
    assert line["reason"] == link["reason"]
    assert line["fingerprint"] == link["fingerprint"]


def test_a_fetch_that_fails(hub: Hub) -> None:
    client = hub.robaws.add_client(name="Bakkerij Zonnehof")
    hub.robaws.fail("status", status=422, body=json.dumps({"message": SENTENCE}), method="GET", times=20)

    with capture_logs() as logs:
        hub.event(client)
        hub.settle()

    assert "Stranger" not in str(logs)
    assert failed(logs, "fetch.failed")["fingerprint"]


def test_no_line_of_the_log_is_given_a_sentence() -> None:
    """An error's text, or the message of an outcome, quotes whoever the vendor writes about."""
    calls = list(log_calls())

    assert len(calls) > 30
    assert [str(one) for one in calls if one.quotes()] == []


@pytest.mark.parametrize(
    ("call", "quotes"),
    [
        ("log.warning('a', error=error.message)", True),
        ("log.warning('a', error=str(error))", True),
        ("log.warning('a', error=f'{type(error).__name__}: {error}')", True),
        ("log.warning('a', error=f'{error!r}')", True),
        ("log.warning('a', error=repr(error))", True),
        ("log.warning('a', error=error_text(error), reason=outcome.reason)", False),
        ("log.warning('a', error=type(error).__name__)", False),
    ],
)
def test_a_line_that_is_given_a_sentence_is_noticed(call: str, quotes: bool) -> None:
    assert [one.quotes() for one in log_calls(call)] == [quotes]
