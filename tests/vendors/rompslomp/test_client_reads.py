"""How the client reads Rompslomp: lists, searches, and the check of a connection."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.vendors.rompslomp.wire import client_of, de_linde, make, session_with
from worker.core.matching import decide
from worker.errors import RecordGone, VendorBroken
from worker.vendors.contract import Target
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.rompslomp.simulator_access import Company, Token

COMPANY = RompslompSimulator.SANDBOX_COMPANY_ID


def searches(simulator: RompslompSimulator) -> list[tuple[str, str]]:
    """What was asked for, page by page."""
    return [
        next((name, value) for name, value in exchange.request.query if name.startswith("search"))
        for exchange in simulator.calls("GET", "contacts$")
    ]


def test_the_client_offers_what_a_target_must() -> None:
    assert isinstance(client_of(RompslompSimulator()), Target)


def test_a_list_brings_every_record_once_over_all_its_pages() -> None:
    simulator = RompslompSimulator()
    made = {simulator.add_record(company_name=f"Klant {number}") for number in range(230)}

    listed = [record.external_id for record in client_of(simulator).list_records(session_with(simulator))]

    assert len(listed) == 230
    assert set(listed) == made
    assert len(simulator.calls("GET")) == 3


def test_an_empty_list_is_empty() -> None:
    simulator = RompslompSimulator()

    assert list(client_of(simulator).list_records(session_with(simulator))) == []


def test_a_list_without_totals_ends_at_a_short_page() -> None:
    simulator = RompslompSimulator()
    for number in range(130):
        simulator.add_record(company_name=f"Klant {number}")
    session = session_with(simulator)

    def without_total(response: Any) -> None:
        response.headers.pop("X-Total", None)

    session.client.event_hooks = {"response": [without_total]}

    assert len(list(client_of(simulator).list_records(session))) == 130
    assert len(simulator.calls("GET")) == 2


def test_a_supplier_is_listed_and_may_never_be_linked() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="Dakwerken De Linde", is_supplier=True, vat_number="BE0000000097")
    client = client_of(simulator)

    (record,) = client.list_records(session_with(simulator))

    assert (record.usable, record.why_not) == (False, "it is a supplier")
    verdict = decide(de_linde(), [client.candidate(record)], reference="RB-1834", reference_is_unique=True)
    assert verdict.action == "create"


def test_one_record_is_read_and_a_missing_one_is_gone() -> None:
    simulator = RompslompSimulator()
    external_id = simulator.add_record(company_name="Dakwerken De Linde", contact_number="RB-1834")
    client, session = client_of(simulator), session_with(simulator)

    record = client.read(session, external_id)
    with pytest.raises(RecordGone):
        client.read(session, "1")

    assert (record.external_id, record.name, record.reference) == (external_id, "Dakwerken De Linde", "RB-1834")


def test_html_in_place_of_a_record_is_vendor_trouble() -> None:
    simulator = RompslompSimulator()
    external_id = simulator.add_record(company_name="Dakwerken De Linde")
    simulator.fail("html", status=200)

    with pytest.raises(VendorBroken):
        client_of(simulator).read(session_with(simulator), external_id)


def test_a_search_goes_from_the_reference_to_the_name() -> None:
    simulator = RompslompSimulator()
    client = client_of(simulator)
    contact = de_linde(
        name="Dakwerken De Linde B.V.",
        registration_number="KvK 12345678",
        vat_number="NL004495445B01",
        **{"address.country": "Nederland"},
    )

    assert list(client.search(session_with(simulator), contact, "RB-1834")) == []

    assert searches(simulator) == [
        ("search[q]", "RB-1834"),
        ("search[q]", "NL004495445B01"),
        ("search[q]", "004495445B01"),
        ("search[q]", "12345678"),
        ("search[contact_person_email_address]", "facturen@delinde.example"),
        ("search[q]", "Dakwerken De Linde"),
    ]


def test_a_number_is_searched_in_its_spellings_until_something_comes() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="A", vat_number="BE 0000 000 097")
    simulator.add_record(company_name="B", vat_number="0000.000.097")
    client = client_of(simulator)
    numbered = de_linde(name=None, email=None, invoice_email=None, vat_number="BE0000000097")

    found = list(client.search(session_with(simulator), numbered, None))
    simulator.add_record(company_name="C", vat_number="BE0000000097")
    simulator.log.clear()
    again = list(client.search(session_with(simulator), numbered, None))

    assert [record.name for record in found] == ["B"]
    assert [record.name for record in again] == ["C"]
    assert searches(simulator) == [("search[q]", "BE0000000097")]


def test_a_search_asks_no_further_than_it_is_read() -> None:
    simulator = RompslompSimulator()
    client, session = client_of(simulator), session_with(simulator)
    make(client, session, de_linde())

    first = next(client.search(session, de_linde(), "RB-1834"))

    assert first.reference == "RB-1834"
    assert len(simulator.calls("GET")) == 1


def test_the_mail_is_searched_as_a_whole_and_its_brackets_arrive() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="A", contact_person_email_address="facturen@delinde.example")
    simulator.add_record(company_name="B", contact_person_email_address="meer.facturen@delinde.example")
    nameless = de_linde(name="Q", vat_number=None)

    found = list(client_of(simulator).search(session_with(simulator), nameless, None))

    assert [record.name for record in found] == ["A"]


def test_all_pages_of_a_search_are_read() -> None:
    simulator = RompslompSimulator()
    for number in range(120):
        simulator.add_record(company_name=f"Dakwerken De Linde {number}")
    client = client_of(simulator)

    found = list(
        client.search(session_with(simulator), de_linde(vat_number=None, email=None, invoice_email=None), None)
    )

    assert len({record.external_id for record in found}) == 120


def test_a_record_that_was_there_before_is_found_by_its_vat_number_however_it_is_written_here() -> None:
    simulator = RompslompSimulator()
    external_id = simulator.add_record(company_name="De Linde dakwerken", vat_number="BE0000000097")
    client = client_of(simulator)

    found = list(islice(client.search(session_with(simulator), de_linde(), "RB-1834"), 1))

    verdict = decide(de_linde(), [client.candidate(r) for r in found], reference="RB-1834", reference_is_unique=True)
    assert (verdict.action, verdict.external_id) == ("link", external_id)


# ------------------------------------------------------------------------------------------------------------ check
def checked(simulator: RompslompSimulator, **settings: Any) -> list[tuple[str, bool]]:
    findings = client_of(simulator, **settings).check(session_with(simulator))
    assert all(finding.next_step for finding in findings if not finding.ok)
    return [(finding.subject, finding.ok) for finding in findings]


def only(company: Company, scopes: frozenset[str] = frozenset({"public", "manage:contacts"})) -> RompslompSimulator:
    token = Token(frozenset({company.id}), scopes)
    return RompslompSimulator(companies=(company,), tokens={RompslompSimulator.SANDBOX_TOKEN: token})


def test_a_right_connection_is_told_in_three_lines_and_two_calls() -> None:
    simulator = RompslompSimulator()

    assert checked(simulator) == [("token", True), ("administration", True), ("contacts", True)]
    assert len(simulator.calls()) == 2


def test_a_wrong_token_is_told_as_such() -> None:
    assert checked(RompslompSimulator(), token="wrong") == [("token", False)]


def test_a_wrong_administration_is_told_with_those_that_the_token_reaches() -> None:
    simulator = RompslompSimulator()

    *_, finding = client_of(simulator, company_id="12").check(session_with(simulator))

    assert (finding.subject, finding.ok) == ("administration", False)
    assert f"Voorbeeld Administratie ({COMPANY})" in finding.message


def test_a_free_subscription_is_told_as_such() -> None:
    simulator = only(Company(COMPANY, api_accessible=False))

    *_, finding = client_of(simulator).check(session_with(simulator))

    assert (finding.subject, finding.ok) == ("administration", False)
    assert "subscription" in finding.next_step
    assert "API add-on" in finding.next_step


def test_a_missing_api_add_on_is_named_by_the_read() -> None:
    simulator = only(Company(COMPANY, api_add_on=False))

    *_, finding = client_of(simulator).check(session_with(simulator))

    assert (finding.subject, finding.ok) == ("contacts", False)
    assert "API add-on" in finding.next_step


def test_an_administration_that_does_not_allow_contacts_is_told_as_such() -> None:
    simulator = only(Company(COMPANY, allowed_scopes=frozenset({"public"})))

    *_, finding = client_of(simulator).check(session_with(simulator))

    assert (finding.subject, finding.ok) == ("administration", False)
    assert "manage:contacts" in finding.message


def test_a_token_without_the_scope_is_told_by_the_read() -> None:
    simulator = only(Company(COMPANY), frozenset({"public"}))

    assert checked(simulator) == [("token", True), ("administration", True), ("contacts", False)]


def test_a_wrong_path_is_told_by_the_read() -> None:
    simulator = RompslompSimulator()

    assert checked(simulator, path_template="/{company_id}/{resource}")[-1] == ("address", False)


def test_a_vendor_that_cannot_be_reached_is_a_finding_and_no_crash() -> None:
    simulator = RompslompSimulator()
    simulator.fail("drop_before")

    assert checked(simulator) == [("host", False)]


def test_a_limit_is_no_fault_of_the_token() -> None:
    simulator = RompslompSimulator()
    simulator.fail("throttle", retry_after=30)

    assert checked(simulator) == [("limits", False)]


@pytest.mark.parametrize("odd", [{"city": ["Gent"]}, {"is_supplier": "no"}, {"phone": {"mobile": "1"}}])
def test_one_odd_contact_hides_no_other_and_is_told(odd: dict[str, Any]) -> None:
    simulator = RompslompSimulator()
    strange = simulator.add_record(company_name="Vreemd", city="Gent")
    simulator.add_record(company_name="Bakkerij Zon")
    simulator.show_as(strange, **odd)
    session = session_with(simulator)

    listed = {record.external_id: record for record in client_of(simulator).list_records(session)}

    [member] = odd
    assert {record.name for record in listed.values()} == {"Vreemd", "Bakkerij Zon"}
    assert member not in listed[strange].fields
    assert session.remarks == [f"contact {strange}: {member} cannot be read"]
    with pytest.raises(VendorBroken, match=member):
        client_of(simulator).read(session, strange)


def test_a_number_where_a_text_belongs_is_its_digits() -> None:
    simulator = RompslompSimulator()
    record = simulator.add_record(company_name="Bakkerij Zon", zipcode="9000")
    simulator.show_as(record, zipcode=9000)

    assert client_of(simulator).read(session_with(simulator), record).fields["zipcode"] == "9000"


@pytest.mark.parametrize(
    ("held", "odd"),
    [
        ({"contact_number": "RB-1834"}, {"contact_number": ["RB-1834"]}),
        ({"vat_number": "BE0000000097"}, {"vat_number": True}),
        ({"contact_person_email_address": "facturen@delinde.example"}, {"contact_person_email_address": {}}),
        ({}, {"company_name": ["Dakwerken De Linde"]}),
    ],
    ids=["number", "VAT number", "e-mail", "name"],
)
def test_a_search_for_what_is_odd_is_a_broken_answer(held: dict[str, Any], odd: dict[str, Any]) -> None:
    simulator = RompslompSimulator()
    record = simulator.add_record(company_name="Dakwerken De Linde", **held)
    simulator.show_as(record, **odd)

    with pytest.raises(VendorBroken, match="cannot be read"):
        list(client_of(simulator).search(session_with(simulator), de_linde(), "RB-1834"))


def test_two_numbers_and_two_addresses_in_one_field_are_searched_one_by_one() -> None:
    simulator = RompslompSimulator()
    contact = de_linde(
        vat_number="BE0403170701 / CHE-123.456.788 MWST",
        registration_number="12345678 0000; 87654321",
        email="info@delinde.example; boekhouding@delinde.example",
        invoice_email=None,
        **{"address.country": "NL"},
    )

    assert list(client_of(simulator).search(session_with(simulator), contact, None)) == []

    asked = searches(simulator)
    assert [text for name, text in asked if name == "search[contact_person_email_address]"] == [
        "boekhouding@delinde.example",
        "info@delinde.example",
    ]
    texts = [text for name, text in asked if name == "search[q]"]
    assert texts[:5] == ["BE0403170701", "0403170701", "0403.170.701", "123456788", "123.456.788"]
    assert texts[5:7] == ["12345678", "87654321"]


def test_a_placeholder_in_the_field_of_the_number_is_not_searched() -> None:
    simulator = RompslompSimulator()

    list(client_of(simulator).search(session_with(simulator), de_linde(vat_number="n.v.t."), None))

    assert "NVT" not in [text for _, text in searches(simulator)]


def test_the_check_names_contacts_that_cannot_be_read_in_full() -> None:
    simulator = RompslompSimulator()
    strange = simulator.add_record(company_name="Vreemd", city="Gent")
    simulator.show_as(strange, city=["Gent"])
    session = session_with(simulator)

    findings = client_of(simulator).check(session)

    assert all(finding.ok for finding in findings)
    assert session.remarks == [f"contact {strange}: city cannot be read"]
