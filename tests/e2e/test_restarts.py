"""How long a part of `contactsync up` may rest between two lives."""

from __future__ import annotations

from worker.processes.tree import RESTARTS
from worker.sandbox.sender import RETRY_SECONDS


def test_a_part_that_keeps_dying_is_tried_again_long_before_robaws_gives_up() -> None:
    rests = [RESTARTS.wait(deaths) for deaths in range(1, 50)]

    assert rests == sorted(rests)
    assert max(rests) < sum(RETRY_SECONDS) / 3
