"""What a viewer's token gets from a running receiver, and what it does not find."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.webhooks.api_data import fill
from tests.webhooks.conftest import Served, token_of
from worker.core.masks import MASK

TYPED = "Marleen Verbruggen, 0475 12 34 56, rijksregister 85.07.30-033.28, echtscheiding"
STRANGER = "Geheimstraat 88 hoort bij Jan Stranger (geb. 1950)"
EXTRA = "Marleen Verbruggen, rek. BE68539007547034"
EVENT = {
    "id": "e-9",
    "event": "client.updated",
    "data": {
        "id": "1834",
        "accountNr": "BE68539007547034",
        "bic": "GKCCBEBB",
        "creditInfo": "C3 slecht",
        "description": "woont op Geheimstraat 77",
        "createdBy": "marleen.v",
        "vatIdNumber": "BE0403170701",
        "extraFields": {"6B0B2B52-2F7C-4F7E-8D5C-0A1B2C3D4E5F": {"type": "TEXT", "stringValue": EXTRA}},
        "updatedAt": "2026-03-02T09:00:00Z",
    },
}
ANSWER = {
    "id": "1834",
    "extraFields": {"Rompslomp-id": {"type": "TEXT", "stringValue": EXTRA}},
    "duplicate": {"naam": "Jan Stranger", "adres": "Kerkstraat 3"},
}
SECRET = (
    "BE68539007547034",
    "GKCCBEBB",
    "C3 slecht",
    "Geheimstraat",
    "marleen.v",
    "BE0403170701",
    "Verbruggen",
    "Jan Stranger",
    "Kerkstraat 3",
    "85.07.30-033.28",
    "echtscheiding",
    "Rompslomp-id",
    "6B0B2B52",
    "jansen",
)
REACHED = {"email": "marleen@verbruggen.example", "phone": "0475 12 34 56", "vat_number": "BE0403.170.701"}
CALLS = (
    "/summary",
    "/systems",
    "/contacts",
    "/contacts/1834",
    "/contacts/1835",
    "/contacts/1836",
    "/retries",
    "/retries/{rompslomp}",
    "/retries/{fetch}",
    "/reviews",
    "/reviews/{review}",
    "/events",
    "/events/e-9",
    "/events/rejected",
    "/events/rejected/{rejected}",
    "/bulk/{bulk}",
)


@pytest.fixture
def full(served: Served) -> Served:
    """A receiver on a database with something personal wherever it can stand."""
    fill(served.engine)
    served.execute(
        "INSERT INTO contact (source, source_id, name, version, canonical, fetched_at)"
        " VALUES ('robaws', '1836', 'Marleen Verbruggen', 1, CAST(:canonical AS jsonb), now())",
        canonical=orjson.dumps({"name": "Marleen Verbruggen", "kind": "person", **REACHED}).decode(),
    )
    served.execute(
        "UPDATE link SET message = :text, fields = jsonb_build_object('adres', CAST(:text AS text), :text, 1)",
        text=STRANGER,
    )
    served.execute("UPDATE contact SET fetch_message = :text WHERE source_id = '1835'", text=STRANGER)
    served.execute("UPDATE review SET message = :text", text=STRANGER)
    served.execute("UPDATE attempt SET answer = :a, error = :e", a=orjson.dumps(ANSWER).decode(), e=STRANGER)
    assert served.event("e-8").status_code == 202
    assert served.post(orjson.dumps(EVENT)).status_code == 202
    # As a release before this one stored it, without taking anything out.
    served.execute("UPDATE inbox_event SET body = :body WHERE event_id = 'e-9'", body=orjson.dumps(EVENT))
    served.execute("UPDATE link SET message = 'Kerkstraat 12, the street before' WHERE system = 'recras'")
    assert served.act("/systems/recras/pause", {"reason": TYPED}).status_code == 200
    served.execute(
        "INSERT INTO operator_action (at, actor, role, action, target, reason)"
        " VALUES (now(), 'jansen', 'operator', 'sync', 'contact-1834', :reason)",
        reason=TYPED,
    )
    return served


def ids(served: Served) -> dict[str, str]:
    made = served.act(
        "/bulk", {"action": "retry", "filter": {"state": "dead", "query": "Verbruggen"}, "reason": TYPED, "expect": 0}
    )
    assert made.status_code == 202
    [[link]] = served.rows("SELECT id FROM link WHERE system = 'rompslomp'")
    [[contact]] = served.rows("SELECT id FROM contact WHERE source_id = '1835'")
    assert served.post(orjson.dumps({**EVENT, "id": None})).status_code == 400
    [[rejected]] = served.rows("SELECT id FROM inbox_reject")
    return {
        "rejected": str(rejected),
        "rompslomp": f"link-{link}",
        "fetch": f"fetch-{contact}",
        "review": str(served.rows("SELECT id FROM review")[0][0]),
        "bulk": made.json()["id"],
    }


def test_of_all_calls_a_viewer_gets_no_personal_value_and_an_operator_gets_all(full: Served) -> None:
    given = ids(full)
    paths = [path.format(**given) for path in CALLS]

    viewer = {path: full.api(path, token="viewer-token") for path in paths}
    operator = {path: full.api(path, token="operator-token") for path in paths}
    page = full.http.get("/", auth=("anybody", token_of("viewer-token")))

    assert {answer.status_code for answer in (*viewer.values(), *operator.values(), page)} == {200}
    everything = "".join(answer.text for answer in operator.values())
    assert [secret for secret in SECRET if secret not in everything] == []
    shown = {path: secret for path, answer in viewer.items() for secret in SECRET if secret in answer.text}
    assert shown == {}
    assert [secret for secret in SECRET if secret in page.text] == []
    assert {path: sorted(answer.json()) for path, answer in viewer.items()} == {
        path: sorted(answer.json()) for path, answer in operator.items()
    }


def test_a_list_hides_what_a_detail_hides(full: Served) -> None:
    line = ids(full)["rompslomp"]

    detail = full.api(f"/retries/{line}", token="viewer-token").json()
    [listed] = [one for one in full.api("/retries", token="viewer-token").json()["items"] if one["id"] == line]

    assert {name: detail[name] for name in listed} == listed
    assert (listed["message"], listed["reason"], listed["status"], listed["fingerprint"]) == (
        MASK,
        "validation",
        422,
        "f1",
    )
    assert listed["fields"] == {"adres": MASK, MASK: MASK}


def test_an_event_shows_a_viewer_which_one_it_is_and_its_shape(full: Served) -> None:
    event = full.api("/events/e-9", token="viewer-token").json()

    assert (event["id"], event["kind"], event["source_id"]) == ("e-9", "client.updated", "1834")
    data = orjson.loads(event["body"])["data"]
    assert (data["id"], data["updatedAt"], data["vatIdNumber"]) == ("1834", "2026-03-02T09:00:00Z", MASK)
    assert data["extraFields"] == {MASK: {"type": MASK, "stringValue": MASK}}


@pytest.mark.parametrize(
    ("query", "viewer", "operator"),
    [
        ("verbruggen", [], ["1836"]),
        ("1836", ["1836"], ["1836"]),
        ("linde", ["1834"], ["1834"]),
        ("Marleen@verbruggen.example", [], ["1836"]),
        ("+32 475 12 34 56", [], ["1836"]),
        ("BE 0403 170 701", [], ["1836"]),
    ],
)
def test_a_viewer_finds_nobody_by_what_viewers_do_not_see(
    full: Served, query: str, viewer: list[str], operator: list[str]
) -> None:
    def found(path: str, token: str) -> Any:
        answer = full.api(path, token=token, params={"query": query}).json()
        return answer["total"], sorted(
            item.get("source_id") or item["contact"]["source_id"] for item in answer["items"]
        )

    full.execute("UPDATE contact SET fetch_state = 'dead', fetch_reason = 'gone' WHERE source_id IN ('1834', '1836')")
    full.execute("UPDATE link SET state = 'synced', next_attempt_at = NULL")

    assert found("/contacts", "viewer-token") == (len(viewer), viewer)
    assert found("/contacts", "operator-token") == (len(operator), operator)
    assert found("/retries", "viewer-token") == (len(viewer), viewer)
    assert found("/retries", "operator-token") == (len(operator), operator)


@pytest.mark.parametrize("path", ["/contacts", "/events", "/retries"])
def test_a_viewer_goes_from_page_to_page_as_anybody_does(full: Served, path: str) -> None:
    def pages(token: str) -> list[tuple[int, str | None]]:
        seen: list[tuple[int, str | None]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = full.api(path, token=token, params={"limit": 1, "cursor": cursor}).json()
            cursor = page["next"]
            seen.append((page["total"], cursor))
        return seen

    assert len(pages("viewer-token")) > 1
    assert pages("viewer-token") == pages("operator-token")


def test_an_organisations_name_is_shown_and_a_private_persons_is_not(full: Served) -> None:
    named = {one["source_id"]: one["name"] for one in full.api("/contacts", token="viewer-token").json()["items"]}

    assert named == {"1834": "Dakwerken De Linde", "1835": MASK, "1836": MASK}
    assert full.api("/contacts/1834", token="viewer-token").json()["fields"]["name"] == "Dakwerken De Linde"
