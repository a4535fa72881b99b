"""How much of a text is chance, as far as the text itself shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log2


def estimated_bits(text: str) -> float:
    """
    An upper bound of the entropy in bits: low for repetitions, sequences and few different characters.

    It knows no dictionary, so a long sentence counts as if its letters were random; what is random comes out a little
    below its real entropy.

    >>> round(estimated_bits("3f9c1e7ab25d8046f1ce93b7a0d45268"))
    128
    >>> round(estimated_bits("secret-secret-secret-secret-secret-"))
    16
    >>> round(estimated_bits("0123456789abcdefghijklmnopqrstuv"))
    7
    """
    unit = text[: _period(text)]
    steps = [ord(after) - ord(before) for before, after in pairwise(unit)]
    return len(unit) * min(_bits_of_one(unit), _bits_of_one(steps))


def _bits_of_one(values: Sequence[object]) -> float:
    """Shannon's entropy of one value, from how often each occurs."""
    many = len(values)
    return sum(count / many * log2(many / count) for count in Counter(values).values())


def _period(text: str) -> int:
    """
    The length of the shortest piece that gives the text when it is repeated, the last time perhaps cut off.

    The table is that of Knuth, Morris and Pratt: for each beginning, the longest end of it that it also begins with.
    """
    table = [0] * len(text)
    length = 0
    for place in range(1, len(text)):
        while length and text[place] != text[length]:
            length = table[length - 1]
        length += text[place] == text[length]
        table[place] = length
    return len(text) - (table[-1] if table else 0)
