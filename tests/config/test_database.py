"""The addresses of one database: the application's, and those of the users who may do more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.config.loading import Given


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('owner_url = "postgresql://owner@127.0.0.1/hub"', "database.owner_url"),
        ('url = "postgresql://a@127.0.0.1/hub"\nadmin_url = "postgresql://b@127.0.0.1/hub"', "database.admin_url"),
    ],
)
def test_an_address_of_another_user_wants_those_that_it_goes_with(given: Given, text: str, key: str) -> None:
    given.toml(f"[database]\n{text}")

    assert [problem.split(" ", 1)[0] for problem in given.problems()] == [key]
