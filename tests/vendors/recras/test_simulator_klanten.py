"""Reading and changing customers and persons in the simulated Recras (Recras sheet 12.7 to 12.13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.simulation import SimRequest, SimResponse

PERSON_MEMBERS = {
    "id",
    "voornaam",
    "achternaam",
    "geslacht",
    "aanhef",
    "adres",
    "postcode",
    "plaats",
    "telefoon1",
    "telefoon2",
    "email1",
    "email2",
    "hoofdcontact",
}


def call(simulator: RecrasSimulator, method: str, path: str, body: Any = None, *, query: str = "") -> SimResponse:
    headers = {"authorization": f"Bearer {simulator.SANDBOX_API_KEY}", "host": "voorbeeld.recras.example"}
    raw = b"" if body is None else json.dumps(body).encode()
    return simulator.handle(SimRequest(method, f"/api2{path}", query, headers, raw))


def read(simulator: RecrasSimulator, path: str, query: str = "") -> Any:
    response = call(simulator, "GET", path, query=query)
    assert response.status == 200, response.body
    return json.loads(response.body)


def refused_fields(response: SimResponse) -> list[str]:
    assert response.status == 406
    return [fault["field"] for fault in json.loads(response.body)]


def two_persons(simulator: RecrasSimulator) -> str:
    return simulator.add_record(
        naam="De Linde",
        plaats="Gent",
        contactpersonen=[{"achternaam": "Claes"}, {"achternaam": "Peeters", "hoofdcontact": True}],
    )


# ---------------------------------------------------------------------------------------------------------- lists


def test_the_list_is_a_bare_array_of_customers_out_of_order() -> None:
    simulator = RecrasSimulator()
    ids = [int(simulator.add_record(naam=f"N{number}")) for number in range(5)]
    simulator.add_record(type="leverancier", naam="Leverancier")

    listed = read(simulator, "/klanten")

    assert sorted(klant["id"] for klant in listed) == ids
    assert [klant["id"] for klant in listed] != ids
    assert len(listed[0]) == 13
    assert "contactpersonen" not in listed[0]
    assert read(simulator, "/klanten") == listed


def test_the_order_is_still_none_when_the_last_of_the_list_is_gone() -> None:
    simulator = RecrasSimulator()
    ids = [int(simulator.add_record(naam=f"N{number}")) for number in range(4)]

    simulator.delete_record(str(read(simulator, "/klanten")[-1]["id"]))
    newest = int(simulator.add_record(naam="Nieuw"))

    listed = [klant["id"] for klant in read(simulator, "/klanten")]
    assert listed[-1] != newest
    assert len(listed) == len(ids)


@pytest.mark.parametrize(("order", "back"), [("id", 1), ("newest", -1)])
def test_the_order_can_be_chosen(order: Any, back: int) -> None:
    simulator = RecrasSimulator(order=order)
    ids = [int(simulator.add_record(naam=f"N{number}")) for number in range(5)]

    assert [klant["id"] for klant in read(simulator, "/klanten")] == ids[::back]


@pytest.mark.parametrize(("exclusive", "found"), [(False, 2), (True, 1)])
def test_the_least_id_is_allowed_or_not(exclusive: bool, found: int) -> None:
    simulator = RecrasSimulator(id_gt_exclusive=exclusive)
    ids = [simulator.add_record(naam=f"N{number}") for number in range(3)]

    assert len(read(simulator, "/klanten", f"id%3E={ids[1]}")) == found
    assert len(read(simulator, "/klanten", f"id>={ids[1]}")) == found


@pytest.mark.parametrize("query", ["limit=5", "naam=A", "page=1", "embed=contactpersonen", "id=1"])
@pytest.mark.parametrize("path", ["/klanten", "/contacten"])
def test_an_unknown_parameter_is_refused_not_ignored(path: str, query: str) -> None:
    response = call(RecrasSimulator(), "GET", path, query=query)

    assert json.loads(response.body) == [
        {"field": query.partition("=")[0], "message": "Could not validate extra field", "parameters": []}
    ]
    assert response.status == 406


def test_a_parameter_with_an_empty_value_silently_asks_for_everything() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(naam="A")

    assert len(read(simulator, "/klanten", "naam=&id%3E=")) == 1


def test_a_least_id_that_is_no_number_is_refused() -> None:
    assert refused_fields(call(RecrasSimulator(), "GET", "/klanten", query="id%3E=x&limit=1")) == ["limit", "id>"]


def test_columns_are_filters_where_that_is_switched_on() -> None:
    simulator = RecrasSimulator(column_filters=True)
    ids = [simulator.add_record(naam=name, plaats="Gent") for name in ("A", "B", "C")]

    assert [klant["naam"] for klant in read(simulator, "/klanten", "naam=B&plaats=Gent")] == ["B"]
    assert {klant["naam"] for klant in read(simulator, "/klanten", f"id={ids[0]},{ids[2]}")} == {"A", "C"}
    assert refused_fields(call(simulator, "GET", "/klanten", query="telefoon=1")) == ["telefoon"]


def test_pages_say_how_many_there_are_and_where_the_next_is() -> None:
    simulator = RecrasSimulator(page_size=2)
    for number in range(5):
        simulator.add_record(naam=f"N{number}")

    responses = [call(simulator, "GET", "/klanten", query=query) for query in ("id%3E=1", "page=2", "page=3", "page=4")]

    assert [len(json.loads(response.body)) for response in responses] == [2, 2, 1, 0]
    assert {r.headers["x-page-size"] for r in responses} == {"2"}
    assert {r.headers["x-total-count"] for r in responses} == {"5"}
    base = "https://voorbeeld.recras.example/api2/klanten"
    assert responses[0].headers["link"] == (
        f'<{base}?id%3E=1&page=1>; rel="current", <{base}?id%3E=1&page=1>; rel="first", '
        f'<{base}?id%3E=1&page=3>; rel="last", <{base}?id%3E=1&page=2>; rel="next"'
    )
    assert '?page=1>; rel="prev"' in responses[1].headers["link"]
    assert 'rel="next"' not in responses[2].headers["link"]
    seen = [klant["id"] for response in responses[1:] for klant in json.loads(response.body)]
    assert len(set(seen)) == 3


@pytest.mark.parametrize("page", ["0", "x"])
def test_a_page_that_is_none_is_refused(page: str) -> None:
    assert refused_fields(call(RecrasSimulator(page_size=2), "GET", "/klanten", query=f"page={page}")) == ["page"]


def test_contacts_are_of_all_types_with_what_the_customer_list_hides() -> None:
    simulator = RecrasSimulator()
    klant = simulator.add_record(naam="A", landcode="BE", btw_nummer="BE1", contactpersonen=[{"achternaam": "Claes"}])
    simulator.add_record(type="leverancier", naam="B")

    by_type = {contact["type"]: contact for contact in read(simulator, "/contacten")}

    assert set(by_type) == {"klant", "leverancier"}
    shown = by_type["klant"]
    assert (shown["landcode"], shown["btw_nummer"], shown["status"]) == ("BE", "BE1", "actief")
    assert shown["mag_type_wijzigen"] is True
    assert shown["_links"]["self"]["href"] == f"https://voorbeeld.recras.example/api2/contacten/{klant}"
    assert set(shown["contactpersonen"][0]) == PERSON_MEMBERS | {"nieuwsbrief_ids"}
    assert read(simulator, f"/contacten/{klant}") == shown


# ----------------------------------------------------------------------------------------------------- one of them


def test_one_customer_comes_with_its_persons_and_the_main_one_first() -> None:
    simulator = RecrasSimulator()

    klant = read(simulator, f"/klanten/{two_persons(simulator)}")

    assert len(klant) == 14
    assert [person["achternaam"] for person in klant["contactpersonen"]] == ["Peeters", "Claes"]
    assert all(set(person) == PERSON_MEMBERS for person in klant["contactpersonen"])


def test_extra_fields_are_shown_where_that_is_switched_on() -> None:
    simulator = RecrasSimulator(show_extra_fields=True)
    items = [{"name": "Robaws id", "type": "text", "value": "1834"}]

    assert read(simulator, f"/klanten/{simulator.add_record(naam='A', extra_fields=items)}")["extra_fields"] == items


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_unknown_id_or_one_of_another_type_is_not_found(method: str) -> None:
    simulator = RecrasSimulator()
    supplier = simulator.add_record(type="leverancier", naam="B")

    assert [call(simulator, method, f"/klanten/{i}", {}).status for i in (supplier, "99999")] == [404, 404]
    assert call(simulator, "GET", f"/contacten/{supplier}").status == 200


def test_members_that_are_sent_are_replaced_and_the_others_stay() -> None:
    simulator = RecrasSimulator()
    record_id = two_persons(simulator)
    before = read(simulator, f"/klanten/{record_id}")

    response = call(simulator, "PUT", f"/klanten/{record_id}", {"adres": "Kerkstraat 12", "plaats": None})

    changed = {**before, "adres": "Kerkstraat 12", "plaats": None}
    assert read(simulator, f"/klanten/{record_id}") == changed
    del changed["contactpersonen"]
    assert (response.status, json.loads(response.body)) == (200, changed)


def test_a_list_of_persons_is_the_exact_list() -> None:
    simulator = RecrasSimulator()
    record_id = two_persons(simulator)

    body = {"contactpersonen": [{"id": 2, "hoofdcontact": True}, {"achternaam": "Nieuw", "hoofdcontact": False}]}
    call(simulator, "PUT", f"/klanten/{record_id}", body)

    persons = read(simulator, f"/klanten/{record_id}")["contactpersonen"]
    assert [(p["id"], p["achternaam"], p["hoofdcontact"]) for p in persons] == [
        (2, "Peeters", True),
        (3, "Nieuw", False),
    ]
    assert read(simulator, "/contactpersonen/1")["achternaam"] == "Claes"


def test_orphans_are_deleted_where_that_is_switched_on_but_not_those_of_others() -> None:
    simulator = RecrasSimulator(delete_orphans=True)
    record_id = two_persons(simulator)
    call(simulator, "POST", "/klanten", {"naam": "B", "contactpersonen": [{"id": 2, "hoofdcontact": True}]})

    body = {"contactpersonen": [{"achternaam": "Nieuw", "hoofdcontact": True}]}
    call(simulator, "PUT", f"/klanten/{record_id}", body)

    assert call(simulator, "GET", "/contactpersonen/1").status == 404
    assert read(simulator, "/contactpersonen/2")["achternaam"] == "Peeters"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contactpersonen": []}, "contactpersonen"),
        ({"contactpersonen": [{"id": 1, "hoofdcontact": False}]}, "contactpersonen"),
        ({"displaynaam": "x"}, "displaynaam"),
        ({"id": 1}, "id"),
        ({"type": "klant"}, "type"),
        ({"landcode": "BE"}, "landcode"),
        ({"bedrijf_id": 9}, "bedrijf_id"),
        ({"soort_klant": "Vriend"}, "soort_klant"),
    ],
)
def test_a_change_is_validated_as_a_create_is(body: dict[str, Any], field: str) -> None:
    simulator = RecrasSimulator()
    record_id = two_persons(simulator)
    before = simulator.state()

    assert refused_fields(call(simulator, "PUT", f"/klanten/{record_id}", body)) == [field]
    assert simulator.state() == before


def test_a_kind_of_customer_is_looked_up_at_the_company_that_the_customer_has() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", bedrijf_id=2)

    assert refused_fields(call(simulator, "PUT", f"/klanten/{record_id}", {"soort_klant": "Familie"})) == [
        "soort_klant"
    ]
    assert call(simulator, "PUT", f"/klanten/{record_id}", {"soort_klant": "Bedrijf"}).status == 200


@pytest.mark.parametrize(("given", "held"), [(2, 2), (None, 1)])
def test_a_customer_moves_to_another_company_or_back_to_the_default(given: int | None, held: int) -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="A", bedrijf_id=2)

    response = call(simulator, "PUT", f"/klanten/{record_id}", {"bedrijf_id": given})

    assert json.loads(response.body)["bedrijf_id"] == held


def test_a_change_needs_its_persons_where_that_is_switched_on() -> None:
    simulator = RecrasSimulator(put_requires_all=True)

    response = call(simulator, "PUT", f"/klanten/{two_persons(simulator)}", {"plaats": "Aalst"})

    assert refused_fields(response) == ["contactpersonen"]


def test_read_only_members_are_ignored_where_that_is_switched_on() -> None:
    simulator = RecrasSimulator(ignore_readonly=True)
    record_id = two_persons(simulator)

    response = call(simulator, "PUT", f"/klanten/{record_id}", {"id": 99, "displaynaam": "x", "naam": "Nieuw"})

    assert response.status == 200
    assert read(simulator, f"/klanten/{record_id}")["displaynaam"] == "Nieuw"


# ------------------------------------------------------------------------------------------------------- persons


def test_a_person_is_made_read_changed_and_listed() -> None:
    simulator = RecrasSimulator()

    made = call(simulator, "POST", "/contactpersonen", {"achternaam": "Claes", "geslacht": None})
    changed = call(simulator, "PUT", "/contactpersonen/1", {"email1": "bo@delinde.example"})

    person = read(simulator, "/contactpersonen/1")
    assert (made.status, made.headers["location"]) == (201, "https://voorbeeld.recras.example/api2/contactpersonen/1")
    assert (person["achternaam"], person["geslacht"]) == ("Claes", "onbekend")
    assert json.loads(changed.body) == person
    assert person["email1"] == "bo@delinde.example"
    assert set(person) == PERSON_MEMBERS - {"hoofdcontact"}
    assert read(simulator, "/contactpersonen") == [person]


@pytest.mark.parametrize("members", [{"hoofdcontact": True}, {"functie": "x"}, {"geslacht": "x"}, {"id": 5}])
@pytest.mark.parametrize(("method", "path"), [("POST", "/contactpersonen"), ("PUT", "/contactpersonen/1")])
def test_a_person_is_validated(method: str, path: str, members: dict[str, Any]) -> None:
    simulator = RecrasSimulator()
    call(simulator, "POST", "/contactpersonen", {"achternaam": "Claes"})

    assert refused_fields(call(simulator, method, path, members)) == list(members)


def test_an_unknown_person_is_not_found() -> None:
    simulator = RecrasSimulator()

    assert [call(simulator, method, "/contactpersonen/1", {}).status for method in ("GET", "PUT")] == [404, 404]
