"""What is allowed and unwise: secrets that others can read, short ones, checks and encryption that are switched off."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.config.loading import enabled
from worker.config import advice as advices
from worker.config import load_with_advice
from worker.config.advice import Advice, advise

if TYPE_CHECKING:
    from tests.config.loading import Given

LONG = "0123456789abcdef"
WITH_SECRET = f"""{enabled("robaws")}
webhook_secrets = ["{LONG}"]"""


def advice(given: Given) -> list[Advice]:
    return list(load_with_advice(given.environ, given.folder)[1])


@pytest.fixture
def open_folder(given: Given, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that everybody may enter, as far as the folders above it go; these count as open."""
    given.folder.chmod(0o755)
    above = set(given.folder.parents)
    stat = Path.stat

    def open_above(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        state = stat(path, follow_symlinks=follow_symlinks)
        return os.stat_result((state.st_mode | 0o111, *state[1:])) if path in above else state

    monkeypatch.setattr(Path, "stat", open_above)
    return given.folder


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o644, "everybody on this machine"), (0o604, "everybody on this machine"), (0o602, "everybody on this machine")],
)
def test_a_settings_file_with_secrets_that_others_can_read_is_told(
    given: Given, open_folder: Path, mode: int, who: str
) -> None:
    given.toml(WITH_SECRET)
    file = open_folder / "contactsync.toml"
    file.chmod(mode)

    assert advice(given) == [
        Advice(
            "permissions",
            f"{file} holds secrets (systems.robaws.password, for one) and can be read or changed by {who}",
            f"chmod 600 {file}",
        )
    ]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_s_alone_is_well(given: Given, open_folder: Path, mode: int) -> None:
    given.toml(WITH_SECRET)
    (open_folder / "contactsync.toml").chmod(mode)

    assert advice(given) == []


def test_a_file_without_secrets_may_be_read(given: Given, open_folder: Path) -> None:
    given.toml("[receiver]\nport = 9090\n[systems.robaws]\npassword = ''")
    (open_folder / "contactsync.toml").chmod(0o644)

    assert advice(given) == []


def test_a_folder_that_only_its_owner_may_enter_is_enough(given: Given, open_folder: Path) -> None:
    given.toml(WITH_SECRET)
    (open_folder / "contactsync.toml").chmod(0o644)
    open_folder.chmod(0o700)

    assert advice(given) == []


@pytest.mark.parametrize("by", ["file", "environment"])
def test_a_file_that_holds_one_secret_counts_too(given: Given, open_folder: Path, by: str) -> None:
    given.file("robaws-password", "made-up\n").chmod(0o644)
    own = enabled("robaws").replace('password = "made-up"', "")
    if by == "file":
        own += 'password_file = "robaws-password"'
    else:
        given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__PASSWORD_FILE"] = "robaws-password"
    given.toml(own)
    (open_folder / "contactsync.toml").chmod(0o600)

    [one] = advice(given)

    assert one.next_step == f"chmod 600 {open_folder / 'robaws-password'}"


def test_what_a_container_engine_hands_in_is_the_engine_s(
    given: Given, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advices, "HANDED_IN", open_folder / "secrets")
    given.file("secrets/robaws", "made-up").chmod(0o444)
    given.toml(enabled("robaws").replace('password = "made-up"', 'password_file = "secrets/robaws"'))
    (open_folder / "contactsync.toml").chmod(0o600)

    assert advice(given) == []


@pytest.mark.parametrize(("others", "told"), [(True, True), (False, False)])
def test_a_group_counts_where_somebody_else_is_in_it(
    given: Given, open_folder: Path, monkeypatch: pytest.MonkeyPatch, *, others: bool, told: bool
) -> None:
    monkeypatch.setattr(advices, "_has_others", lambda _gid, _owner: others)
    given.toml(WITH_SECRET)
    (open_folder / "contactsync.toml").chmod(0o640)

    assert bool(advice(given)) == told


def test_a_group_of_the_owner_s_own_holds_nobody_else() -> None:
    entry = pwd.getpwuid(os.geteuid())

    assert advices._has_others(entry.pw_gid, entry.pw_uid) in (False, True)
    assert advices._has_others(2**31 - 7, entry.pw_uid), "nobody can tell who is in a group without a name"


def messages(given: Given) -> list[str]:
    settings, _ = load_with_advice(given.environ, given.folder)
    return [f"{one.subject} {one.message}: {one.next_step}" for one in advise(settings, {})]


def test_a_short_webhook_secret_is_told_by_its_number_and_not_shown(given: Given) -> None:
    given.toml(WITH_SECRET.replace("webhook_secrets = [", 'webhook_secrets = ["kort", '))

    [one] = messages(given)

    assert one.startswith("systems.robaws.webhook_secrets entry 1 of 2 has fewer than 16 characters")
    assert "kort" not in one


@pytest.mark.parametrize(
    ("key", "url"),
    [("database", "postgresql://hub:kort@127.0.0.1/hub"), ("redis", "redis://:kort@127.0.0.1/0")],
)
def test_a_short_password_of_our_own_servers_is_told(given: Given, key: str, url: str) -> None:
    given.toml(f'[{key}]\nurl = "{url}"')

    [one] = messages(given)

    assert one.startswith(f"{key}.url its password has fewer than 16 characters")
    assert "kort" not in one


def test_a_signature_that_never_expires_is_told(given: Given) -> None:
    given.toml("[receiver]\nsignature_tolerance_seconds = 0")

    [one] = messages(given)

    assert one.startswith("receiver.signature_tolerance_seconds is 0, so a signed webhook")


@pytest.mark.parametrize(
    ("section", "url", "subject"),
    [
        ("database", f"postgresql://hub:{LONG}@db.example/hub", "database.allow_insecure"),
        ("redis", f"redis://:{LONG}@redis.example/0", "redis.allow_insecure"),
        ("redis", f"rediss://:{LONG}@redis.example/0?ssl_cert_reqs=none", "redis.allow_insecure"),
    ],
)
def test_a_switch_that_lets_a_connection_go_unverified_is_told(
    given: Given, section: str, url: str, subject: str
) -> None:
    given.toml(f'[{section}]\nurl = "{url}"\nallow_insecure = true')

    [one] = messages(given)

    assert one.startswith(subject)


def test_a_switch_that_changes_nothing_is_not_told(given: Given) -> None:
    given.toml(f'[database]\nurl = "postgresql://hub:{LONG}@127.0.0.1/hub"\nallow_insecure = true')

    assert messages(given) == []


def test_a_vendor_over_plain_http_is_told(given: Given) -> None:
    given.toml(f'{enabled("robaws")}\nbase_url = "http://robaws.example/api/v2"\nallow_http = true')

    [one] = messages(given)

    assert one.startswith("systems.robaws.allow_http credentials and clients travel")
