"""
What all sections of the settings share: the frozen base, and the kinds of value with their checks.

A check's sentence goes straight to the person who wrote the setting. It has two halves: what is wrong, a colon, and
the next step; the key's name is put in front of it by `worker.config.problems`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """One table of the settings. Frozen; a key that is not declared is a problem, not a surprise later."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        coerce_numbers_to_str=True,  # `company_id = 440923104` is as good as the same in quotes
        hide_input_in_errors=True,  # an error that reaches a log must not carry a password along
    )


@dataclass(frozen=True)
class Entries:
    """
    Marks a table whose entries can be set one by one from the environment.

    `dotted`: the entries are canonical paths, given flat (`"address.city"`) or nested, and kept flat. A table without
    this mark is given in the environment as one JSON object, as the case of its keys matters.
    """

    dotted: bool = False


@dataclass(frozen=True)
class OrTable:
    """Marks a list of tables that may be given as one table of another form, which a validator turns into the list."""


def _no_boolean(value: Any) -> Any:
    # Python counts True as 1: `port = true` would be port 1.
    if isinstance(value, bool):
        raise ValueError(f"is {str(value).lower()}, not a number: write a number")  # noqa: TRY004
    return value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty: give it a text, or leave it out")
    return value


_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_COPY: Final = "copy the value again"


def _as_copied(text: str) -> None:
    """
    ValueError for what comes along when somebody copies a secret. A vendor would refuse it, or no HTTP library would
    send it, with an error that names no setting and quotes the secret.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError(f"holds a line break or another control character: {_COPY}, on one line")
    for place, end in (("beginning", text[:1]), ("end", text[-1:])):
        if end.isspace():
            raise ValueError(f"has a blank at its {place}: {_COPY}, without it")
    odd = next((character for character in text if unicodedata.category(character) in _INVISIBLE), None)
    if odd is not None:
        raise ValueError(f"holds an invisible character (U+{ord(odd):04X}): {_COPY}, or type it")


def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        _as_copied(value.get_secret_value())
    return value


def _credential(value: str | None) -> str | None:
    if value is not None:
        _as_copied(value)
    return value


def header_text(value: str) -> str:
    """The value of a header as HTTP can carry it (RFC 9110 section 5.5, without what it calls obsolete)."""
    if not value.isascii():
        raise ValueError(f"holds a character that no header can carry, such as a letter with an accent: {_COPY}")
    return value


def _secret_in_header(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        header_text(value.get_secret_value())
    return value


def _in_header(value: str | None) -> str | None:
    return None if value is None else header_text(value)


def _given(value: SecretStr) -> SecretStr:
    # An empty key still makes a signature, and everybody knows it.
    if not value.get_secret_value().strip():
        raise ValueError("is empty: give the secret, or take the entry out")
    _as_copied(value.get_secret_value())
    return value


def _home(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty: name a folder, or leave it out")
    return value


def http_url(value: str) -> str:
    """The address without blanks around it and without a slash at its end; ValueError says what is wrong with it."""
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        raise ValueError("is not an address: write it like https://host.example/path") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError("is not an address: write it like https://host.example/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("holds a user, a query or a fragment: write only https://host.example/path")
    return value.strip().rstrip("/")


def _optional_http_url(value: str | None) -> str | None:
    return None if value is None else http_url(value)


def _country_code(value: str) -> str:
    code = value.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ValueError('is not a country: write two letters (ISO 3166-1), for example "BE"')
    return code


def _plain(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise ValueError("is neither a text nor a number nor true or false: write one of these")  # noqa: TRY004
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def at_most(limit: float, published: str) -> AfterValidator:
    """Refuses a rate above what a vendor has published; `published` says who allows how much, and where it stands."""

    def check(value: float | None) -> float | None:
        if value is not None and value > limit:
            raise ValueError(f"is {value:g}, but {published}: set {limit:g} or less")
        return value

    return AfterValidator(check)


Role = Literal["viewer", "operator", "admin"]
Owner = Literal["robaws", "system", "fill", "review", "ignore"]

Whole = Annotated[int, BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]
Seconds = Annotated[Number, Field(ge=0)]
PositiveSeconds = Annotated[Number, Field(gt=0)]
Text = Annotated[str, AfterValidator(_not_blank)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]
OptionalSecret = Annotated[SecretStr | None, AfterValidator(_secret), BeforeValidator(_blank_is_none)]
HeaderSecret = Annotated[OptionalSecret, AfterValidator(_secret_in_header)]
"""A secret that stands in a header as it is; one that is encoded first may hold any letter."""
Credential = Annotated[OptionalText, AfterValidator(_credential)]
"""What belongs to a secret, such as its user name: copied from the same page, and shown."""
HeaderCredential = Annotated[Credential, AfterValidator(_in_header)]
Secret = Annotated[SecretStr, AfterValidator(_given)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
OptionalHttpUrl = Annotated[str | None, AfterValidator(_optional_http_url), BeforeValidator(_blank_is_none)]
PlainValue = Annotated[str | bool | int | float, BeforeValidator(_plain)]
CountryCode = Annotated[str, AfterValidator(_country_code)]
Folder = Annotated[Path, BeforeValidator(_home)]
LowerCase = BeforeValidator(_lower)
BlankIsNone = BeforeValidator(_blank_is_none)
