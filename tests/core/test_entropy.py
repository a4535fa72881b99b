"""How much of a text is chance."""

from __future__ import annotations

import random
import string

import pytest

from worker.core.entropy import estimated_bits

HEX = "0123456789abcdef"
BASE64 = f"{string.ascii_letters}{string.digits}-_"


@pytest.mark.parametrize(
    ("alphabet", "length", "least"),
    [(HEX, 32, 85), (HEX, 48, 140), (BASE64, 32, 110), (BASE64, 43, 170), (string.ascii_lowercase, 32, 95)],
)
def test_what_is_random_is_known_as_such(alphabet: str, length: int, least: int) -> None:
    chance = random.Random(length)

    found = [estimated_bits("".join(chance.choices(alphabet, k=length))) for _ in range(2_000)]

    assert min(found) > least


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a" * 40,
        "ab" * 20,
        "zomer2024" * 4,
        "password-password-password-password",
        string.ascii_lowercase + string.digits,
        "0123456789abcdef0123456789abcdef",
        "98765432109876543210987654321098",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    ],
)
def test_repetitions_and_sequences_hold_little_of_it(text: str) -> None:
    assert estimated_bits(text) < 40
