"""What a delivery had read is used again soon, once, without bank data, and never after it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from typing_extensions import override

from worker.core.wire import Request
from worker.vendors.recent_reads import MOST_BYTES, VALID_SECONDS, RecentReads
from worker.vendors.simulation import SimRequest, SimResponse, Simulator, transport
from worker.vendors.transport import Session, Unmetered, make_client

READ = Request("read", "GET", "/contacts/1", hidden=("iban",))
WRITE = Request("update", "PATCH", "/contacts/1", body=b"{}", writes=True, idempotency_key="k")


class Vendor:
    """Answers with what it holds, and counts."""

    def __init__(self, body: object = None, status: int = 200) -> None:
        self.body = {"name": "De Linde", "iban": "BE00"} if body is None else body
        self.status = status
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        headers = {
            "content-type": "application/json",
            "x-total": "1",
            "set-cookie": "id=1",
            "x-ratelimit-remaining": "0",
        }
        return httpx.Response(self.status, headers=headers, content=json.dumps(self.body).encode())


def attempt(vendor: Vendor, earlier: RecentReads | None = None, now: float = 1_000.0) -> tuple[Session, RecentReads]:
    memory = RecentReads.from_json(earlier.to_json() if earlier else None)
    http = make_client("https://vendor.example", httpx.MockTransport(vendor))
    return Session("workspace", http, Unmetered(), clock=lambda: now, memory=memory), memory


def test_a_read_of_an_earlier_attempt_is_not_sent_again_and_reads_the_same() -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    before = session.send(READ)

    again, _ = attempt(vendor, memory, now=1_000.0 + VALID_SECONDS - 1)
    after = again.send(READ)

    assert vendor.asked == ["GET"]
    assert after.json() == {"name": "De Linde"}
    assert (after.status, after.headers["x-total"]) == (before.status, "1")
    assert again.exchanges == []


def test_it_is_kept_for_one_more_attempt_with_its_own_time() -> None:
    vendor = Vendor()
    session, first = attempt(vendor)
    session.send(READ)
    second_session, second = attempt(vendor, first, now=1_060.0)
    second_session.send(READ)

    third, _ = attempt(vendor, second, now=1_000.0 + VALID_SECONDS + 1)
    third.send(READ)

    assert vendor.asked == ["GET", "GET"]


def test_who_asks_twice_in_one_attempt_gets_a_newer_answer() -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    session.send(READ)

    again, _ = attempt(vendor, memory)
    again.send(READ)
    again.send(READ)

    assert vendor.asked == ["GET", "GET"]


@pytest.mark.parametrize("now", [1_000.0 + VALID_SECONDS, 999.0], ids=["too old", "from the future"])
def test_an_answer_that_is_not_recent_is_asked_for_again(now: float) -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    session.send(READ)

    attempt(vendor, memory, now=now)[0].send(READ)

    assert vendor.asked == ["GET", "GET"]


def test_bank_data_cookies_and_limits_are_not_kept() -> None:
    session, memory = attempt(Vendor())
    session.send(READ)

    kept = json.dumps(memory.to_json())

    assert "De Linde" in kept
    assert not [word for word in ("BE00", "iban", "cookie", "x-ratelimit") if word in kept]


def test_a_write_that_was_made_or_may_have_been_ends_what_was_read() -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    session.send(READ)

    session.send(WRITE)
    session.send(READ)

    assert memory.to_json() is None


def test_a_write_that_was_refused_for_its_rate_keeps_what_was_read() -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    session.send(READ)

    vendor.status = 429
    session.send(WRITE)

    assert memory.to_json() is not None


def unanswered(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


def test_a_write_that_was_not_answered_ends_what_was_read() -> None:
    vendor = Vendor()
    session, memory = attempt(vendor)
    session.send(READ)
    session.client = make_client("https://vendor.example", httpx.MockTransport(unanswered))

    with pytest.raises(Exception, match="not answered"):
        session.send(WRITE)

    assert memory.to_json() is None


@pytest.mark.parametrize(
    ("request_", "body", "status"),
    [
        pytest.param(Request("list", "GET", "/contacts"), None, 200, id="a whole list"),
        pytest.param(READ, None, 404, id="a refusal"),
        pytest.param(READ, {"text": "x" * MOST_BYTES}, 200, id="a large answer"),
        pytest.param(READ, {"text": "a\x00b"}, 200, id="an answer with NUL, which the database does not take"),
    ],
)
def test_what_is_not_kept(request_: Request, body: object, status: int) -> None:
    session, memory = attempt(Vendor(body, status))

    session.send(request_)

    assert memory.to_json() is None


# ------------------------------------------------------------------------------------------------ the simulated limit
class Echo(Simulator):
    """A vendor that takes everything."""

    name = "echo"

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        return SimResponse.of_json(200, {})


def statuses(simulator: Simulator, path: str, times: int) -> list[int]:
    client = make_client("https://vendor.example", transport(("https://vendor.example", simulator)))
    return [client.get(path).status_code for _ in range(times)]


@pytest.fixture
def turned() -> tuple[Echo, Callable[[float], None]]:
    now = [1_000.0]

    def turn(seconds: float) -> None:
        now[0] += seconds

    return Echo(clock=lambda: now[0]), turn


def test_a_simulated_rate_limit_refuses_what_is_too_much_in_any_window(
    turned: tuple[Echo, Callable[[float], None]],
) -> None:
    echo, turn = turned
    echo.fail("rate_limit", calls=4, seconds=3.0, retry_after=3)

    first = statuses(echo, "/a", 6)
    turn(2.9)
    early = statuses(echo, "/a", 1)
    turn(0.2)
    later = statuses(echo, "/a", 5)

    assert (first, early, later) == ([200] * 4 + [429] * 2, [429], [200] * 4 + [429])
    assert echo.calls()[4].response.headers["retry-after"] == "3"


def test_a_simulated_rate_limit_may_be_of_some_requests_only(turned: tuple[Echo, Callable[[float], None]]) -> None:
    echo, _ = turned
    echo.fail("rate_limit", calls=1, seconds=3.0, path="/a")

    assert statuses(echo, "/b", 3) + statuses(echo, "/a", 2) == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("given", [{}, {"calls": 4}, {"seconds": 3.0}])
def test_a_simulated_rate_limit_needs_both_its_numbers(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs calls and seconds"):
        Echo().fail("rate_limit", **given)
