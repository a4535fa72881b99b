"""Tokens have names, may end, and cannot be guessed: what the API lets in, counts and logs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.webhooks.conftest import Served, make_settings, serving, token_of, wait_until
from worker.config.access import token_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

HASHED = "a-token-of-which-the-settings-know-the-hash"
WEAK = "zomer2024"
OVER = "a-token-whose-time-was-over-long-ago-now"
ENTRIES: list[dict[str, Any]] = [
    {"name": "An Peeters", "role": "operator", "token": token_of("operator-token")},
    {"name": "Bo Maes", "role": "admin", "token_hash": token_hash(HASHED)},
    {"name": "an old script", "role": "admin", "token_hash": token_hash(OVER), "expires": "2020-02-29"},
    {"name": "monitoring", "role": "viewer", "token": token_of("viewer-token")},
]


@pytest.fixture
def named(migrated_url: str, engine: Engine) -> Iterator[Served]:
    with serving(make_settings(migrated_url, ops={"tokens": ENTRIES}), engine) as made:
        wait_until(lambda: made.http.get("/readyz").status_code == 200)
        yield made


def status(served: Served, token: str) -> int:
    return served.api("/summary", token=token).status_code


def counted(served: Served, name: str) -> dict[str, float]:
    """A counter's values by its one label."""
    text = served.http.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {next(iter(sample.labels.values())): sample.value for sample in samples if sample.name == name}


def test_actions_stand_under_the_name_and_nothing_of_the_secret(named: Served) -> None:
    named.act("/systems/recras/pause", {"reason": "they move"})
    named.act("/systems/recras/resume", token=HASHED)

    assert named.rows("SELECT actor, role, action FROM operator_action ORDER BY id") == [
        ("An Peeters", "operator", "pause"),
        ("Bo Maes", "admin", "resume"),
    ]


def test_a_token_whose_time_is_over_says_so_to_its_holder_only(named: Served) -> None:
    over = named.api("/summary", token=OVER)
    wrong = named.api("/summary", token=f"{OVER}x")

    assert (over.status_code, "contactsync tokens new" in over.json()["detail"]) == (401, True)
    assert wrong.status_code == 401
    assert wrong.json()["detail"] == named.http.get("/api/v1/summary").json()["detail"]


def test_the_hash_is_not_a_token(named: Served) -> None:
    assert status(named, token_hash(HASHED)) == 401
    assert status(named, token_hash(HASHED).removeprefix("sha256:")) == 401


def test_guessing_ends_after_ten_tries_a_minute(named: Served) -> None:
    tries = [named.api("/summary", token=f"guess-number-{number}") for number in range(200)]

    assert [answer.status_code for answer in tries] == [401] * 10 + [429] * 190
    assert 0 < int(tries[-1].headers["retry-after"]) <= 60
    assert tries[-1].headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("token", ["operator-token", HASHED])
def test_guesses_of_others_lock_out_nobody_who_has_a_strong_token(named: Served, token: str) -> None:
    for number in range(150):
        status(named, f"guess-number-{number}")

    assert status(named, token) == 200, "also of somebody who comes for the first time since the receiver started"


def test_a_right_guess_of_a_weak_token_is_not_told_not_even_from_where_its_holder_is(
    migrated_url: str, engine: Engine
) -> None:
    tokens = {WEAK: "operator", token_of("viewer-token"): "viewer"}
    with serving(make_settings(migrated_url, ops={"tokens": tokens}), engine) as older:
        holder = status(older, WEAK)
        tries = [status(older, f"zomer20{number:02}") for number in range(30)]

    assert (holder, tries[24]) == (200, 429)
    assert tries == [401] * 10 + [429] * 20


def test_a_request_without_a_token_is_no_guess(named: Served) -> None:
    statuses = {named.http.get("/api/v1/summary").status_code for _ in range(50)}
    statuses |= {named.http.get("/api/v1/summary", headers={"Authorization": "Bearer"}).status_code for _ in range(50)}

    assert statuses == {401}
    assert status(named, HASHED) == 200


def test_every_answer_and_every_refusal_is_counted(named: Served) -> None:
    for token in ("operator-token", "viewer-token", OVER, *(f"guess-number-{number}" for number in range(12))):
        named.api("/summary", token=token)
    named.http.get("/api/v1/summary")
    named.act("/contacts/1/sync", token="viewer-token")
    named.api("/contacts/1", token="operator-token")
    named.api("/contacts?limit=0", token="operator-token")

    assert counted(named, "contactsync_api_requests_total") == {
        "200": 2,
        "401": 12,
        "403": 1,
        "404": 1,
        "422": 1,
        "429": 2,
    }
    assert counted(named, "contactsync_refusals_total") == {
        "role": 1,
        "token_expired": 1,
        "token_missing": 1,
        "token_throttled": 2,
        "token_unknown": 10,
    }


PROGRAM = """
import json, sys
from webhooks.server import serve
from worker.config import Settings
from worker.processes import logs
class Silent:
    def intake(self): pass
    def fetch(self, contact_id): pass
    def deliver(self, system, link_id): pass
    def crowded(self, lane): return False
settings = Settings.model_validate({
    "database": {"url": sys.argv[1]}, "redis": {"url": "redis://127.0.0.1:1/0"}, "receiver": {"port": 0},
    "log": {"format": "json"}, "ops": {"tokens": json.loads(sys.argv[2])},
})
logs.set_up(settings, "receiver")
serve(settings, lambda host, port: print(f"http://{host}:{port}", flush=True), publisher=Silent())
"""


@contextmanager
def logged(database_url: str, lines: list[dict[str, Any]]) -> Iterator[httpx.Client]:
    """A receiver as a process of its own; what it logged is in `lines` after the block."""
    command = [sys.executable, "-c", PROGRAM, database_url, json.dumps(ENTRIES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            with httpx.Client(base_url=child.stdout.readline().strip(), timeout=10, trust_env=False) as http:
                yield http
        finally:
            child.terminate()
            _, text = child.communicate(timeout=20)
    lines += [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_an_attack_is_a_few_lines_in_the_log_with_address_and_count(migrated_url: str) -> None:
    lines: list[dict[str, Any]] = []

    with logged(migrated_url, lines) as http:
        for number in range(300):
            http.get("/api/v1/retries/link-1?query=Verbruggen", headers={"Authorization": f"Bearer guess-{number}"})

    refused = [line for line in lines if line["event"] == "receiver.refused"]
    assert [(line["kind"], line["status"], line["count"]) for line in refused] == [
        ("token_unknown", 401, 1),
        ("token_throttled", 429, 1),
        ("token_unknown", 401, 9),
        ("token_throttled", 429, 289),
    ]
    assert {(line["address"], line["call"]) for line in refused} == {("127.0.0.1", "GET /retries/{retry_id}")}
    assert "guess-" not in json.dumps(lines)
    assert "Verbruggen" not in json.dumps(lines)


@pytest.mark.slow
def test_whose_role_is_too_small_is_named_in_the_log(migrated_url: str) -> None:
    lines: list[dict[str, Any]] = []

    with logged(migrated_url, lines) as http:
        for _ in range(30):
            bearer = {"Authorization": f"Bearer {token_of('viewer-token')}"}
            http.post("/api/v1/contacts/1834/sync", headers=bearer)

    refused = [line for line in lines if line["event"] == "receiver.refused"]
    assert [line["count"] for line in refused] == [1, 29]
    assert {(line["kind"], line["token"], line["call"]) for line in refused} == {
        ("role", "monitoring", "POST /contacts/{source_id}/sync")
    }
    assert token_of("viewer-token") not in json.dumps(lines)


def test_a_token_is_replaced_without_a_gap_and_then_taken_back(migrated_url: str, engine: Engine) -> None:
    old = {"name": "script", "role": "viewer", "token": token_of("viewer-token")}
    new = {"name": "script 2", "role": "viewer", "token_hash": token_hash(HASHED)}
    found = []

    for entries in ([old], [old, new], [new]):
        with serving(make_settings(migrated_url, ops={"tokens": entries}), engine) as receiver:
            wait_until(lambda: receiver.http.get("/readyz").status_code == 200)
            found.append((status(receiver, "viewer-token"), status(receiver, HASHED)))

    assert found == [(200, 401), (200, 200), (401, 200)]
