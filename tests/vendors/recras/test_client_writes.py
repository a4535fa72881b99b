"""Making and changing customers and persons at the wire (Recras sheets 5.1, 5.3, 6, 11 and 14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.recras.wire import an, bo, change, client_of, de_linde, make, session_with
from worker.core.contact import Json
from worker.core.persons import PersonPlan
from worker.errors import OutcomeUnknown, RecordGone, StaleRead, VendorRejected, WrongAddress
from worker.vendors.contract import Record
from worker.vendors.recras import bodies
from worker.vendors.recras.client import RecrasClient
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.transport import Session


class Tenant:
    """A Recras with one customer of ours in it, as it was just read; requests are counted from there on."""

    def __init__(self, simulator: RecrasSimulator | None = None, contact: Json | None = None, **settings: Any) -> None:
        self.simulator = simulator or RecrasSimulator()
        self.client: RecrasClient = client_of(self.simulator, **settings)
        self.session: Session = session_with(self.simulator)
        self.external_id = str(make(self.client, self.session, contact or de_linde()).external_id)
        self.record: Record = self.read()

    def read(self) -> Record:
        record = self.client.read(self.session, self.external_id)
        self.simulator.log.clear()
        return record

    def change(self, **values: Any) -> Record | None:
        return change(self.client, self.session, self.record, de_linde(), de_linde(**values))

    def sent(self) -> list[tuple[str, Any]]:
        """What was asked, with its body."""
        calls = (one.request for one in self.simulator.calls())
        return [(f"{one.method} {one.path.removeprefix('/api2')}", one.json() if one.body else None) for one in calls]

    def ids(self) -> list[int]:
        return [int(person.external_id) for person in self.record.persons or ()]

    def held(self) -> dict[str, Any]:
        [record] = self.simulator.state()["records"]
        return dict(record)


# ------------------------------------------------------------------------------------------------------------ create
def test_a_create_sends_what_was_committed_with_exactly_one_main_person() -> None:
    tenant = Tenant(
        RecrasSimulator(), company=2, customer_kind="Bedrijf", department="Zaal", reference_extra_field="Robaws id"
    )

    made = tenant.held()

    assert (made["bedrijf_id"], made["soort_klant"], made["afdeling"]) == (2, "Bedrijf", "Zaal")
    assert made["extra_fields"] == [{"name": "Robaws id", "type": "text", "value": "1834"}]
    assert made["website"] == "https://delinde.example"
    assert [(p["voornaam"], p["hoofdcontact"], p["geslacht"]) for p in made["contactpersonen"]] == [
        ("An", True, "onbekend"),
        ("Bo", False, "onbekend"),
    ]


def test_a_new_person_is_addressed_by_its_title() -> None:
    tenant = Tenant(contact=de_linde(persons=[an(title="Mevr."), bo(title="Prof.")]))

    assert [(p["geslacht"], p["aanhef"]) for p in tenant.held()["contactpersonen"]] == [
        ("vrouw", "mevrouw"),
        ("onbekend", None),
    ]


def test_an_invoice_goes_to_the_customer_by_name() -> None:
    elsewhere = {"invoice_address.line1": "Postbus 1", "invoice_address.postal_code": "9712 AB"}

    tenant = Tenant(contact=de_linde(persons=[an(invoices=True)], **elsewhere))

    assert tenant.simulator.letterhead(tenant.external_id) == [
        "Dakwerken De Linde",
        "T.a.v. An Peeters",
        "Postbus 1",
        "9712AB",
    ]


def test_a_new_record_is_told_from_one_that_recras_matched() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)

    first, second = (make(client, session, de_linde()) for _ in range(2))

    assert (first.matched, second.matched) == (False, True)
    assert first.external_id == second.external_id
    assert first.record is not None
    assert first.record.persons is None  # to be read


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"kind": "drop_after"}, OutcomeUnknown), ({"kind": "html", "status": 502}, OutcomeUnknown)],
)
def test_a_create_without_an_answer_is_an_unknown_outcome(fault: dict[str, Any], error: type[Exception]) -> None:
    simulator = RecrasSimulator()
    simulator.fail(**fault, method="POST")

    with pytest.raises(error):
        make(client_of(simulator), session_with(simulator), de_linde())


def test_a_broken_answer_to_a_create_still_tells_the_id() -> None:
    simulator = RecrasSimulator()
    simulator.fail("truncate", method="POST")

    made = make(client_of(simulator), session_with(simulator), de_linde())

    assert made.external_id == str(simulator.state()["records"][0]["id"])
    assert not made.matched


def test_a_refused_kind_of_customer_names_the_member() -> None:
    simulator = RecrasSimulator()

    with pytest.raises(VendorRejected) as raised:
        make(client_of(simulator, customer_kind="Zeemeermin"), session_with(simulator), de_linde())

    assert raised.value.fields == {"soort_klant": "Invalid."}
    assert raised.value.status == 406


# ------------------------------------------------------------------------------------------------------------ update
def test_a_full_change_sends_what_was_read_and_leaves_persons_and_blanks_out() -> None:
    tenant = Tenant()

    after = tenant.change(**{"address.city": "Gentbrugge"})

    body = {
        "naam": "Dakwerken De Linde",
        "adres": "Kerkstraat 12",
        "postcode": "9000",
        "plaats": "Gentbrugge",
        "website": "https://delinde.example",
        "bedrijf_id": 1,
    }
    assert tenant.sent() == [(f"PUT /klanten/{tenant.external_id}", body)]
    assert after == tenant.read()


def test_a_title_that_comes_later_is_written_and_one_that_goes_leaves_the_gender() -> None:
    tenant = Tenant()

    tenant.change(persons=[an(title="Mevr."), bo()])
    with_title = [(p["geslacht"], p["aanhef"]) for p in tenant.held()["contactpersonen"]]
    tenant.record = tenant.read()
    change(tenant.client, tenant.session, tenant.record, de_linde(persons=[an(title="Mevr."), bo()]), de_linde())

    assert with_title == [("vrouw", "mevrouw"), ("onbekend", None)]
    assert [(p["geslacht"], p["aanhef"]) for p in tenant.held()["contactpersonen"]] == [
        ("vrouw", None),
        ("onbekend", None),
    ]


def test_an_empty_text_that_was_read_is_not_written_back() -> None:
    tenant = Tenant()
    tenant.simulator.fail("swap_empty", method="GET")
    tenant.record = tenant.read()

    tenant.change(**{"address.city": "Gentbrugge", "persons": [an(), bo(mobile="+32 470 00 00 02")]})

    bodies_sent = [body for path, body in tenant.sent() if path.startswith("PUT")]
    assert len(bodies_sent) == 2
    assert all(value not in (None, "") for body in bodies_sent for value in body.values())


def test_a_change_in_the_short_mode_sends_nothing_else() -> None:
    tenant = Tenant(put_mode="changed")

    after = tenant.change(**{"address.city": "Gentbrugge", "website": None})

    assert tenant.sent() == [(f"PUT /klanten/{tenant.external_id}", {"plaats": "Gentbrugge", "website": None})]
    assert after == tenant.read()


def test_a_changed_person_is_written_alone_with_all_that_it_had() -> None:
    tenant = Tenant()
    first, second = tenant.ids()
    tenant.simulator.edit_person(str(second), {"geslacht": "vrouw", "plaats": "Luik", "email2": "bo@else.example"})
    tenant.record = tenant.read()

    after = tenant.change(persons=[an(), bo(phone="+32 9 000 00 77")])

    body = {
        "voornaam": "Bo",
        "achternaam": "Claes",
        "geslacht": "vrouw",
        "plaats": "Luik",
        "telefoon1": "+32 9 000 00 77",
        "email2": "bo@else.example",
    }
    assert tenant.sent() == [(f"PUT /contactpersonen/{second}", body)]
    assert after == tenant.read()
    assert first != second


def test_a_changed_person_in_the_short_mode_is_written_with_the_change_alone() -> None:
    tenant = Tenant(put_mode="changed")

    tenant.change(phone=None)

    assert tenant.sent() == [(f"PUT /contactpersonen/{tenant.ids()[0]}", {"telefoon1": None})]


def test_an_added_person_is_given_in_full_and_all_others_by_id() -> None:
    tenant = Tenant()
    cas = tenant.simulator.add_person(tenant.external_id, voornaam="Cas", email1="cas@else.example")
    tenant.record = tenant.read()

    after = tenant.change(persons=[an(), bo(), {"key": "9", "first_name": "Dee", "last_name": "Els"}])

    [(path, body)] = tenant.sent()
    assert (path, after) == (f"PUT /klanten/{tenant.external_id}", None)
    assert body["contactpersonen"] == [
        {"id": tenant.ids()[0], "hoofdcontact": True},
        {"id": tenant.ids()[1], "hoofdcontact": False},
        {"geslacht": "onbekend", "voornaam": "Dee", "achternaam": "Els", "hoofdcontact": False},
        {"id": int(cas), "hoofdcontact": False},
    ]


def test_another_main_person_is_a_list_without_anyone_new_and_needs_no_second_read() -> None:
    tenant = Tenant()
    first, second = tenant.ids()

    after = tenant.change(persons=[an(main=False), bo(main=True)], email=None, phone=None)

    *_, (path, body) = tenant.sent()
    assert (path, body["contactpersonen"]) == (
        f"PUT /klanten/{tenant.external_id}",
        [{"id": second, "hoofdcontact": True}, {"id": first, "hoofdcontact": False}],
    )
    assert after is not None
    assert after.persons is not None
    assert [(one.external_id, one.main) for one in after.persons] == [(str(first), False), (str(second), True)]


def test_a_person_who_leaves_is_left_out_of_the_list_and_seen_to_be_gone() -> None:
    tenant = Tenant()

    after = tenant.change(persons=[an()])

    [(_, body)] = tenant.sent()
    assert (body["contactpersonen"], after) == ([{"id": tenant.ids()[0], "hoofdcontact": True}], None)


def test_a_list_in_which_nobody_is_the_main_person_makes_the_first_one_that() -> None:
    plan = PersonPlan((), (), (), (("4", None, False), ("5", None, False)), list_changes=True, main=None)

    assert bodies.listing_of(plan) == [{"id": 4, "hoofdcontact": True}, {"id": 5, "hoofdcontact": False}]


def test_a_list_that_would_leave_nobody_is_not_sent() -> None:
    tenant = Tenant()
    plan = PersonPlan((), (), (), (), list_changes=True, main=None)

    after = tenant.client.update(tenant.session, tenant.external_id, {}, plan, tenant.record, "key")

    assert tenant.sent() == []
    assert after == tenant.record


def test_a_change_that_was_not_read_for_is_read_for() -> None:
    tenant = Tenant()

    tenant.client.update(tenant.session, tenant.external_id, {"plaats": "Luik"}, None, None, "key")

    assert [path.split()[0] for path, _ in tenant.sent()] == ["GET", "PUT"]
    assert tenant.held()["adres"] == "Kerkstraat 12"


def test_what_the_answer_shows_counts_and_not_what_was_sent() -> None:
    tenant = Tenant()
    shown = f'{{"id": {tenant.external_id}, "plaats": "GENTBRUGGE"}}'
    tenant.simulator.fail("status", status=200, body=shown, method="PUT")

    after = tenant.change(**{"address.city": "Gentbrugge"})

    assert after is not None
    assert after.fields["plaats"] == "GENTBRUGGE"
    assert after.fields["adres"] == "Kerkstraat 12"


def test_what_the_answer_shows_of_a_person_counts_too() -> None:
    tenant = Tenant()
    shown = f'{{"id": {tenant.ids()[1]}, "telefoon1": "09 000 00 77"}}'
    tenant.simulator.fail("status", status=200, body=shown, method="PUT")

    after = tenant.change(persons=[an(), bo(phone="+32 9 000 00 77")])

    assert after is not None
    assert after.persons is not None
    assert after.persons[1].fields["telefoon1"] == "09 000 00 77"
    assert after.persons[1].fields["voornaam"] == "Bo"


def test_an_answer_that_shows_nothing_is_read_back() -> None:
    tenant = Tenant()
    tenant.simulator.fail("empty", method="PUT")

    assert tenant.change(**{"address.city": "Gentbrugge"}) is None


def test_a_recras_that_demands_the_persons_in_every_change_gets_those_that_are_there() -> None:
    tenant = Tenant(RecrasSimulator(put_requires_all=True))

    after = tenant.change(**{"address.city": "Gentbrugge"})
    tenant.record = tenant.read()
    tenant.change(**{"address.city": "Luik"})

    assert after is not None
    assert after.fields["plaats"] == "Gentbrugge"
    assert len(tenant.sent()) == 1  # known by now
    assert len(tenant.held()["contactpersonen"]) == 2


def test_a_refusal_of_something_else_is_not_sent_again() -> None:
    tenant = Tenant()
    body = '[{"field": "plaats", "message": "Too long.", "parameters": []}]'
    tenant.simulator.fail("status", status=406, body=body, method="PUT")

    with pytest.raises(VendorRejected) as raised:
        tenant.change(**{"address.city": "Gentbrugge"})

    assert raised.value.fields == {"plaats": "Too long."}
    assert len(tenant.sent()) == 1


def test_a_customer_that_went_before_the_write_is_gone() -> None:
    tenant = Tenant()
    tenant.simulator.delete_record(tenant.external_id)

    with pytest.raises(RecordGone):
        tenant.change(**{"address.city": "Gentbrugge"})


@pytest.mark.parametrize("values", [{"address.city": "Luik"}, {"phone": None}], ids=["customer", "person"])
def test_a_host_that_lost_its_paths_before_the_write_makes_nothing_gone(values: dict[str, Any]) -> None:
    tenant = Tenant()
    tenant.simulator.fail("html", status=404, times=-1)

    with pytest.raises(WrongAddress):
        tenant.change(**values)


def test_a_person_who_went_before_the_write_is_planned_anew() -> None:
    tenant = Tenant(RecrasSimulator(delete_orphans=True))
    first, second = tenant.ids()
    del tenant.simulator.records.persons[second]

    with pytest.raises(StaleRead):
        tenant.change(persons=[an(), bo(phone="+32 9 000 00 77")])

    assert first != second


# ------------------------------------------------------------------------------------------ country and VAT number
def test_country_and_vat_number_travel_where_they_are_allowed() -> None:
    tenant = Tenant(RecrasSimulator(accept_landcode_btw=True), send_landcode_btw=True)

    after = tenant.change(vat_number="BE 0000.000.196")

    assert (tenant.held()["landcode"], tenant.held()["btw_nummer"]) == ("BE", "BE0000000196")
    assert after is not None
    assert (after.fields["landcode"], after.fields["btw_nummer"]) == ("BE", "BE0000000196")


def test_a_recras_that_does_not_know_country_and_vat_number_is_never_sent_them() -> None:
    tenant = Tenant()

    tenant.change(**{"vat_number": "BE 0000.000.196", "address.city": "Gentbrugge"})

    assert all("btw_nummer" not in (body or {}) for _, body in tenant.sent())
    assert tenant.held()["plaats"] == "Gentbrugge"
