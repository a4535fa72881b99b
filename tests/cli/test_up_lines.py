"""What `up` says of its page: how to get in."""

from __future__ import annotations

import pytest

from worker.cli.parts import how_to_log_in
from worker.config import Settings

TOKEN = {"name": "An", "role": "viewer", "token": "3f9c1e7ab25d8046f1ce93b7a0d45268"}


@pytest.mark.parametrize(
    ("tokens", "said"),
    [([], "contactsync tokens new NAME"), ([TOKEN], "the password is a token of ops.tokens")],
)
def test_the_way_in_is_told_and_no_token_with_it(tokens: list[dict[str, str]], said: str) -> None:
    line = how_to_log_in(Settings.model_validate({"ops": {"tokens": tokens}}))

    assert said in line
    assert TOKEN["token"] not in line
