"""The values of the settings that nobody may see, for what must be sure to show none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from worker.config import servers
from worker.config.keys import known_keys
from worker.config.settings import Settings


def secret_values(settings: Settings) -> tuple[str, ...]:
    """Every secret of these settings, and the passwords inside addresses; each once."""
    found: dict[str, None] = {}
    for key in known_keys().values():
        if key.secret and key.shape != "section":
            found |= dict.fromkeys(_texts(value_at(settings, key.path)))
    for _, url in settings.database.addresses():
        found[str(servers.postgres_parameters(url).get("password") or "")] = None
    if settings.redis.url is not None:
        found[str(servers.redis_options(settings.redis.url).get("password") or "")] = None
    return tuple(text for text in found if text)


def value_at(settings: Settings, path: tuple[str, ...]) -> Any:
    """The value of a key."""
    value: Any = settings
    for part in path:
        value = getattr(value, part)
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            member = getattr(value, name)
            if isinstance(member, SecretStr) or not field.repr:
                yield from _texts(member)
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, tuple | list):
        for member in value:
            yield from _texts(member)
