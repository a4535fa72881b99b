"""The keys, their defaults, and what the settings as a whole can tell."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.config.loading import enabled
from worker.config import SYSTEM_NAMES, Settings, SystemSettings, WorkerSettings
from worker.config.keys import known_keys

if TYPE_CHECKING:
    from tests.config.loading import Given

ROOT = Path(__file__).parents[2]


def at(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("home", Path(".contactsync")),
        ("database.url", None),
        ("database.allow_insecure", False),
        ("redis.url", None),
        ("redis.allow_insecure", False),
        ("receiver.host", "127.0.0.1"),
        ("receiver.port", 8080),
        ("receiver.max_body_bytes", 1048576),
        ("receiver.signature_tolerance_seconds", 300),
        ("ops.tokens", ()),
        ("ops.users", ()),
        ("ops.approval_above", 100),
        ("worker.lease_seconds", 120),
        ("scheduler.sweep_seconds", 1),
        ("retry.ladder_seconds", (5, 30, 120, 600, 3600, 21600, 86400)),
        ("retry.jitter", 0.2),
        ("breaker.failures", 5),
        ("breaker.probe_seconds", 30),
        ("retention.events_days", 400),
        ("retention.attempts_days", 400),
        ("reconcile.interval_seconds", 900),
        ("systems.robaws.base_url", "https://app.robaws.com/api/v2"),
        ("systems.rompslomp.base_url", "https://api.rompslomp.nl/api/v1"),
        ("systems.workspace.base_url", "https://api.workspace.nl/api/v1"),
        ("systems.routix.base_url", "https://api.routix.com/functions/v1"),
        ("systems.robaws.daily_requests", 6000),
        ("systems.robaws.write_back", {}),
        ("systems.rompslomp.path_template", "/companies/{company_id}/{resource}"),
        ("systems.workspace.form_style", "flat"),
        ("sync.filter.status", None),
        ("log.level", "info"),
        ("telemetry.otlp_endpoint", None),
    ],
)
def test_the_documented_defaults_hold(key: str, default: object) -> None:
    assert at(Settings(), key) == default


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_every_system_is_off_and_waits_thirty_seconds_by_default(name: str) -> None:
    system = Settings().system(name)

    assert (system.enabled, system.timeout_seconds, system.fields) == (False, 30, {})


def models() -> list[type[BaseModel]]:
    """Every model of the settings, found through the keys."""
    found: dict[type[BaseModel], None] = {Settings: None}
    for key in known_keys().values():
        default = key.field.get_default()
        if isinstance(default, BaseModel):
            found[type(default)] = None
        if key.items is not None:
            found[key.items] = None
    return list(found)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_section_is_frozen_and_knows_its_keys(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen") is True
    assert model.model_config.get("extra") == "forbid"


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.receiver.port = 1


def test_settings_made_directly_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("LOG", '{"level": "debug"}')

    settings = Settings()

    assert (settings.home, settings.log.level) == (Path(".contactsync"), "info")


def test_the_enabled_systems_come_in_one_order_robaws_first(given: Given) -> None:
    given.toml(enabled("routix", "workspace", "robaws"))

    assert given.load().enabled_systems() == ("robaws", "workspace", "routix")


def test_a_system_is_had_by_its_name_and_an_unknown_one_is_not() -> None:
    settings = Settings()

    assert settings.system("recras") is settings.systems.recras
    assert all(isinstance(settings.system(name), SystemSettings) for name in SYSTEM_NAMES)
    with pytest.raises(KeyError):
        settings.system("exact")


def test_a_copy_with_addresses_leaves_the_original_alone() -> None:
    settings = Settings()

    copy = settings.with_urls("postgresql:///hub?host=/run/hub", "unix:///run/hub/redis.sock")

    assert (copy.database.url, copy.redis.url) == ("postgresql:///hub?host=/run/hub", "unix:///run/hub/redis.sock")
    assert (settings.database.url, settings.redis.url) == (None, None)
    assert copy.receiver == settings.receiver


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_all_spellings_of_a_postgresql_address_become_one(given: Given, scheme: str) -> None:
    given.environ["CONTACTSYNC_DATABASE__URL"] = f"{scheme}://hub:a%40b@db.example:5432/hub?sslmode=verify-full"

    assert given.load().database.url == "postgresql://hub:a%40b@db.example:5432/hub?sslmode=verify-full"


@pytest.mark.parametrize(("processors", "tasks"), [(None, 8), (1, 8), (2, 16), (4, 32), (64, 32)])
def test_the_worker_s_tasks_follow_the_machine(
    monkeypatch: pytest.MonkeyPatch, processors: int | None, tasks: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)

    assert WorkerSettings().effective_concurrency == tasks
    assert WorkerSettings(concurrency=3).effective_concurrency == 3


def test_seconds_may_be_fractions(given: Given) -> None:
    given.toml("[scheduler]\nsweep_seconds = 0.05\n[worker]\nlease_seconds = 1.5")

    settings = given.load()

    assert (settings.scheduler.sweep_seconds, settings.worker.lease_seconds) == (0.05, 1.5)


def test_settings_travel_to_another_process(given: Given) -> None:
    given.toml(enabled("robaws", "recras"))

    settings = given.load()

    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_import_reads_nothing_and_brings_nothing_heavy_along() -> None:
    heavy = {"sqlalchemy", "psycopg", "celery", "kombu", "redis", "httpx", "starlette", "rich", "typer", "phonenumbers"}
    code = "import sys, worker.config; print('\\n'.join(sys.modules))"
    environ = {**os.environ, "CONTACTSYNC_NONSENSE": "1", "CONTACTSYNC_CONFIG": "nowhere.toml"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert heavy & set(done.stdout.split()) == set()
