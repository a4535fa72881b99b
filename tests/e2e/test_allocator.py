"""What a process gives back of the memory that it freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_HELD_AND_FREED = """
import psutil
from worker.processes.allocator import give_back_what_is_freed
assert give_back_what_is_freed()
process = psutil.Process()
# One large block that is freed would raise glibc's own threshold; the small ones after it would then stay.
del [bytearray(8_000_000)][0]
before = process.memory_info().rss
blocks = [bytearray(300_000) for _ in range(200)]
kept = bytearray(300_000)
del blocks
print(process.memory_info().rss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_large_blocks_that_are_freed_go_back_to_the_system_though_a_later_one_is_kept() -> None:
    told = subprocess.run([sys.executable, "-c", _HELD_AND_FREED], capture_output=True, text=True, check=True)

    assert int(told.stdout) < 10_000_000


@pytest.mark.slow
def test_the_worker_and_the_receiver_load_neither_the_mapper_nor_the_templates() -> None:
    code = "import sys, webhooks.server, worker.processes.work; print({'sqlalchemy.orm', 'jinja2'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


@pytest.mark.slow
def test_what_is_loaded_at_the_start_is_not_searched_for_cycles_and_new_cycles_still_go() -> None:
    code = """
import gc, weakref
from worker.processes.allocator import look_for_cycles_rarely
class Ring: pass
look_for_cycles_rarely()
frozen = gc.get_freeze_count()
ring = Ring()
ring.itself = ring
gone = weakref.ref(ring)
del ring
made, held = 0, []
while gone() is not None and made < 100_000:
    held += [[] for _ in range(1_000)]
    made += 1_000
print(frozen > 1_000, gone() is None)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["True", "True"]
