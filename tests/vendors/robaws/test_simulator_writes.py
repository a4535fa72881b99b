"""Writing to the simulated Robaws: create, merge patch, replace, delete, and what vanishes (Robaws sheet 6, 8, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.robaws.simulator_wire import MERGE_PATCH, Clock, call, read
from worker.vendors.robaws.simulator import RobawsSimulator

LINDE: dict[str, Any] = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": "+32 9 000 00 00",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
    "extraFields": {"Klanttype": {"stringValue": "Aannemer"}, "Nieuwsbrief": {"booleanValue": True}},
}


@pytest.fixture
def robaws() -> RobawsSimulator:
    return RobawsSimulator(clock=Clock())


def test_a_created_client_comes_back_whole_with_an_id_of_digits(robaws: RobawsSimulator) -> None:
    made = read(call(robaws, "POST", "/clients", LINDE), 201)

    assert made["id"].isdigit()
    assert made["logicId"].isdigit()
    assert made["address"] == {**LINDE["address"], "addressLine2": None, "latitude": 0, "longitude": 0}
    assert made["invoiceAddress"] is None
    assert made["extraFields"]["Klanttype"] == {"type": "SELECT", "group": None, "stringValue": "Aannemer"}
    assert made["createdAt"] == made["updatedAt"] == "2025-10-09T08:53:20.000Z"
    assert "contacts" not in made
    assert read(call(robaws, "GET", f"/clients/{made['id']}")) == made


def test_a_create_may_answer_200_as_well(robaws: RobawsSimulator) -> None:
    robaws.switches.created_status = 200

    assert read(call(robaws, "POST", "/clients", {"name": "Bouwgroep Maas"}), 200)["name"] == "Bouwgroep Maas"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({}, "name: must not be blank", id="no name"),
        pytest.param({"name": "  "}, "name: must not be blank", id="blank name"),
        pytest.param({"name": "Maas", "address": []}, "address: must be an object", id="address as a list"),
        pytest.param({"name": "Maas", "email": 7}, "email: must be text", id="a number for a text"),
        pytest.param({"name": "Maas", "address": {"city": 7}}, "address.city: must be text", id="inside the address"),
        pytest.param({"name": "Maas", "clientSince": "3/3/2025"}, "clientSince: must be a date", id="a date"),
        pytest.param({"name": "Maas", "vatTariffId": "abc"}, "vatTariffId: must be an id", id="an id"),
        pytest.param(
            {"name": "Maas", "extraFields": {"Nieuwsbrief": {"booleanValue": "ja"}}},
            "extraFields.Nieuwsbrief.booleanValue: must be true or false",
            id="an extra field of another type",
        ),
    ],
)
def test_an_invalid_create_is_400_with_a_message(robaws: RobawsSimulator, body: Any, message: str) -> None:
    refused = read(call(robaws, "POST", "/clients", body), 400)

    assert refused["error"] == "Bad Request"
    assert message in refused["message"]
    assert robaws.state()["clients"] == {}


@pytest.mark.parametrize(("status", "error"), [(422, "Unprocessable Entity"), (500, "Internal Server Error")])
def test_a_refusal_of_the_data_may_have_another_status(robaws: RobawsSimulator, status: Any, error: str) -> None:
    robaws.switches.refused_values_status = status

    refused = read(call(robaws, "POST", "/clients", {"name": ""}), status)

    assert (refused["error"], refused["message"]) == (error, "name: must not be blank")


def test_further_members_can_be_mandatory_in_a_tenant(robaws: RobawsSimulator) -> None:
    robaws.switches.required_members = ("name", "vatIdNumber")

    assert call(robaws, "POST", "/clients", {"name": "Maas"}).status == 400
    assert call(robaws, "POST", "/clients", {"name": "Maas", "vatIdNumber": "BE0000000097"}).status == 201


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe{"])
def test_a_body_that_is_no_json_object_is_400(robaws: RobawsSimulator, raw: bytes) -> None:
    response = call(robaws, "POST", "/clients", raw, content_type="application/json")

    assert response.status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/json", id="json"),
        pytest.param("application/merge-patch+json, application/json", id="two in one header"),
        pytest.param("application/merge-patch+json; charset=utf-8, application/json", id="two, one with a parameter"),
        pytest.param("application/json-patch+json", id="the other variant, which is not simulated"),
        pytest.param(None, id="none"),
    ],
)
def test_a_patch_with_anything_but_the_one_content_type_is_415(
    robaws: RobawsSimulator, content_type: str | None
) -> None:
    client_id = robaws.add_client(**LINDE)

    refused = call(robaws, "PATCH", f"/clients/{client_id}", {"name": "X"}, content_type=content_type)

    assert refused.status == 415
    assert robaws.client(client_id)["name"] == "Dakwerken De Linde"


def test_a_create_wants_json(robaws: RobawsSimulator) -> None:
    assert call(robaws, "POST", "/clients", LINDE, content_type=MERGE_PATCH).status == 415
    assert call(robaws, "POST", "/clients", LINDE, content_type="application/json; charset=utf-8").status == 201


def test_a_merge_patch_changes_what_it_names_and_null_empties(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE, gsm="+32 470 00 00 01")

    patch = {"gsm": None, "address": {"city": "Genk", "postalCode": None}, "website": "https://delinde.example"}
    answer = read(call(robaws, "PATCH", f"/clients/{client_id}", patch))

    assert answer["gsm"] is None
    assert answer["website"] == "https://delinde.example"
    assert (answer["address"]["city"], answer["address"]["postalCode"]) == ("Genk", None)
    assert answer["address"]["addressLine1"] == "Kerkstraat 12"
    assert answer["email"] == "info@delinde.example"
    assert answer["extraFields"].keys() == {"Klanttype", "Nieuwsbrief"}


def test_a_whole_address_can_be_emptied_and_an_array_cannot_be_one(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    refused = call(robaws, "PATCH", f"/clients/{client_id}", {"address": []})
    emptied = read(call(robaws, "PATCH", f"/clients/{client_id}", {"address": None}))

    assert refused.status == 400
    assert emptied["address"] is None


def test_a_patch_may_answer_204_without_a_body(robaws: RobawsSimulator) -> None:
    robaws.switches.patch_answers_entity = False
    client_id = robaws.add_client(**LINDE)

    answer = call(robaws, "PATCH", f"/clients/{client_id}", {"name": "De Linde"})

    assert (answer.status, answer.body) == (204, b"")
    assert robaws.client(client_id)["name"] == "De Linde"


def test_a_patch_cannot_take_the_name_away_and_needs_a_client(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    assert call(robaws, "PATCH", f"/clients/{client_id}", {"name": None}).status == 400
    assert call(robaws, "PATCH", "/clients/4", {"name": "X"}).status == 404


@pytest.mark.parametrize("member", ["_metadata", "logicId", "createdAt", "updatedAt"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_read_only_members_are_refused(robaws: RobawsSimulator, method: str, member: str) -> None:
    client_id = robaws.add_client(**LINDE)

    refused = call(robaws, method, f"/clients/{client_id}", {"name": "X", member: "1"})

    assert read(refused, 422)["message"] == f"{member}: is read-only"
    assert robaws.client(client_id)["name"] == "Dakwerken De Linde"


def test_the_id_is_read_only_but_may_be_repeated(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    assert call(robaws, "PATCH", f"/clients/{client_id}", {"id": client_id, "name": "X"}).status == 200
    assert call(robaws, "PATCH", f"/clients/{client_id}", {"id": "7", "name": "Y"}).status == 422
    assert call(robaws, "POST", "/clients", {"id": "7", "name": "Y"}).status == 422


def test_put_replaces_the_whole_and_keeps_the_persons(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE, contacts=[{"name": "An"}])

    answer = call(robaws, "PUT", f"/clients/{client_id}", {"name": "De Linde"})

    now = robaws.client(client_id)
    assert (answer.status, answer.body) == (204, b"")
    assert (now["name"], now["email"], now["address"], now["extraFields"]) == ("De Linde", None, None, {})
    assert [person["name"] for person in now["contacts"]] == ["An"]
    assert now["logicId"] == "20001"


def test_unknown_members_vanish_without_a_word(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)
    before = robaws.client(client_id)

    patch = {
        "phone": "+32 9 111 11 11",
        "address": {"street": "Dorpsstraat"},
        "contacts": [],
        "extraFields": {
            "Bestaat niet": {"stringValue": "x"},
            "Klanttype": {"stringValue": "Bestaat ook niet"},
            "Nieuwsbrief": {"stringValue": "nee"},
        },
    }
    answer = call(robaws, "PATCH", f"/clients/{client_id}", patch)

    assert answer.status == 200
    assert robaws.client(client_id) == before


def test_an_extra_field_is_changed_without_touching_the_others(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    patch = {"extraFields": {"Rompslomp-id": {"stringValue": "R-7"}, "Startdatum": {"dateValue": "2025-03-03"}}}
    answer = read(call(robaws, "PATCH", f"/clients/{client_id}", patch))

    values = {name: field.get("stringValue", field.get("dateValue")) for name, field in answer["extraFields"].items()}
    assert values == {"Klanttype": "Aannemer", "Nieuwsbrief": None, "Rompslomp-id": "R-7", "Startdatum": "2025-03-03"}
    assert answer["extraFields"]["Rompslomp-id"]["group"] == "Koppelingen"


@pytest.mark.parametrize(
    ("switch", "patch", "emptied"),
    [
        pytest.param("both", None, True, id="null where both work"),
        pytest.param("both", {"stringValue": None}, True, id="null value where both work"),
        pytest.param("null", None, True, id="null"),
        pytest.param("null", {"stringValue": None}, False, id="null value where only null works"),
        pytest.param("value_null", None, False, id="null where only a null value works"),
        pytest.param("value_null", {"stringValue": None}, True, id="null value"),
    ],
)
def test_how_an_extra_field_is_emptied_can_be_chosen(
    robaws: RobawsSimulator, switch: Any, patch: Any, emptied: bool
) -> None:
    robaws.switches.extra_field_emptied_by = switch
    client_id = robaws.add_client(**LINDE)

    call(robaws, "PATCH", f"/clients/{client_id}", {"extraFields": {"Klanttype": patch}})

    assert ("Klanttype" not in robaws.client(client_id)["extraFields"]) is emptied


def test_a_checkbox_may_come_back_as_a_number(robaws: RobawsSimulator) -> None:
    robaws.switches.checkbox_as_number = True
    client_id = robaws.add_client(**LINDE)

    answer = read(call(robaws, "GET", f"/clients/{client_id}"))

    assert answer["extraFields"]["Nieuwsbrief"] == {"type": "CHECKBOX", "group": None, "numberValue": 1}


def test_names_of_extra_fields_may_have_underscores(robaws: RobawsSimulator) -> None:
    robaws.switches.extra_field_names_with_underscores = True
    client_id = robaws.add_client(**LINDE)

    patch = {"extraFields": {"Aantal_vestigingen": {"integerValue": 3}}}
    answer = read(call(robaws, "PATCH", f"/clients/{client_id}", patch))

    assert answer["extraFields"]["Aantal_vestigingen"]["integerValue"] == 3


def test_phones_may_come_back_written_another_way(robaws: RobawsSimulator) -> None:
    robaws.switches.phones_normalised = True

    made = read(call(robaws, "POST", "/clients", {"name": "Maas", "tel": "09/200.00.01", "gsm": "bel Jan"}), 201)

    assert (made["tel"], made["gsm"]) == ("+32 9 200 00 01", "bel Jan")


def test_a_vat_number_may_fill_other_members(robaws: RobawsSimulator) -> None:
    robaws.switches.vies = {"BE0000000196": {"name": "MAAS NV", "address": {"city": "GENK"}}}

    made = read(call(robaws, "POST", "/clients", {"name": "Maas", "vatIdNumber": "BE0000000196"}), 201)

    assert (made["name"], made["address"]["city"]) == ("MAAS NV", "GENK")


def test_a_deleted_client_is_404_and_leaves_the_lists(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    assert call(robaws, "DELETE", f"/clients/{client_id}").status == 204
    assert call(robaws, "GET", f"/clients/{client_id}").status == 404
    assert call(robaws, "DELETE", f"/clients/{client_id}").status == 404
    assert read(call(robaws, "GET", "/clients"))["totalItems"] == 0


def test_an_archived_client_can_be_read_and_is_in_no_list(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)
    robaws.archive_client(client_id)

    assert call(robaws, "GET", f"/clients/{client_id}").status == 200
    assert read(call(robaws, "GET", "/clients"))["items"] == []


def test_contact_persons_are_made_and_changed_under_their_client(robaws: RobawsSimulator) -> None:
    client_id, other = robaws.add_client(**LINDE), robaws.add_client(name="Bouwgroep Maas")

    sent = {"name": "An", "surname": "Peeters", "firstName": "vanishes", "isPrimary": True}
    made = read(call(robaws, "POST", f"/clients/{client_id}/contacts", sent), 201)
    path = f"/clients/{client_id}/contacts/{made['id']}"
    changed = read(call(robaws, "PATCH", path, {"surname": None, "function": "Zaakvoerder"}))

    assert made["id"].isdigit()
    assert (made["name"], made["surname"], made["isPrimary"]) == ("An", "Peeters", True)
    assert "firstName" not in made
    assert (changed["surname"], changed["function"]) == (None, "Zaakvoerder")
    assert call(robaws, "PATCH", f"/clients/{other}/contacts/{made['id']}", {"name": "X"}).status == 404
    assert call(robaws, "POST", f"/clients/{client_id}/contacts", {"email": 7}).status == 400


def test_a_slip_of_the_pen_in_a_test_is_an_error_and_not_silence(robaws: RobawsSimulator) -> None:
    client_id = robaws.add_client(**LINDE)

    with pytest.raises(ValueError, match="phone"):
        robaws.change_client(client_id, phone="1")
    with pytest.raises(ValueError, match="street"):
        robaws.change_client(client_id, address={"street": "1"})
    with pytest.raises(ValueError, match="Klanttype"):
        robaws.set_extra_field(client_id, "Klanttype", "Bestaat niet")
    with pytest.raises(ValueError, match="firstName"):
        robaws.add_person(client_id, firstName="An")
    with pytest.raises(KeyError):
        robaws.change_client("4", name="X")
