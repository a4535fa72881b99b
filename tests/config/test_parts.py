"""Which part needs which secret: who takes webhooks needs theirs, who calls vendors needs the vendors'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import pytest

from tests.config.loading import ENABLED, enabled
from worker.config import load_settings
from worker.config.checks import Part
from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.config.loading import Given

ON: Final = "\n".join(f"[systems.{name}]\nenabled = true" for name in ENABLED)
ON_WITH_WEBHOOKS: Final = ON.replace("[systems.robaws]", '[systems.robaws]\nwebhook_secrets = ["a-made-up-secret"]')


def missing(given: Given, part: Part) -> set[str]:
    """The keys that a part says are missing; another problem stands whole."""
    try:
        load_settings(given.environ, given.folder, part=part)
    except ConfigurationError as error:
        return {problem.partition(" is missing: ")[0] for problem in error.problems}
    return set()


@pytest.mark.parametrize("part", ["receiver", "scheduler", "command"])
def test_a_part_that_calls_nobody_starts_without_credentials(given: Given, part: Part) -> None:
    given.toml(ON_WITH_WEBHOOKS)

    settings = load_settings(given.environ, given.folder, part=part)

    assert settings.enabled_systems() == tuple(ENABLED)


@pytest.mark.parametrize("part", ["worker", "up"])
def test_a_part_that_calls_vendors_wants_all_their_credentials(given: Given, part: Part) -> None:
    given.toml(ON_WITH_WEBHOOKS)

    wanted = {
        f"systems.{name}.{line.partition(' =')[0]}" for name, text in ENABLED.items() for line in text.split("\n")
    }
    assert missing(given, part) == wanted


@pytest.mark.parametrize("part", get_args(Part))
def test_only_what_takes_webhooks_wants_their_secret(given: Given, part: Part) -> None:
    given.toml(enabled("robaws"))

    assert missing(given, part) == ({"systems.robaws.webhook_secrets"} if part in ("up", "receiver") else set())


@pytest.mark.parametrize("part", get_args(Part))
def test_a_mistake_is_a_mistake_for_every_part(given: Given, part: Part) -> None:
    given.toml(f"{ON_WITH_WEBHOOKS}\nbase_url = 'http://routix.example'")

    with pytest.raises(ConfigurationError) as caught:
        load_settings(given.environ, given.folder, part=part)

    assert any("systems.routix.base_url goes without TLS" in problem for problem in caught.value.problems)
