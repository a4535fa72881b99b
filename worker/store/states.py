"""The states of links and kinds of questions, in the order in which they are shown; a test holds them to the tables."""

from __future__ import annotations

from typing import Final

LINK_STATES: Final = ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded")
REVIEW_KINDS: Final = ("match", "field", "proposal", "gone", "unusable", "brake")
