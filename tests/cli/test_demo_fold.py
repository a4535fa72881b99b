"""One line for each thing that happens in the demo: reads fold, lost answers are plain words, the outcome is behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.cli.demo_fold import FOLD_SECONDS, Folder, story
from worker.store.feed import Call, LinkNow

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def call(words: str, *, system: str = "rompslomp", after: float = 0.0, **more: Any) -> Call:
    """`create POST 201`, or without a status where no answer came."""
    operation, method, *status = words.split()
    given: dict[str, Any] = {"path": "/", "error": None, "sent": None, "decisions": None, **more}
    return Call(
        id=1,
        at=NOW + timedelta(seconds=after),
        system=system,
        source_id="1001",
        operation=operation,
        method=method,
        status=int(status[0]) if status else None,
        **given,
    )


def link(state: str, *, system: str = "rompslomp", **more: Any) -> LinkNow:
    given: dict[str, Any] = {"external_id": "41", "next_attempt_at": None, "reason": None, "message": None, **more}
    given |= {"wanted_version": 1, "synced_version": 1, "attempts": 1}
    return LinkNow("1001", "Dakwerken De Linde", system, state=state, **given)


SEARCHES = ["search GET 200"] * 5


@pytest.mark.parametrize(
    ("requests", "line"),
    [
        ([*SEARCHES, "create POST 201"], "5 searches, none found → create ✓ as 41"),
        (["list GET 404", "create POST 200"], "1 search, none found → create ✓ as 41"),
        (["search GET 200", "read GET 200"], "1 search → 1 read → there it is as 41"),
        (["read GET 200", "update PUT 200", "update PUT 200"], "1 read → 2 updates ✓"),
        (["read GET 503"], "error page (503)"),
        (["search GET 200", "create POST 422"], "1 search, none found → create refused (422)"),
        (
            ["search GET 200", "create POST"],
            "1 search, none found → create sent, the line dropped; nobody knows if it was made",
        ),
    ],
    ids=["a new record", "no list yet", "found again", "updates", "down", "refused", "answer lost"],
)
def test_requests_become_one_line(requests: list[str], line: str) -> None:
    calls = [call(words, error="RemoteProtocolError: Server disconnected") for words in requests]
    failed = line.startswith("error") or "refused" in line or "dropped" in line

    assert story(calls, None if failed else "41") == line


def test_an_update_names_the_fields_that_it_wrote() -> None:
    wrote = [{"path": "adres", "action": "write"}, {"path": "naam", "action": "leave"}]

    assert story([call("update PUT 200", sent={"adres": "x", "naam": "y"}, decisions=wrote)]) == "update ✓ adres"
    assert story([call("update PATCH 200", sent={"contact": {"phone": "1"}})]) == "update ✓ phone"


@pytest.mark.parametrize(
    ("decisions", "line"),
    [
        ([], "read, nothing changed"),
        ([{"changed": {"kind": "organisation", "name": "x"}}], "read: a new client"),
        ([{"changed": {"phone": "1", "address": {"city": "Genk"}}}], "read, changed: phone, address.city"),
    ],
)
def test_what_is_read_at_robaws_is_a_line_at_once(decisions: list[Mapping[str, Any]], line: str) -> None:
    [shown] = Folder().call(call("fetch GET 200", system="robaws", decisions=decisions))

    assert shown.text == line


def test_requests_wait_for_the_state_that_they_lead_to() -> None:
    folder = Folder()

    waiting = [line for one in (*SEARCHES, "create POST 201") for line in folder.call(call(one, after=0.5))]
    working = folder.link(link("working"), NOW)
    [line] = folder.link(link("synced"), NOW)

    assert waiting == working == []
    assert (line.text, line.state) == ("5 searches, none found → create ✓ as 41", "synced")
    assert line.at == (NOW + timedelta(seconds=0.5)).timestamp()
    assert folder.link(link("synced"), NOW) == [], "said once"
    assert folder.leftover(NOW, all_of_them=True) == []


def test_a_link_that_stays_as_it_was_does_not_keep_its_requests_for_ever() -> None:
    folder = Folder()
    folder.link(link("synced"), NOW)
    folder.call(call("update PATCH 200"))

    assert folder.leftover(NOW + timedelta(seconds=FOLD_SECONDS / 2)) == []
    [line] = folder.leftover(NOW + timedelta(seconds=FOLD_SECONDS * 2))
    assert (line.text, line.state) == ("update ✓", "synced")


def test_a_system_that_is_down_says_so_once_and_when_it_is_tried_again() -> None:
    folder = Folder()
    folder.call(call("read GET 503"))
    again = NOW + timedelta(seconds=3)

    [line] = folder.link(link("waiting", reason="server_error", message="status 503", next_attempt_at=again), NOW)

    assert line.text.replace("\u00a0", " ") == "error page (503); tried again in 3 s"


def test_what_a_person_must_know_stands_behind_the_requests() -> None:
    folder = Folder()
    folder.call(call("read GET 200"))

    [line] = folder.link(link("review", reason="field_conflict", message="phone: there with another value"), NOW)

    assert line.text == "1 read → phone: there with another value"


def test_verbose_has_a_line_for_each_request_and_each_state() -> None:
    folder = Folder(verbose=True)

    lines = [line for one in ("search GET 200", "create POST 201") for line in folder.call(call(one))]
    lines += folder.link(link("synced"), NOW)

    assert [line.text for line in lines] == [
        "search    GET    200",
        "create    POST   201",
        "Dakwerken De Linde: record 41, version 1",
    ]
