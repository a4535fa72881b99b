"""Which keys there are, found by walking the models: for the sources, for "did you mean", and for the documentation."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from worker.config.base import Entries, OrTable
from worker.config.settings import Settings

Path_ = tuple[str, ...]
Shape = Literal["section", "scalar", "list", "table"]
ENV_PREFIX = "CONTACTSYNC_"
CONFIG_VARIABLE = "CONTACTSYNC_CONFIG"


@dataclass(frozen=True)
class Key:
    """
    One key, or one section of keys.

    `entries`: its entries can be set one by one; `items`: a list of such tables, which is one table as well with
    `or_table`.
    """

    path: Path_
    shape: Shape
    field: FieldInfo
    entries: Entries | None
    items: type[BaseModel] | None
    or_table: bool

    @property
    def name(self) -> str:
        """As the file and the messages spell it."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """As the environment spells it."""
        return ENV_PREFIX + "__".join(self.path).upper()

    @property
    def numbers(self) -> bool:
        """Whether its entries are numbers."""
        parts = set(_parts(self.field.annotation))
        return bool(parts & {int, float}) and str not in parts

    @property
    def secret(self) -> bool:
        """Whether its value must not be shown, not even in the message that refuses it."""
        return not self.field.repr or self.items is not None or SecretStr in set(_parts(self.field.annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def bare(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        others = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(others) == 1:
            return bare(others[0])
    return annotation


def _shape(kind: Any) -> Shape:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "section"
    if get_origin(kind) is tuple:
        return "list"
    return "table" if get_origin(kind) is dict else "scalar"


def _walk(model: type[BaseModel], path: Path_) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        kind = bare(field.annotation)
        item = bare(get_args(kind)[0]) if get_origin(kind) is tuple else None
        key = Key(
            path=(*path, name),
            shape=_shape(kind),
            field=field,
            entries=next((mark for mark in field.metadata if isinstance(mark, Entries)), None),
            items=item if isinstance(item, type) and issubclass(item, BaseModel) else None,
            or_table=any(isinstance(mark, OrTable) for mark in field.metadata),
        )
        yield key
        if key.shape == "section":
            yield from _walk(kind, key.path)


@cache
def known_keys() -> Mapping[Path_, Key]:
    """All keys and sections by path, in the order of the models."""
    return {key.path: key for key in _walk(Settings, ())}


def longest_known(path: Iterable[object]) -> Key | None:
    """The key or section that a path lies in, None when its first part is unknown already."""
    found = None
    at: Path_ = ()
    for part in path:
        at = (*at, str(part))
        if at not in known_keys():
            break
        found = known_keys()[at]
    return found


def did_you_mean(name: str) -> str | None:
    """The known key or section that an unknown dotted name most likely means, as the name of a file where it is one."""
    if name.endswith("_file"):
        near = _near(name.removesuffix("_file"))
        return next(
            (f"{near}_file" for key in known_keys().values() if key.name == near and key.shape != "section"), near
        )
    return _near(name)


def _near(name: str) -> str | None:
    names = [key.name for key in known_keys().values() if not name.startswith(f"{key.name}.")]
    tail = name.rpartition(".")[2]
    ends = [known for known in names if known.endswith(f".{name}")] or [
        known for known in names if known.endswith(f".{tail}")
    ]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    if near:
        return near[0]
    if len(ends) == 1:
        return ends[0]
    if "." not in name:
        short = {known.rpartition(".")[2]: known for known in names}
        near = difflib.get_close_matches(name, short, n=1, cutoff=0.75)
        return short[near[0]] if near else None
    # `recras.apikey` is far from `systems.recras.api_key` as a text, and near to it without the section's name.
    short = {".".join(known.split(".")[-2:]): known for known in names}
    near = difflib.get_close_matches(".".join(name.split(".")[-2:]), short, n=1, cutoff=0.75)
    return short[near[0]] if near else None


def keys_in(section: Path_) -> list[str]:
    """The names of the keys and sections right below a section."""
    return [path[-1] for path in known_keys() if path[:-1] == section]


def variable_you_mean(variable: str) -> str | None:
    """The known environment variable that an unknown one most likely means."""
    variables = [CONFIG_VARIABLE, *(key.variable for key in known_keys().values() if key.shape != "section")]
    file = "_FILE" if variable.endswith("_FILE") else ""
    near = difflib.get_close_matches(variable.removesuffix("_FILE"), variables, n=1, cutoff=0.75)
    return f"{near[0]}{file}" if near else None
