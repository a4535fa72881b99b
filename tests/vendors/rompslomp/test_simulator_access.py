"""The simulated Rompslomp at its door: paths, tokens, rights, limits and faults (Rompslomp sheet 11)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.rompslomp.simulator_access import Company, Token
from worker.vendors.simulation import SimRequest, SimResponse, transport

CONTACTS = f"/api/v1/companies/{RompslompSimulator.SANDBOX_COMPANY_ID}/contacts"
COMPANY = {"is_individual": False, "company_name": "Dakwerken De Linde"}


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def call(
    simulator: RompslompSimulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    token: str | None = RompslompSimulator.SANDBOX_TOKEN,
    query: str = "",
) -> SimResponse:
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    raw = b"" if body is None else json.dumps(body).encode()
    return simulator.handle(SimRequest(method, path, query, headers, raw))


def error_of(response: SimResponse) -> tuple[int, str]:
    error = json.loads(response.body)["error"]
    assert set(error) == {"message", "type"}
    return response.status, error["type"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/api/v1/440923104/contacts", id="short path"),
        pytest.param("PUT", f"{CONTACTS}/1", id="PUT on a contact"),
        pytest.param("PATCH", CONTACTS, id="PATCH on the collection"),
        pytest.param("POST", "/api/v1/companies", id="POST on companies"),
        pytest.param("GET", "/api/v1/companies/440923104/invoices", id="another resource"),
        pytest.param("GET", f"{CONTACTS}/", id="slash at the end"),
        pytest.param("GET", "/companies/440923104/contacts", id="outside the base path"),
        pytest.param("GET", "/api/v2/companies", id="another version"),
    ],
)
def test_any_other_path_is_an_unknown_endpoint_even_without_a_token(method: str, path: str) -> None:
    simulator = RompslompSimulator()

    response = call(simulator, method, path, token=None)

    assert error_of(response) == (404, "client.not_found.endpoint")


def test_short_paths_work_where_they_are_switched_on() -> None:
    simulator = RompslompSimulator(short_paths=True)

    made = call(simulator, "POST", "/api/v1/440923104/contacts", {"contact": COMPANY})
    record_id = json.loads(made.body)["contact"]["id"]

    assert made.status == 201
    assert call(simulator, "GET", f"/api/v1/440923104/contacts/{record_id}").status == 200
    assert call(simulator, "GET", f"{CONTACTS}/{record_id}").status == 200


@pytest.mark.parametrize("token", [None, "someone-elses"])
def test_a_missing_or_unknown_token_is_refused_in_the_vendors_words(token: str | None) -> None:
    simulator = RompslompSimulator()

    response = call(simulator, "GET", CONTACTS, token=token)

    assert response.status == 401
    assert json.loads(response.body) == {
        "error": {"message": "Het toegangstoken is ongeldig", "type": "client.authentication.invalid_token"}
    }
    assert response.headers["www-authenticate"] == (
        'Bearer realm="Rompslomp API v1", error="invalid_token", error_description="Het toegangstoken is ongeldig"'
    )


def test_a_token_that_has_ended_says_so() -> None:
    clock = Clock()
    simulator = RompslompSimulator(
        tokens={"t": Token(companies=frozenset({440923104}), expires_at=clock.now + 10)}, clock=clock
    )

    before = call(simulator, "GET", CONTACTS, token="t")
    clock.now += 10
    after = call(simulator, "GET", CONTACTS, token="t")

    assert before.status == 200
    assert error_of(after) == (401, "client.authentication.invalid_token")
    assert json.loads(after.body)["error"]["message"] == "Het toegangstoken is verlopen"
    assert 'error_description="Het toegangstoken is verlopen"' in after.headers["www-authenticate"]


def test_a_token_can_be_made_to_end_by_command() -> None:
    simulator = RompslompSimulator()

    simulator.expire_token(simulator.SANDBOX_TOKEN)

    assert error_of(call(simulator, "GET", CONTACTS)) == (401, "client.authentication.invalid_token")


def test_a_token_without_the_scope_of_contacts_is_told_so() -> None:
    simulator = RompslompSimulator(
        tokens={"t": Token(companies=frozenset({440923104}), scopes=frozenset({"public"}))},
    )

    assert error_of(call(simulator, "GET", CONTACTS, token="t")) == (403, "client.authorization.invalid_scope")
    assert call(simulator, "GET", "/api/v1/companies", token="t").status == 200


def test_the_scope_must_be_allowed_in_the_administration_too() -> None:
    simulator = RompslompSimulator(companies=(Company(7, allowed_scopes=frozenset({"public"})),))

    response = call(simulator, "GET", "/api/v1/companies/7/contacts")

    assert error_of(response) == (403, "client.authorization.invalid_scope")


@pytest.mark.parametrize("company", ["8", "9", "abc"])
def test_an_administration_that_is_foreign_or_without_the_api_is_denied(company: str) -> None:
    simulator = RompslompSimulator(
        companies=(Company(7), Company(8), Company(9, api_accessible=False)),
        tokens={"t": Token(companies=frozenset({7, 9}))},
    )

    response = call(simulator, "GET", f"/api/v1/companies/{company}/contacts", token="t")

    assert error_of(response) == (403, "client.authorization.access_denied")


def test_companies_show_what_a_client_must_know_before_it_begins() -> None:
    simulator = RompslompSimulator(
        companies=(Company(7), Company(8), Company(9, api_accessible=False)),
        tokens={"t": Token(companies=frozenset({7, 9}))},
    )

    response = call(simulator, "GET", "/api/v1/companies", token="t", query="per_page=1&page=2")
    (shown,) = json.loads(response.body)["companies"]

    assert (response.headers["x-total"], response.headers["x-page"], response.headers["x-per-page"]) == ("2", "2", "1")
    assert shown["id"] == 9
    assert shown["name"]
    assert shown["access_control"]["api_accessible"] is False
    assert "manage:contacts" in shown["access_control"]["allowed_scopes"]


def test_me_needs_its_scope() -> None:
    simulator = RompslompSimulator(
        tokens={
            "plain": Token(companies=frozenset()),
            "reader": Token(companies=frozenset(), scopes=frozenset({"read:me"})),
        }
    )

    assert error_of(call(simulator, "GET", "/api/v1/me", token="plain")) == (403, "client.authorization.invalid_scope")
    me = json.loads(call(simulator, "GET", "/api/v1/me", token="reader").body)["me"]
    assert set(me) == {"first_name", "last_name", "email"}


def test_over_the_limit_every_request_waits_until_the_time_that_was_told() -> None:
    clock = Clock()
    simulator = RompslompSimulator(rate_limit=2, rate_window_seconds=10, clock=clock)

    answers = []
    for at in (0.0, 4.5, 5.0, 9.9, 10.0):
        clock.now = 1_700_000_000.0 + at
        response = call(simulator, "GET", CONTACTS)
        answers.append((response.status, response.headers.get("retry-after")))

    assert answers == [(200, None), (200, None), (429, "5"), (429, "1"), (200, None)]


def test_a_new_window_begins_at_the_moment_the_last_one_ends() -> None:
    clock = Clock()
    simulator = RompslompSimulator(rate_limit=1, rate_window_seconds=10, clock=clock)

    first = call(simulator, "GET", CONTACTS).status
    clock.now += 10

    assert (first, call(simulator, "GET", CONTACTS).status) == (200, 200)


def test_a_request_before_the_told_time_has_passed_waits_although_the_window_is_over() -> None:
    clock = Clock()
    simulator = RompslompSimulator(rate_limit=1, rate_window_seconds=10, clock=clock)

    answers = []
    for at in (0.0, 9.5, 10.2, 10.5, 11.0):
        clock.now = 1_700_000_000.0 + at
        response = call(simulator, "GET", CONTACTS)
        answers.append((response.status, response.headers.get("retry-after")))

    assert answers == [(200, None), (429, "1"), (429, "1"), (200, None), (429, "10")]


def test_a_429_is_the_vendors_own() -> None:
    simulator = RompslompSimulator(rate_limit=0)

    assert error_of(call(simulator, "GET", CONTACTS)) == (429, "client.rate_limit")


def test_the_limit_is_counted_for_each_token_and_not_for_refused_tokens() -> None:
    everywhere = frozenset({440923104})
    simulator = RompslompSimulator(rate_limit=1, tokens={"a": Token(everywhere), "b": Token(everywhere)}, clock=Clock())

    for _ in range(3):
        call(simulator, "GET", CONTACTS, token="unknown")
    statuses = [call(simulator, "GET", CONTACTS, token=token).status for token in ("a", "b", "a")]

    assert statuses == [200, 200, 429]


def test_rights_are_answered_before_the_limit_but_count_towards_it() -> None:
    simulator = RompslompSimulator(rate_limit=1, clock=Clock())

    foreign = [call(simulator, "GET", "/api/v1/companies/5/contacts") for _ in range(2)]
    own = call(simulator, "POST", CONTACTS, "not looked at")

    assert [error_of(response) for response in foreign] == [(403, "client.authorization.access_denied")] * 2
    assert error_of(own) == (429, "client.rate_limit")


def test_the_limit_is_answered_before_the_body_is_looked_at() -> None:
    simulator = RompslompSimulator(rate_limit=0)

    assert error_of(call(simulator, "POST", CONTACTS, {"contact": {"email": "x"}}))[0] == 429


def test_json_is_answered_whatever_is_accepted() -> None:
    simulator = RompslompSimulator()
    headers = {"authorization": f"Bearer {simulator.SANDBOX_TOKEN}", "accept": "text/html"}

    for path in (CONTACTS, "/api/v1/nowhere"):
        response = simulator.handle(SimRequest("GET", path, "", headers, b""))
        assert response.headers["content-type"] == "application/json; charset=utf-8"


def test_the_next_requests_can_be_made_to_fail_in_the_vendors_own_words() -> None:
    simulator = RompslompSimulator()
    simulator.fail("server", times=2)
    simulator.fail("quota", times=1)
    simulator.fail("token_expired")

    read = [call(simulator, "GET", CONTACTS) for _ in range(3)]
    written = call(simulator, "POST", CONTACTS, {"contact": COMPANY})

    assert [error_of(response) for response in read[:2]] == [(500, "server")] * 2
    assert error_of(read[2]) == (401, "client.authentication.invalid_token")
    assert "verlopen" in read[2].headers["www-authenticate"]
    assert error_of(written) == (422, "client.quota_reached")
    assert call(simulator, "GET", CONTACTS).status == 200


def test_a_throttle_by_command_has_the_vendors_body_and_whole_seconds() -> None:
    simulator = RompslompSimulator()
    simulator.fail("throttle", retry_after=2.2)
    simulator.fail("throttle")

    told, untold = call(simulator, "GET", CONTACTS), call(simulator, "GET", CONTACTS)

    assert error_of(told) == error_of(untold) == (429, "client.rate_limit")
    assert told.headers["retry-after"] == "3"
    assert "retry-after" not in untold.headers


def test_a_connection_can_be_lost_before_and_after_the_work() -> None:
    simulator = RompslompSimulator()
    simulator.fail("drop_before")
    simulator.fail("drop_after")

    with httpx.Client(transport=transport(("https://api.rompslomp.example", simulator))) as client:
        for held in (0, 1):
            with pytest.raises(httpx.ReadError):
                client.post(
                    f"https://api.rompslomp.example{CONTACTS}",
                    json={"contact": COMPANY},
                    headers={"authorization": f"Bearer {simulator.SANDBOX_TOKEN}"},
                )
            assert len(simulator.state()["records"]) == held


@pytest.mark.parametrize(
    ("kind", "settings", "status"),
    [("html", {"status": 503}, 503), ("truncate", {}, 200), ("delay", {"seconds": 9}, 200)],
)
def test_the_faults_of_every_simulator_work_here(kind: str, settings: dict[str, Any], status: int) -> None:
    simulator = RompslompSimulator()
    simulator.fail(kind, **settings)

    response = call(simulator, "GET", CONTACTS)

    assert response.status == status
    assert simulator.calls()[0].fault == kind
    if kind == "truncate":
        with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
            json.loads(response.body)


def test_a_person_can_edit_between_two_requests() -> None:
    simulator = RompslompSimulator()
    record_id = simulator.add_record(company_name="Dakwerken De Linde", city="Gent")
    simulator.before_next(lambda: simulator.edit_record(record_id, {"city": "Aalst", "phone": ""}))

    cities = [json.loads(call(simulator, "GET", f"{CONTACTS}/{record_id}").body)["contact"]["city"] for _ in range(2)]

    assert cities == ["Aalst", "Aalst"]
    assert not simulator.calls(method="PATCH")


def test_a_second_contact_with_the_same_values_can_be_made_by_hand() -> None:
    simulator = RompslompSimulator()
    values: dict[str, Any] = {
        "company_name": "Dakwerken De Linde",
        "vat_number": "BE0000000097",
        "contact_person_email_address": "info@delinde.example",
        "contact_number": "RB-1834",
    }

    ids = {simulator.add_record(**values), simulator.add_record(**values)}

    records = simulator.state()["records"]
    assert {str(record["id"]) for record in records} == ids
    assert [record["contact_number"] for record in records] == ["RB-1834", "RB-1834"]


def test_what_a_person_deleted_is_gone() -> None:
    simulator = RompslompSimulator()
    record_id = simulator.add_record(company_name="Dakwerken De Linde")

    simulator.delete_record(record_id)

    assert error_of(call(simulator, "GET", f"{CONTACTS}/{record_id}")) == (404, "client.not_found.resource")
    assert simulator.state() == {"records": [], "companies": {"440923104": []}}


def test_what_a_contact_has_not_cannot_be_set_by_hand() -> None:
    simulator = RompslompSimulator()
    record_id = simulator.add_record(company_name="Dakwerken De Linde")

    with pytest.raises(ValueError, match="email"):
        simulator.add_record(company_name="B", email="x")
    with pytest.raises(ValueError, match="is_supplier"):
        simulator.edit_record(record_id, {"is_supplier": "no"})
    with pytest.raises(KeyError):
        simulator.edit_record("1", {"city": "Gent"})
    with pytest.raises(ValueError, match="nonsense"):
        simulator.fail("nonsense")


def test_many_callers_at_once_make_no_double_where_numbers_are_unique() -> None:
    simulator = RompslompSimulator()
    body = {"contact": {**COMPANY, "contact_number": "RB-1"}}

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: call(simulator, "POST", CONTACTS, body).status, range(40)))

    assert sorted(statuses) == [201] + [422] * 39
    assert len(simulator.calls("POST")) == 40


def test_the_settings_point_at_the_simulator() -> None:
    simulator = RompslompSimulator()

    settings = simulator.settings("http://127.0.0.1:9/rompslomp/api/v1")

    assert settings == {
        "enabled": True,
        "base_url": "http://127.0.0.1:9/rompslomp/api/v1",
        "token": simulator.SANDBOX_TOKEN,
        "company_id": "440923104",
    }
