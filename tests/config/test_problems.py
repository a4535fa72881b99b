"""What is wrong is said all at once: the key, what is wrong with it, and the next step."""

from __future__ import annotations

import pytest

from tests.config.loading import PASSWORD_HASH, Given, enabled
from worker.config import describe


def test_all_problems_of_all_sources_are_reported_at_once(given: Given) -> None:
    given.toml(
        """
        prot = 1
        [receiver]
        port = "http"
        [recras]
        enabled = true
        [systems.robaws]
        enabled = true
        rate_per_second = 16
        password_file = "nowhere"
        [systems.recras]
        enabled = true
        """
    )
    given.environ["CONTACTSYNC_DATABASE_URL"] = "postgresql://db.example/hub"
    given.environ["CONTACTSYNC_RETRY__JITTER"] = "7"

    keys = {problem.split(" ", 1)[0] for problem in given.problems()}

    assert keys == {
        "prot",
        "receiver.port",
        "recras",
        "systems.robaws.rate_per_second",
        "systems.robaws.username",
        "systems.robaws.password",
        "systems.recras.base_url",
        "systems.recras.api_key",
        "CONTACTSYNC_DATABASE_URL",
        "retry.jitter",
    }


def test_every_problem_has_a_next_step(given: Given) -> None:
    given.toml(
        """
        unknown = 1
        receiver = 5
        [worker]
        concurrency = 0
        [retry]
        ladder_seconds = [1, "soon", -1]
        [ops]
        tokens = { short = "viewer" }
        users = [{ name = "An" }]
        [systems.robaws]
        enabled = "perhaps"
        fields = { address = "fill", town = "fill", name = "nobody" }
        [systems.rompslomp]
        enabled = true
        path_template = "/{company}"
        """
    )

    problems = given.problems()

    assert len(problems) > 12
    assert [problem for problem in problems if len(problem.partition(": ")[2]) < 6] == []


# ------------------------------------------------------------------------------------------------------ unknown keys
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[systems.recras]\napikey = 'x'", "systems.recras.api_key"),
        ("[recras]\napi_key = 'x'", "systems.recras"),
        ("[reciever]\nport = 1", "receiver"),
        ("port = 1", "receiver.port"),
        ("[systems.robows]\nusername = 'x'", "systems.robaws"),
        ("[sync.filter]\nstate = ['klant']", "sync.filter.status"),
        ("[receiver]\nport_fil = 'x'", "receiver.port"),
    ],
)
def test_an_unknown_key_in_the_file_is_answered_with_the_likely_one(given: Given, text: str, meant: str) -> None:
    given.toml(text)

    problem = given.problem()

    assert problem.endswith(f"is not a known key: did you mean {meant}?")


def test_an_unknown_key_like_no_other_is_answered_with_those_of_its_section(given: Given) -> None:
    given.toml("[breaker]\nwhatever = 1")

    assert given.problem() == (
        "breaker.whatever is not a known key: take it out; the keys of [breaker] are failures, probe_seconds"
    )


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("CONTACTSYNC_DATABASE_URL", "CONTACTSYNC_DATABASE__URL"),
        ("CONTACTSYNC_SYSTEMS__RECRAS__APIKEY", "CONTACTSYNC_SYSTEMS__RECRAS__API_KEY"),
        ("CONTACTSYNC_SYSTEMS__ROBAWS__PASWORD_FILE", "CONTACTSYNC_SYSTEMS__ROBAWS__PASSWORD_FILE"),
        ("CONTACTSYNC_CONFIGURATION", "CONTACTSYNC_CONFIG"),
    ],
)
def test_an_unknown_variable_is_answered_with_the_likely_one(given: Given, variable: str, meant: str) -> None:
    given.environ[variable] = "x"

    assert given.problem() == f"{variable} is not a known setting: did you mean {meant}?"


@pytest.mark.parametrize(
    "variable",
    [
        "CONTACTSYNC_NONSENSE",
        "CONTACTSYNC_",
        "CONTACTSYNC_RECEIVER__PORT__MORE",
        "CONTACTSYNC_RECEIVER_FILE",
        "CONTACTSYNC_OPS__TOKENS__ATOKENOFOURS",
        "CONTACTSYNC_SYSTEMS__ROBAWS__WRITE_BACK__RECRAS__MORE",
    ],
)
def test_a_variable_that_is_no_setting_is_a_problem_even_when_it_is_empty(given: Given, variable: str) -> None:
    given.environ[variable] = ""

    assert given.problem().startswith(f"{variable} is not a known setting: ")


def test_variables_of_other_programs_are_none_of_our_business(given: Given) -> None:
    given.environ.update({"CONTACTS_URL": "x", "PATH": "x", "MY_CONTACTSYNC_URL": "x"})

    given.load()


def test_every_known_key_is_known_in_the_environment(given: Given) -> None:
    for row in describe():
        given.environ["CONTACTSYNC_" + row.key.replace(".", "__").upper()] = ""

    given.load()


# ---------------------------------------------------------------------------------------------------------- the file
def test_a_named_file_that_is_not_there_is_a_problem(given: Given) -> None:
    given.environ["CONTACTSYNC_CONFIG"] = "nowhere.toml"

    problem = given.problem()

    assert "nowhere.toml cannot be read (No such file or directory)" in problem
    assert "CONTACTSYNC_CONFIG" in problem


def test_a_folder_in_the_place_of_the_file_is_a_problem(given: Given) -> None:
    (given.folder / "contactsync.toml").mkdir()

    assert "cannot be read (Is a directory)" in given.problem()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[receiver]\nport 9090", "line 2, column 6: "),
        ("[receiver]\nhost = 'open", "line 2, column 13: "),
        ("[receiver]\nport = 1\nport = 2", "line 3, column 9: "),
        ("[receiver]\n\nhost =", "line 3, column 7: "),
    ],
)
def test_a_syntax_error_names_line_and_column(given: Given, text: str, place: str) -> None:
    given.toml(text)

    assert f"contactsync.toml, {place}" in given.problem()


def test_a_file_that_is_not_utf_8_is_a_problem(given: Given) -> None:
    given.file("contactsync.toml", '[systems.workspace]\ngroup = "België"'.encode("latin-1"))

    assert "is not UTF-8 (line 2)" in given.problem()


def test_a_file_that_cannot_be_read_does_not_make_everything_missing(given: Given) -> None:
    given.toml("[systems.robaws\n")
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__ENABLED"] = "true"
    given.environ["CONTACTSYNC_RECEIVER__PORT"] = "http"

    problems = given.problems()

    assert ["line 1" in problems[0], "receiver.port" in problems[1], len(problems)] == [True, True, 2]


# ------------------------------------------------------------------------------------------------------ secret files
def test_a_secret_file_that_is_not_there_is_one_problem(given: Given) -> None:
    given.toml(enabled("robaws").replace('password = "made-up"', 'password_file = "nowhere"'))

    problem = given.problem()

    assert problem.startswith("systems.robaws.password cannot be read from ")
    assert "nowhere (No such file or directory): " in problem


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty in "), (b"\n", "is empty in "), (b"\xff\xfe", "(not UTF-8)")],
    ids=["empty", "a line end", "not UTF-8"],
)
def test_a_secret_file_without_a_secret_is_a_problem(given: Given, content: bytes, says: str) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__API_KEY_FILE"] = str(given.file("key", content))

    problem = given.problem()

    assert problem.startswith("systems.recras.api_key (CONTACTSYNC_SYSTEMS__RECRAS__API_KEY_FILE) ")
    assert says in problem


def test_a_key_and_its_file_together_are_a_problem(given: Given) -> None:
    given.file("key", "one")
    given.toml('[systems.recras]\napi_key = "two"\napi_key_file = "key"')

    assert given.problem() == ("systems.recras.api_key is given twice, also as api_key_file: keep one of them")


def test_a_variable_and_its_file_together_are_a_problem(given: Given) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__API_KEY"] = "one"
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__API_KEY_FILE"] = str(given.file("key", "two"))

    assert "is given twice, as CONTACTSYNC_SYSTEMS__RECRAS__API_KEY and " in given.problem()


@pytest.mark.parametrize("value", ["5", "true", '"a\\u0000b"', "['a']"])
def test_the_name_of_a_secret_file_must_be_one(given: Given, value: str) -> None:
    given.toml(f"[systems.recras]\napi_key_file = {value}")

    assert given.problem().startswith("systems.recras.api_key is not the name of a file")


def test_a_secret_file_of_a_user_that_is_not_there_is_a_problem(given: Given) -> None:
    given.toml('[[ops.users]]\nname = "An"\npassword_hash_file = "nowhere"\nrole = "viewer"')

    assert any("ops.users password_hash_file cannot be read from" in problem for problem in given.problems())


# ------------------------------------------------------------------------------------------------------------ values
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("RECEIVER__PORT", "http", 'is "http", not a whole number'),
        ("RECEIVER__PORT", "70000", "too large: set 65535 or less"),
        ("RECEIVER__MAX_BODY_BYTES", "0", "too small: set 1 or more"),
        ("RETRY__JITTER", "1.5", "too large: set 1 or less"),
        ("BREAKER__PROBE_SECONDS", "0", "too small: set more than 0"),
        ("BREAKER__PROBE_SECONDS", "inf", "not a number"),
        ("SCHEDULER__SWEEP_SECONDS", "nan", "not a number"),
        ("RETRY__LADDER_SECONDS", "[]", "is empty: give at least one entry"),
        ("RETRY__LADDER_SECONDS", "5, 30", "is not a JSON list"),
        ("RETRY__LADDER_SECONDS", "[5, 30", "is not valid JSON, line 1, column 7"),
        ("OPS__TOKENS", "a-token-of-ours", "is not a JSON list"),
        ("LOG__FORMAT", "xml", 'none of the choices: write "console" or "json"'),
        ("SYSTEMS__ROBAWS__ENABLED", "perhaps", "neither true nor false"),
        ("SYSTEMS__ROBAWS__PHONE_REGION", "BEL", "write two letters"),
        ("SYSTEMS__ROBAWS__IDEMPOTENCY_HEADERS", '["two words"]', "is not the name of a header"),
        ("DATABASE__URL", "mysql://db.example/hub", "write postgresql://"),
        ("REDIS__URL", "127.0.0.1:6379", "write redis://"),
        ("TELEMETRY__OTLP_ENDPOINT", "collector.example:4318", "write it like https://host.example/path"),
        ("SYSTEMS__ROBAWS__BASE_URL", "https://user:geheim@app.example/api", "holds a user"),
        ("SYSTEMS__ROBAWS__BASE_URL", "https://app.example:port/api", "is not an address"),
    ],
)
def test_a_wrong_value_names_key_and_variable_and_what_would_be_right(
    given: Given, key: str, value: str, says: str
) -> None:
    given.environ[f"CONTACTSYNC_{key}"] = value

    problem = given.problem()

    assert problem.startswith(key.replace("__", ".").lower())
    assert f"CONTACTSYNC_{key}" in problem
    assert says in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[receiver]\nport = true", "receiver.port is true, not a number"),
        ("[receiver]\nport = 80.5", "receiver.port is 80.5, not a whole number"),
        ("[receiver]\nhost = 5.5\nport = [1]", "receiver.port is a list, not a whole number"),
        ("receiver = 'x'", "receiver is not a table: write [receiver]"),
        ("[systems]\nrobaws = true", "systems.robaws is not a table"),
        ("[log]\nlevel = 3", "log.level is 3, which is none of the choices"),
        ("[systems.robaws]\nwebhook_secrets = 'x'", "webhook_secrets is a value of the wrong kind, not a list"),
        ("[systems.robaws]\nwebhook_secrets = ['']", "webhook_secrets, entry 1, is empty"),
        ("[systems.robaws]\nfields = 'x'", 'systems.robaws.fields is "x", not a table'),
        ('[systems.recras]\napi_key = "two\\nlines"', "api_key holds a line break"),
        ("[systems.routix]\nbranches = ['RS2RDH3B', 'RS2']", "branches, entry 2, is not the public id of a branch"),
        ("[sync.filter]\nextra_field = { Soort = [1] }", "sync.filter.extra_field.Soort is neither a text nor"),
        ("[systems.robaws.write_back]\nrobaws = 'x'", "write_back.robaws is not known there"),
        ("[systems.workspace.on_missing]\nname = '-'", "on_missing.name is not known there"),
        ("home = ''", "home is empty: name a folder"),
        (
            f"[[ops.users]]\nname = 'An'\nrole = 'boss'\npassword_hash = '{PASSWORD_HASH}'",
            "ops.users, entry 1, role, is",
        ),
    ],
)
def test_a_wrong_value_in_the_file_is_one_problem(given: Given, text: str, says: str) -> None:
    given.toml(text)

    assert says in given.problem()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ('"adress.city"', "systems.recras.fields.adress.city is not a field of a contact: did you mean address.city?"),
        ("address", "is a group, not a field: name its fields one by one (address.line1, "),
        ('"persons.email"', "The fields are kind, name, "),
    ],
)
def test_an_unknown_field_is_answered_with_the_known_ones(given: Given, path: str, says: str) -> None:
    given.toml(f"[systems.recras.fields]\n{path} = 'fill'")

    assert says.lower() in given.problem().lower()


def test_an_unknown_field_in_the_environment_names_its_variable(given: Given) -> None:
    given.environ["CONTACTSYNC_SYSTEMS__RECRAS__FIELDS__ADDRESS__TOWN"] = "fill"

    assert given.problem().startswith(
        "systems.recras.fields.address.town (CONTACTSYNC_SYSTEMS__RECRAS__FIELDS__ADDRESS__TOWN) is not a field"
    )


# ----------------------------------------------------------------------------------------------------------- secrets
SECRET = "zeer-geheim"
LONG = f"{SECRET}-3f9c1e7ab25d8046f1ce93b7a0d452"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATABASE__URL", f"mysql://hub:{SECRET}@db.example/hub"),
        ("REDIS__URL", f"http://:{SECRET}@db.example"),
        ("OPS__TOKENS", f'{{"{LONG}": "boss"}}'),
        ("OPS__TOKENS", f'{{"{SECRET[:5]}": "viewer"}}'),
        ("OPS__TOKENS", f'["{SECRET}"]'),
        ("OPS__TOKENS", f'[{{"name": "An", "role": "admin", "token": "{SECRET}"}}]'),
        ("OPS__TOKENS", f'[{{"name": "An", "role": "admin", "token": "{LONG} "}}]'),
        ("OPS__TOKENS", f'[{{"name": "An", "role": "admin", "token_hash": "{LONG}"}}]'),
        ("OPS__TOKENS", f'[{{"name": "An", "role": "admin", "token": "{LONG}", "token_hash": "{"0" * 64}"}}]'),
        ("OPS__TOKENS", f'[{{"name": "An", "role": "{LONG}", "token_hash": "{"0" * 64}"}}]'),
        ("OPS__USERS", f'[{{"name": "An", "role": "admin", "password_hash": "{SECRET}"}}]'),
        ("OPS__USERS", f'[{{"name": "An", "role": "admin", "password_hash": ["{SECRET}"]}}]'),
        ("SYSTEMS__ROBAWS__PASSWORD", f"{SECRET}\n{SECRET}"),
        ("SYSTEMS__ROBAWS__WEBHOOK_SECRETS", SECRET),
        ("SYSTEMS__ROBAWS__WEBHOOK_SECRETS", f'["{SECRET}'),
        ("SYSTEMS__ROBAWS__WEBHOOK_SECRETS", f'[["{SECRET}"]]'),
    ],
)
def test_a_problem_never_shows_a_secret(given: Given, key: str, value: str) -> None:
    given.environ[f"CONTACTSYNC_{key}"] = value

    problem = given.problem()

    assert SECRET[:5] not in problem


def test_settings_in_a_log_show_no_secret(given: Given) -> None:
    given.toml(enabled("robaws", "rompslomp", "recras", "workspace", "routix").replace("made-up", SECRET))
    given.environ["CONTACTSYNC_DATABASE__URL"] = f"postgresql://hub:{SECRET}@127.0.0.1/hub"
    given.environ["CONTACTSYNC_REDIS__URL"] = f"redis://:{SECRET}@127.0.0.1"
    given.environ["CONTACTSYNC_OPS__TOKENS"] = f'[{{"name": "An", "role": "admin", "token": "{LONG}"}}]'
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WEBHOOK_SECRETS"] = f'["{SECRET}"]'

    settings = given.load()

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
