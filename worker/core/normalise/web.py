"""E-mail addresses and web addresses."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from email_validator import validate_email

from worker.core.normalise.text import choice_key, kept, text_key

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# What people put between two addresses in one field. A slash only behind a domain: it may be part of a local part.
_BETWEEN_ADDRESSES: Final = re.compile(r"[\s;,|]+|(?<=\.[a-z]{2})/|(?<=\.[a-z]{3})/", re.IGNORECASE)
_USUAL_PORT: Final = {"http": re.compile(r"(?::80)+$"), "https": re.compile(r"(?::443)+$")}


@kept
def email_key(value: str | None) -> str:
    """
    An e-mail address for comparison: no case, the domain as people read it (not punycode).

    What is no address stays as it is, trimmed and without case, so that a correction of it is still seen. No domain
    is looked up.

    >>> email_key(" Info@DeLinde.example "), email_key("not an address")
    ('info@delinde.example', 'not an address')
    """
    text = text_key(value)
    if not text:
        return ""
    with suppress(ValueError):  # EmailNotValidError is one, and so is what punycode can raise
        text = validate_email(text, check_deliverability=False).normalized
    return choice_key(text)


def email_keys(value: str | None) -> frozenset[str]:
    """
    The key of each e-mail address in a text: people put two into one field, or a name before one.

    >>> sorted(email_keys("info@delinde.example; Jan <Jan@DeLinde.example>")), email_keys("geen")
    (['info@delinde.example', 'jan@delinde.example'], frozenset())
    """
    words = _BETWEEN_ADDRESSES.split(text_key(value))
    found = (email_key(word.strip("<>()[]\"'").removeprefix("mailto:")) for word in words if "@" in word)
    return frozenset(key for key in found if "@" in key.strip("@"))


def url_absolute(value: str | None) -> str:
    """
    A web address to be written where a scheme is demanded: `https://` is put before an address without one.

    >>> url_absolute("delinde.example"), url_absolute("http://delinde.example/"), url_absolute(" ")
    ('https://delinde.example', 'http://delinde.example/', '')
    """
    text = text_key(value)
    if not text or _SCHEME.match(text):
        return text
    return f"https://{text.lstrip('/')}" if text.strip("/") else text


def url_key(value: str | None) -> str:
    """
    A web address for comparison: scheme and host without case, no usual port, no slash at the end. `www.` counts.

    >>> url_key("HTTPS://www.DeLinde.example/"), url_key("delinde.example:443/Over-Ons/")
    ('https://www.delinde.example', 'https://delinde.example/Over-Ons')
    """
    text = url_absolute(value)
    try:
        scheme, host, path, query, fragment = urlsplit(text)
    except ValueError:  # brackets that are no IPv6 address, and the like
        return text
    login, at, place = host.rpartition("@")
    place = place.replace(" ", "").casefold()
    if scheme in _USUAL_PORT:
        place = _USUAL_PORT[scheme].sub("", place)
    if not place:
        return text
    return text_key(urlunsplit((scheme, f"{login}{at}{place}", path.rstrip("/ "), query, fragment)))
