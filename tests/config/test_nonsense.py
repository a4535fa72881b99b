"""Whatever stands in a setting, the answer is either settings or problems with a key and a next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.config.keys import known_keys
from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.config.loading import Given


def strange(given: Given, beginnings: tuple[str, ...]) -> list[str]:
    """The problems that name no key or no next step."""
    try:
        given.load()
    except ConfigurationError as error:
        return [problem for problem in error.problems if not problem.startswith(beginnings) or ": " not in problem]
    return []


@pytest.mark.parametrize("suffix", ["", "_FILE"])
@pytest.mark.parametrize(
    "text",
    ["x", " ", "-1", "1e400", "null", "http://[", "https://a:99999/", "\x00", "\udcff", "[" * 5000],
    ids=["word", "blank", "negative", "huge", "null", "half an address", "port", "NUL", "no UTF-8", "deep"],
)
def test_no_text_in_the_environment_is_a_crash(given: Given, text: str, suffix: str) -> None:
    for path, key in known_keys().items():
        given.environ = {f"{key.variable}{suffix}": text}

        assert strange(given, (path[0], "CONTACTSYNC_")) == []


@pytest.mark.parametrize("text", ["[1]", "[null]", '[{"name": 1}]', "{}", '{"a": {"b": [1]}}', '{"url": null}'])
def test_no_json_in_the_environment_is_a_crash(given: Given, text: str) -> None:
    for path, key in known_keys().items():
        given.environ = {key.variable: text}

        assert strange(given, (path[0],)) == []


@pytest.mark.parametrize("suffix", ["", "_file"])
@pytest.mark.parametrize(
    "value",
    ["-1.5", "nan", "inf", "true", "''", "[[]]", "{ a = { b = [1] } }", "1979-05-27", "[{ a = 1 }]", '"\\u0000"'],
)
def test_no_value_in_the_file_is_a_crash(given: Given, value: str, suffix: str) -> None:
    for path in known_keys():
        given.toml(f"{'.'.join(path)}{suffix} = {value}")

        assert strange(given, (path[0],)) == []
