"""What the ids of Rompslomp look like."""

from __future__ import annotations

from typing import Final

from worker.core.identity import WHOLE_NUMBER

SHAPE: Final = WHOLE_NUMBER
