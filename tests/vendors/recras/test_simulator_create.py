"""Making customers in the simulated Recras: refusals, matching, answers (Recras sheet 12.3 to 12.6)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.recras.simulator_rules import Company
from worker.vendors.simulation import SimRequest, SimResponse

MAIN = {
    "voornaam": "An",
    "achternaam": "Peeters",
    "geslacht": "onbekend",
    "telefoon1": "+32 9 000 00 00",
    "email1": "info@delinde.example",
    "hoofdcontact": True,
}
LINDE: dict[str, Any] = {
    "naam": "Dakwerken De Linde",
    "adres": "Kerkstraat 12",
    "postcode": "9000",
    "plaats": "Gent",
    "website": "https://delinde.example",
    "contactpersonen": [MAIN],
}


def create(simulator: RecrasSimulator, body: Any) -> SimResponse:
    headers = {"authorization": f"Bearer {simulator.SANDBOX_API_KEY}", "host": "voorbeeld.recras.example"}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return simulator.handle(SimRequest("POST", "/api2/klanten", "", headers, raw))


def faults_of(response: SimResponse) -> list[tuple[str, str]]:
    """Field and sentence of each innermost fault; the shape is checked on the way."""
    assert response.status == 406

    def inner(faults: list[dict[str, Any]]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for fault in faults:
            assert set(fault) in ({"field", "message", "parameters"}, {"field", "message", "errors"})
            found += inner(fault["errors"]) if "errors" in fault else [(fault["field"], fault["message"])]
        return found

    return inner(json.loads(response.body))


def fields_of(response: SimResponse) -> list[str]:
    return [field for field, _ in faults_of(response)]


def test_a_create_is_answered_with_the_thirteen_members_and_where_it_is() -> None:
    simulator = RecrasSimulator()

    response = create(simulator, LINDE)
    klant = json.loads(response.body)

    assert response.status == 201
    assert klant == {
        "id": klant["id"],
        "type": "klant",
        "displaynaam": "Dakwerken De Linde",
        "naam": "Dakwerken De Linde",
        "adres": "Kerkstraat 12",
        "postcode": "9000",
        "plaats": "Gent",
        "provinciecode": None,
        "website": "https://delinde.example",
        "bedrijf_id": 1,
        "soort_klant": None,
        "afdeling": None,
        "factuur_adressering": None,
    }
    assert len(klant) == 13
    assert response.headers["location"] == f"https://voorbeeld.recras.example/api2/klanten/{klant['id']}"


def test_the_persons_of_a_create_are_held_with_their_main_one() -> None:
    simulator = RecrasSimulator()
    create(simulator, {**LINDE, "contactpersonen": [{"achternaam": "Claes", "hoofdcontact": False}, MAIN]})

    (record,) = simulator.state()["records"]

    assert [(p["achternaam"], p["hoofdcontact"]) for p in record["contactpersonen"]] == [
        ("Peeters", True),
        ("Claes", False),
    ]
    assert len(simulator.state()["persons"]) == 2


@pytest.mark.parametrize("body", [b"{", b"", b"[1]", b'"x"'])
def test_a_body_that_is_no_json_object_is_a_syntax_error(body: bytes) -> None:
    response = create(RecrasSimulator(), body)

    assert (response.status, json.loads(response.body)) == (406, [{"message": "Syntax error"}])


def without(member: str) -> dict[str, Any]:
    return {name: value for name, value in LINDE.items() if name != member}


def with_person(**members: Any) -> dict[str, Any]:
    return {**LINDE, "contactpersonen": [{**MAIN, **members}]}


def with_extra(**item: Any) -> dict[str, Any]:
    return {**LINDE, "extra_fields": [item]}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({**LINDE, "email1": "x"}, ("email1", "Could not validate extra field")),
        ({**LINDE, "id": 5}, ("id", "Could not validate extra field")),
        ({**LINDE, "landcode": "BE"}, ("landcode", "Could not validate extra field")),
        ({**LINDE, "btw_nummer": "BE1"}, ("btw_nummer", "Could not validate extra field")),
        ({**LINDE, "naam": 5}, ("naam", "Invalid.")),
        ({**LINDE, "website": "www.delinde.example"}, ("website", "Invalid.")),
        (without("contactpersonen"), ("contactpersonen", "Required.")),
        ({**LINDE, "contactpersonen": []}, ("contactpersonen", "Required.")),
        ({**LINDE, "contactpersonen": {"0": MAIN}}, ("contactpersonen", "Required.")),
        ({**LINDE, "contactpersonen": None}, ("contactpersonen", "Required.")),
        ({**LINDE, "contactpersonen": [MAIN, {"voornaam": "Bo"}]}, ("contactpersonen.hoofdcontact", "Required.")),
        (with_person(functie="baas"), ("contactpersonen.functie", "Could not validate extra field")),
        (with_person(geslacht="m"), ("contactpersonen.geslacht", "Invalid.")),
        (with_person(telefoon1=9), ("contactpersonen.telefoon1", "Invalid.")),
        ({**LINDE, "contactpersonen": [{"id": 999, "hoofdcontact": True}]}, ("contactpersonen.id", "Invalid.")),
        ({**LINDE, "contactpersonen": [{"id": True, "hoofdcontact": True}]}, ("contactpersonen.id", "Invalid.")),
        ({**LINDE, "bedrijf_id": 9}, ("bedrijf_id", "Invalid.")),
        ({**LINDE, "bedrijf_id": "1"}, ("bedrijf_id", "Invalid.")),
        ({**LINDE, "bedrijf_id": True}, ("bedrijf_id", "Invalid.")),
        ({**LINDE, "soort_klant": "Vriend"}, ("soort_klant", "Invalid.")),
        ({**LINDE, "bedrijf_id": 2, "soort_klant": "Familie"}, ("soort_klant", "Invalid.")),
        ({**LINDE, "extra_fields": "x"}, ("extra_fields", "Invalid.")),
        (with_extra(name="a", type="colour", value="x"), ("extra_fields.type", "Invalid.")),
        (with_extra(name="a", type="text", value=1), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="number", value="42"), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="number", value=True), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="date", value="21/11/2026"), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="singlechoice", value=["x"]), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="multiplechoice", value="x"), ("extra_fields.value", "Invalid.")),
        (with_extra(name="a", type="text"), ("extra_fields.value", "Required.")),
        (
            with_extra(name="a", type="text", value="x", unit="y"),
            ("extra_fields.unit", "Could not validate extra field"),
        ),
    ],
)
def test_one_fault_refuses_the_whole_customer_and_names_the_field(body: Any, fault: tuple[str, str]) -> None:
    simulator = RecrasSimulator()
    simulator.add_record(naam="Bestaand", contactpersonen=[{"achternaam": "Claes"}])
    before = simulator.state()

    response = create(simulator, body)

    assert faults_of(response) == [fault]
    assert simulator.state() == before


@pytest.mark.parametrize("mains", [(False, False), (True, True)])
def test_exactly_one_person_is_the_main_one(mains: tuple[bool, bool]) -> None:
    persons = [{"achternaam": "Peeters", "hoofdcontact": main} for main in mains]

    response = create(RecrasSimulator(), {**LINDE, "contactpersonen": persons})

    assert fields_of(response) == ["contactpersonen.hoofdcontact"]


def test_a_person_that_is_no_object_or_marked_by_a_word_is_refused() -> None:
    response = create(RecrasSimulator(), {**LINDE, "contactpersonen": [MAIN, "An", {"hoofdcontact": "true"}]})

    assert fields_of(response) == ["contactpersonen", "contactpersonen.hoofdcontact"]


def test_all_faults_of_a_body_come_in_one_list() -> None:
    body = {
        "naam": 5,
        "email": "x",
        "bedrijf_id": 9,
        "contactpersonen": [{"voornaam": 1, "rol": "baas"}],
        "extra_fields": [{"name": "a", "type": "colour", "value": 1}, "x"],
    }

    response = create(RecrasSimulator(), body)

    assert set(fields_of(response)) == {
        "email",
        "naam",
        "bedrijf_id",
        "contactpersonen.hoofdcontact",
        "contactpersonen.voornaam",
        "contactpersonen.rol",
        "extra_fields.type",
        "extra_fields",
    }


def test_faults_inside_a_member_are_nested_or_flat() -> None:
    body = with_person(geslacht="m")

    nested = json.loads(create(RecrasSimulator(), body).body)
    flat = json.loads(create(RecrasSimulator(flat_errors=True), body).body)

    inner = {"field": "contactpersonen.geslacht", "message": "Invalid.", "parameters": []}
    assert nested == [
        {"field": "contactpersonen", "message": "contactpersonen.geslacht [Invalid.]", "errors": [inner]},
    ]
    assert flat == [inner]


@pytest.mark.parametrize(
    "extra",
    [
        {"type": "text", "value": "x"},
        {"type": "number", "value": 42},
        {"type": "date", "value": "2026-11-21"},
        {"type": "singlechoice", "value": "x"},
        {"type": "multiplechoice", "value": ["x", "y"]},
    ],
)
def test_an_extra_field_of_each_type_is_kept_and_not_shown(extra: dict[str, Any]) -> None:
    simulator = RecrasSimulator()
    item = {"name": "Robaws id", **extra}

    response = create(simulator, {**LINDE, "extra_fields": [item]})

    assert "extra_fields" not in json.loads(response.body)
    assert simulator.state()["records"][0]["extra_fields"] == [item]


def test_country_and_vat_number_are_taken_where_that_is_switched_on() -> None:
    simulator = RecrasSimulator(accept_landcode_btw=True)

    response = create(simulator, {**LINDE, "landcode": "BE", "btw_nummer": "BE0000000097"})

    assert response.status == 201
    assert "landcode" not in json.loads(response.body)
    (record,) = simulator.state()["records"]
    assert (record["landcode"], record["btw_nummer"]) == ("BE", "BE0000000097")


def test_a_kind_of_customer_need_not_exist_where_that_is_switched_off() -> None:
    simulator = RecrasSimulator(strict_soort_klant=False)

    assert json.loads(create(simulator, {**LINDE, "soort_klant": "Vriend"}).body)["soort_klant"] == "Vriend"


@pytest.mark.parametrize("given", [{}, {"bedrijf_id": None}])
def test_the_default_company_is_filled_in(given: dict[str, Any]) -> None:
    assert json.loads(create(RecrasSimulator(), {**LINDE, **given}).body)["bedrijf_id"] == 1


def test_which_company_is_the_default_is_for_the_tenant_to_say() -> None:
    marked = RecrasSimulator(companies=(Company(3), Company(4, default=True)))
    unmarked = RecrasSimulator(companies=(Company(3), Company(4)))

    assert [json.loads(create(tenant, LINDE).body)["bedrijf_id"] for tenant in (marked, unmarked)] == [4, 3]


def test_empty_text_and_null_are_kept_as_they_came() -> None:
    klant = json.loads(create(RecrasSimulator(), {**LINDE, "adres": "", "plaats": None}).body)

    assert (klant["adres"], klant["plaats"]) == ("", None)


def test_without_a_name_the_main_person_names_the_customer() -> None:
    simulator = RecrasSimulator()

    klant = json.loads(create(simulator, {"contactpersonen": [MAIN]}).body)

    assert (klant["naam"], klant["displaynaam"]) == (None, "An Peeters")


def test_all_types_of_contact_share_one_row_of_ids_and_persons_have_another() -> None:
    simulator = RecrasSimulator()
    kinds: list[Any] = ["klant", "leverancier", "personeel", "overig", "klant"]

    ids = [int(simulator.add_record(type=kind, naam=f"N{i}", contactpersonen=[{}])) for i, kind in enumerate(kinds)]

    assert ids == sorted(set(ids))
    assert [person["id"] for person in simulator.state()["persons"]] == [1, 2, 3, 4, 5]


def test_a_person_that_is_there_is_linked_by_id() -> None:
    simulator = RecrasSimulator()
    first = simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}])

    second = json.loads(create(simulator, {"naam": "B", "contactpersonen": [{"id": 1, "hoofdcontact": True}]}).body)

    assert simulator.state()["persons"] == [
        {**simulator.state()["persons"][0], "id": 1, "achternaam": "Claes", "klanten": [int(first), second["id"]]}
    ]


@pytest.mark.parametrize(
    ("switch", "status", "name"), [("ignore", 201, "Claes"), ("apply", 201, "Nieuw"), ("refuse", 406, "Claes")]
)
def test_members_beside_an_id_are_ignored_applied_or_refused(switch: Any, status: int, name: str) -> None:
    simulator = RecrasSimulator(person_members_with_id=switch)
    simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes", "email1": "bo@delinde.example"}])

    response = create(
        simulator, {"naam": "B", "contactpersonen": [{"id": 1, "hoofdcontact": True, "achternaam": "Nieuw"}]}
    )

    assert response.status == status
    assert simulator.state()["persons"][0]["achternaam"] == name
    if status == 406:
        assert faults_of(response) == [("contactpersonen.achternaam", "Could not validate extra field")]


@pytest.mark.parametrize("switch", ["ignore", "apply", "refuse"])
def test_a_member_that_no_person_has_is_refused_beside_an_id_too(switch: Any) -> None:
    simulator = RecrasSimulator(person_members_with_id=switch)
    simulator.add_record(naam="A", contactpersonen=[{"achternaam": "Claes"}])

    response = create(simulator, {"naam": "B", "contactpersonen": [{"id": 1, "hoofdcontact": True, "rol": "baas"}]})

    assert fields_of(response) == ["contactpersonen.rol"]


def test_the_same_name_and_address_is_answered_with_the_customer_that_is_there() -> None:
    simulator = RecrasSimulator(dedupe_effect="none")
    first = json.loads(create(simulator, LINDE).body)
    again = copy.deepcopy(LINDE)
    again.update(naam="  dakwerken DE LINDE ", plaats="Aalst")
    again["contactpersonen"][0]["email1"] = " INFO@delinde.example "

    response = create(simulator, again)

    assert (response.status, json.loads(response.body)) == (200, first)
    assert "location" not in response.headers
    assert len(simulator.state()["records"]) == len(simulator.state()["persons"]) == 1


def test_any_person_of_the_customer_that_is_there_may_have_the_address() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(
        naam=LINDE["naam"], contactpersonen=[{"achternaam": "Claes"}, {"email1": "info@delinde.example"}]
    )

    assert create(simulator, LINDE).status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"naam": "Bakkerij Zon"},
        {"contactpersonen": [{**MAIN, "email1": "ander@delinde.example"}]},
        {"contactpersonen": [{**MAIN, "email1": ""}]},
        {"contactpersonen": [{**MAIN, "hoofdcontact": False}, {"achternaam": "Claes", "hoofdcontact": True}]},
    ],
    ids=["other name", "other address", "no address", "address of another than the main person"],
)
def test_anything_less_makes_a_second_customer(changed: dict[str, Any]) -> None:
    simulator = RecrasSimulator()
    create(simulator, LINDE)

    assert create(simulator, {**LINDE, **changed}).status == 201
    assert len(simulator.state()["records"]) == 2


def test_two_customers_without_an_address_are_never_taken_for_the_same() -> None:
    simulator = RecrasSimulator()
    body = with_person(email1=None)

    assert [create(simulator, body).status for _ in range(2)] == [201, 201]


def test_a_supplier_is_not_matched_and_nothing_is_where_that_is_switched_off() -> None:
    suppliers, off = RecrasSimulator(), RecrasSimulator(dedupe=False)
    suppliers.add_record(type="leverancier", naam=LINDE["naam"], contactpersonen=[{"email1": MAIN["email1"]}])
    create(off, LINDE)

    assert create(suppliers, LINDE).status == 201
    assert create(off, LINDE).status == 201


def test_a_match_fills_what_is_empty_and_adds_the_persons() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(
        naam=LINDE["naam"], adres="", plaats="Aalst", contactpersonen=[{"email1": "info@delinde.example"}]
    )

    response = create(simulator, LINDE)

    (record,) = simulator.state()["records"]
    assert response.status == 200
    assert (record["adres"], record["plaats"]) == ("Kerkstraat 12", "Aalst")
    assert [p["hoofdcontact"] for p in record["contactpersonen"]] == [True, False]
