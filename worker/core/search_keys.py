"""
What a person may have typed to find a client, as the keys that the index of clients holds.

The index (`client_search` in the database) holds each client's e-mails, the last eight digits of its phone numbers,
and its VAT and registration numbers, each after a letter that says what it is; the words of names are looked up by
their beginnings, without accents. The last eight digits of a phone number are the same in every way of writing it.
"""

from __future__ import annotations

import re
from typing import Final

LEAST_NUMBER: Final = 7
LEAST_PHONE: Final = 8

_EMAIL: Final = re.compile(r"[^\s\\@]+@[^\s\\@]+")
_PHONE: Final = re.compile(r"[+0-9 ()./-]+")
_NUMBER: Final = re.compile(r"[A-Za-z]{0,3}[ .-]?[0-9A-Za-z .-]+")
_MOST: Final = 100


def search_keys(query: str) -> list[str]:
    """
    The keys that a query may stand for, words of the name aside; none for one that is neither number nor e-mail.

    >>> search_keys("Info@DeLinde.example"), search_keys("De Linde")
    (['e:info@delinde.example'], [])
    >>> search_keys("BE 0776.091.951"), search_keys("0776091951")[:2]
    (['v:BE0776091951', 'v:776091951'], ['v:0776091951', 'v:776091951'])
    >>> search_keys("09/200.00.01")[-1], search_keys("+32 (0)9 200 00 01")[-1]
    ('p:92000001', 'p:92000001')
    """
    query = query.strip()
    if len(query) > _MOST:
        return []
    if _EMAIL.fullmatch(query):
        return [f"e:{query.lower()}"]
    digits = "".join(char for char in query if char.isascii() and char.isdigit())
    keys: list[str] = []
    if len(digits) >= LEAST_NUMBER and _NUMBER.fullmatch(query):
        bare = "".join(char for char in query if char.isascii() and char.isalnum()).upper()
        keys += [f"v:{bare}", f"v:{digits.lstrip('0')}"]
    if len(digits) >= LEAST_PHONE and _PHONE.fullmatch(query):
        keys.append(f"p:{digits[-LEAST_PHONE:]}")
    return list(dict.fromkeys(keys))
