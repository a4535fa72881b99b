"""The states of links, in the order in which they are shown; a test holds them to the table's own check."""

from __future__ import annotations

from typing import Final

LINK_STATES: Final = ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded")
