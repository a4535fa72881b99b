"""The simulated Routix: tokens, pages, limits, refusals (Routix sheet 2 to 7)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from worker.vendors.routix.simulator import RoutixSimulator, RoutixSwitches
from worker.vendors.simulation import SimRequest, SimResponse, transport

BRANCH = RoutixSimulator.SANDBOX_BRANCHES[0]


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def routix(clock: Clock) -> RoutixSimulator:
    return RoutixSimulator(clock=clock)


def ask_token(routix: RoutixSimulator, content_type: str = "application/json", **changed: Any) -> SimResponse:
    body = {
        "grant_type": "client_credentials",
        "client_id": routix.client_id,
        "client_secret": routix.client_secret,
        **changed,
    }
    raw = json.dumps(body).encode()
    if content_type != "application/json":
        raw = "&".join(f"{name}={value}" for name, value in body.items()).encode()
    return routix.handle(SimRequest("POST", "/functions/v1/oauth-token", "", {"content-type": content_type}, raw))


def token(routix: RoutixSimulator) -> str:
    answer = ask_token(routix)
    assert answer.status == 200
    return str(json.loads(answer.body)["access_token"])


def call(
    routix: RoutixSimulator,
    query: str = "",
    *,
    method: str = "GET",
    path: str = f"/functions/v1/api/v2/{BRANCH}/accounts",
    access: str | None = None,
) -> SimResponse:
    access = token(routix) if access is None else access
    headers = {"authorization": f"Bearer {access}"} if access else {}
    return routix.handle(SimRequest(method, path, query, headers, b""))


def error(response: SimResponse) -> tuple[int, str]:
    body = json.loads(response.body)
    assert set(body) == {"error", "error_description"}
    return response.status, body["error"]


def test_a_token_is_had_for_json_client_credentials(routix: RoutixSimulator) -> None:
    answer = json.loads(ask_token(routix).body)

    assert answer["access_token"]
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, "routix:accounts:read")
    assert routix.client_secret.startswith("routix_")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"client_secret": "routix_wrong"}, (401, "invalid_client"), id="wrong secret"),
        pytest.param({"client_id": "nobody"}, (401, "invalid_client"), id="unknown client"),
        pytest.param({"grant_type": "password"}, (400, "unsupported_grant_type"), id="another grant"),
        pytest.param({"content_type": "application/x-www-form-urlencoded"}, (400, "invalid_request"), id="a form"),
    ],
)
def test_a_token_request_that_is_not_right_is_refused(
    routix: RoutixSimulator, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert error(ask_token(routix, **changed)) == expected


def test_the_token_endpoint_may_answer_otherwise_where_nothing_is_documented(routix: RoutixSimulator) -> None:
    routix.switches.token_answer_is_bare = True
    routix.switches.form_tokens = True
    routix.switches.bad_client_status = 400

    assert json.loads(ask_token(routix).body).keys() == {"access_token"}
    assert ask_token(routix, "application/x-www-form-urlencoded").status == 200
    assert error(ask_token(routix, client_secret="wrong")) == (400, "invalid_client")


def test_thirty_tokens_a_minute(routix: RoutixSimulator, clock: Clock) -> None:
    statuses = [ask_token(routix).status for _ in range(31)]
    clock.now += 60

    assert statuses == [200] * 30 + [429]
    assert ask_token(routix).status == 200


def test_a_token_is_fetched_by_post_only(routix: RoutixSimulator) -> None:
    assert error(call(routix, path="/functions/v1/oauth-token")) == (405, "method_not_allowed")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "HEAD"])
def test_whatever_the_scopes_nothing_can_be_written(routix: RoutixSimulator, method: str) -> None:
    routix.switches.scopes = ("routix:accounts:read", "routix:accounts:write")
    routix.add_account(company_name="Transport De Vaart B.V.")
    before = routix.state()

    assert error(call(routix, method=method)) == (405, "method_not_allowed")
    assert routix.state() == before


def test_no_token_a_wrong_one_and_an_old_one_are_401(routix: RoutixSimulator, clock: Clock) -> None:
    good = token(routix)

    missing, wrong = call(routix, access=""), call(routix, access="eyJhbGciOi.user.token")
    clock.now += 3600

    assert error(missing) == error(wrong) == error(call(routix, access=good)) == (401, "invalid_token")
    assert "expired" in json.loads(call(routix, access=good).body)["error_description"]
    assert call(routix).status == 200


def test_tokens_and_apps_can_be_revoked(routix: RoutixSimulator) -> None:
    good = token(routix)

    routix.revoke_tokens()
    revoked = call(routix, access=good)
    fresh = token(routix)
    routix.switches.app_revoked = True

    assert error(revoked) == (401, "invalid_token")
    assert error(call(routix, access=fresh)) == (401, "invalid_token")
    assert error(ask_token(routix)) == (401, "invalid_client")


def test_403_is_a_missing_scope_or_a_branch_that_is_not_allowed(routix: RoutixSimulator) -> None:
    routix.switches.allowed_branches = frozenset({"SBXBR002"})
    branch = call(routix)
    routix.switches.allowed_branches = None
    routix.switches.scopes = ()

    assert error(branch) == (403, "branch_not_allowed")
    assert error(call(routix)) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/functions/v1/api/v2/NOBRANCH/accounts", id="a mistyped branch"),
        pytest.param(f"/functions/v1/api/v2/{BRANCH}/orders", id="a planned resource"),
        pytest.param(f"/functions/v1/api/v3/{BRANCH}/accounts", id="another version"),
        pytest.param(f"/functions/v1/api/v2/{BRANCH}/accounts/1", id="a single account"),
        pytest.param(f"/api/v2/{BRANCH}/accounts", id="outside the base path"),
        pytest.param(f"/api/v2/{BRANCH}/accounts/functions/v1", id="base path in the wrong place"),
    ],
)
def test_what_does_not_exist_is_404(routix: RoutixSimulator, path: str) -> None:
    assert error(call(routix, path=path)) == (404, "not_found")


def test_a_page_of_v1_has_six_members(routix: RoutixSimulator) -> None:
    account_id = routix.add_account(company_name="Transport De Vaart B.V.", email="planning@devaart.example")

    answer = json.loads(call(routix, path=f"/functions/v1/api/v1/{BRANCH}/accounts").body)

    assert answer == {
        "data": [
            {
                "id": account_id,
                "company_name": "Transport De Vaart B.V.",
                "email": "planning@devaart.example",
                "phone": None,
                "account_type": "customer",
                "status": "active",
            }
        ],
        "pagination": {"limit": 50, "offset": 0, "total": 1},
        "version": "v1",
    }


def test_a_page_of_v2_has_all_that_v2_adds(routix: RoutixSimulator) -> None:
    routix.add_account(company_name="Transport De Vaart B.V.", visit_address_city="Rotterdam", credit_limit=5000)

    answer = json.loads(call(routix).body)

    (account,) = answer["data"]
    assert answer["version"] == "v2"
    assert len(account) == 35
    assert (account["visit_address_city"], account["credit_limit"], account["iban"]) == ("Rotterdam", 5000, None)
    assert account["created_at"] == account["last_updated_at"] == "2025-10-09T08:53:20.000Z"
    assert not any("country" in name for name in account)


def names(response: SimResponse) -> list[str]:
    return [account["company_name"] for account in json.loads(response.body)["data"]]


def test_limit_and_offset_count_records(routix: RoutixSimulator) -> None:
    for number in range(60):
        routix.add_account(company_name=f"Bedrijf {number}")

    assert names(call(routix, "limit=2&offset=3")) == ["Bedrijf 3", "Bedrijf 4"]
    assert len(names(call(routix))) == 50
    assert names(call(routix, "offset=60")) == []
    assert json.loads(call(routix, "limit=2&offset=3").body)["pagination"] == {"limit": 2, "offset": 3, "total": 60}


def test_a_limit_above_the_maximum_is_cut_or_refused(routix: RoutixSimulator) -> None:
    cut = json.loads(call(routix, "limit=1001").body)
    routix.switches.over_limit = "refuse"

    assert cut["pagination"]["limit"] == 1000
    assert error(call(routix, "limit=1001")) == (400, "invalid_parameters")
    assert call(routix, "limit=1000").status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "offset="])
def test_a_query_that_makes_no_sense_is_400(routix: RoutixSimulator, query: str) -> None:
    assert error(call(routix, query)) == (400, "invalid_parameters")


def test_there_is_no_filter_and_no_order(routix: RoutixSimulator) -> None:
    routix.add_account(company_name="B")
    routix.add_account(company_name="A")

    assert names(call(routix, "company_name=A&sort=company_name&updated_since=2030-01-01")) == ["B", "A"]


def test_a_list_that_moves_repeats_one_record_and_skips_another(routix: RoutixSimulator) -> None:
    routix.switches.list_moves = True
    expected = [f"Bedrijf {number}" for number in range(6)]
    for name in expected:
        routix.add_account(company_name=name)

    swept = [name for offset in (0, 2, 4) for name in names(call(routix, f"limit=2&offset={offset}"))]

    assert len(swept) == 6
    assert set(swept) < set(expected)


def test_an_account_stands_in_the_branches_it_was_made_for(routix: RoutixSimulator) -> None:
    routix.add_account(company_name="Both", branches=RoutixSimulator.SANDBOX_BRANCHES)
    routix.add_account(company_name="First only")

    second = call(routix, path="/functions/v1/api/v2/SBXBR002/accounts")

    assert names(call(routix)) == ["Both", "First only"]
    assert names(second) == ["Both"]


def test_a_change_shows_and_may_move_the_time(routix: RoutixSimulator, clock: Clock) -> None:
    account_id = routix.add_account(company_name="Oud", phone="1")
    before = routix.state()["accounts"][account_id]["last_updated_at"]
    clock.now += 60

    routix.switches.edits_move_last_updated_at = False
    routix.edit_record(account_id, {"phone": "2"})
    unmoved = routix.state()["accounts"][account_id]["last_updated_at"]
    routix.switches.edits_move_last_updated_at = True
    routix.change_account(account_id, company_name="Nieuw", phone=None)

    (account,) = json.loads(call(routix).body)["data"]
    assert unmoved == before
    assert (account["company_name"], account["phone"]) == ("Nieuw", None)
    assert account["last_updated_at"] > before


def test_a_removed_account_is_missing_and_nothing_tells(routix: RoutixSimulator) -> None:
    account_id = routix.add_account(company_name="Weg")
    routix.remove_account(account_id)

    answer = json.loads(call(routix).body)

    assert (answer["data"], answer["pagination"]["total"]) == ([], 0)


def test_a_hundred_requests_a_minute(routix: RoutixSimulator, clock: Clock) -> None:
    access = token(routix)

    responses = [call(routix, access=access) for _ in range(101)]
    clock.now += 60

    assert [response.status for response in responses] == [200] * 100 + [429]
    assert error(responses[-1]) == (429, "rate_limited")
    assert "retry-after" not in responses[-1].headers
    assert call(routix, access=access).status == 200


def test_a_throttle_may_say_how_long(routix: RoutixSimulator) -> None:
    routix.fail("throttle", retry_after=3)

    throttled = call(routix, access="any")

    assert error(throttled) == (429, "rate_limited")
    assert throttled.headers["retry-after"] == "3"


@pytest.mark.parametrize(("empty_as", "shown"), [("null", {"phone": None}), ("text", {"phone": ""}), ("absent", {})])
def test_what_is_empty_may_be_shown_in_three_ways(routix: RoutixSimulator, empty_as: Any, shown: Any) -> None:
    routix.switches.empty_as = empty_as
    routix.add_account(company_name="Leeg")

    (account,) = json.loads(call(routix).body)["data"]

    assert {name: value for name, value in account.items() if name == "phone"} == shown


def test_v2_may_grow_and_v1_does_not(clock: Clock) -> None:
    routix = RoutixSimulator(clock=clock, switches=RoutixSwitches(v2_grows=True, naive_times=True))
    routix.add_account(company_name="Groei")

    (v2,) = json.loads(call(routix).body)["data"]
    (v1,) = json.loads(call(routix, path=f"/functions/v1/api/v1/{BRANCH}/accounts").body)["data"]

    assert "loyalty_tier" in v2
    assert v2["created_at"] == "2025-10-09T08:53:20.000"
    assert len(v1) == 6


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"company_name": ""}, id="no name"),
        pytest.param({"company_name": "A", "country": "NL"}, id="a member that does not exist"),
        pytest.param({"company_name": "A", "account_type": "klant"}, id="a type that does not exist"),
    ],
)
def test_a_slip_of_the_pen_in_a_test_is_an_error(routix: RoutixSimulator, members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"company_name|member|account_type"):
        routix.add_account(**members)


def test_it_can_be_set_in_at_the_wire_of_httpx(routix: RoutixSimulator) -> None:
    routix.add_account(company_name="Transport De Vaart B.V.")
    settings = routix.settings("https://routix.example/functions/v1")

    with httpx.Client(transport=transport(("https://routix.example", routix))) as http:
        credentials = {name: settings[name] for name in ("client_id", "client_secret")}
        body = {"grant_type": "client_credentials", **credentials}
        access = http.post(f"{settings['base_url']}/oauth-token", json=body).json()["access_token"]
        url = f"{settings['base_url']}/api/v2/{settings['branches'][0]}/accounts"
        answer = http.get(url, headers={"Authorization": f"Bearer {access}"})

    assert answer.json()["data"][0]["company_name"] == "Transport De Vaart B.V."
