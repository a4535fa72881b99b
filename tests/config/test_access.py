"""Tokens and logins in the settings: their forms, and what is too weak to be one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.config.loading import PASSWORD_HASH, TOKEN
from worker.config.access import token_digest, token_hash
from worker.config.advice import advise

if TYPE_CHECKING:
    from tests.config.loading import Given

OTHER = "een-ander-zelfgemaakt-token-voor-de-tests"


def entry(**members: str) -> str:
    """One entry of `ops.tokens` as TOML."""
    given = {"name": "An", "role": "operator"} | members
    return "[[ops.tokens]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items())


def test_a_token_may_stand_there_itself_or_as_its_hash(given: Given) -> None:
    given.toml(
        f'[ops]\ntokens = [{{ name = "An", role = "operator", token = "{TOKEN}" }},\n'
        f'  {{ name = "monitoring", role = "viewer", token_hash = "{token_hash(OTHER)}", expires = 2027-06-30 }}]'
    )

    an, monitoring = given.load().ops.tokens

    assert (an.name, an.role, an.digest, an.expires) == ("An", "operator", token_digest(TOKEN), None)
    assert (monitoring.name, monitoring.role, monitoring.digest) == ("monitoring", "viewer", token_digest(OTHER))
    assert monitoring.expires is not None
    assert not monitoring.expired(datetime(2027, 6, 30, 23, 59, tzinfo=UTC))
    assert monitoring.expired(datetime(2027, 7, 1, tzinfo=UTC))


def test_the_older_form_is_read_and_its_names_hold_nothing_of_the_tokens(given: Given) -> None:
    third = "nog-een-zelfgemaakt-token-voor-de-tests"
    given.toml(f'[ops.tokens]\n{TOKEN} = "operator"\n{OTHER} = "viewer"\n{third} = "operator"')

    tokens = given.load().ops.tokens

    assert [(token.name, token.role) for token in tokens] == [
        ("operator-1", "operator"),
        ("viewer-1", "viewer"),
        ("operator-2", "operator"),
    ]
    assert [token.digest for token in tokens] == [token_digest(token) for token in (TOKEN, OTHER, third)]


@pytest.mark.parametrize(
    "text", [f'{{"{TOKEN}": "admin"}}', f'[{{"name": "admin-1", "role": "admin", "token": "{TOKEN}"}}]']
)
@pytest.mark.parametrize("in_a_file", [False, True])
def test_both_forms_come_from_the_environment_too(given: Given, text: str, *, in_a_file: bool) -> None:
    given.toml(entry(name="from the file", token=OTHER))
    if in_a_file:
        given.environ["CONTACTSYNC_OPS__TOKENS_FILE"] = str(given.file("tokens.json", text))
    else:
        given.environ["CONTACTSYNC_OPS__TOKENS"] = text

    [token] = given.load().ops.tokens

    assert (token.name, token.role, token.digest) == ("admin-1", "admin", token_digest(TOKEN))


def test_the_token_of_an_entry_comes_from_a_file(given: Given) -> None:
    given.file("secret", f"{TOKEN}\n")
    given.toml(entry(token_file="secret"))

    [token] = given.load().ops.tokens

    assert token.digest == token_digest(TOKEN)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("zomer2024", "has 9 characters, fewer than 32"),
        ("x" * 31, "has 31 characters, fewer than 32"),
        ("x" * 40, "can be guessed"),
        ("zomer2024" * 4, "can be guessed"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "can be guessed"),
        (f"{TOKEN} {TOKEN}", "holds a blank"),
        (f"{TOKEN}\n", "holds a blank"),
        (f"{TOKEN}é", "that no header can carry"),
    ],
)
def test_what_is_no_token_is_refused(given: Given, token: str, says: str) -> None:
    given.toml(entry(token=token))

    problem = given.problem()

    assert problem.startswith("ops.tokens, entry 1, token, ")
    assert says in problem
    assert "contactsync tokens new" in problem
    assert token not in problem


@pytest.mark.parametrize("token", ["zomer2024", "zomer2024" * 4, "x" * 40])
def test_a_token_from_before_tokens_had_names_locks_nobody_out_and_check_warns_of_it(given: Given, token: str) -> None:
    given.toml(f'[ops.tokens]\n{json.dumps(token)} = "operator"')

    settings = given.load()

    [one] = settings.ops.tokens
    assert (one.name, one.role, one.digest) == ("operator-1", "operator", token_digest(token))
    [warning] = [one for one in advise(settings, {}) if one.subject == "ops.tokens"]
    assert "operator-1 could be guessed" in warning.message
    assert token not in str(warning)


@pytest.mark.parametrize(
    ("token", "says"),
    [("zomer24", "has 7 characters"), (f"{TOKEN} {TOKEN}", "holds a blank"), (f"{TOKEN}é", "that no header can carry")],
)
def test_what_never_was_a_token_is_none_in_the_older_form_either(given: Given, token: str, says: str) -> None:
    given.toml(f'[ops.tokens]\n{json.dumps(token)} = "operator"')

    problem = given.problem()

    assert problem.startswith("ops.tokens, entry 1, token, ")
    assert says in problem
    assert token not in problem


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({}, "entry 1, has no token"),
        ({"token": TOKEN, "token_hash": token_hash(TOKEN)}, "keep one of them"),
        ({"token_hash": TOKEN}, "is not sha256: and 64 hexadecimal digits"),
        ({"token_hash": "sha256:0123"}, "is not sha256: and 64 hexadecimal digits"),
        ({"token": TOKEN, "name": " "}, "name, is empty"),
        ({"token": TOKEN, "name": "two\nlines"}, "is not a name"),
        ({"token": TOKEN, "name": "x" * 101}, "is not a name"),
        ({"token": TOKEN, "name": "Command line (root)"}, "take another name"),
        ({"token": TOKEN, "expires": "soon"}, "write it like 2027-06-30"),
        ({"token": TOKEN, "expires": "2027-06-31"}, "write it like 2027-06-30"),
        ({"token": TOKEN, "role": "boss"}, "role, is"),
        ({"token": TOKEN, "roles": "viewer"}, "roles, is not known there"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_entry_s_place(
    given: Given, members: dict[str, str], says: str
) -> None:
    given.toml(entry(**members))

    problem = given.problem()

    assert problem.startswith("ops.tokens, entry 1, ")
    assert says in problem


def test_a_number_is_no_day(given: Given) -> None:
    given.toml(f"{entry(token=TOKEN)}expires = 20270630")

    assert "write it like 2027-06-30" in given.problem()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (entry(token=TOKEN) + entry(token=OTHER), "holds the name An 2 times"),
        (entry(token=TOKEN) + entry(name="Bo", token_hash=token_hash(TOKEN)), "the same token as An and as Bo"),
        (
            entry(token=TOKEN) + f'[[ops.users]]\nname = "An"\nrole = "viewer"\npassword_hash = "{PASSWORD_HASH}"',
            "which a login of ops.users has too",
        ),
    ],
)
def test_a_name_is_one_token_s_or_one_person_s(given: Given, text: str, says: str) -> None:
    given.toml(text)

    problem = given.problem()

    assert problem.startswith("ops.tokens holds ")
    assert says in problem


SALT, KEY = "c2FsdA" * 4, "aGFzaA" * 7


@pytest.mark.parametrize(
    "parameters",
    [
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=47104,t=1,p=1",
        "$argon2id$v=19$m=7168,t=5,p=1",
        "$scrypt$ln=17,r=8,p=1",
        "$scrypt$ln=14,r=8,p=5",
    ],
)
def test_a_strong_hash_of_a_password_is_taken(given: Given, parameters: str) -> None:
    given.toml(f'[[ops.users]]\nname = "An"\nrole = "viewer"\npassword_hash = "{parameters}${SALT}${KEY}"')

    [user] = given.load().ops.users

    assert user.password_hash.get_secret_value().startswith(parameters)


@pytest.mark.parametrize(
    ("password_hash", "says"),
    [
        ("zomer2024", "is not the hash of a password"),
        ("", "is not the hash of a password"),
        (f"$argon2i$v=19$m=65536,t=3,p=4${SALT}${KEY}", "is not the hash of a password"),
        (f"$2b$12${SALT}{KEY}", "is not the hash of a password"),
        (f"$argon2id$v=19$m=65536,t=3,p=4${SALT}", "is not the hash of a password"),
        (f"$argon2id$v=19$m=4096,t=2,p=1${SALT}${KEY}", "is a hash that is tried too fast"),
        (f"$argon2id$v=19$m=19456,t=1,p=1${SALT}${KEY}", "is a hash that is tried too fast"),
        (f"$argon2id$v=19$m=65536,t=3,p=0${SALT}${KEY}", "is a hash that is tried too fast"),
        (f"$scrypt$ln=14,r=8,p=1${SALT}${KEY}", "is a hash that is tried too fast"),
        (f"$scrypt$ln=17,r=1,p=1${SALT}${KEY}", "is a hash that is tried too fast"),
    ],
)
def test_a_password_in_clear_or_a_weak_hash_of_it_is_refused(given: Given, password_hash: str, says: str) -> None:
    given.toml(f'[[ops.users]]\nname = "An"\nrole = "viewer"\npassword_hash = "{password_hash}"')

    problem = given.problem()

    assert problem.startswith("ops.users, entry 1, password_hash, ")
    assert says in problem
    assert not password_hash or password_hash not in problem
