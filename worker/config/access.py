"""Who may look and act: the tokens of the API and the logins of the console, and what is too weak to be either."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Annotated, Any, Final, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, model_validator

from worker.config.base import BlankIsNone, OrTable, Role, Section, Text, Whole
from worker.core.entropy import estimated_bits

TOKEN_LENGTH: Final = 32
LEAST_BITS: Final = 80.0
"""Of `estimated_bits`: 32 random hexadecimal digits come out between 90 and 128."""

_OLDER_LENGTH: Final = 8
"""The least that a token had before tokens had names."""
_ROLES: Final = get_args(Role)

NAME_LENGTH: Final = 100
COMMAND_LINE: Final = "command line"
"""How the names of those begin in the log of actions who act by the command: no token and no login is called so."""

HASH_PREFIX: Final = "sha256:"
_MAKE_ONE: Final = "make one with contactsync tokens new NAME --role ROLE"
_HEADER_TEXT: Final = re.compile(r"[!-~]+")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_ARGON2: Final = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]{22,})\$([A-Za-z0-9+/]{22,})"
)
_SCRYPT: Final = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]{22,})\$([A-Za-z0-9+/]{22,})"
)
# The least that OWASP's Password Storage Cheat Sheet lists; more memory needs less of the rest.
_ARGON2_LEAST: Final = ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
_SCRYPT_LEAST: Final = ((17, 1), (16, 2), (15, 3), (14, 5), (13, 10))


def token_digest(token: str) -> bytes:
    """What is compared instead of a token. A token is random, so that a fast hash is as good as a slow one."""
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def token_hash(token: str) -> str:
    """The same as the settings write it."""
    return f"{HASH_PREFIX}{token_digest(token).hex()}"


def _name(value: str) -> str:
    name = value.strip()
    if not name.isprintable() or len(name) > NAME_LENGTH:
        raise ValueError(f"is not a name: write at most {NAME_LENGTH} characters on one line")
    if name.casefold().startswith(COMMAND_LINE):
        raise ValueError(f'begins with "{COMMAND_LINE}", as the actions of the command are logged: take another name')
    return name


def strong(token: str, step: str) -> None:
    """ValueError for what is no bearer token, with the next step; what a person made up is none in most cases."""
    if len(token) < TOKEN_LENGTH:
        raise ValueError(f"has {len(token)} characters, fewer than {TOKEN_LENGTH}: {step}")
    if not _HEADER_TEXT.fullmatch(token):
        raise ValueError(f"holds a blank, or a character that no header can carry: {step}")
    if estimated_bits(token) < LEAST_BITS:
        raise ValueError(f"can be guessed, as it repeats itself or counts up: {step}")


def is_strong(token: str) -> bool:
    """Whether nobody can guess it."""
    try:
        strong(token, "")
    except ValueError:
        return False
    return True


def _token(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        strong(value.get_secret_value(), _MAKE_ONE)
    return value


def _hash(value: str | None) -> str | None:
    if value is None:
        return None
    digits = value.strip().lower().removeprefix(HASH_PREFIX)
    if not _SHA256.fullmatch(digits):
        raise ValueError(f"is not {HASH_PREFIX} and 64 hexadecimal digits: {_MAKE_ONE}, and copy its line")
    return f"{HASH_PREFIX}{digits}"


def _whole_day(value: Any) -> Any:
    """A date counts to its end."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("is not a day: write it like 2027-06-30") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.max, UTC)
    if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdigit()):
        raise ValueError("is a number, not a day: write it like 2027-06-30")
    return value


def _in_utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _named_tokens(value: Any) -> Any:
    """
    The older form `{TOKEN = ROLE}` as the list that it stands for.

    A token is named by its role and its place among those of the role: never by anything made from the token. A weak
    one is still let in, so that an upgrade locks nobody out; `check` warns of it.
    """
    if not isinstance(value, Mapping):
        return value
    places: Counter[str] = Counter()
    entries: list[Any] = []
    for token, role in value.items():
        places[str(role)] += 1
        entry = {"name": f"{role}-{places[str(role)]}"[:NAME_LENGTH], "token": token, "role": role}
        entries.append(TokenSettings.weak_one(entry) if role in _ROLES and _weak(str(token)) else entry)
    return entries


def _weak(token: str) -> bool:
    """Whether releases before tokens had names took it, and this one takes it in the older form only."""
    if len(token) < _OLDER_LENGTH or not _HEADER_TEXT.fullmatch(token):
        return False
    return not is_strong(token)


def _password_hash(value: SecretStr) -> SecretStr:
    given = value.get_secret_value()
    if found := _ARGON2.fullmatch(given):
        memory, rounds, lanes = (int(number) for number in found.groups()[:3])
        strong = lanes >= 1 and any(memory >= least and rounds >= turns for least, turns in _ARGON2_LEAST)
        least = "m=19456,t=2,p=1"
    elif found := _SCRYPT.fullmatch(given):
        cost, block, lanes = (int(number) for number in found.groups()[:3])
        strong = block >= 8 and any(cost >= least and lanes >= turns for least, turns in _SCRYPT_LEAST)
        least = "ln=17,r=8,p=1"
    else:
        raise ValueError(
            "is not the hash of a password: write a line that begins with $argon2id$v=19$ or $scrypt$, "
            "never the password itself"
        )
    if not strong:
        raise ValueError(f"is a hash that is tried too fast: make it with at least {least}")
    return value


class TokenSettings(Section):
    """One bearer token of the API."""

    name: Annotated[Text, AfterValidator(_name)] = Field(description="what the log of actions says")
    role: Role = Field(description="what its holder may do")
    token: Annotated[SecretStr | None, AfterValidator(_token), BlankIsNone] = Field(
        default=None, description="the token itself"
    )
    token_hash: Annotated[str | None, AfterValidator(_hash), BlankIsNone] = Field(
        default=None, repr=False, description="its hash, in its place"
    )
    expires: Annotated[datetime | None, AfterValidator(_in_utc), BeforeValidator(_whole_day), BlankIsNone] = Field(
        default=None, description="its last day, in UTC, or a moment"
    )

    _is_weak: bool = PrivateAttr(default=False)

    @classmethod
    def weak_one(cls, entry: Mapping[str, Any]) -> Self:
        """The older form's token that could be guessed: known by its hash, and by being weak."""
        made = cls(name=entry["name"], role=entry["role"], token_hash=token_hash(entry["token"]))
        made._is_weak = True
        return made

    @property
    def is_weak(self) -> bool:
        """Whether it could be guessed, and is let in only because it was before."""
        return self._is_weak

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.token is None and self.token_hash is None:
            raise ValueError(f"has no token: give token_hash or token; {_MAKE_ONE}")
        if self.token is not None and self.token_hash is not None:
            raise ValueError("has a token and a token_hash: keep one of them, better the hash")
        return self

    @property
    def digest(self) -> bytes:
        """What the digest of a token that is sent is compared with."""
        if self.token_hash is not None:
            return bytes.fromhex(self.token_hash.removeprefix(HASH_PREFIX))
        assert self.token is not None, "one of both is there"  # noqa: S101
        return token_digest(self.token.get_secret_value())

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires < now


class UserSettings(Section):
    """One login of the console."""

    name: Annotated[Text, AfterValidator(_name)] = Field(
        description="what is typed at the login, and what the activity log says"
    )
    password_hash: Annotated[SecretStr, AfterValidator(_password_hash)] = Field(
        description="hash of the password, never the password"
    )
    role: Role = Field(description="what the person may do")


class OpsSettings(Section):
    """Who may look and act."""

    tokens: Annotated[tuple[TokenSettings, ...], BeforeValidator(_named_tokens), OrTable()] = Field(
        default=(),
        description="bearer tokens of the API: `name`, `role`, `token_hash` or `token` (at least "
        f"{TOKEN_LENGTH} random characters), and `expires` if it ends; `contactsync tokens new` makes one",
    )
    users: tuple[UserSettings, ...] = Field(
        default=(),
        description="logins of the console: `name`, `password_hash` (Argon2id or scrypt in PHC form), `role`",
    )
    approval_above: Whole = Field(default=100, ge=0, description="a bulk action on more items than this wants an admin")


def ambiguous(ops: OpsSettings) -> Iterator[tuple[str, str]]:
    """Names and tokens that stand twice, as key of `ops` and sentence: one name is one person or one program."""
    users = Counter(user.name for user in ops.users)
    for name, count in users.items():
        if count > 1:
            yield "users", f"holds {name} {count} times: keep one"
    tokens = Counter(token.name for token in ops.tokens)
    for name, count in tokens.items():
        if count > 1:
            yield "tokens", f"holds the name {name} {count} times: give each token its own"
        if name in users:
            yield "tokens", f"holds the name {name}, which a login of ops.users has too: rename one of them"
    first: dict[bytes, str] = {}
    for token in ops.tokens:
        other = first.setdefault(token.digest, token.name)
        if other != token.name:
            yield "tokens", f"holds the same token as {other} and as {token.name}: keep one of them"
