"""Health, metrics and the plain page."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from typing_extensions import override

from tests.fixtures.servers import fresh_database
from tests.webhooks.conftest import Served, make_settings, serving, token_of
from webhooks import metrics, page
from webhooks.figures import Figures
from webhooks.refusals import Refusals
from webhooks.server import require_schema
from worker.errors import ConfigurationError
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric
    from sqlalchemy import Engine


def figures(served: Served) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    answer = served.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


def test_metrics_count_what_became_of_requests_and_show_the_summary(served: Served) -> None:
    served.event("e-1")
    served.event("e-1")
    served.post(b"no event")
    served.http.post("/webhooks/robaws", content=b"{}", headers={"Content-Type": "application/json"})

    found = figures(served)

    assert found["contactsync_webhook_requests_total", ("accepted",)] == 1
    assert found["contactsync_webhook_requests_total", ("duplicate",)] == 1
    assert found["contactsync_webhook_requests_total", ("invalid",)] == 1
    assert found["contactsync_webhook_requests_total", ("unauthorised",)] == 1
    assert found["contactsync_accept_seconds_count", ()] == 2
    assert found["contactsync_accept_batch_events_sum", ()] == 2
    assert found["contactsync_events", ("received",)] == 1
    assert found["contactsync_events", ("open",)] == 1
    assert found["contactsync_events", ("rejected",)] == 1
    assert found["contactsync_conservation", ()] == 0
    assert found["contactsync_links", ("synced", "recras")] == 0
    assert found["contactsync_system_state", ("disabled", "routix")] == 1
    assert found["contactsync_database_connected", ()] == 1


def test_the_page_shows_the_summary_without_a_script(served: Served) -> None:
    served.execute("UPDATE system_state SET system = system")
    served.execute(
        "INSERT INTO system_state (system, paused_by, paused_reason) VALUES ('rompslomp', 'operator', '<b>moving</b>')"
    )

    page = served.http.get("/", headers=basic(token_of("operator-token")))

    assert page.status_code == 200
    assert "<script" not in page.text
    assert "prefers-color-scheme: dark" in page.text
    assert "&lt;b&gt;moving&lt;/b&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert all(word in page.text for word in ("robaws", "rompslomp", "received", "excluded"))


def test_the_page_says_first_what_needs_somebody_also_in_its_title(served: Served) -> None:
    served.execute(
        "INSERT INTO contact (id, source, source_id, fetch_state)"
        " OVERRIDING SYSTEM VALUE VALUES (1, 'robaws', '1001', 'dead')"
    )
    served.execute("INSERT INTO link (contact_id, system, state) VALUES (1, 'rompslomp', 'dead')")

    shown = served.http.get("/", headers=basic(token_of("viewer-token"))).text

    assert re.findall("<title>(.*)</title>", shown) == ["2 need you – contactsync"]
    assert shown.index("1 could not be fetched from Robaws") < shown.index("Events</h2>")
    assert "1 given up: <code>contactsync retries groups --state dead</code>" in shown
    assert shown.index('<th scope="col">dead') < shown.index('<th scope="col">synced')


@pytest.mark.parametrize(
    ("state", "told"), [("paused", "recras is paused"), ("broken", "recras is down"), ("running", ""), ("disabled", "")]
)
def test_the_page_names_a_system_that_is_held_back(state: str, told: str) -> None:
    links = {"recras": dict.fromkeys(page.STATES, 0)}
    systems = {"recras": SimpleNamespace(state=state, reason="Jan said so")}
    webhooks = SimpleNamespace(obstacle=None)
    summary: Any = SimpleNamespace(
        links=links, systems=systems, contacts=SimpleNamespace(fetch_dead=0), webhooks=webhooks
    )

    assert [sentence for sentence, _ in page.needs_a_person(summary)] == ([told] if told else [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"Host": "localhost"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer viewer-token"},
        basic("wrong-token"),
        basic(""),
    ],
)
def test_the_page_wants_a_token_from_everywhere(served: Served, headers: dict[str, str]) -> None:
    refused = served.http.get("/", headers=headers)
    shown = served.http.get("/", headers=headers | basic(token_of("viewer-token")))

    assert (refused.status_code, shown.status_code) == (401, 200)
    assert refused.headers["www-authenticate"].startswith("Basic ")


def test_where_nobody_has_a_token_the_page_and_the_api_say_how_to_make_one(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url, ops={"tokens": []}), engine) as served:
        answers = [served.http.get("/", headers=basic("anything")), served.api("/summary")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("make one with contactsync tokens new NAME" in answer.json()["detail"] for answer in answers)


def test_metrics_want_their_token_where_one_is_set(migrated_url: str, engine: Engine) -> None:
    token = "a-token-for-prometheus-and-no-one-else"
    with serving(make_settings(migrated_url, receiver={"metrics_token": token}), engine) as served:
        given = [None, "Bearer", f"Bearer {token}x", f"Basic {token}", "Bearer viewer-token", f"Bearer {token}"]
        answers = [served.http.get("/metrics", headers={} if one is None else {"Authorization": one}) for one in given]

    assert [one.status_code for one in answers] == [401] * 5 + [200]
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="contactsync"'
    assert 'contactsync_refusals_total{kind="metrics_token"} 5.0' in answers[5].text


def test_many_scrapes_make_the_summary_once_a_second(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[metrics.SummaryFigures] = []

    class Counted(metrics.SummaryFigures):
        @override
        def collect(self) -> Iterator[Metric]:
            made.append(self)
            return super().collect()

    monkeypatch.setattr(metrics, "SummaryFigures", Counted)
    begun = time.monotonic()

    for number in range(20):
        served.event(f"e-{number}")
        assert figures(served)["contactsync_webhook_requests_total", ("accepted",)] == number + 1

    assert len(made) <= (time.monotonic() - begun) / metrics.SUMMARY_SECONDS + 1


def test_whoever_asks_for_a_process_learns_whether_it_answers_and_no_other_learns_its_number(shared: Served) -> None:
    unasked = shared.http.get("/readyz")
    another = shared.http.get("/readyz", headers={"Contactsync-Process": str(os.getpid() + 1)})
    this = shared.http.get("/readyz", headers={"Contactsync-Process": str(os.getpid())})

    assert "contactsync-process" not in unasked.headers
    assert "contactsync-process" not in another.headers
    assert this.headers["contactsync-process"] == str(os.getpid())


def test_a_receiver_that_has_all_it_needs_is_ready(shared: Served) -> None:
    ready = shared.http.get("/readyz")

    assert (shared.http.get("/healthz").status_code, ready.json()) == (200, {"status": "ready"})


def test_a_database_without_our_tables_is_named_with_the_command_to_run(postgres_url: str, engine: Engine) -> None:
    with fresh_database(postgres_url) as empty, serving(make_settings(empty), engine) as served:
        ready = served.http.get("/readyz")
        event = served.event("e-1")

    assert ready.status_code == 503
    assert "contactsync migrate" in ready.json()["missing"]["database"]
    assert event.status_code == 503


def test_the_server_refuses_to_start_on_another_schema(migrated_url: str) -> None:
    engine = make_engine(migrated_url, pool_size=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(ConfigurationError, match="newer than this release"):
        require_schema(make_settings(migrated_url))


def test_a_database_that_is_away_does_not_keep_the_server_from_starting() -> None:
    require_schema(make_settings("postgresql://nobody@127.0.0.1:1/none"))


def test_unknown_addresses_and_methods_are_problems(shared: Served) -> None:
    nothing = shared.http.get("/nothing/here")
    method = shared.http.post("/healthz")
    slash = shared.http.get("/healthz/")

    assert [one.status_code for one in (nothing, method, slash)] == [404, 405, 404]
    assert method.headers["allow"]
    assert all(one.headers["content-type"] == "application/problem+json" for one in (nothing, method, slash))


def test_metrics_come_without_the_summary_while_the_database_does_not_answer(
    served: Served, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "ANSWER_SECONDS", 0.2)
    served.http.timeout = 5.0
    with engine.connect() as blocker:
        blocker.execute(text("LOCK TABLE system_state IN ACCESS EXCLUSIVE MODE"))
        found = figures(served)
        blocker.rollback()

    assert found["contactsync_summary_read", ()] == 0
    assert found["contactsync_database_connected", ()] == 1
    assert ("contactsync_conservation", ()) not in found


def test_scrapes_that_come_together_share_one_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    class Slow(metrics.Exposition):
        @override
        async def _summary_text(self) -> bytes:
            nonlocal made
            made += 1
            await answered.wait()
            return b"gauges"

    nothing: Any = SimpleNamespace(waiting=0, connected=True)
    answered = asyncio.Event()
    exposition = Slow(make_settings("postgresql:///none"), nothing, Figures(), nothing, Refusals())
    monkeypatch.setattr(metrics, "SUMMARY_SECONDS", 0.0)

    async def scrape(count: int) -> list[bytes]:
        scrapes = [asyncio.create_task(exposition.text()) for _ in range(count)]
        await asyncio.sleep(0)
        answered.set()
        return await asyncio.gather(*scrapes)

    texts = asyncio.run(scrape(5))

    assert (made, len(texts)) == (1, 5)
    assert all(one.endswith(b"gauges") for one in texts)
