"""The end of the demo: every record compared, every event accounted for, and what that means for a company."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.cli import demo_verdict as verdict
from worker.cli.demo_board import equation
from worker.cli.demo_watch import TARGETS
from worker.cli.demo_words import NAMES, times

if TYPE_CHECKING:
    from worker.cli.demo_trouble import Trouble
    from worker.cli.demo_watch import Watch


@dataclass(frozen=True)
class Result:
    """The figures of the run, counted at the simulated vendors and in the product's own summary."""

    clients: int
    records: int
    by_hand: int
    first_seconds: float
    webhooks: int
    delivered: int
    events: Mapping[str, int]
    duplicates: int
    answered: int
    lost_answers: int
    corrected: int
    outages: int
    killed: int
    seconds: float

    @property
    def lost(self) -> int:
        """Events that Robaws has delivered and that did not end as applied or skipped."""
        return self.delivered - self.events["applied"] - self.events["skipped"]

    def lines(self) -> list[tuple[str, str]]:
        """What it means: each figure with what it counts."""
        there = f"{'record was' if self.by_hand == 1 else 'records were'} there: matched by VAT number"
        troubles = (
            times(self.outages, "outage"),
            times(self.lost_answers, "lost answer"),
            times(self.corrected, "refusal"),
            times(self.killed, "crash"),
        )
        return [
            (str(self.records - self.by_hand), f"records that nobody typed, for {times(self.clients, 'client')}"),
            (f"{self.first_seconds:.1f} s", "after it was saved, the first client was in all three systems"),
            (str(self.lost), f"lost: {self.webhooks} webhooks came for {self.delivered} events, each is accounted for"),
            (str(self.duplicates), f"duplicated: {times(self.records, 'record')}, one for each client in each system"),
            (
                str(self.by_hand),
                f"{there}, {times(self.answered, 'question')} answered",
            ),
            (str(self.troubles), f"troubles survived: {', '.join(troubles)}"),
            (f"{self.seconds:.0f} s", "from an empty folder to this line, PostgreSQL and Redis included"),
        ]

    @property
    def troubles(self) -> int:
        """All that went wrong and came right."""
        return self.outages + self.lost_answers + self.corrected + self.killed


def judge(story: Trouble) -> bool:
    """Compare everything with everything, and show it."""
    watch, screen, sandbox = story.watch, story.screen, story.sandbox
    story.chapter("The verdict", "Every record of every system, compared with Robaws; every event accounted for.")
    patience = 3.0 if screen.problems else 20.0
    quiet = watch.until(lambda links: watch.events_are_in() and all(one.state == "synced" for one in links), patience)
    if not quiet:
        story.tell(False, "", "something is still under way")
    _show_clients(story)
    found = [text for client in story.clients for text in verdict.differences(sandbox, client, story.kept.get(client))]
    for text in found:
        story.tell(False, "", text)
    duplicates = verdict.doubles(sandbox)
    events = watch.summary()["events"]
    _show_calls(watch, duplicates)
    balance = events["received"] - events["applied"] - events["skipped"] - events["open"] - events["dead"]
    story.tell(not found, f"{len(story.clients)} clients, each once in each system, alike in all of them")
    story.tell(not any(duplicates.values()), f"duplicates: {sum(duplicates.values())}")
    story.tell(
        balance == 0 and events["received"] == watch.delivered(),
        equation(events),
        f"{equation(events)}; Robaws has delivered {watch.delivered()}",
    )
    if screen.problems:
        screen.table("What is not as it should be", ["problem"], [[text] for text in screen.problems])
        return False
    screen.chapter(story.chapters + 1, "What it means for you", "Counted in this run, at the vendors themselves.")
    for number, text in measured(story, events, sum(duplicates.values())).lines():
        screen.figure(number, text)
    return True


def measured(story: Trouble, events: Mapping[str, int], duplicates: int) -> Result:
    """The figures of the run so far."""
    sandbox = story.sandbox
    seen = [list(sandbox.simulators[name].log) for name in TARGETS]
    return Result(
        clients=len(story.clients),
        records=sum(len(verdict.records(sandbox, name)) for name in TARGETS),
        by_hand=story.by_hand,
        first_seconds=story.first_seconds,
        webhooks=len(sandbox.sender.deliveries),
        delivered=story.watch.delivered(),
        events=events,
        duplicates=duplicates,
        answered=story.answered,
        lost_answers=sum(one.fault == "drop_after" for log in seen for one in log),
        corrected=story.corrected,
        outages=sum(any(one.fault == "html" for one in log) for log in seen),
        killed=story.killed,
        seconds=time.time() - story.screen.started,
    )


def _show_clients(story: Trouble) -> None:
    rows = []
    for client in story.clients:
        links = {name: story.watch.link(client, name) for name in TARGETS}
        name = story.sandbox.world.robaws.client(client)["name"]
        rows.append([client, name, *(_cell(links[system]) for system in TARGETS)])
    columns = ["Robaws", "client", *(NAMES[name] for name in TARGETS)]
    story.screen.table("Clients, and the record of each in every system", columns, rows)


def _cell(link: Any) -> str:
    if link is None:
        return "–"
    return f"{link.external_id or '–'} {'✓' if link.state == 'synced' else link.state}"


def _show_calls(watch: Watch, duplicates: Mapping[str, int]) -> None:
    rows = []
    for system in ("robaws", *TARGETS):
        calls, writes = watch.calls(system), watch.writes(system)
        held = len(verdict.records(watch.sandbox, system)) if system in TARGETS else len(_clients(watch))
        rows.append([NAMES[system], str(held), str(duplicates.get(system, 0)), str(calls - writes), str(writes)])
    watch.screen.table("What it took", ["system", "records", "duplicates", "reads", "writes"], rows)


def _clients(watch: Watch) -> Mapping[str, Any]:
    clients: Mapping[str, Any] = watch.sandbox.world.robaws.state()["clients"]
    return clients
