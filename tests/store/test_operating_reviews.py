"""A person's answer to a question, and what the systems hold after the next delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import CLIENT, OPERATOR, VAT, actions, ask
from worker.store import listing_reviews, operating_reviews
from worker.store.listing import Paging
from worker.store.refusals import Conflict, NotFound, Unfit
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def differing(hub: Hub, **theirs: Any) -> str:
    """A client whose record in Rompslomp was found and differs in some fields."""
    hub.rompslomp.add_record(company_name=CLIENT["name"], vat_number=VAT, **theirs)
    client = hub.robaws.add_client(**CLIENT, vatIdNumber=VAT)
    hub.sync(client)
    assert hub.link(client, "rompslomp")["state"] == "review"
    return client


def doubtful(hub: Hub) -> tuple[str, str]:
    """A client that may be a record of Rompslomp's: the client's id, the record's id."""
    record = hub.rompslomp.add_record(company_name="Dakwerken De Linde BV", zipcode="9000")
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    assert hub.link(client, "rompslomp")["state"] == "review"
    return client, record


def question(hub: Hub, client: str, path: str = "") -> str:
    """The id of an open question about the client's link to Rompslomp."""
    return str(next(one["id"] for one in hub.questions(client, "rompslomp") if one["path"] == path))


def act_on(hub: Hub, review: str, choose: str, **more: Any) -> Any:
    with hub.engine.begin() as connection:
        return operating_reviews.resolve(connection, review, choose, OPERATOR, hub.time, shape_of=id_shape, **more)


def books(hub: Hub) -> list[dict[str, Any]]:
    return list(hub.rompslomp.state()["records"])


def test_ours_is_written_and_theirs_stands(hub: Hub) -> None:
    client = differing(hub, city="Brugge", contact_person_email_address="oud@delinde.example")

    act_on(hub, question(hub, client, "address.*"), "ours")
    act_on(hub, question(hub, client, "contact_person_email_address"), "theirs")
    hub.settle()

    [record] = books(hub)
    assert (record["city"], record["contact_person_email_address"]) == ("Gent", "oud@delinde.example")
    assert hub.link(client, "rompslomp")["state"] == "synced"
    assert [target for _, target, _ in actions(hub)] == [f"link-{hub.link(client, 'rompslomp')['id']}"] * 2


def test_theirs_stands_through_later_changes_of_other_fields_until_ours_changes(hub: Hub) -> None:
    client = differing(hub, city="Brugge")
    act_on(hub, question(hub, client, "address.*"), "theirs")
    settled = hub.link(client, "rompslomp")["state"]

    hub.robaws.edit_record(client, {"tel": "+32 9 000 00 01"})
    hub.sync(client)
    before = books(hub)[0]["city"]
    hub.robaws.edit_record(client, {"address": {**CLIENT["address"], "city": "Aalst"}})
    hub.sync(client)

    assert settled == "synced"
    assert before == "Brugge"
    assert books(hub)[0]["city"] == "Aalst"


def test_a_link_stays_in_review_until_its_last_question_is_answered(hub: Hub) -> None:
    client = differing(hub, city="Brugge", contact_person_email_address="oud@delinde.example")

    act_on(hub, question(hub, client, "address.*"), "theirs")

    link = hub.link(client, "rompslomp")
    assert (link["state"], list(link["parked"])) == ("review", ["contact_person_email_address"])
    assert [one["path"] for one in hub.questions(client, "rompslomp")] == ["contact_person_email_address"]


def test_a_field_that_asks_by_its_setting_is_written_when_a_person_says_so(hub: Hub) -> None:
    hub.configure(rompslomp={"fields": {"address.city": "review"}})
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    hub.robaws.edit_record(client, {"address": {**CLIENT["address"], "city": "Aalst"}})
    hub.sync(client)
    parked = books(hub)[0]["city"]

    act_on(hub, question(hub, client, "city"), "ours")
    hub.settle()

    assert parked == "Gent"
    assert books(hub)[0]["city"] == "Aalst"
    assert hub.link(client, "rompslomp")["state"] == "synced"


def test_a_match_is_linked_and_its_gaps_filled(hub: Hub) -> None:
    client, record = doubtful(hub)

    act_on(hub, question(hub, client), "link", external_id=record)
    hub.settle()

    assert len(books(hub)) == 1
    assert hub.link(client, "rompslomp")["external_id"] == record
    assert books(hub)[0]["city"] == "Gent"


def test_none_of_the_candidates_means_a_new_record(hub: Hub) -> None:
    client, record = doubtful(hub)

    act_on(hub, question(hub, client), "create")
    hub.settle()

    link = hub.link(client, "rompslomp")
    assert (link["state"], len(books(hub))) == ("synced", 2)
    assert link["external_id"] != record


def test_an_excluded_match_is_left_out_of_that_system_only(hub: Hub) -> None:
    client, _ = doubtful(hub)

    act_on(hub, question(hub, client), "exclude")
    hub.settle_all()

    link = hub.link(client, "rompslomp")
    assert (link["state"], link["reason"]) == ("excluded", "excluded_by_person")
    assert len(books(hub)) == 1
    assert hub.link(client, "recras")["state"] == "synced"


def test_a_record_of_another_client_cannot_be_linked(hub: Hub) -> None:
    other = hub.robaws.add_client(name="Tuinen Van Laar", vatIdNumber="NL000099998B57")
    hub.sync(other)
    taken = hub.link(other, "rompslomp")["external_id"]
    client, _ = doubtful(hub)

    with pytest.raises(Conflict, match="belongs to another client"):
        act_on(hub, question(hub, client), "link", external_id=taken)

    assert hub.link(client, "rompslomp")["state"] == "review"


@pytest.mark.parametrize("external_id", [None, "", "abc", "007", "../1", "1/2", "a b", "9" * 101, "1\x00"])
def test_an_id_that_can_be_none_there_is_refused_with_its_shape(hub: Hub, external_id: str | None) -> None:
    client, _ = doubtful(hub)

    with pytest.raises(Unfit, match="an id there is a whole number"):
        act_on(hub, question(hub, client), "link", external_id=external_id)

    assert hub.link(client, "rompslomp")["state"] == "review"
    assert len(hub.questions(client, "rompslomp")) == 1


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_each_system_gives_ids_of_the_shape_that_it_says(hub: Hub, system: str) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)

    assert id_shape(system).fits(hub.link(client, system)["external_id"])
    assert not id_shape(system).fits("abc")


@pytest.mark.parametrize(
    ("kind", "choose"), [("match", "ours"), ("match", "theirs"), ("field", "link"), ("field", "?")]
)
def test_an_answer_to_another_question_is_refused(hub: Hub, kind: str, choose: str) -> None:
    client = doubtful(hub)[0] if kind == "match" else differing(hub, city="Brugge")
    review = question(hub, client, "" if kind == "match" else "address.*")

    with pytest.raises(Unfit, match="choose"):
        act_on(hub, review, choose, external_id="1")

    assert len(hub.questions(client, "rompslomp")) == 1


def test_a_question_is_answered_once(hub: Hub) -> None:
    client = differing(hub, city="Brugge")
    review = question(hub, client, "address.*")
    act_on(hub, review, "theirs")

    with pytest.raises(Conflict, match="already"):
        act_on(hub, review, "ours")
    with pytest.raises(NotFound):
        act_on(hub, "4711", "ours")


def test_a_link_that_is_being_delivered_is_not_changed_under_the_worker(hub: Hub) -> None:
    client = differing(hub, city="Brugge")
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE link SET state = 'working', next_attempt_at = :now WHERE system = 'rompslomp'"),
            {"now": hub.time},
        )

    with pytest.raises(Conflict, match="being delivered"):
        act_on(hub, question(hub, client, "address.*"), "ours")


def test_a_missing_required_value_is_supplied_in_robaws_and_nowhere_else(hub: Hub) -> None:
    hub.configure(workspace={"on_missing": {}})
    client = hub.robaws.add_client(name="Without an address")
    hub.sync(client)
    [open_one, *_] = hub.questions(client, "workspace")

    with pytest.raises(Unfit, match="Robaws"):
        act_on(hub, str(open_one["id"]), "ours")

    act_on(hub, str(open_one["id"]), "exclude")
    assert hub.link(client, "workspace")["reason"] == "excluded_by_person"
    assert hub.questions(client, "workspace") == []


def test_a_record_that_is_gone_is_made_anew_when_a_person_says_so(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    gone = hub.link(client, "rompslomp")["external_id"]
    hub.rompslomp.delete_record(gone)
    hub.robaws.edit_record(client, {"tel": "+32 9 000 00 01"})
    hub.sync(client)
    asked = hub.link(client, "rompslomp")

    act_on(hub, question(hub, client), "create")
    hub.settle()

    assert (asked["state"], asked["reason"]) == ("review", "gone")
    link = hub.link(client, "rompslomp")
    assert (link["state"], [record["company_name"] for record in books(hub)]) == ("synced", [CLIENT["name"]])
    assert link["external_id"] != gone


def test_open_questions_are_listed_with_what_can_be_answered(hub: Hub) -> None:
    client = differing(hub, city="Brugge", zipcode="8000", contact_person_email_address="oud@delinde.example")

    page = ask(hub, listing_reviews.page, Paging(limit=1))
    rest = ask(hub, listing_reviews.page, Paging(limit=1, cursor=page.next))

    assert (page.total, len(page.items), rest.next) == (2, 1, None)
    first, second = page.items[0], rest.items[0]
    assert {first.path, second.path} == {"address.*", "contact_person_email_address"}
    assert (first.contact.source_id, first.system, first.choices) == (client, "rompslomp", ["ours", "theirs", "value"])
    assert {first.detail["ours"], second.detail["ours"]} == {
        "Kerkstraat 12, 9000, Gent, BE",
        CLIENT["email"],
    }
