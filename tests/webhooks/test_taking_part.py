"""Links by hand over the API: statuses, sentences, and nothing done where the record is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.webhooks.api_data import fill
from tests.webhooks.conftest import make_settings, serving
from worker.config import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.webhooks.conftest import Served

PLACE = {"system": "rompslomp", "reason": "asked the bookkeeper"}


@pytest.fixture
def linked(served: Served) -> Served:
    fill(served.engine)
    served.execute("UPDATE link SET state = 'synced', next_attempt_at = NULL WHERE system = 'rompslomp'")
    return served


def row(served: Served) -> tuple[str | None, str, str | None]:
    [found] = served.rows(
        "SELECT l.external_id, l.state, l.reason FROM link AS l JOIN contact AS c ON c.id = l.contact_id"
        " WHERE l.system = 'rompslomp' AND c.source_id = '1834'"
    )
    return tuple(found)


def test_a_link_is_moved_to_a_record_that_is_there(linked: Served) -> None:
    record = linked.rompslomp.add_record(company_name="Dakwerken De Linde")

    answer = linked.act("/contacts/1834/link", {**PLACE, "external_id": record})

    assert (answer.status_code, answer.json()["outcome"]) == (200, "linked")
    assert row(linked) == (record, "due", None)
    assert ("deliver", "rompslomp") in [said[:2] for said in linked.nudges.said]


def test_a_record_that_is_not_there_is_422_and_nothing_is_done(linked: Served) -> None:
    before = row(linked)

    answer = linked.act("/contacts/1834/link", {**PLACE, "external_id": "123456789"})

    assert (answer.status_code, row(linked)) == (422, before)
    assert "no record 123456789" in answer.json()["detail"]


def test_a_vendor_that_is_away_is_503_and_nothing_is_done(linked: Served) -> None:
    before = row(linked)
    linked.rompslomp.fail("status", times=1, status=503)

    answer = linked.act("/contacts/1834/link", {**PLACE, "external_id": "123456789"})

    assert (answer.status_code, row(linked)) == (503, before)
    assert "Retry-After" in answer.headers


def test_a_receiver_without_credentials_looks_nothing_up(migrated_url: str, engine: Engine) -> None:
    settings = make_settings(migrated_url)
    bare = Settings.model_validate({"systems": {"rompslomp": {"enabled": True}, "robaws": {"enabled": True}}}).systems
    fill(engine)
    with serving(settings.model_copy(update={"systems": bare}), engine) as served:
        answer = served.act("/contacts/1834/link", {**PLACE, "external_id": "123456789"})

    assert answer.status_code == 503
    assert "holds no credentials of rompslomp" in answer.json()["detail"]
    assert "contactsync contacts link" in answer.json()["detail"]


def test_a_record_that_another_client_holds_is_409(linked: Served) -> None:
    record = linked.rompslomp.add_record(company_name="Dakwerken De Linde")
    linked.execute(
        "INSERT INTO link (contact_id, system, external_id, state) SELECT id, 'rompslomp', :record, 'synced'"
        " FROM contact WHERE source_id = '1835'",
        record=record,
    )

    answer = linked.act("/contacts/1834/link", {**PLACE, "external_id": record})

    assert answer.status_code == 409
    assert "1835" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/contacts/1834/unlink", {"system": "rompslomp"}, 422),
        ("/contacts/1834/unlink", {"system": "rompslomp", "reason": ""}, 422),
        ("/contacts/1834/unlink", {"system": "nowhere", "reason": "x"}, 422),
        ("/contacts/1834/link", {**PLACE, "external_id": "a/b"}, 422),
        ("/contacts/1834/link", PLACE, 422),
        ("/contacts/999/exclude", PLACE, 404),
        ("/contacts/1834/include", PLACE, 409),
    ],
)
def test_what_cannot_be_done_says_why(linked: Served, path: str, body: dict[str, str], status: int) -> None:
    answer = linked.act(path, body)

    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_viewer_may_not(linked: Served) -> None:
    assert linked.act("/contacts/1834/unlink", PLACE, token="viewer-token").status_code == 403


def test_unlink_and_exclude_show_in_the_contact(linked: Served) -> None:
    linked.act("/contacts/1834/unlink", PLACE)
    unlinked = row(linked)
    linked.act("/contacts/1834/include", PLACE)
    linked.act("/contacts/1834/exclude", PLACE)

    found = linked.api("/contacts/1834").json()
    assert unlinked == (None, "excluded", "unlinked")
    assert row(linked) == (None, "excluded", "excluded_by_person")
    assert [one["action"] for one in found["history"] if one["kind"] == "action"][:3] == [
        "exclude",
        "include",
        "unlink",
    ]
