"""The contacts of the simulated Rompslomp: create, change, delete (Rompslomp sheets 6 and 11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.rompslomp.simulator_access import Company
from worker.vendors.simulation import SimRequest, SimResponse

CONTACTS = f"/api/v1/companies/{RompslompSimulator.SANDBOX_COMPANY_ID}/contacts"
LINDE = {
    "is_individual": False,
    "company_name": "Dakwerken De Linde",
    "contact_person_name": "An Peeters",
    "contact_person_email_address": "facturen@delinde.example",
    "address": "Kerkstraat 12",
    "zipcode": "9000",
    "city": "Gent",
    "country_code": "BE",
    "phone": "+32 9 000 00 00",
    "vat_number": "BE0000000097",
    "contact_number": "RB-1834",
}


def call(
    simulator: RompslompSimulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: str = "",
    content_type: str = "application/json",
) -> SimResponse:
    headers = {"authorization": f"Bearer {simulator.SANDBOX_TOKEN}", "content-type": content_type}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return simulator.handle(SimRequest(method, path, query, headers, raw))


def create(simulator: RompslompSimulator, **members: Any) -> SimResponse:
    return call(simulator, "POST", CONTACTS, {"contact": members})


def contact_of(response: SimResponse) -> dict[str, Any]:
    contact: dict[str, Any] = json.loads(response.body)["contact"]
    return contact


def error_of(response: SimResponse) -> tuple[int, str]:
    return response.status, json.loads(response.body)["error"]["type"]


def message_of(response: SimResponse) -> str:
    message: str = json.loads(response.body)["error"]["message"]
    return message


def test_a_create_is_answered_with_all_nineteen_members() -> None:
    simulator = RompslompSimulator()

    response = create(simulator, **LINDE)
    contact = contact_of(response)

    assert response.status == 201
    assert contact == {
        **LINDE,
        "id": contact["id"],
        "is_supplier": False,
        "name": "Dakwerken De Linde",
        "government_identification_number": None,
        "kvk_number": None,
        "free_1": None,
        "free_2": None,
        "free_3": None,
    }
    assert len(contact) == 19
    assert contact_of(call(simulator, "GET", f"{CONTACTS}/{contact['id']}")) == contact
    assert simulator.state()["records"] == [contact]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"{", "malformed_json", id="not JSON"),
        pytest.param(b"", "malformed_json", id="empty"),
        pytest.param(b'{"contact": {"city": NaN}}', "malformed_json", id="NaN"),
        pytest.param(LINDE, "missing_parameter", id="no root member"),
        pytest.param([LINDE], "missing_parameter", id="a list"),
        pytest.param({"contact": "x"}, "missing_parameter", id="root is text"),
        pytest.param({"contact": {**LINDE, "email": "x"}}, "unpermitted_parameters", id="unknown member"),
        pytest.param({"contact": {**LINDE, "id": 5}}, "unpermitted_parameters", id="id"),
        pytest.param({"contact": {**LINDE, "name": "x"}}, "unpermitted_parameters", id="name"),
        pytest.param({"contact": {**LINDE, "is_individual": "false"}}, "invalid_parameter_value", id="text as boolean"),
        pytest.param({"contact": {**LINDE, "is_supplier": 1}}, "invalid_parameter_value", id="number as boolean"),
        pytest.param({"contact": {**LINDE, "zipcode": 9000}}, "invalid_parameter_value", id="number as text"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_of_the_wrong_shape_is_refused_by_type(method: str, body: Any, kind: str) -> None:
    simulator = RompslompSimulator()
    record_id = simulator.add_record(company_name="Bakkerij Zon")
    before = simulator.state()

    response = call(simulator, method, CONTACTS if method == "POST" else f"{CONTACTS}/{record_id}", body)

    assert error_of(response) == (400, f"client.parameters.{kind}")
    assert simulator.state() == before


def test_the_member_that_is_not_permitted_is_named_in_the_sentence() -> None:
    simulator = RompslompSimulator()

    assert "website" in message_of(create(simulator, **LINDE, website="https://delinde.example"))


def test_a_body_that_does_not_say_that_it_is_json_is_not_read() -> None:
    simulator = RompslompSimulator()

    form = call(simulator, "POST", CONTACTS, {"contact": LINDE}, content_type="application/x-www-form-urlencoded")
    charset = call(simulator, "POST", CONTACTS, {"contact": LINDE}, content_type="application/json; charset=utf-8")

    assert error_of(form) == (400, "client.parameters.missing_parameter")
    assert charset.status == 201


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"company_name": " "}, "Contact is invalid: Company name moet opgegeven zijn."),
        ({"is_individual": True}, "Contact is invalid: Contact person name moet opgegeven zijn."),
        ({"company_name": "X", "country_code": "BEL"}, "Contact is invalid: Country code is ongeldig."),
        ({"company_name": "X", "contact_number": "RB-1"}, "Contact is invalid: Contact number is al in gebruik."),
        (
            {"country_code": "1", "contact_number": "RB-1"},
            (
                "Contact is invalid: Company name moet opgegeven zijn. Country code is ongeldig. "
                "Contact number is al in gebruik."
            ),
        ),
    ],
)
def test_an_invalid_record_is_refused_with_a_sentence_for_every_fault(members: dict[str, Any], message: str) -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="Bakkerij Zon", contact_number="RB-1")

    response = create(simulator, **members)

    assert error_of(response) == (422, "client.parameters.validation")
    assert message_of(response) == message
    assert len(simulator.state()["records"]) == 1


def test_a_number_is_unique_in_its_administration_only() -> None:
    simulator = RompslompSimulator(companies=(Company(7), Company(8)))
    body = {"contact": {"company_name": "X", "contact_number": "RB-1"}}

    statuses = [call(simulator, "POST", f"/api/v1/companies/{c}/contacts", body).status for c in (7, 8, 7)]

    assert statuses == [201, 201, 422]


def test_numbers_need_not_be_unique_where_that_is_switched_off() -> None:
    simulator = RompslompSimulator(unique_contact_number=False)

    assert [create(simulator, **LINDE).status for _ in range(2)] == [201, 201]


def test_a_blank_number_draws_the_next_one_that_is_free() -> None:
    simulator = RompslompSimulator()
    create(simulator, company_name="A", contact_number="K00002")

    drawn = [
        contact_of(create(simulator, company_name="B", **n))["contact_number"] for n in ({}, {"contact_number": ""})
    ]

    assert drawn == ["K00001", "K00003"]


def test_ids_have_ten_digits_and_say_nothing_of_age() -> None:
    simulator = RompslompSimulator(seed=1)

    ids = [contact_of(create(simulator, company_name=f"Firma {n}"))["id"] for n in range(8)]

    assert all(len(str(number)) == 10 for number in ids)
    assert ids != sorted(ids)
    assert len(set(ids)) == 8


def test_the_same_seed_gives_the_same_ids_and_another_seed_others() -> None:
    first, again, other = (RompslompSimulator(seed=seed).add_record(company_name="A") for seed in (1, 1, 2))

    assert first == again != other


def test_a_patch_changes_only_what_was_sent() -> None:
    simulator = RompslompSimulator()
    before = contact_of(create(simulator, **LINDE))

    response = call(
        simulator, "PATCH", f"{CONTACTS}/{before['id']}", {"contact": {"city": "Gentbrugge", "phone": None}}
    )

    assert response.status == 200
    assert contact_of(response) == {**before, "city": "Gentbrugge", "phone": None}


def test_empty_text_is_shown_as_null() -> None:
    simulator = RompslompSimulator()

    assert contact_of(create(simulator, **{**LINDE, "phone": ""}))["phone"] is None


def test_becoming_a_person_needs_the_other_name_in_the_same_patch() -> None:
    simulator = RompslompSimulator()
    record_id = contact_of(create(simulator, company_name="De Linde"))["id"]
    path = f"{CONTACTS}/{record_id}"

    alone = call(simulator, "PATCH", path, {"contact": {"is_individual": True}})
    named = call(simulator, "PATCH", path, {"contact": {"is_individual": True, "contact_person_name": "An Peeters"}})

    assert error_of(alone) == (422, "client.parameters.validation")
    assert contact_of(named)["name"] == "An Peeters"


def test_a_patch_may_repeat_its_own_number_but_not_take_anothers() -> None:
    simulator = RompslompSimulator()
    simulator.add_record(company_name="A", contact_number="RB-1")
    path = f"{CONTACTS}/{simulator.add_record(company_name='B', contact_number='RB-2')}"

    statuses = [call(simulator, "PATCH", path, {"contact": {"contact_number": n}}).status for n in ("RB-2", "RB-1")]

    assert statuses == [200, 422]


@pytest.mark.parametrize(("switch", "number"), [(True, "K00001"), (False, None)])
def test_a_number_set_to_null_draws_a_new_one_or_is_emptied(switch: bool, number: str | None) -> None:
    simulator = RompslompSimulator(null_draws_number=switch)
    path = f"{CONTACTS}/{simulator.add_record(company_name='A', contact_number='RB-1')}"

    response = call(simulator, "PATCH", path, {"contact": {"contact_number": None}})

    assert contact_of(response)["contact_number"] == number


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("record_id", ["1", "abc"])
def test_an_unknown_record_is_another_404_than_an_unknown_path(method: str, record_id: str) -> None:
    simulator = RompslompSimulator()

    response = call(simulator, method, f"{CONTACTS}/{record_id}", {"contact": {}})

    assert error_of(response) == (404, "client.not_found.resource")


def test_a_record_of_another_administration_is_not_found() -> None:
    simulator = RompslompSimulator(companies=(Company(7), Company(8)))
    record_id = simulator.add_record(company_id=8, company_name="A")

    assert error_of(call(simulator, "GET", f"/api/v1/companies/7/contacts/{record_id}"))[1].endswith("resource")


def test_a_delete_is_answered_without_a_body_and_the_second_finds_nothing() -> None:
    simulator = RompslompSimulator()
    path = f"{CONTACTS}/{simulator.add_record(company_name='A')}"

    first, second = call(simulator, "DELETE", path), call(simulator, "DELETE", path)

    assert (first.status, first.body) == (204, b"")
    assert error_of(second) == (404, "client.not_found.resource")


@pytest.mark.parametrize(("switch", "status", "left"), [("204", 204, 0), ("422", 422, 1)])
def test_a_contact_with_invoices_is_deleted_or_refused(switch: Any, status: int, left: int) -> None:
    simulator = RompslompSimulator(delete_with_invoices=switch)
    record_id = simulator.add_record(company_name="A")
    simulator.add_invoice(record_id)

    assert call(simulator, "DELETE", f"{CONTACTS}/{record_id}").status == status
    assert len(simulator.state()["records"]) == left


def test_a_full_subscription_refuses_creates_and_nothing_else() -> None:
    simulator = RompslompSimulator(max_contacts=1)
    record_id = simulator.add_record(company_name="A")

    refused = create(simulator, company_name="B")
    invalid = create(simulator, company_name="")
    changed = call(simulator, "PATCH", f"{CONTACTS}/{record_id}", {"contact": {"city": "Gent"}})

    assert error_of(refused) == (422, "client.quota_reached")
    assert error_of(invalid) == (422, "client.parameters.validation")
    assert changed.status == 200
