"""
What the C library keeps of memory that was freed, and how often Python looks for cycles; set once in a process.

glibc gives nearly every thread an arena of its own and, once it has seen a large block freed, keeps such blocks for
itself. A worker with sixteen threads reads answers of hundreds of kilobytes in all of them, so it held what all threads
had held at their largest moment: 161 MB after 500 clients, 138 with what is set here.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Final

# The numbers are glibc's own (malloc.h, https://man7.org/linux/man-pages/man3/mallopt.3.html). A threshold that is set
# no longer rises by itself.
_SETTINGS: Final = {-8: 2, -3: 128 * 1024, -1: 128 * 1024}
"""M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD."""

_YOUNG: Final = 20_000
"""So many objects more than went make a search of the young ones; Python's own 700 are a few answers' worth."""


def give_back_what_is_freed() -> bool:
    """Few arenas, and large blocks back to the system at once. False where the C library knows no such settings."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) == 1 for name, value in _SETTINGS.items())


def look_for_cycles_rarely() -> None:
    """
    Once all is loaded: leave out what is there by now, and search less often.

    Searches were a twelfth of a worker's processor time, and each of those that go through everything held a receiver's
    events up for 70 ms. What a change or an event makes goes by itself, without them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
