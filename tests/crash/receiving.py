"""The receiver's boundaries: which of them there are, and what each test does there."""

from __future__ import annotations

from typing import Final

RECEIVING: Final = {
    "receive.events": "test_a_receiver_that_dies_around_its_commit_stores_the_event_once",
    "receive.rejects": "test_a_receiver_that_dies_around_its_quarantine_goes_on",
    "webhooks.nudge:Nudger._publish:intake": "test_a_receiver_that_dies_around_its_nudge_loses_no_event",
}
"""The test of each boundary, in `tests/crash/test_receiver.py`, by the point's name without its side."""
