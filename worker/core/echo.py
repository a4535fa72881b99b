"""
Loop protection: recognise a webhook event that only reports our own write.

Compared is what the record *is*, never when or by whom it was written: "we wrote this recently" fails when a person
changes a value and back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from worker.core import merge_patch


def is_echo(snapshot: Mapping[str, Any], fetched: Mapping[str, Any]) -> bool:
    """
    Tell whether a change we were told about is only our own write coming back.

    `fetched` is the record as it stands now, not the event's payload: a late event may carry a
    value we have since replaced, and believing it would undo the newer one. A null member and an absent one say the
    same here, whichever side has it.

    >>> is_echo(snapshot={"name": "Ada"}, fetched={"name": "Ada"})
    True
    >>> is_echo(snapshot={"newsletter": True}, fetched={"newsletter": 1})
    False
    """
    return merge_patch.equal(merge_patch.without_nulls(snapshot), merge_patch.without_nulls(fetched))


def canonical_json(value: merge_patch.JSON) -> str:
    """
    One text for each JSON value: members sorted by name, no blanks, ASCII only.

    Two values have the same text exactly when `merge_patch.equal` holds: 1.0 is written as 1, True is not. A lone
    surrogate is written as its escape. ValueError for NaN and the infinities, which JSON has not; TypeError for what
    is no JSON value.

    >>> canonical_json({"b": 1.0, "a": [None, "é"]})
    '{"a":[null,"\\\\u00e9"],"b":1}'
    """
    return json.dumps(_one_number(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def content_hash(canonical: merge_patch.JSON) -> str:
    """
    SHA-256 in hex over the canonical JSON: the same for equal values only, on every machine and in every release.

    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1.0})
    True
    >>> content_hash({"a": True}) == content_hash({"a": 1})
    False
    """
    return hashlib.sha256(canonical_json(canonical).encode("ascii")).hexdigest()


def _one_number(value: merge_patch.JSON) -> Any:
    """A copy with each whole float as an int; a name that is not text is refused, since `json` would change it."""
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"a member's name must be text, not {type(name).__name__}")
        return {name: _one_number(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_one_number(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
