"""A credential is recognised in every form in which a server may quote it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest

from worker.core.redaction import REDACTED, redact, redact_chain, redact_text, unmistakable

SECRETS = ("sandbox-recras-key", 'p"ä/ss+w<o>rd&=1', "geheim\\woord 2024")

FORMS: dict[str, Callable[[str], str]] = {
    "as it stands": lambda secret: secret,
    "escaped in JSON": lambda secret: json.dumps(secret)[1:-1],
    "escaped in JSON, not in ASCII": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "as PHP writes JSON": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    "in a page": lambda secret: html.escape(secret),
    "in an address": lambda secret: quote(secret, safe=""),
    "in a form": lambda secret: quote_plus(secret),
    "in an address in small letters": lambda secret: re.sub("%..", lambda one: one[0].lower(), quote(secret, safe="")),
    "in Base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in Base64 for addresses": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "in Base64, behind a name": lambda secret: base64.b64encode(b"api:" + secret.encode()).decode(),
    "in Base64, behind another": lambda secret: base64.b64encode(b"Bearer " + secret.encode() + b" x").decode(),
    "in Base64 in an address": lambda secret: quote(base64.b64encode(secret.encode()).decode(), safe=""),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_replaced(form: Callable[[str], str], secret: str) -> None:
    quoted = form(secret)

    told = redact_text(f"your request had <{quoted}>, it is refused", (secret,))
    body = redact(f'{{"message":"{quoted}"}}'.encode(), (secret,))

    assert quoted not in told
    assert quoted.encode() not in body
    assert REDACTED in told
    assert told.endswith(", it is refused")


def test_the_longest_credential_goes_first() -> None:
    assert redact_text("Basic YXBpOnNlY3JldHM=", ("secrets", "YXBpOnNlY3JldHM=")) == f"Basic {REDACTED}"


def test_a_password_that_is_a_word_is_left_in_records() -> None:
    assert unmistakable(("Antwerpen", "Brugge2024", "1834", "an-ordinary-sentence", "12345678")) == (
        "Brugge2024",
        "an-ordinary-sentence",
    )


def test_an_error_and_what_it_came_from_say_nothing_either() -> None:
    inner = ValueError("Illegal header value b'Bearer sandbox-recras-key\\n'")
    middle = OSError(5, "sandbox-recras-key")
    error = httpx.LocalProtocolError("Illegal header value b'Bearer sandbox-recras-key\\n'")
    error.__cause__, inner.__context__ = inner, middle

    redact_chain(error, ("sandbox-recras-key",))

    assert [one for one in (error, inner, middle) if "sandbox" in f"{one} {one!r}"] == []
