"""Tokens and roles: who may look, who may act, and what is said to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.webhooks.conftest import TOKENS, Served, filled, make_settings, serving, token_of
from webhooks.api.routes import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from webhooks.api.calls import Call

ROLES = ("viewer", "operator", "admin")
VIEWER = token_of("viewer-token")


def address(call: Call) -> str:
    path = call.path.replace("{source_id}", "1").replace("{retry_id}", "link-1").replace("{bulk_id}", "1")
    path = path.replace("{review_id}", "1").replace("{name}", "recras").replace("{event_id:path}", "e-1")
    return f"/api/v1{path}"


@pytest.fixture(scope="module")
def guessed(postgres_url: str, migrated_template: str) -> Iterator[Served]:
    """A receiver for wrong tokens alone: ten in a minute are let through, and other tests send some of their own."""
    with filled(postgres_url, migrated_template) as made:
        yield made


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong-token",
        f"Bearer {VIEWER[:-1]}",
        f"Bearer {VIEWER}2",
        f"Basic {VIEWER}",
        VIEWER,
        "Bearer \xff\xfe",
    ],
)
def test_without_a_known_token_nothing_is_shown(guessed: Served, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}

    answer = guessed.http.get("/api/v1/summary", headers=headers)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="contactsync"')
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_word_bearer_counts_in_any_case(shared: Served) -> None:
    assert shared.http.get("/api/v1/summary", headers={"Authorization": f"bearer {VIEWER}"}).status_code == 200


def test_every_call_wants_its_role_and_a_greater_one_will_do(served: Served) -> None:
    for call in CALLS:
        for token, role in TOKENS.items():
            headers = {"Authorization": f"Bearer {token_of(token)}"}
            status = served.http.request(call.method, address(call), headers=headers).status_code
            allowed = ROLES.index(role) >= ROLES.index(call.role)
            assert (status != 403) is allowed, (call.method, call.path, role, status)
            assert status != 401
        assert served.http.request(call.method, address(call)).status_code == 401


def test_whoever_looks_never_acts(served: Served) -> None:
    for call in CALLS:
        assert (call.role == "viewer") is (call.method == "GET"), call.path


def test_without_tokens_the_answer_says_what_to_set(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url, ops={"tokens": {}}), engine) as served:
        answer = served.api("/summary", token="any-token")

    assert (answer.status_code, "ops.tokens" in answer.json()["detail"]) == (401, True)
