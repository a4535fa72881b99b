"""Where settings come from, and which source wins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.config.loading import PASSWORD_HASH, TOKEN
from worker.config import load_settings
from worker.config.access import token_digest

if TYPE_CHECKING:
    from tests.config.loading import Given


def test_without_a_file_and_without_variables_the_defaults_hold(given: Given) -> None:
    settings = given.load()

    assert settings.receiver.port == 8080
    assert settings.enabled_systems() == ()


def test_the_file_in_the_folder_is_read(given: Given) -> None:
    given.toml("[receiver]\nport = 9090")

    assert given.load().receiver.port == 9090


def test_the_environment_wins_over_the_file_key_by_key(given: Given) -> None:
    given.toml('[receiver]\nport = 9090\nhost = "0.0.0.0"')
    given.environ["CONTACTSYNC_RECEIVER__PORT"] = "9191"

    receiver = given.load().receiver

    assert (receiver.port, receiver.host) == (9191, "0.0.0.0")


def test_a_nested_key_comes_from_the_environment(given: Given) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__BASE_URL"] = "https://voorbeeld.recras.nl/api2/"

    assert given.load().systems.recras.base_url == "https://voorbeeld.recras.nl/api2"


def test_variables_may_be_written_in_lower_case(given: Given) -> None:
    given.environ["contactsync_receiver__port"] = "9191"

    assert given.load().receiver.port == 9191


@pytest.mark.parametrize("key", ["CONTACTSYNC_RECEIVER__PORT", "CONTACTSYNC_DATABASE__URL"])
def test_an_empty_variable_counts_as_not_set(given: Given, key: str) -> None:
    given.toml('[receiver]\nport = 9090\n[database]\nurl = "postgresql://127.0.0.1/hub"')
    given.environ[key] = ""

    settings = given.load()

    assert settings.receiver.port == 9090
    assert settings.database.url == "postgresql://127.0.0.1/hub"


def test_a_file_elsewhere_is_named_by_a_variable(given: Given) -> None:
    given.toml("[receiver]\nport = 1")
    given.file("etc/other.toml", "[receiver]\nport = 9090")
    given.environ["CONTACTSYNC_CONFIG"] = "etc/other.toml"

    assert given.load().receiver.port == 9090


def test_variables_of_the_tests_are_left_alone(given: Given) -> None:
    given.environ["CONTACTSYNC_TEST_DATABASE_URL"] = "postgresql://db.example/test"

    assert given.load().database.url is None


def test_the_process_s_own_environment_and_folder_are_the_defaults(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    given.toml("[receiver]\nport = 9090")
    monkeypatch.chdir(given.folder)
    monkeypatch.setenv("CONTACTSYNC_WORKER__CONCURRENCY", "3")

    settings = load_settings()

    assert (settings.receiver.port, settings.worker.concurrency) == (9090, 3)


def test_home_is_counted_from_the_folder(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = given.folder / "elsewhere"
    monkeypatch.setenv("HOME", str(elsewhere))

    assert given.load().home == given.folder / ".contactsync"
    given.environ["CONTACTSYNC_HOME"] = "~/data"
    assert given.load().home == elsewhere / "data"


# ------------------------------------------------------------------------------------------------- lists and tables
def test_a_list_is_json_in_the_environment(given: Given) -> None:
    given.environ["CONTACTSYNC_RETRY__LADDER_SECONDS"] = "[0.5, 2]"
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WEBHOOK_SECRETS"] = '["one", "two"]'

    settings = given.load()

    assert settings.retry.ladder_seconds == (0.5, 2.0)
    assert [secret.get_secret_value() for secret in settings.systems.robaws.webhook_secrets] == ["one", "two"]


def test_a_table_from_the_environment_takes_the_place_of_the_file_s(given: Given) -> None:
    given.toml("[systems.robaws.write_back]\nrecras = 'from the file'")
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WRITE_BACK"] = '{"rompslomp": "From The Environment"}'

    assert given.load().systems.robaws.write_back == {"rompslomp": "From The Environment"}


def test_a_section_from_the_environment_is_laid_over_the_file_s(given: Given) -> None:
    given.toml('[receiver]\nhost = "0.0.0.0"\nport = 1')
    given.environ["CONTACTSYNC_RECEIVER"] = '{"port": 2, "quarantine_limit": 5}'
    given.environ["CONTACTSYNC_RECEIVER__PORT"] = "3"

    receiver = given.load().receiver

    assert (receiver.host, receiver.port, receiver.quarantine_limit) == ("0.0.0.0", 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('fields = { "address.city" = "fill", name = "system" }', id="flat"),
        pytest.param('fields = { address = { city = "fill" }, name = "system" }', id="nested"),
        pytest.param('fields.address.city = "fill"\nfields.name = "system"', id="dotted keys"),
    ],
)
def test_field_owners_may_be_flat_or_nested(given: Given, text: str) -> None:
    given.toml(f"[systems.recras]\n{text}")

    assert given.load().systems.recras.fields == {"address.city": "fill", "name": "system"}


def test_one_field_owner_from_the_environment_is_laid_over_the_file_s(given: Given) -> None:
    given.toml('[systems.recras.fields]\nname = "system"\naddress.city = "fill"')
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__FIELDS__ADDRESS__CITY"] = "ignore"

    assert given.load().systems.recras.fields == {"name": "system", "address.city": "ignore"}


def test_field_owners_as_json_may_be_nested_too(given: Given) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__FIELDS"] = '{"address": {"city": "fill"}, "name": "system"}'

    assert given.load().systems.recras.fields == {"address.city": "fill", "name": "system"}


def test_single_entries_of_other_tables_come_from_the_environment(given: Given) -> None:
    given.toml('[systems.workspace.on_missing]\nphone = "000"')
    given.environ["CONTACTSYNC_SYSTEMS__WORKSPACE__ON_MISSING__EMAIL"] = "geen@voorbeeld.example"
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WRITE_BACK__ROMPSLOMP"] = "Rompslomp id"

    systems = given.load().systems

    assert systems.workspace.on_missing["phone"] == "000"
    assert systems.workspace.on_missing["email"] == "geen@voorbeeld.example"
    assert systems.robaws.write_back == {"rompslomp": "Rompslomp id"}


# --------------------------------------------------------------------------------------------------- secret files
def test_a_secret_is_read_from_a_file_named_in_the_environment(given: Given) -> None:
    path = given.file("secrets/password", "geheim met blank\n")
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__PASSWORD_FILE"] = str(path)

    password = given.load().systems.robaws.password

    assert password is not None
    assert password.get_secret_value() == "geheim met blank"


def test_a_secret_is_read_from_a_file_beside_the_settings(given: Given) -> None:
    given.file("etc/secrets/url", "postgresql://hub:geheim@127.0.0.1/hub\r\n")
    given.file("etc/contactsync.toml", '[database]\nurl_file = "secrets/url"')
    given.environ["CONTACTSYNC_CONFIG"] = "etc/contactsync.toml"

    assert given.load().database.url == "postgresql://hub:geheim@127.0.0.1/hub"


@pytest.mark.parametrize("text", ['["one", "two"]\n', "one\ntwo\n"], ids=["JSON", "one a line"])
def test_a_list_of_secrets_is_read_from_a_file(given: Given, text: str) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WEBHOOK_SECRETS_FILE"] = str(given.file("secrets", text))

    secrets = given.load().systems.robaws.webhook_secrets

    assert [secret.get_secret_value() for secret in secrets] == ["one", "two"]


def test_tokens_and_users_are_read_from_files(given: Given) -> None:
    given.file("tokens", json.dumps([{"name": "An", "role": "operator", "token": TOKEN}]))
    given.file("hash", f"{PASSWORD_HASH}\n")
    given.toml(
        '[ops]\ntokens_file = "tokens"\n[[ops.users]]\nname = "An Peeters"\npassword_hash_file = "hash"\nrole = "admin"'
    )

    ops = given.load().ops

    assert [(token.name, token.role, token.digest) for token in ops.tokens] == [("An", "operator", token_digest(TOKEN))]
    assert [(user.name, user.password_hash.get_secret_value()) for user in ops.users] == [("An Peeters", PASSWORD_HASH)]


def test_a_secret_file_of_the_environment_wins_over_the_settings(given: Given) -> None:
    given.toml('[systems.recras]\napi_key = "old"')
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__API_KEY_FILE"] = str(given.file("key", "new"))

    key = given.load().systems.recras.api_key

    assert key is not None
    assert key.get_secret_value() == "new"


def test_a_number_is_read_from_a_file_as_well(given: Given) -> None:
    given.environ["CONTACTSYNC_RECEIVER__PORT_FILE"] = str(given.file("port", "9191\n"))

    assert given.load().receiver.port == 9191


def test_the_settings_file_may_begin_with_a_byte_order_mark(given: Given) -> None:
    given.file("contactsync.toml", b"\xef\xbb\xbf[receiver]\nport = 9090")

    assert given.load().receiver.port == 9090


def test_nothing_is_read_before_it_is_asked_for(given: Given) -> None:
    given.toml("[receiver]\nport = 9090")

    before = given.load()
    given.toml("[receiver]\nport = 9191")

    assert before.receiver.port == 9090
    assert given.load().receiver.port == 9191


def test_an_unreadable_list_of_numbers_says_how_numbers_are_written_and_hides_no_other_problem(given: Given) -> None:
    given.toml('[retry]\nladder_seconds = ["x"]\n[breaker]\nfailures = "many"\n')
    given.environ["CONTACTSYNC_RETRY__LADDER_SECONDS"] = "5,30"

    assert given.problems() == [
        "retry.ladder_seconds (CONTACTSYNC_RETRY__LADDER_SECONDS) is not a JSON list: write it like [5, 30.5]",
        'breaker.failures is "many", not a whole number: write digits only',
    ]


def test_an_unreadable_section_does_not_give_its_name_to_what_the_file_says(given: Given) -> None:
    given.toml("[retry]\njitter = 7\n")
    given.environ["CONTACTSYNC_RETRY"] = "5"

    about_section, about_jitter = given.problems()

    assert about_section.startswith("retry (CONTACTSYNC_RETRY) is not a JSON object")
    assert about_jitter.startswith("retry.jitter is 7, too large")
