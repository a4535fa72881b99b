"""Each answer that a question offers can be given, and is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only
from tests.flows.test_links_by_hand import do
from worker.store import listing_reviews

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def choices(hub: Hub, source_id: str, system: str) -> list[list[str]]:
    with hub.engine.connect() as connection:
        return [listing_reviews.one(connection, str(one["id"])).choices for one in hub.questions(source_id, system)]


def test_a_new_record_is_made_beside_a_stranger_with_our_reference(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    stranger = hub.rompslomp.add_record(
        company_name="Bakkerij Het Zuiden",
        contact_person_email_address="bakker@zuiden.example",
        contact_number=f"RB-{source_id}",
    )
    hub.sync(source_id)
    assert brief(hub, source_id, "rompslomp") == ("review", "reference_collision")

    answer(hub, source_id, "rompslomp", "create")
    hub.settle_all()

    assert brief(hub, source_id, "rompslomp") == ("synced", None)
    assert hub.link(source_id, "rompslomp")["external_id"] != stranger


def test_a_value_that_is_missing_offers_no_side(hub: Hub) -> None:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client(email=None))
    hub.sync(source_id)
    assert brief(hub, source_id, "workspace") == ("review", "missing_required")

    for word in choices(hub, source_id, "workspace")[0]:
        answer(hub, source_id, "workspace", word, path="email")


def test_a_value_that_does_not_fit_offers_theirs_alone(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"country": "Nergensland"})
    hub.sync(source_id)
    [question] = hub.questions(source_id, "rompslomp")
    assert question["detail"]["rule"] == "does not fit"

    assert choices(hub, source_id, "rompslomp") == [["theirs", "value"]]
    answer(hub, source_id, "rompslomp", "theirs", path=question["path"])
    assert brief(hub, source_id, "rompslomp") == ("synced", None)


def test_an_unlinked_client_gets_a_record_of_its_own_though_ours_carries_its_reference(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    before = hub.link(source_id, "rompslomp")["external_id"]
    do(hub, "unlink", source_id, "rompslomp")

    do(hub, "include", source_id, "rompslomp")
    hub.settle_all()

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["external_id"] in (None, before)) == ("synced", False)
    assert len(hub.rompslomp.state()["records"]) == 2


def test_a_create_without_our_reference_whose_answer_is_lost_makes_one_record(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    do(hub, "unlink", source_id, "rompslomp")
    do(hub, "include", source_id, "rompslomp")
    hub.rompslomp.fail("drop_after", times=1, method="POST")

    hub.settle_all()

    assert brief(hub, source_id, "rompslomp") == ("synced", None)
    assert len(hub.rompslomp.state()["records"]) == 2
