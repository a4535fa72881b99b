"""An answer that holds for every question about a field of a system, from now on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_a_third_value import PHONE
from tests.flows.test_answers import answer, brief, only
from tests.flows.test_answers_taken_back import undo
from worker.flows import previewing
from worker.store.refusals import Forbidden, Unfit

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VATS = ("BE0000000097", "BE0000000196", "BE0000000295", "BE0000000394")


def asked(hub: Hub, number: int, phone: str = PHONE) -> str:
    """Another client whose record in Rompslomp has another phone."""
    vat = VATS[number]
    hub.rompslomp.add_record(company_name=client(number)["name"], vat_number=vat, phone=phone)
    source_id = hub.robaws.add_client(**client(number, vatIdNumber=vat))
    hub.sync(source_id)
    return source_id


def phones(hub: Hub) -> list[str]:
    return [str(one["phone"]) for one in hub.rompslomp.state()["records"]]


def by(hub: Hub, source_id: str) -> list[tuple[str | None, ...]]:
    statement = (
        "SELECT r.choice, r.resolved_by, r.resolve_reason FROM review r JOIN link l ON l.id = r.link_id"
        " JOIN contact c ON c.id = l.contact_id WHERE c.source_id = :id ORDER BY r.id"
    )
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), {"id": source_id})]


@pytest.mark.parametrize("word", ["ours", "theirs"])
def test_it_answers_what_is_open_and_what_comes(hub: Hub, word: str) -> None:
    only(hub, "rompslomp")
    first, second = asked(hub, 0), asked(hub, 1)

    [first_question] = [one["id"] for one in hub.questions(first, "rompslomp")]
    message = answer(hub, first, "rompslomp", word, path="phone", rule=True).message
    hub.settle_all()
    third = asked(hub, 2)
    hub.settle_all()

    assert "From now on every question about this field of rompslomp is answered so, 1 more now" in message
    states = [brief(hub, source_id, "rompslomp") for source_id in (first, second, third)]
    assert states == [("synced", None)] * 3
    expected = [client(number)["tel"] for number in range(3)] if word == "ours" else [PHONE] * 3
    assert phones(hub) == expected
    assert by(hub, third) == [(word, "An Peeters", f"by the rule of question {first_question}")]


def test_taking_the_answer_back_ends_the_rule(hub: Hub) -> None:
    only(hub, "rompslomp")
    first = asked(hub, 0)
    answer(hub, first, "rompslomp", "theirs", path="phone", rule=True)

    message = undo(hub).message
    second = asked(hub, 1)
    hub.settle_all()

    assert "the rule that it made is ended" in message
    assert brief(hub, first, "rompslomp") == brief(hub, second, "rompslomp") == ("review", "field_conflict")


def test_another_field_and_what_is_no_field_take_no_rule(hub: Hub) -> None:
    only(hub, "rompslomp")
    first = asked(hub, 0)
    hub.rompslomp.add_record(company_name="Dakwerken De Linde 3 BV", zipcode="9003")
    doubtful = hub.robaws.add_client(**client(3))
    hub.sync(doubtful)

    answer(hub, first, "rompslomp", "theirs", path="phone", rule=True)
    with pytest.raises(Unfit, match="a rule is for a question about one field"):
        answer(hub, doubtful, "rompslomp", "create", rule=True)

    assert brief(hub, doubtful, "rompslomp")[0] == "review"


def test_more_questions_than_one_person_may_answer_want_an_admin(hub: Hub) -> None:
    only(hub, "rompslomp")
    first, _ = asked(hub, 0), asked(hub, 1)

    with pytest.raises(Forbidden, match="admin"):
        answer(hub, first, "rompslomp", "theirs", path="phone", rule=True, approval_above=1)

    assert brief(hub, first, "rompslomp")[0] == "review"


def test_what_the_system_refuses_is_not_sent_again_by_a_rule(hub: Hub) -> None:
    only(hub, "rompslomp")
    first = asked(hub, 0)
    answer(hub, first, "rompslomp", "ours", path="phone", rule=True)
    hub.settle_all()
    body = '{"error": {"type": "invalid_record", "message": "Contact is invalid: Phone is ongeldig."}}'
    hub.rompslomp.fail("status", status=422, body=body, method="PATCH", times=-1)

    second = asked(hub, 1)
    hub.settle_all()

    writes = [call for call in hub.calls("rompslomp") if call.startswith("PATCH")]
    assert brief(hub, second, "rompslomp")[0] in ("review", "dead")
    assert len(writes) < 6


def test_a_delivery_whose_answer_a_rule_gives_leaves_nothing_else_behind(hub: Hub) -> None:
    only(hub, "rompslomp")
    first = asked(hub, 0)
    answer(hub, first, "rompslomp", "theirs", path="phone", rule=True)
    hub.rompslomp.add_record(company_name=client(1)["name"], vat_number=VATS[1], phone=PHONE, city="Brugge")
    second: Any = hub.robaws.add_client(**client(1, vatIdNumber=VATS[1]))
    hub.sync(second)

    assert [one["path"] for one in hub.questions(second, "rompslomp")] == ["address.*"]
    assert list(hub.link(second, "rompslomp")["parked"]) == ["address.*"]
    assert brief(hub, second, "rompslomp") == ("review", "field_conflict")


def test_a_question_whose_answer_was_taken_back_waits_for_a_person(hub: Hub) -> None:
    only(hub, "rompslomp")
    first, second = asked(hub, 0), asked(hub, 1)
    answer(hub, first, "rompslomp", "theirs", path="phone", rule=True)
    [given] = [str(row) for row in questions_of(hub, second)]

    undo(hub, given)
    hub.robaws.change_client(second, email="nieuw@delinde.example")
    [planned] = previewing.plan(hub.runtime, hub.gate, second).items
    hub.sync(second)
    waits = brief(hub, second, "rompslomp"), by(hub, second)
    answer(hub, second, "rompslomp", "ours", path="phone")
    hub.settle_all()

    assert planned.fields["phone"]["action"] == "park"
    assert waits == (("review", "field_conflict"), [(None, None, None)])
    assert phones(hub) == [PHONE, client(1)["tel"]]
    assert [choice for choice, *_ in by(hub, second)] == ["ours"]


def questions_of(hub: Hub, source_id: str) -> list[int]:
    statement = (
        "SELECT r.id FROM review r JOIN link l ON l.id = r.link_id JOIN contact c ON c.id = l.contact_id"
        " WHERE c.source_id = :id ORDER BY r.id"
    )
    with hub.engine.connect() as connection:
        return list(connection.execute(text(statement), {"id": source_id}).scalars())


def test_it_locks_the_links_in_the_order_that_everybody_keeps(hub: Hub) -> None:
    only(hub, "rompslomp")
    hub.configure(robaws={"write_back": {"rompslomp": "RompslompId"}})
    first, _ = asked(hub, 0), asked(hub, 1)
    with hub.engine.connect() as other, ThreadPoolExecutor(1) as threads:
        other.execute(text(LOCKED), {"id": first, "system": "robaws"})
        making = threads.submit(answer, hub, first, "rompslomp", "theirs", path="phone", rule=True)
        end = time.monotonic() + 30
        while not waits_for_a_lock(hub):
            assert time.monotonic() < end
        other.execute(text(LOCKED), {"id": first, "system": "rompslomp"})
        other.commit()
        message = making.result(30).message

    assert "1 more now" in message


LOCKED = """
    SELECT FROM link AS l JOIN contact AS c ON c.id = l.contact_id
    WHERE c.source_id = :id AND l.system = :system FOR NO KEY UPDATE OF l
"""


def waits_for_a_lock(hub: Hub) -> bool:
    statement = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with hub.engine.connect() as connection:
        return bool(connection.execute(text(statement)).scalar_one())
