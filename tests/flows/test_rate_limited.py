"""A vendor that allows few calls is worked through all the same: one client at a time at first, and in plain sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import redis
from sqlalchemy import text

from tests.fixtures.hub import Crash
from tests.flows.stories import client
from webhooks import metrics
from webhooks.api.systems import lines
from worker.flows import deliver as delivering
from worker.flows.gate import VIEW_SECONDS, Gate
from worker.runtime import limits
from worker.store import listing_retries, summary, systems
from worker.store.budget import RedisBudget
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.vendors.recent_reads import VALID_SECONDS
from worker.vendors.simulation import SimRequest, SimResponse

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def vat(number: int) -> str:
    """A Belgian VAT number that holds, another one for each number."""
    digits = 40_000_000 // 10 + number
    return f"BE0{digits:07d}{97 - digits % 97:02d}"


def limited(hub: Hub, clients: int, calls: int, seconds: float) -> list[str]:
    """So many clients to create, and a Rompslomp that allows so many calls in so many seconds."""
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    for simulator in hub.simulators.values():
        simulator.clock = lambda: hub.time.timestamp()
    ids = [hub.robaws.add_client(**client(number, vatIdNumber=vat(number))) for number in range(1, clients + 1)]
    for source_id in ids:
        hub.event(source_id)
    hub.rompslomp.fail("rate_limit", calls=calls, seconds=seconds, retry_after=seconds)
    return ids


def owed(hub: Hub) -> bool:
    return not hub.links() or any(state != "synced" for _, _, state, _ in hub.links())


def work(hub: Hub, most_calls: int) -> None:
    """Go on until everything is delivered, or so many calls were made."""
    while owed(hub):
        assert len(hub.rompslomp.calls()) <= most_calls, f"no end after {most_calls} calls: {hub.links()}"
        hub.settle(most=10_000)
        hub.later(1.0)


def refused(hub: Hub) -> int:
    return sum(one.response.status == 429 for one in hub.rompslomp.calls())


def deliver(hub: Hub, system: str = "rompslomp", link_id: int | None = None) -> str:
    return delivering.deliver(hub.runtime, hub.gate, system, link_id).result


@pytest.fixture
def paced(hub: Hub, redis_url: str) -> Iterator[RedisBudget]:
    """The real budget, by the hub's clock."""
    server = redis.Redis.from_url(redis_url)
    server.flushall()
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    budget = RedisBudget(
        server,
        limits(hub.settings),
        lambda _system, _seconds: 0,
        learned_rate=lambda system: view(hub, system).rate,
        clock=lambda: hub.time.timestamp(),
        sleep=hub.later,
    )
    hub.runtime.budget = budget
    yield budget
    server.close()


def view(hub: Hub, system: str = "rompslomp") -> systems.SystemView:
    with hub.engine.connect() as connection:
        return systems.view(connection, system)


@pytest.mark.parametrize(("calls", "seconds"), [(4, 3.0), (1, 1.0)])
def test_first_links_get_through_where_their_searches_alone_use_up_what_is_allowed(
    hub: Hub, calls: int, seconds: float
) -> None:
    ids = limited(hub, 4, calls, seconds)

    work(hub, most_calls=80)

    answered = [one for one in hub.rompslomp.calls("GET") if one.fault is None]
    asked = Counter(one.request.raw_query for one in answered)
    assert len(hub.rompslomp.calls("POST", "contacts$")) - refused_creates(hub) == 4
    assert set(asked.values()) == {1}
    assert [hub.link(source_id, "rompslomp")["attempts"] for source_id in ids] == [0] * 4
    assert [hub.link(source_id, "rompslomp")["reads"] for source_id in ids] == [None] * 4


def refused_creates(hub: Hub) -> int:
    return sum(one.response.status == 429 for one in hub.rompslomp.calls("POST"))


@pytest.mark.parametrize(("calls", "seconds", "clients"), [(4, 3.0, 40), (1, 1.0, 20)])
def test_the_allowed_rate_is_learned_and_few_calls_are_refused(
    hub: Hub, paced: RedisBudget, calls: int, seconds: float, clients: int
) -> None:
    hub.configure(rompslomp={"rate_per_second": 10.0})
    paced.limits = limits(hub.settings)
    hub.runtime.budget = paced
    limited(hub, clients, calls, seconds)
    hub.runtime.budget = paced
    begun = hub.time

    work(hub, most_calls=8 * clients)

    took = (hub.time - begun).total_seconds()
    needed = len(hub.rompslomp.calls()) / (calls / seconds)
    assert refused(hub) <= 4 + clients // 8
    assert took <= 3 * needed
    assert view(hub).rate is not None


def test_after_a_refusal_one_delivery_at_a_time_is_let_in_until_one_succeeds(hub: Hub) -> None:
    limited(hub, 6, 4, 3.0)
    hub.settle()
    hub.later(3.1)
    processes = [Gate(hub.runtime) for _ in range(4)]
    for gate in processes:
        gate.view("rompslomp")

    first = [gate.way("rompslomp") for gate in processes]
    processes[0].leave("rompslomp")
    hub.later(VIEW_SECONDS)
    second = [gate.way("rompslomp") for gate in processes[1:]]
    processes[1].leave("rompslomp", succeeded=True)
    third = [Gate(hub.runtime).way("rompslomp") for _ in range(3)]

    assert first == ["entry", "held", "held", "held"]
    assert second == ["entry", "held", "held"]
    assert third == ["free", "free", "free"]


def test_one_that_entered_and_was_killed_keeps_the_others_out_for_a_lease_only(hub: Hub) -> None:
    limited(hub, 2, 4, 3.0)
    hub.settle()
    hub.later(3.1)
    hub.crash_at = lambda name: name == "rompslomp.search.before_send" or name == "rompslomp.create.before_send"

    with pytest.raises(Crash):
        deliver(hub)
    hub.restart()
    during = deliver(hub)
    hub.later(float(hub.settings.worker.lease_seconds) + 1)
    after = hub.gate.way("rompslomp")

    assert during == "none"
    assert after == "entry"


def test_the_one_that_was_begun_goes_on_first_but_behind_live_work(hub: Hub) -> None:
    ids = limited(hub, 3, 4, 3.0)
    hub.settle()
    begun = next(one for one in ids if hub.link(one, "rompslomp")["state"] == "waiting")
    others = [hub.link(one, "rompslomp")["id"] for one in ids if one != begun]
    hub.later(3.1)

    entered = deliver(hub, link_id=others[0])
    first = [one for one in ids if hub.link(one, "rompslomp")["state"] == "synced"]

    assert entered == "synced"
    assert first == [begun]


def test_live_work_goes_before_a_background_delivery_that_was_begun(hub: Hub) -> None:
    ids = limited(hub, 2, 4, 3.0)
    hub.settle()
    begun = next(one for one in ids if hub.link(one, "rompslomp")["state"] == "waiting")
    other = next(one for one in ids if one != begun)
    row(hub, "UPDATE link SET priority = 5 WHERE id = :id", id=hub.link(begun, "rompslomp")["id"])
    hub.rompslomp.clear_faults()
    hub.later(3.1)

    deliver(hub)

    assert hub.link(other, "rompslomp")["state"] == "synced"
    assert hub.link(begun, "rompslomp")["state"] == "waiting"


def test_a_search_that_went_stale_is_made_again(hub: Hub) -> None:
    limited(hub, 1, 3, 60.0)
    hub.settle()
    before = [one.request.raw_query for one in hub.rompslomp.calls("GET") if one.fault is None]
    hub.rompslomp.clear_faults()
    hub.later(VALID_SECONDS + 1)
    hub.forget_calls()

    hub.settle()

    assert len(before) == 3
    assert [one.request.raw_query for one in hub.rompslomp.calls("GET")][:3] == before
    assert not owed(hub)


def test_a_record_made_by_hand_is_found_once_the_searches_went_stale(hub: Hub) -> None:
    (source_id,) = limited(hub, 1, 1_000, 1.0)
    hub.rompslomp.fail("throttle", method="POST", retry_after=60)
    hub.settle()
    made = hub.rompslomp.add_record(
        company_name="Dakwerken De Linde 1", vat_number=vat(1), contact_person_email_address="info1@delinde.example"
    )
    hub.rompslomp.clear_faults()
    hub.later(VALID_SECONDS + 1)

    hub.settle()

    assert hub.link(source_id, "rompslomp")["external_id"] == made


def test_two_clients_of_one_company_make_one_record_although_one_searched_before(hub: Hub) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    for simulator in hub.simulators.values():
        simulator.clock = lambda: hub.time.timestamp()
    ids = [hub.robaws.add_client(**client(number, vatIdNumber=vat(1))) for number in (1, 2)]
    hub.event(ids[0])
    hub.rompslomp.fail("rate_limit", calls=4, seconds=3.0, retry_after=3)
    hub.settle()
    hub.rompslomp.clear_faults()
    row(hub, "UPDATE link SET next_attempt_at = next_attempt_at + interval '60 seconds'")
    hub.event(ids[1])
    hub.later(4)
    hub.settle()
    hub.later(60)

    hub.settle()

    states = sorted(hub.link(one, "rompslomp")["state"] for one in ids)
    assert states == ["review", "synced"]
    assert len(hub.rompslomp.state()["records"]) == 1


def test_the_retry_queue_says_how_often_it_was_refused_and_how_fast_it_is_called(hub: Hub, paced: RedisBudget) -> None:
    hub.configure(rompslomp={"rate_per_second": 10.0})
    paced.limits = limits(hub.settings)
    hub.runtime.budget = paced
    (source_id, *_) = limited(hub, 2, 1, 1.0)
    hub.runtime.budget = paced
    while refused(hub) < 2:
        if not hub.step():
            hub.later(0.3)

    with hub.engine.connect() as connection:
        page = listing_retries.page(connection, RetryFilter(system="rompslomp"), Paging(), hub.time)
    begun, other = sorted(page.items, key=lambda one: one.contact.source_id)

    assert (begun.contact.source_id, begun.reason, begun.attempts) == (source_id, "rate_limited", 0)
    assert begun.message is not None
    assert "2 since the last success" in begun.message
    assert "2.5 times a second" in begun.message
    assert (other.state, other.reason) == ("waiting", "rate_limited")
    assert other.message is not None
    assert "one client at a time is tried" in other.message


def test_operators_see_how_often_it_was_refused_and_how_fast_it_is_called(hub: Hub, paced: RedisBudget) -> None:
    limited(hub, 2, 1, 1.0)
    hub.runtime.budget = paced
    while refused(hub) < 1:
        if not hub.step():
            hub.later(0.3)

    with hub.engine.connect() as connection:
        found = summary.read(connection, hub.settings, hub.time).systems["rompslomp"]
        line = next(one for one in lines(connection, hub.settings, hub.time) if one.name == "rompslomp")
        views = systems.views(connection)
    figures = {sample.name: sample.value for family in metrics.rates(views) for sample in family.samples}

    assert (line.rate_per_second, line.refusals) == (0.5, 1)
    assert found.reason is not None
    assert found.reason.startswith("rate_limited: it refused a call since 09:00:0")
    assert found.reason.endswith("one client at a time is tried, at 0.5 calls a second")
    assert figures["contactsync_learned_rate_per_second"] == 0.5
    assert sum(one.recovery is not None for one in views.values()) == 1


def test_a_rate_limit_costs_no_attempt_and_a_person_may_lift_the_wait(hub: Hub) -> None:
    (source_id,) = limited(hub, 1, 1, 600.0)
    hub.settle()
    hub.rompslomp.clear_faults()

    with hub.engine.begin() as connection:
        systems.resume(connection, "rompslomp", hub.time)
    hub.gate.forget("rompslomp")

    assert view(hub).recovery is None
    assert hub.gate.way("rompslomp") == "free"
    assert hub.link(source_id, "rompslomp")["attempts"] == 0


def test_fetches_enter_one_at_a_time_too(hub: Hub) -> None:
    for number in range(1, 4):
        hub.event(hub.robaws.add_client(**client(number)))
    hub.robaws.fail("throttle", times=1, retry_after=2)
    hub.settle()
    hub.later(2.1)

    ways = [Gate(hub.runtime).way("robaws") for _ in range(2)]
    hub.later(float(hub.settings.worker.lease_seconds) + 1)
    hub.settle()

    assert ways == ["entry", "held"]
    assert hub.equation()["applied"] == 3
    assert view(hub, "robaws").recovery is None


def row(hub: Hub, statement: str, **values: Any) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text(statement), values)


@pytest.mark.parametrize("clients", [80])
def test_beside_another_integration_robaws_refuses_nothing_and_blocks_nobody(
    hub: Hub, paced: RedisBudget, clients: int
) -> None:
    hub.configure(rompslomp={"enabled": False})
    hub.runtime.budget = paced
    robaws = hub.robaws
    robaws.clock = lambda: hub.time.timestamp()
    robaws.switches.block_after_throttles = 1
    for number in range(1, clients + 1):
        hub.event(robaws.add_client(**client(number)))
    limits_of_tenant, handle = robaws.limits, robaws.handle

    def beside(request: SimRequest) -> SimResponse:
        # The other integration takes a call for each of ours, as long as there is one to be had.
        now = hub.time.timestamp()
        if int(limits_of_tenant.headers("live", now)["X-RateLimit-Remaining"]) >= 1:
            limits_of_tenant.take("live", now)
        return handle(request)

    robaws.handle = beside  # type: ignore[method-assign]

    hub.settle(most=10_000)

    assert hub.equation()["applied"] == clients
    assert [one.response.status for one in robaws.calls()] == [200] * clients
