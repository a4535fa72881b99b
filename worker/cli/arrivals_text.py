"""What arrives at the webhook address, in sentences: for `status` and `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.core.refused import reason

if TYPE_CHECKING:
    from worker.store.arrivals import Arrivals, Refused


def lines(arrivals: Arrivals) -> list[str]:
    """When the last event came; and, where any were, how many requests were refused in the last days, and why."""
    from worker.cli.asking import span

    age = arrivals.last_event_seconds
    said = ["no event has come yet" if age is None else f"last event {span(age)} ago"]
    if arrivals.last_test_seconds is not None:
        said.append(f"self-test passed {span(arrivals.last_test_seconds)} ago")
    told = ["; ".join(said)]
    if arrivals.refused:
        told.append(f"{sum(one.requests for one in arrivals.refused)} refused, {newest(arrivals.refused[0])}")
    return told


def newest(refused: Refused) -> str:
    """The newest of them, with its reason."""
    from worker.cli.asking import span

    return f"the latest {span(refused.last_seconds)} ago ({reason(refused.reason).sentence})"


def refusal(refused: Refused) -> str:
    """All of one reason."""
    from worker.cli.asking import span

    if refused.requests == 1:
        return f"1 request, {span(refused.last_seconds)} ago: {reason(refused.reason).sentence}"
    text = f"{refused.requests} requests in the last {span(refused.since_seconds)}, "
    return text + f"the latest {span(refused.last_seconds)} ago: {reason(refused.reason).sentence}"


def obstacle(arrivals: Arrivals) -> str | None:
    """What keeps events out, with the next step; None where nothing is known to."""
    found = arrivals.obstacle
    if found is None:
        return None
    return f"webhooks are refused, and none got in since ({refusal(found)}): {reason(found.reason).next_step}"
