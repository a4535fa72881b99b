"""A person's answer holds until a person changes it: whatever ends the delivery, and whoever else finds a match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.store import operating_reviews
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"


def only(hub: Hub, system: str, **settings: Any) -> None:
    """Nothing but this system takes part."""
    others = {name: {"enabled": False} for name in ("rompslomp", "recras", "workspace") if name != system}
    hub.configure(**others, **{system: settings})


def answer(hub: Hub, source_id: str, system: str, choose: str, path: str = "", **more: Any) -> Any:
    """Answer the open question about this path."""
    review = next(str(one["id"]) for one in hub.questions(source_id, system) if one["path"] == path)
    with hub.engine.begin() as connection:
        return operating_reviews.resolve(connection, review, choose, OPERATOR, hub.time, shape_of=id_shape, **more)


def brief(hub: Hub, source_id: str, system: str) -> tuple[str, str | None]:
    link = hub.link(source_id, system)
    return link["state"], link["reason"]


def doubtful_at_workspace(hub: Hub) -> tuple[str, str]:
    """A client without an e-mail, which Workspace requires, that may be a record there: its id, the record's."""
    only(hub, "workspace")
    record = hub.workspace.add_record(
        name="Dakwerken De Linde BV", location_postal="9000", type="1", client_reference="7"
    )
    source_id = hub.robaws.add_client(**client(email=None))
    hub.sync(source_id)
    assert brief(hub, source_id, "workspace") == ("review", "doubtful_match")
    return source_id, str(record)


def test_none_of_these_holds_while_a_required_value_is_missing(hub: Hub) -> None:
    source_id, _ = doubtful_at_workspace(hub)
    answer(hub, source_id, "workspace", "create")
    hub.settle()
    before = brief(hub, source_id, "workspace")

    hub.robaws.change_client(source_id, email="info@delinde.example")
    hub.sync(source_id)

    assert before == ("review", "missing_required")
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(hub.workspace.state()["records"]) == 2


def test_none_of_these_holds_through_the_filter(hub: Hub) -> None:
    source_id, _ = doubtful_at_workspace(hub)
    answer(hub, source_id, "workspace", "create")
    hub.settings = hub.settings.model_copy(
        update={
            "sync": hub.settings.sync.model_copy(
                update={"filter": hub.settings.sync.filter.model_copy(update={"status": ["Klant"]})}
            )
        }
    )
    hub.restart()
    hub.robaws.change_client(source_id, email="info@delinde.example", status="Prospect")
    hub.sync(source_id)
    left_out = brief(hub, source_id, "workspace")

    hub.robaws.change_client(source_id, status="Klant")
    hub.sync(source_id)

    assert left_out == ("excluded", "filtered")
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert len(hub.workspace.state()["records"]) == 2


def test_a_refused_record_is_not_linked_when_it_is_the_only_one_left(hub: Hub) -> None:
    only(hub, "workspace")
    refused = hub.workspace.add_record(name="De Linde Holding", btw=VAT, type="1", client_reference="7")
    other = hub.workspace.add_record(name="De Linde Verhuur", btw=VAT, type="1", client_reference="8")
    source_id = hub.robaws.add_client(**client(email=None, vatIdNumber=VAT))
    hub.sync(source_id)
    answer(hub, source_id, "workspace", "create")
    hub.settle()

    hub.workspace.delete_record(str(other))
    hub.later(3600)
    hub.robaws.change_client(source_id, email="info@delinde.example")
    hub.sync(source_id)

    [record] = [one for one in hub.workspace.state()["records"] if str(one["id"]) == str(refused)]
    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert hub.link(source_id, "workspace")["external_id"] != str(refused)
    assert record["email"] in ("", None)


def test_a_refused_record_is_not_taken_when_ours_is_gone_and_made_anew(hub: Hub) -> None:
    source_id, refused = doubtful_at_workspace(hub)
    answer(hub, source_id, "workspace", "create")
    hub.robaws.change_client(source_id, email="info@delinde.example")
    hub.sync(source_id)
    hub.configure(workspace={"on_gone": "recreate"})
    first = hub.link(source_id, "workspace")["external_id"]

    hub.workspace.delete_record(str(first))
    hub.robaws.change_client(source_id, tel="+32 9 000 00 44")
    hub.sync(source_id)

    assert brief(hub, source_id, "workspace") == ("synced", None)
    assert hub.link(source_id, "workspace")["external_id"] not in (first, refused)


def matched_by_recras(hub: Hub) -> tuple[str, list[str]]:
    """
    A client of which a person said that it is neither of two records; Recras says that it is one all the same, though
    it was sent no e-mail that one of them has.
    """
    only(hub, "recras")
    hub.recras.switches.dedupe = "name"
    person = {"achternaam": "Linde", "email1": "info@delinde.example", "hoofdcontact": True}
    records = [
        str(hub.recras.add_record(naam="Dakwerken De Linde", postcode="8000", contactpersonen=[person]))
        for _ in range(2)
    ]
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    answer(hub, source_id, "recras", "create")
    hub.forget_calls()
    hub.settle_all()
    return source_id, records


def test_the_vendors_own_match_does_not_go_before_a_persons_word(hub: Hub) -> None:
    source_id, records = matched_by_recras(hub)

    [question] = hub.questions(source_id, "recras")
    assert brief(hub, source_id, "recras") == ("review", "match_refused")
    assert hub.link(source_id, "recras")["external_id"] is None
    assert [call for call in hub.calls("recras") if call.startswith("PUT")] == []
    assert question["detail"]["candidates"][0]["external_id"] in records


def test_linking_a_refused_record_takes_the_refusal_back(hub: Hub) -> None:
    source_id, records = matched_by_recras(hub)
    [question] = hub.questions(source_id, "recras")
    said = question["detail"]["candidates"][0]["external_id"]

    answer(hub, source_id, "recras", "link", external_id=said)
    hub.settle_all()

    link = hub.link(source_id, "recras")
    assert (link["external_id"], link["decided"]) == (said, {"refused": [one for one in records if one != said]})
