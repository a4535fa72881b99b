"""Secrets that were copied badly are refused when settings are read, and named without being shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading import enabled

if TYPE_CHECKING:
    from tests.config.loading import Given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[systems.recras]\napi_key = " first"', "systems.recras.api_key has a blank at its beginning: copy"),
        ('[systems.rompslomp]\ntoken = "last\\u00a0"', "systems.rompslomp.token has a blank at its end: copy"),
        ('[systems.rompslomp]\ntoken = "café"', "systems.rompslomp.token holds a character that no header can"),
        ('[systems.workspace]\ntoken = "café"', "systems.workspace.token holds a character that no header can"),
        ('[systems.robaws]\ntenant = "café"', "systems.robaws.tenant holds a character that no header can"),
        ('[systems.robaws]\npassword = "se\\u200bcret"', "robaws.password holds an invisible character (U+200B)"),
        ('[systems.robaws]\nusername = "key "', "systems.robaws.username has a blank at its end"),
        ('[systems.routix]\nclient_secret = "secret "', "systems.routix.client_secret has a blank at its end"),
        ("[systems.robaws]\nwebhook_secrets = ['secret ']", "webhook_secrets, entry 1, has a blank at its end"),
    ],
)
def test_what_comes_along_with_a_copy_is_one_problem(given: Given, text: str, says: str) -> None:
    given.toml(text)

    assert says in given.problem()


def test_a_password_that_is_encoded_before_it_is_sent_may_hold_any_letter(given: Given) -> None:
    given.toml(
        '[systems.robaws]\npassword = "café in twee woorden"\n'
        '[systems.workspace]\nauth = "basic"\nusername = "jan"\ntoken = "café"'
    )

    systems = given.load().systems

    assert systems.robaws.password is not None
    assert systems.workspace.token is not None


@pytest.mark.parametrize("text", ["pl4nted-token-7Qm \n", "pl4nted-tökén-7Qm\n", "pl4nted-token-7Qm\t\r\n"])
def test_a_secret_that_was_copied_badly_is_refused_and_not_shown(given: Given, text: str) -> None:
    given.toml(enabled("robaws", "recras").replace('api_key = "made-up"', 'api_key_file = "recras"'))
    given.file("recras", text)

    problem = given.problem()

    assert problem.startswith("systems.recras.api_key ")
    assert problem.endswith(("copy the value again, without it", "copy the value again", "on one line"))
    assert "pl4nted" not in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[systems.recras]\napikey_file = 'x'", "did you mean systems.recras.api_key_file?"),
        ("[systems.rompslomp]\ntokn_file = 'x'", "did you mean systems.rompslomp.token_file?"),
        ("[recras_file]\nx = 1", "did you mean systems.recras?"),
    ],
)
def test_a_slip_in_the_name_of_a_file_leads_to_the_name_of_a_file(given: Given, text: str, says: str) -> None:
    given.toml(text)

    assert says in given.problem()


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("boss", 'ops.tokens, entry 1, role, is "boss", which is none of the choices: write "viewer", "operator" or'),
        ("pl4nted-secret-in-the-wrong-place", "ops.tokens, entry 1, role, is none of the choices: write"),
    ],
)
def test_a_role_that_does_not_exist_is_named_by_its_place_and_a_secret_there_is_not(
    given: Given, role: str, says: str
) -> None:
    given.toml(f'[ops.tokens]\n"made-up-token-Xw7Rk2Pq9Vt5Hs8Nd3Jc6" = "{role}"')

    problem = given.problem()

    assert problem.startswith(says)
    assert "Xw7Rk2" not in problem
    assert "pl4nted" not in problem


def test_a_key_that_stands_twice_in_a_table_is_not_quoted(given: Given) -> None:
    given.toml('ops.tokens = { "pl4nted-token-Xw7Rk2" = "viewer", "pl4nted-token-Xw7Rk2" = "admin" }')

    problem = given.problem()

    assert "line 1" in problem
    assert "pl4nted" not in problem


def test_a_file_that_is_missing_says_for_whom_it_must_be_readable(given: Given) -> None:
    given.toml(enabled("robaws", "recras").replace('api_key = "made-up"', 'api_key_file = "recras"'))

    problem = given.problem()

    assert problem.endswith("create it, readable for the user that runs contactsync (uid 10001 in containers)")
