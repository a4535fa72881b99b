"""
Credentials that come back: in an answer, a header or an error, in every form in which a server may quote them.

Proxies and debugging pages show the request that they were sent; a vendor's own refusal may repeat a header. What they
quote would be kept with the attempt, shown in the retry queue and written to the log. So it is replaced at the edge,
before anybody reads it.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

REDACTED: Final = "[removed]"

_SHORTEST_BASE64: Final = 8
"""Of what a credential becomes in Base64, without the characters that depend on its neighbours."""
_UNMISTAKABLE: Final = 16
_UNMISTAKABLE_MIXED: Final = 8
_ESCAPED_BY_SOME: Final = "+/<>&'\"="


def redact(body: bytes, credentials: tuple[str, ...]) -> bytes:
    """A body without these credentials, the longest first."""
    for form in _encoded_forms(credentials):
        if form in body:
            body = body.replace(form, REDACTED.encode())
    return body


def redact_text(text: str, credentials: tuple[str, ...]) -> str:
    """
    A text without these credentials.

    >>> redact_text("sent Basic YXBpOmEgc2VjcmV0, a%20secret", ("YXBpOmEgc2VjcmV0", "a secret"))
    'sent Basic [removed], [removed]'
    """
    for form in _forms(credentials):
        text = text.replace(form, REDACTED)
    return text


def unmistakable(credentials: tuple[str, ...]) -> tuple[str, ...]:
    """
    Those that stand in no record by chance: a password that is a word is also a city or a name, and a client's record
    must not lose it. They are replaced in what was answered well, too.

    >>> unmistakable(("Antwerpen", "s3cret-0f-robaws"))
    ('s3cret-0f-robaws',)
    """
    return tuple(one for one in credentials if len(one) >= _UNMISTAKABLE or _is_mixed(one))


def redact_chain(error: BaseException, credentials: tuple[str, ...]) -> None:
    """
    Rewrite an error's text, and that of the errors it came from, in place: `from` keeps them for the log, and the
    libraries underneath quote a header that they refuse to send.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(_redacted(arg, credentials) for arg in one.args)
        if isinstance(one, OSError) and isinstance(one.strerror, str):
            # Its text is made of this, and not of the arguments.
            one.strerror = redact_text(one.strerror, credentials)
        waiting += [one.__cause__, one.__context__]


def _redacted(value: object, credentials: tuple[str, ...]) -> object:
    if isinstance(value, str):
        return redact_text(value, credentials)
    return redact(value, credentials) if isinstance(value, bytes) else value


def _is_mixed(credential: str) -> bool:
    return (
        len(credential) >= _UNMISTAKABLE_MIXED
        and any(map(str.isdigit, credential))
        and not all(map(str.isdigit, credential))
    )


@lru_cache(maxsize=64)
def _forms(credentials: tuple[str, ...]) -> tuple[str, ...]:
    found = {form for credential in credentials for form in _forms_of(credential)}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


@lru_cache(maxsize=64)
def _encoded_forms(credentials: tuple[str, ...]) -> tuple[bytes, ...]:
    forms = _forms(credentials)
    found = {form.encode("utf-8", "surrogatepass") for form in forms}
    found |= {form.encode("latin-1") for form in forms if not form.isascii() and _is_latin(form)}
    found |= {form.encode("utf-16-le", "surrogatepass") for form in credentials}
    found |= {form.encode("utf-16-be", "surrogatepass") for form in credentials}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _is_latin(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def _forms_of(credential: str) -> Iterator[str]:
    """One credential as it stands, and as servers write it."""
    plain = {credential, *_base64(credential)}
    for text in plain:
        once = {text, *_escaped(text)}
        yield from once
        for form in once:
            # JSON in a text of JSON, and an address in a page.
            yield json.dumps(form)[1:-1]
            yield html.escape(form)
            yield quote(form, safe="")


def _escaped(text: str) -> Iterator[str]:
    for in_ascii in (True, False):
        written = json.dumps(text, ensure_ascii=in_ascii)[1:-1]
        yield written
        yield written.replace("/", "\\/")
    yield "".join(f"\\u{ord(one):04X}" if one in _ESCAPED_BY_SOME else one for one in text)
    yield "".join(f"\\u{ord(one):04x}" if one in _ESCAPED_BY_SOME else one for one in text)
    page = html.escape(text)
    yield page
    yield page.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield repr(text)[1:-1]
    for address in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield address
        yield _lower_percent(address)


def _lower_percent(address: str) -> str:
    first, *rest = address.split("%")
    return "%".join([first, *(f"{part[:2].lower()}{part[2:]}" for part in rest)])


def _base64(credential: str) -> Iterator[str]:
    """
    What it looks like anywhere in a longer text in Base64: at each of three places in a group, without what its
    neighbours share.
    """
    raw = credential.encode("utf-8", "surrogatepass")
    for before, first in ((0, 0), (1, 2), (2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + raw).decode("ascii")
            core = text[first : (before + len(raw)) * 8 // 6]
            if len(core) >= _SHORTEST_BASE64:
                yield core
