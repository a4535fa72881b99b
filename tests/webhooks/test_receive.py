"""`POST /webhooks/robaws`, from the outside: what is answered, and what then stands in the database."""

from __future__ import annotations

from tests.webhooks.conftest import Served


def test_an_event_is_stored_verbatim_before_it_is_answered(served: Served) -> None:
    body = b'{ "id": "e-1",  "event": "client.updated", "data": {"id": "1834", "name": "De Linde"} }'

    answer = served.post(body, Robaws_Extra="kept", X_Other="not kept")

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "event_id": "e-1"})
    row = served.rows("SELECT * FROM inbox_event")[0]
    assert (bytes(row.body), row.kind, row.source_id, row.state) == (body, "client.updated", "1834", "new")
    assert row.headers["robaws-extra"] == "kept"
    assert "x-other" not in row.headers
    assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 1


def test_an_event_that_was_seen_before_is_not_stored_again(served: Served) -> None:
    served.event("e-1")

    answer = served.event("e-1")

    assert (answer.status_code, answer.json()) == (200, {"status": "duplicate", "event_id": "e-1"})
    assert served.rows("SELECT count(*) FROM inbox_event")[0][0] == 1
    assert served.rows("SELECT sum(received) FROM event_tally")[0][0] == 1
