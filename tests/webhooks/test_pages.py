"""Health, metrics and the plain page."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.fixtures.servers import fresh_database
from tests.webhooks.conftest import Served, make_settings, serving, token_of
from webhooks.server import require_schema
from worker.errors import ConfigurationError
from worker.store.engine import make_engine

if TYPE_CHECKING:
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

    page = served.http.get("/", headers={"X-Forwarded-For": "203.0.113.9"} | basic(token_of("operator-token")))

    assert page.status_code == 200
    assert "<script" not in page.text
    assert "prefers-color-scheme: dark" in page.text
    assert "&lt;b&gt;moving&lt;/b&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert all(word in page.text for word in ("robaws", "rompslomp", "received", "excluded"))


def test_the_page_is_open_to_this_machine_and_wants_a_token_from_elsewhere(shared: Served) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}

    here = shared.http.get("/")
    elsewhere = shared.http.get("/", headers=forwarded)
    wrong = shared.http.get("/", headers=forwarded | basic("wrong-token"))
    right = shared.http.get("/", headers=forwarded | basic(token_of("viewer-token")))
    broken = shared.http.get("/", headers=forwarded | {"Authorization": "Basic ???"})

    assert [one.status_code for one in (here, elsewhere, wrong, right, broken)] == [200, 401, 401, 200, 401]
    assert elsewhere.headers["www-authenticate"].startswith("Basic ")


def test_a_receiver_that_has_all_it_needs_is_ready(shared: Served) -> None:
    ready = shared.http.get("/readyz")

    assert (shared.http.get("/healthz").status_code, ready.json()) == (200, {"status": "ready"})
    assert ready.headers["contactsync-process"] == str(os.getpid())


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
