"""A webhook secret is replaced as the page on security says: both are taken for a while, and then the new one alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.webhooks.conftest import make_settings, serving, wait_until
from tests.webhooks.test_receive import body_of
from worker.core.signature import sign

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_a_webhook_secret_is_replaced_without_a_gap_and_the_old_one_taken_back(
    migrated_url: str, engine: Engine
) -> None:
    old, new = "the-old-secret-that-got-out", "the-new-secret-of-the-registration"
    found = []

    for place, secrets in enumerate(([old], [old, new], [new])):
        settings = make_settings(migrated_url, systems={"robaws": {"webhook_secrets": secrets}})
        with serving(settings, engine) as receiver:
            wait_until(lambda: receiver.http.get("/readyz").status_code == 200)
            answers = []
            for secret in (old, new):
                body = body_of(f"event-{place}-{secret}")
                signature = sign(secret, int(time.time()), body)
                answers.append(receiver.post(body, Robaws_Signature=signature).status_code)
            found.append(tuple(answers))

    assert found == [(202, 401), (202, 202), (401, 202)]
