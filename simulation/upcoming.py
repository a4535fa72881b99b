"""When the next thing can happen, so that the clock jumps there instead of ticking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulation.clock import BEGIN

if TYPE_CHECKING:
    from simulation.processes import Process
    from simulation.story import Story

_DUE: Final = """
    SELECT min(at) FILTER (WHERE at > %(now)s), count(*) FILTER (WHERE at <= %(now)s)::int FROM (
        SELECT next_attempt_at AS at FROM link WHERE state IN ('due', 'working', 'waiting', 'unknown')
        UNION ALL SELECT fetch_next_attempt_at FROM contact WHERE fetch_state IN ('due', 'working', 'waiting')
        UNION ALL SELECT to_timestamp(0) WHERE EXISTS (SELECT FROM inbox_event WHERE state = 'new')
    ) AS moments
"""
_SYSTEMS: Final = """
    SELECT min(at) FROM (
        SELECT unnest(ARRAY[probe_at, throttled_until, creates_paused_until,
            to_timestamp(CAST(learned #>> '{recovery,entered_until}' AS float8))]) AS at FROM system_state
    ) AS moments WHERE at > %(now)s
"""


def next_moment(story: Story) -> float | None:
    """The true time of the next thing that can happen; None where nothing is left."""
    moments = _busy(story)
    now = story.clock.now()
    row = story.database.look(_DUE, {"now": now})[0]
    if row[0] is not None:
        moments.append(story.clock.true_of(row[0]))
    free = _free(story.schedulers)
    if row[1] and free is not None:
        moments.append(max(story.swept_at + story.sweep_wait, free))
        held = story.database.look(_SYSTEMS, {"now": now})[0][0]
        if held is not None:
            moments.append(story.clock.true_of(held))
    if not moments:
        return None
    if row[0] is not None and not row[1] and min(moments) == story.clock.true_of(row[0]):
        story.sweep_wait = 1.0
    return min(moments)


def _free(processes: list[Process]) -> float | None:
    """From when one of them can take a task; None where all are full, and so have tasks that say when they go on."""
    times = [
        max(process.frozen_until, process.starts_at or 0.0)
        for process in processes
        if len(process.tasks) < process.slots
    ]
    return min(times, default=None)


def _busy(story: Story) -> list[float]:
    """What happens outside the rows."""
    moments = [BEGIN + item.at for item in list(story.items)[:1]]
    moments += [moment for moment, _ in story.later]
    moments += [entry[0] for entry in story.network.later]
    moments += [at for at, _, _ in story.webhooks]
    for process in story.processes:
        if process.starts_at is not None:
            moments.append(process.starts_at)
        if process.frozen and process.tasks:
            moments.append(process.frozen_until)
        moments += [max(task.wake_at, process.frozen_until) for task in process.tasks]
    nudge = story.broker.next_at()
    free = _free(story.workers)
    if nudge is not None and free is not None:
        moments.append(max(nudge, free))
    seconds = story.robaws.seconds_until_webhook()
    if seconds is not None:
        moments.append(story.clock.true + seconds)
    if not story.items and not story.healed:
        from simulation.script import LENGTH_SECONDS

        moments.append(BEGIN + LENGTH_SECONDS)
    return moments
