"""The settings of what is exposed: names, the token of the metrics, and credentials that everybody knows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.config.loading import Given, enabled
from worker.config import load_settings, load_with_advice
from worker.config.checks import PUBLIC_TOKENS, Part
from worker.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
TOKENS = ("sandbox-viewer-everybody-knows-this-token", "sandbox-operator-everybody-knows-this-token")
METRICS_TOKEN = "3f9c1e7ab25d8046f1ce93b7a0d45268"
SECRET = "5a9d0b0e-0000-4000-8000-000000000001"


def test_names_are_kept_without_what_does_not_tell_them_apart(given: Given) -> None:
    given.toml('[receiver]\npublic_url = "https://Sync.example/"\nallowed_hosts = ["Receiver", "[::2]", "a.example."]')

    receiver = given.load().receiver

    assert receiver.public_url == "https://Sync.example"
    assert receiver.allowed_hosts == ("receiver", "::2", "a.example")


@pytest.mark.parametrize("name", ["https://sync.example", "sync.example:443", "a b", "*", "", "sync.example/path"])
def test_what_is_no_name_is_refused(given: Given, name: str) -> None:
    given.toml(f'[receiver]\nallowed_hosts = ["{name}"]')

    assert "write names only" in given.problem()


def test_a_short_token_of_the_metrics_is_refused_and_not_shown(given: Given) -> None:
    given.toml('[receiver]\nmetrics_token = "zomer2024"')

    problem = given.problem()

    assert "fewer than 32" in problem
    assert "zomer2024" not in problem


def test_a_token_of_the_metrics_that_repeats_itself_is_refused(given: Given) -> None:
    given.toml(f'[receiver]\nmetrics_token = "{"zomer2024" * 5}"')

    assert "can be guessed" in given.problem()


def test_the_metrics_token_can_come_from_a_file(given: Given) -> None:
    given.file("token", METRICS_TOKEN + "\n")
    given.toml('[receiver]\nmetrics_token_file = "token"')

    token = given.load().receiver.metrics_token

    assert token is not None
    assert token.get_secret_value() == METRICS_TOKEN


def sandboxes() -> str:
    return (ROOT / "deploy/contactsync.sandbox.toml").read_text()


def test_the_credentials_of_the_sandbox_open_a_sandbox(given: Given) -> None:
    given.toml(sandboxes())

    assert given.load().systems.robaws.enabled


@pytest.mark.parametrize("part", ["up", "receiver"])
@pytest.mark.parametrize("system", ["robaws", "rompslomp", "recras", "workspace", "routix"])
def test_with_one_system_that_is_real_they_are_refused(given: Given, system: str, part: Part) -> None:
    url = tomllib.loads(sandboxes())["systems"][system]["base_url"]
    given.toml(sandboxes().replace(url, url.replace("http://sandbox:9000/" + system, f"https://{system}.example")))

    with pytest.raises(ConfigurationError) as caught:
        load_settings(given.environ, given.folder, part=part)
    problems = caught.value.problems

    assert [problem.split(" ", 1)[0] for problem in problems] == ["ops.tokens", "systems.robaws.webhook_secrets"]
    assert all(f"{system} is not simulated" in problem for problem in problems)
    assert not any(secret in problem for problem in problems for secret in (*TOKENS, SECRET))


def test_check_warns_of_them_too(given: Given) -> None:
    given.toml(sandboxes().replace("http://sandbox:9000/recras", "https://acme.recras.example"))

    _, advice = load_with_advice(given.environ, given.folder)

    subjects = [one.subject for one in advice if "recras is not simulated" in one.next_step]
    assert subjects == ["ops.tokens", "systems.robaws.webhook_secrets"]


def test_the_tokens_that_are_refused_are_those_of_the_sandbox() -> None:
    ops = tomllib.loads(sandboxes())["ops"]

    assert {token["token"] for token in ops["tokens"]} == set(PUBLIC_TOKENS) == set(TOKENS)


def test_secrets_of_ones_own_beside_real_systems_are_fine(given: Given) -> None:
    given.toml(enabled("robaws", "recras"))
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WEBHOOK_SECRETS"] = '["one-of-our-own"]'

    assert given.load().enabled_systems() == ("robaws", "recras")


def test_the_secret_of_the_sandbox_beside_real_systems_is_refused(given: Given) -> None:
    given.toml(enabled("robaws", "recras"))
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__WEBHOOK_SECRETS"] = f'["{SECRET}"]'

    with pytest.raises(ConfigurationError, match="robaws and recras are not simulated"):
        load_settings(given.environ, given.folder, part="receiver")
