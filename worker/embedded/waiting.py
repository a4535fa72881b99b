"""Waiting for something to become so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_LOOK_SECONDS: Final = 0.01


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask until it is so; False when the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
