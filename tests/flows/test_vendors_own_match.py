"""Recras takes a new customer for one of the same name and e-mail: nothing is put into a stranger's record."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.flows.test_answers import answer, brief, only
from tests.flows.test_links_by_hand import do

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

EMAIL = "info@delinde.example"
ELSEWHERE = {"addressLine1": "Elders 1", "postalCode": "1000", "city": "Brussel", "country": "BE"}


def klanten(hub: Hub) -> dict[str, dict[str, Any]]:
    return {str(one["id"]): deepcopy(one) for one in hub.recras.state()["records"]}


def person(**members: Any) -> dict[str, Any]:
    return {"achternaam": "Linde", "email1": EMAIL, "hoofdcontact": True, **members}


def test_a_refused_record_gets_nothing_of_the_client_however_often_it_changes(hub: Hub) -> None:
    only(hub, "recras")
    refused = hub.recras.add_record(naam="Dakwerken De Linde", postcode="9000", contactpersonen=[person()])
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    assert hub.link(source_id, "recras")["external_id"] == refused
    do(hub, "unlink", source_id, "recras")
    before = klanten(hub)[refused]

    do(hub, "include", source_id, "recras")
    hub.settle_all()
    for number in range(3):
        hub.robaws.change_client(source_id, website=f"https://www.linde{number}.example")
        hub.sync(source_id)
        hub.settle_all()

    link = hub.link(source_id, "recras")
    assert klanten(hub)[refused] == before
    assert (link["state"], link["external_id"] in (None, refused)) == ("synced", False)
    assert klanten(hub)[link["external_id"]]["contactpersonen"][0]["email1"] == EMAIL


def test_two_firms_with_one_name_and_one_email_get_a_record_each(hub: Hub) -> None:
    only(hub, "recras", send_landcode_btw=True)
    hub.recras.switches.accept_landcode_btw = True
    first = hub.robaws.add_client(**client(vatIdNumber="BE0403170701"))
    hub.sync(first)
    before = klanten(hub)
    second = hub.robaws.add_client(**client(vatIdNumber="BE0417497106", address=ELSEWHERE, tel=None))

    hub.sync(second)
    hub.settle_all()

    held = hub.link(first, "recras")["external_id"]
    assert klanten(hub)[held] == before[held]
    assert brief(hub, second, "recras") == ("synced", None)
    assert len(klanten(hub)) == 2


@pytest.mark.parametrize("choice", ["create", "link", "exclude"])
def test_every_choice_about_a_record_of_the_same_name_and_email_works(hub: Hub, choice: str) -> None:
    only(hub, "recras")
    other = hub.robaws.add_client(**client())
    hub.sync(other)
    do(hub, "exclude", other, "recras")
    held = str(hub.link(other, "recras")["external_id"])
    before = klanten(hub)[held]
    twin = hub.robaws.add_client(**client())
    hub.sync(twin)
    assert brief(hub, twin, "recras") == ("review", "match_taken")

    answer(hub, twin, "recras", choice, **({"external_id": held} if choice == "link" else {}))
    hub.settle_all()

    link = hub.link(twin, "recras")
    assert link["state"] == ("excluded" if choice == "exclude" else "synced")
    assert len(klanten(hub)) == (2 if choice == "create" else 1)
    if choice == "create":
        assert klanten(hub)[held] == before


def made_meanwhile(hub: Hub, **members: Any) -> list[str]:
    """Somebody makes this customer in Recras after the search and before the create."""
    made: list[str] = []

    def at(name: str) -> bool:
        if name == "recras.create.before_send" and not made:
            made.append(hub.recras.add_record(naam="Dakwerken De Linde", **members))
        return False

    hub.crash_at = at
    return made


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"vatIdNumber": "BE0403170701"}, {"btw_nummer": "BE0417497106"}),
        ({"vatIdNumber": "BE0403170701", "address": ELSEWHERE}, {"postcode": "9000", "btw_nummer": None}),
    ],
    ids=["another number", "elsewhere, a number on one side"],
)
def test_the_vendors_match_is_asked_about_where_the_evidence_would_be(
    hub: Hub, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    only(hub, "recras", send_landcode_btw=True)
    hub.recras.switches.accept_landcode_btw = True
    made = made_meanwhile(hub, contactpersonen=[person()], **theirs)
    source_id = hub.robaws.add_client(**client(**ours))

    hub.sync(source_id)

    assert made
    assert brief(hub, source_id, "recras") == ("review", "doubtful_match")
    [question] = hub.questions(source_id, "recras")
    assert [one["external_id"] for one in question["detail"]["candidates"]] == made
    assert [call for call in hub.calls("recras") if call.startswith("PUT")] == []
    answer(hub, source_id, "recras", "link", external_id=made[0])
    hub.settle_all()
    assert hub.link(source_id, "recras")["external_id"] == made[0]
