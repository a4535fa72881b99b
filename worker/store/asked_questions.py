"""A question that is being answered, with the link that it is about, and the answer that was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from worker.core.mapping import FieldRow
from worker.core.questions import AnswerOptions
from worker.store.link_rows import LinkRow

ABOUT_A_CREATE: Final = ("several_made", "outcome_unknown")
"""Reasons of questions that are always about the create that is open."""


@dataclass(frozen=True)
class AskedQuestion:
    """A question, locked after its link, with the link and another one that holds the record that was named."""

    id: int
    kind: str
    path: str
    reason: str
    detail: dict[str, Any]
    link: LinkRow
    holder: LinkRow | None

    def is_about_the_create(self) -> bool:
        """Whether the create that is open is the one that was asked about."""
        intent = self.link.intent or {}
        return self.reason in ABOUT_A_CREATE or self.detail.get("create") == intent.get("key")

    def had_its_time(self, now: datetime) -> bool:
        """Whether what was sent then would have been made by now."""
        return now.timestamp() >= float(self.detail.get("settled_at") or 0.0)

    @property
    def options(self) -> AnswerOptions:
        """Which answers it takes."""
        made = self.link.external_id is not None and bool(self.link.snapshot)
        return AnswerOptions(self.kind, self.path, self.reason, self.detail, self.link.system, made)

    @property
    def candidates(self) -> list[str]:
        """The ids of the records that were shown."""
        return candidates_of(self.detail)


@dataclass(frozen=True)
class GivenAnswer:
    """An answer: the word, and what it wants besides."""

    word: str
    external_id: str | None = None
    value: str | Mapping[str, str] | None = None
    row_of: Callable[[str, str], FieldRow] | None = None
    force: bool = False


def candidates_of(detail: dict[str, Any]) -> list[str]:
    """The ids of the records that a question shows."""
    shown = detail.get("candidates") or ()
    return [str(one["external_id"]) for one in shown if one.get("external_id") is not None]
