"""Request bodies of the simulated Workspace: form members in three spellings (Workspace sheets 4 and 11.5, 11.6)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Literal
from urllib.parse import parse_qsl

from worker.vendors.simulation import SimRequest

FormStyle = Literal["flat", "data", "model"]

_SPELLINGS: dict[FormStyle, re.Pattern[str]] = {
    "flat": re.compile(r"([^\[\]]+)"),
    "data": re.compile(r"data\[Contact\]\[([^\[\]]+)\]"),
    "model": re.compile(r"Contact\[([^\[\]]+)\]"),
}


class UnreadableBody(Exception):
    """The body is of a type or in a coding that is not read; the text says which."""


def members_of(request: SimRequest, styles: Collection[FormStyle], *, accept_json: bool) -> dict[str, str]:
    """
    The members that were sent, the last of repeated ones.

    Members in a spelling that is not understood are as if they had not been sent (sheet 11.6).
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json" and accept_json:
        return _of_json(request)
    if content_type != "application/x-www-form-urlencoded":
        raise UnreadableBody(f"content type {content_type or 'missing'}")
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise UnreadableBody("not UTF-8") from None
    members = {}
    for key, value in pairs:
        name = _member(key, styles)
        if name is not None:
            members[name] = value
    return members


def _member(key: str, styles: Collection[FormStyle]) -> str | None:
    for style in styles:
        match = _SPELLINGS[style].fullmatch(key)
        if match:
            return match[1]
    return None


def _of_json(request: SimRequest) -> dict[str, str]:
    try:
        body: Any = request.json()
    except ValueError:
        raise UnreadableBody("not JSON") from None
    for wrapper in ("data", "Contact"):
        if isinstance(body, dict) and isinstance(body.get(wrapper), dict):
            body = body[wrapper]
    if not isinstance(body, dict):
        raise UnreadableBody("not an object")
    return {name: "" if value is None else str(value) for name, value in body.items()}
