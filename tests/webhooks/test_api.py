"""The API from the outside: its shapes, its actions, its refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.api_data import PERSONAL, fill
from tests.webhooks.conftest import Served, token_of, wait_until
from webhooks.api.routes import CALLS


@pytest.fixture
def filled(served: Served) -> Served:
    """A receiver with something to show."""
    fill(served.engine)
    return served


def link_id(served: Served, system: str) -> str:
    return f"link-{served.rows('SELECT id FROM link WHERE system = :s', s=system)[0][0]}"


def actions(served: Served) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in served.rows("SELECT actor, role, action, target, reason FROM operator_action ORDER BY id")
    ]


def test_the_summary_has_the_shape_that_was_promised(filled: Served) -> None:
    found = filled.api("/summary", token="viewer-token").json()

    assert found["events"] == {"received": 2, "applied": 1, "skipped": 0, "open": 0, "dead": 1, "rejected": 0}
    assert found["contacts"] == {"total": 2, "fetch_due": 0, "fetch_dead": 1}
    states = ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded")
    assert all(tuple(links) == states for links in found["links"].values())
    assert found["links"]["rompslomp"]["dead"] == found["links"]["recras"]["synced"] == 1
    for system in found["systems"].values():
        assert set(system) == {"state", "reason", "oldest_due_seconds", "calls_today", "quota_remaining"}
    assert found["conservation"] == 0
    assert set(found) == {"events", "contacts", "links", "systems", "conservation", "webhooks"}
    assert set(found["webhooks"]) == {"last_event_seconds", "last_test_seconds", "refused"}


def test_contacts_are_listed_searched_and_shown(shared: Served) -> None:
    listed = shared.api("/contacts").json()
    found = shared.api("/contacts", params={"query": "linde", "state": "dead"}).json()
    one = shared.api("/contacts/1834").json()

    assert (listed["total"], listed["next"], [item["source_id"] for item in listed["items"]]) == (
        2,
        None,
        ["1834", "1835"],
    )
    assert [item["source_id"] for item in found["items"]] == ["1834"]
    assert (one["source_id"], one["name"], one["version"]) == ("1834", "Dakwerken De Linde", 3)
    assert one["fetched_at"].endswith("Z")
    links = {link["system"]: link for link in one["links"]}
    assert links["rompslomp"] | {"id": "", "since": ""} == {
        "id": "",
        "system": "rompslomp",
        "external_id": "501",
        "state": "dead",
        "wanted_version": 3,
        "synced_version": 2,
        "attempts": 1,
        "next_attempt_at": None,
        "reason": "validation",
        "message": "an.peeters@delinde.example is no e-mail",
        "since": "",
        "synced_at": None,
        "unheld": ["language"],
        "parked": [],
        "reviews": [],
        "waits_for_system": False,
    }
    assert links["workspace"]["parked"] == ["location_city"]
    assert {entry["kind"] for entry in one["history"]} == {"event", "request"}


def test_lists_go_on_where_the_cursor_says(filled: Served) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = filled.api("/retries", params={"limit": "1", "cursor": cursor}).json()
        seen += [item["id"] for item in page["items"]]
        assert page["total"] == 3
        cursor = page["next"]

    assert len(seen) == len(set(seen)) == 3
    assert seen[0].startswith("fetch-")


def test_the_queue_says_what_waits_and_why(filled: Served) -> None:
    dead = filled.api("/retries", params={"state": "dead"}).json()["items"]
    one = filled.api(f"/retries/{link_id(filled, 'rompslomp')}").json()

    assert [(line["contact"], line["system"], line["reason"], line["attempts"]) for line in dead] == [
        ({"source_id": "1835", "name": "Tuinen Van Laar", "kind": None}, "robaws", "server_error", 7),
        ({"source_id": "1834", "name": "Dakwerken De Linde", "kind": "organisation"}, "rompslomp", "validation", 1),
    ]
    assert (one["fingerprint"], one["status"], one["operation"]) == ("f1", 422, "update")
    [request] = one["requests"]
    assert (request["method"], request["path"], request["status"]) == ("PATCH", "/contacts/501", 422)
    assert request["sent"]["contact"]["email"] == PERSONAL[0]


@pytest.mark.parametrize(
    "path", ["/contacts/1834", "/retries/{rompslomp}", "/events/e-1", "/contacts", "/retries", "/reviews"]
)
def test_a_viewer_sees_no_personal_data_and_an_operator_does(shared: Served, path: str) -> None:
    address = path.replace("{rompslomp}", link_id(shared, "rompslomp"))

    viewer = shared.api(address, token="viewer-token")
    operator = shared.api(address, token="operator-token")

    assert viewer.status_code == operator.status_code == 200
    for value in (*PERSONAL, "Brugge"):
        assert value not in viewer.text
    assert any(value in operator.text for value in (*PERSONAL, "Brugge"))
    if path != "/events/e-1":
        assert set(viewer.json()) == set(operator.json())


def test_a_fetch_that_failed_shows_its_requests_masked_for_a_viewer(shared: Served) -> None:
    [fetch] = [item["id"] for item in shared.api("/retries", params={"system": "robaws"}).json()["items"]]

    viewer = shared.api(f"/retries/{fetch}", token="viewer-token").json()
    operator = shared.api(f"/retries/{fetch}").json()

    assert operator["requests"][0]["answer"] == f"<h1>{PERSONAL[0]}</h1>"
    assert viewer["requests"][0]["answer"] == "•••"


def test_a_retry_makes_the_line_due_and_nudges_its_system(filled: Served) -> None:
    line = link_id(filled, "rompslomp")

    answer = filled.act(f"/retries/{line}/retry")

    assert (answer.status_code, answer.json()["id"], answer.json()["outcome"]) == (202, line, "retried")
    wait_until(lambda: ("deliver", "rompslomp", int(line.removeprefix("link-"))) in filled.nudges.said)
    assert filled.rows("SELECT state, attempts FROM link WHERE system = 'rompslomp'") == [("due", 0)]
    [(actor, role, *rest)] = actions(filled)
    assert (role, rest) == ("operator", ["retry", line, None])
    assert actor == "operator-token", "the token's name"
    again = filled.act(f"/retries/{line}/retry")
    assert (again.status_code, "it is due" in again.json()["detail"]) == (409, True)


def test_a_discard_wants_a_reason(filled: Served) -> None:
    line = link_id(filled, "rompslomp")

    without = filled.act(f"/retries/{line}/discard")
    blank = filled.act(f"/retries/{line}/discard", json={"reason": " "})
    given = filled.act(f"/retries/{line}/discard", json={"reason": "sold"})

    assert [one.status_code for one in (without, blank, given)] == [422, 422, 200]
    assert filled.rows("SELECT state, reason FROM link WHERE system = 'rompslomp'") == [("excluded", "discarded")]


def test_a_contact_is_synced_and_fetched_at_once(filled: Served) -> None:
    answer = filled.act("/contacts/1834/sync")

    assert answer.status_code == 202
    contact = filled.rows("SELECT id FROM contact WHERE source_id = '1834'")[0][0]
    wait_until(lambda: ("fetch", contact) in filled.nudges.said)
    assert filled.rows("SELECT fetch_state, fetch_forced FROM contact WHERE source_id = '1834'") == [("due", True)]


def test_a_contact_that_is_not_known_yet_is_fetched_once_however_often_it_is_asked_for(filled: Served) -> None:
    first, second = filled.act("/contacts/4711/sync"), filled.act("/contacts/4711/sync")

    assert [one.status_code for one in (first, second)] == [202, 202]
    assert first.json()["message"] == "it is not known here yet: it is fetched and delivered now"
    [contact] = filled.rows("SELECT id, fetch_state, fetch_forced, version FROM contact WHERE source_id = '4711'")
    assert contact[1:] == ("due", True, 0)
    wait_until(lambda: ("fetch", contact[0]) in filled.nudges.said)


@pytest.mark.parametrize("source_id", ["abc", "0", "%00", "1.5", "9" * 30])
def test_what_can_be_no_id_of_a_client_is_404_and_makes_no_contact(filled: Served, source_id: str) -> None:
    before = filled.rows("SELECT count(*) FROM contact")

    answer = filled.act(f"/contacts/{source_id}/sync")

    assert answer.status_code == 404
    assert "is not the id of a client in Robaws" in answer.json()["detail"]
    assert filled.rows("SELECT count(*) FROM contact") == before


def test_a_bulk_action_is_worked_off_in_the_background(filled: Served) -> None:
    made = filled.act("/bulk", json={"action": "retry", "filter": {"state": "dead"}, "reason": "all well", "expect": 2})
    bulk = made.json()["id"]
    wait_until(lambda: filled.api(f"/bulk/{bulk}").json()["state"] == "done")

    done = filled.api(f"/bulk/{bulk}").json()

    assert made.status_code == 202
    assert (done["total"], done["done"], done["filter"]) == (2, 2, {"state": "dead"})
    assert [result["outcome"] for result in done["results"]] == ["retried", "retried"]
    assert filled.rows("SELECT count(*) FROM link WHERE state = 'dead'")[0][0] == 0
    assert filled.rows("SELECT state FROM inbox_event WHERE event_id = 'e/2'") == [("taken",)]


def test_a_bulk_action_that_a_receiver_left_behind_is_taken_up(filled: Served) -> None:
    filled.execute(
        "INSERT INTO operator_action (actor, role, action, target, filter, state, total, items) "
        "SELECT 'a', 'operator', 'retry', 'bulk', '{}', 'running', 1, jsonb_build_array('link-' || id) "
        "FROM link WHERE state = 'dead'"
    )

    wait_until(lambda: filled.rows("SELECT state FROM operator_action") == [("done",)], seconds=15)

    assert filled.rows("SELECT state FROM link WHERE system = 'rompslomp'") == [("due",)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "retry", "filter": {}, "reason": "x", "expect": 2}, 422),
        ({"action": "retry", "filter": {"state": ""}, "reason": "x", "expect": 2}, 422),
        ({"action": "retry", "filter": {"status": "dead"}, "reason": "x", "expect": 2}, 422),
        ({"action": "retry", "filter": {"state": "broken"}, "expect": 0}, 422),
        ({"action": "delete", "filter": {"state": "dead"}, "expect": 2}, 422),
        ({"action": "retry", "filter": {"state": "dead"}, "expect": 1}, 409),
        ({"action": "retry", "filter": {"state": "dead"}, "expect": "2"}, 422),
        ({"action": "retry", "filter": {"state": "dead"}}, 422),
        ({"action": "discard", "filter": {"state": "dead"}, "expect": 2}, 422),
        ({"action": "retry", "filter": {"system": "foo"}, "expect": 0}, 422),
        ({"filter": {"state": "dead"}, "expect": 2}, 422),
        ([], 422),
        ("text", 422),
    ],
)
def test_a_bulk_action_that_is_not_clear_is_refused_and_nothing_happens(shared: Served, body: Any, status: int) -> None:
    answer = shared.act("/bulk", json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert actions(shared) == []


def test_systems_are_listed_paused_and_resumed(filled: Served) -> None:
    without = filled.act("/systems/recras/pause")
    paused = filled.act("/systems/recras/pause", json={"reason": "they move"})
    during = {line["name"]: line for line in filled.api("/systems").json()["items"]}
    resumed = filled.act("/systems/recras/resume")
    unknown = filled.act("/systems/exact/resume")

    assert [one.status_code for one in (without, paused, resumed, unknown)] == [422, 200, 200, 404]
    assert set(during) == {"robaws", "rompslomp", "recras", "workspace", "routix"}
    assert filled.rows("SELECT paused_by FROM system_state WHERE system = 'recras'") == [(None,)]
    wait_until(lambda: ("deliver", "recras", 0) in filled.nudges.said)


def test_a_paused_system_says_why(filled: Served) -> None:
    filled.act("/systems/rompslomp/pause", json={"reason": "they move"})

    systems = filled.api("/summary").json()["systems"]

    assert (systems["rompslomp"]["state"], systems["rompslomp"]["reason"]) == ("paused", "they move")


def test_a_question_is_listed_and_answered(filled: Served) -> None:
    [question] = filled.api("/reviews").json()["items"]
    shown = filled.api(f"/reviews/{question['id']}").json()
    wrong = filled.act(f"/reviews/{question['id']}/resolve", json={"choose": "create"})
    answer = filled.act(f"/reviews/{question['id']}/resolve", json={"choose": "ours", "reason": "asked them"})
    again = filled.act(f"/reviews/{question['id']}/resolve", json={"choose": "ours"})

    assert (question["kind"], question["system"], question["choices"]) == (
        "field",
        "workspace",
        ["ours", "theirs", "value"],
    )
    assert shown["detail"]["theirs"] == "Brugge"
    assert [one.status_code for one in (wrong, answer, again)] == [422, 200, 409]
    assert filled.rows("SELECT state FROM link WHERE system = 'workspace'") == [("due",)]
    assert filled.api("/reviews").json() == {"items": [], "total": 0, "next": None, "total_is_capped": False}


def test_events_are_listed_shown_verbatim_and_replayed(filled: Served) -> None:
    listed = filled.api("/events").json()["items"]
    dead = filled.api("/events", params={"state": "dead"}).json()["items"]
    shown = filled.api("/events/e-1").json()
    replayed = filled.act("/events/e/2/replay")

    assert {event["id"] for event in listed} == {"e-1", "e/2"}
    assert [event["id"] for event in dead] == ["e/2"]
    assert (shown["encoding"], shown["headers"]) == ("text", {"user-agent": "Robaws"})
    assert PERSONAL[0] in shown["body"]
    assert replayed.status_code == 202
    assert filled.rows("SELECT state FROM inbox_event WHERE event_id = 'e/2'") == [("taken",)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/contacts/4711", 404),
        ("/contacts/%00", 404),
        ("/retries/link-0", 404),
        ("/retries/nonsense", 404),
        ("/retries/link-99999999999999999999999", 404),
        ("/bulk/1", 404),
        ("/bulk/x", 404),
        ("/reviews/1000000", 404),
        ("/events/none", 404),
        ("/events/%00", 404),
        ("/nothing", 404),
        ("/contacts?limit=0", 422),
        ("/contacts?limit=201", 422),
        ("/contacts?limit=x", 422),
        ("/contacts?limit=1&limit=2", 422),
        ("/contacts?cursor=x", 422),
        ("/contacts?stat=dead", 422),
        ("/contacts?state=broken", 422),
        ("/contacts?query=%00", 422),
        ("/retries?state=synced", 422),
        ("/retries?query=" + "x" * 300, 422),
        ("/events?state=new", 422),
        ("/reviews?system=%00", 422),
        ("/summary?x=1", 422),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_so(shared: Served, path: str, status: int) -> None:
    answer = shared.api(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert len(answer.json()["detail"]) > 10


def test_a_body_that_is_too_large_or_no_json_is_refused(shared: Served) -> None:
    headers = {"Authorization": f"Bearer {token_of('operator-token')}"}
    large = shared.http.post("/api/v1/bulk", content=b" " * 70_000, headers=headers)
    broken = shared.http.post("/api/v1/bulk", content=b"{", headers=headers)
    deep = shared.http.post("/api/v1/bulk", content=b"[" * 30_000, headers=headers)

    assert [one.status_code for one in (large, broken, deep)] == [413, 422, 422]


def test_another_method_is_a_problem_that_names_the_right_one(shared: Served) -> None:
    answer = shared.http.delete(
        "/api/v1/contacts/1834", headers={"Authorization": f"Bearer {token_of('operator-token')}"}
    )

    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)
    assert answer.headers["content-type"] == "application/problem+json"


WORDS = [
    (call.path, parameter.name)
    for call in CALLS
    if call.method == "GET"
    for parameter in call.parameters
    if parameter.choices or parameter.name in ("state", "system", "reason", "kind")
]


@pytest.mark.parametrize(("path", "name"), WORDS)
def test_an_unknown_word_in_a_filter_is_refused_with_those_that_exist(shared: Served, path: str, name: str) -> None:
    answer = shared.api(path, params={name: "foo"})

    assert answer.status_code == 422
    assert "is one of" in answer.json()["detail"]
