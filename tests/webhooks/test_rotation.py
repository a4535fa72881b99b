"""A webhook secret is replaced as the page on security says: both are taken for a while, and then the new one alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.webhooks.conftest import make_settings, serving, wait_until
from tests.webhooks.test_receive import body_of
from webhooks import renewal
from worker.config import load_settings
from worker.config.again import Files
from worker.core.signature import sign

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.webhooks.conftest import Served
    from worker.config import Settings


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


FIRST, SECOND = "made-up-token-Xw7Rk2Pq9Vt5Hs8Nd3Jc6", "made-up-token-Gm4Zy8Lb2Kf7Qt5Wr9Ux3"
SETTINGS = """
[database]
url = "{url}"
[redis]
url = "redis://127.0.0.1:1/0"
[systems.robaws]
enabled = true
base_url = "http://127.0.0.1:1/robaws/api/v2"
webhook_secrets_file = "secrets"
[[ops.tokens]]
name = "reports"
role = "viewer"
token_file = "token"
"""


@pytest.fixture
def installed(tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings whose secrets stand in files, which are looked at all the time."""
    (tmp_path / "contactsync.toml").write_text(SETTINGS.format(url=migrated_url))
    (tmp_path / "secrets").write_text("the-old-secret-that-got-out\n")
    (tmp_path / "token").write_text(FIRST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.02)
    return tmp_path


def replace(path: Path, text: str) -> None:
    """As tools write that care: whole, and then in its place."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


def answers(receiver: Served, *secrets: str) -> tuple[int, ...]:
    """What an event gets that is signed with each of these."""
    found = []
    for secret in secrets:
        body = body_of(f"event-{time.monotonic_ns()}")
        found.append(receiver.post(body, Robaws_Signature=sign(secret, int(time.time()), body)).status_code)
    return tuple(found)


def test_a_running_receiver_takes_over_what_stands_in_the_file_of_its_secrets(installed: Path, engine: Engine) -> None:
    old, new = "the-old-secret-that-got-out", "the-new-secret-of-the-registration"
    told: list[int] = []
    on_renewed = lambda settings: told.append(len(settings.systems.robaws.webhook_secrets))  # noqa: E731
    with serving(load_settings(part="receiver"), engine, files=Files("receiver"), on_renewed=on_renewed) as receiver:
        wait_until(lambda: receiver.http.get("/readyz").status_code == 200)
        before = answers(receiver, old, new)

        replace(installed / "secrets", f"{old}\n{new}\n")
        wait_until(lambda: told == [2])
        both = answers(receiver, old, new)

        replace(installed / "secrets", f"{new}\n")
        wait_until(lambda: told == [2, 1])
        after = answers(receiver, old, new)

    assert (before, both, after) == ((202, 401), (202, 202), (401, 202))


@pytest.mark.parametrize("text", ["", "[not JSON", None])
def test_a_file_that_cannot_be_read_leaves_the_secrets_that_are_known(
    installed: Path, engine: Engine, text: str | None
) -> None:
    old, new = "the-old-secret-that-got-out", "the-new-secret-of-the-registration"
    reads: list[bool] = []

    class Counted(Files):
        @override
        def __call__(self) -> Settings | None:
            found = super().__call__()
            reads.append(found is not None and bool(found.systems.robaws.webhook_secrets))
            return found

    files = Counted("receiver")
    with serving(load_settings(part="receiver"), engine, files=files) as receiver:
        wait_until(lambda: receiver.http.get("/readyz").status_code == 200)
        wait_until(lambda: reads == [True])
        if text is None:
            (installed / "contactsync.toml").rename(installed / "elsewhere")
        else:
            replace(installed / "secrets", text)
        wait_until(lambda: reads[1:] == [False])
        meanwhile = answers(receiver, old, new)
        if text is None:
            (installed / "elsewhere").rename(installed / "contactsync.toml")
        replace(installed / "secrets", new)
        wait_until(lambda: reads[-1] and answers(receiver, new) == (202,))

    assert meanwhile == (202, 401)


def test_a_running_receiver_takes_over_the_tokens_of_the_api(installed: Path, engine: Engine) -> None:
    told: list[int] = []
    settings = load_settings(part="receiver")
    with serving(settings, engine, files=Files("receiver"), on_renewed=lambda _: told.append(1)) as receiver:
        wait_until(lambda: receiver.http.get("/readyz").status_code == 200)

        replace(installed / "token", SECOND)
        wait_until(lambda: bool(told))
        found = [
            receiver.http.get("/api/v1/summary", headers={"Authorization": f"Bearer {token}"}).status_code
            for token in (FIRST, SECOND)
        ]

    assert found == [401, 200]
