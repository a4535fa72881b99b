"""Every kept input, and every one that crashed once, through its target: `make fuzz` finds them, this holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.servers import fresh_database
from tools.fuzzing.database import prepare
from tools.fuzzing.targets import CORPUS, DATABASE_VARIABLE, NAMES, Target, inputs, ready

MOST_BYTES = 300_000


def failures(run: Target, paths: list[Path]) -> dict[str, str]:
    """The inputs that break a promise, with what was raised."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            run(path.read_bytes())
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            found[path.name] = f"{type(error).__name__}: {error}"
    return found


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    with fresh_database(postgres_url) as url:
        prepare(url)
        yield url


@pytest.mark.parametrize("name", [name for name in NAMES if name != "api"])
def test_no_kept_input_breaks_a_promise(name: str) -> None:
    with ready(name) as run:
        assert failures(run, inputs(name)) == {}


def test_no_kept_request_to_the_api_breaks_a_promise(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, database)

    with ready("api") as run:
        assert failures(run, inputs("api")) == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_target_has_inputs(name: str) -> None:
    assert len(inputs(name)) >= 10


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MOST_BYTES
