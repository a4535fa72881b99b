"""How lines of the retry queue, their causes and bulk actions look: what happened, and below it what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from worker.cli.output import console
from worker.cli.tables import LEAST_TEXT, folds, show_table
from worker.cli.telling import name_in_list
from worker.core.printable import printable

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Protocol

    from worker.core.what_to_do import Advice
    from worker.store.listing_groups import RetryGroup
    from worker.store.listing_retries import Retry, RetryDetail
    from worker.store.operating_bulk import Bulk

    class Waits(Protocol):
        """What is tried again, or waits for its system."""

        @property
        def reason(self) -> str | None: ...

        @property
        def next_attempt_at(self) -> datetime | None: ...

        @property
        def waits_for_system(self) -> bool: ...


UNTIL_A_TIME = ("rate_limited", "daily_quota", "quota_reached")
"""Reasons for which a system is held until a time that is known."""


def next_try(line: Waits, system: str) -> str:
    """When it is tried again: a time, or what it waits for."""
    from worker.cli import asking

    if line.waits_for_system and line.reason == "paused":
        return f"when {system} is resumed"
    if line.waits_for_system and (line.next_attempt_at is None or line.reason not in UNTIL_A_TIME):
        return f"when {system} is back"
    if line.next_attempt_at is None:
        return "–"
    return "now" if line.next_attempt_at <= asking.now() else asking.ago(line.next_attempt_at)


def client(line: Retry) -> str:
    """A client with its id in Robaws."""
    return f"{name_in_list(line.contact.name)} ({line.contact.source_id})"


def tries(count: int) -> str:
    """How often it was tried."""
    return "1 try" if count == 1 else f"{count} tries"


def show_line(line: RetryDetail) -> None:
    """One line: what happened, what to do, and every request."""
    from worker.cli import asking
    from worker.cli.telling import shortened, told
    from worker.core.what_to_do import what_to_do

    out = console()
    out.print(f"{line.id}: {client(line)} in {line.system}", style="bold")
    said = ": ".join(part for part in (line.reason, line.message) if part)
    out.print(printable(f"{line.state}{f', {said}' if said else ''}"))
    for name, text in (line.fields or {}).items():
        out.print(f"  {printable(name)}: {printable(str(text))}")
    if line.since is not None:
        again = f", next {next_try(line, line.system)}" if line.state in ("waiting", "unknown") else ""
        out.print(f"owed since {asking.when(line.since)} ({asking.ago(line.since)}), {tries(line.attempts)}{again}")
    out.print()
    _show_advice(what_to_do(line.reason, line.state))
    _show_commands(_commands_of_line(line))
    rows = [
        [asking.exactly(one.at), told(one, why=True), f"{one.duration_ms} ms", shortened(one.answer or "", 160)]
        for one in line.requests
    ]
    if rows:
        out.print()
        show_table(["when", folds("request"), "took", folds("answer")], rows)


def show_groups(groups: Sequence[RetryGroup]) -> None:
    """The causes: what needs a person first, then the largest."""
    from worker.cli import asking
    from worker.core.what_to_do import what_to_do
    from worker.store.retry_queue import STATES

    out = console()
    for number, one in enumerate(sorted(groups, key=lambda one: (STATES.index(one.state), -one.count))):
        if number:
            out.print()
        states = ", ".join(f"{count} {state}" for state, count in one.states.items() if count)
        out.print(f"{one.system}: {one.reason or one.state}: {states}", style="bold")
        what = " ".join(str(part) for part in (one.operation, one.status, one.field) if part is not None)
        message = ": ".join(part for part in (what, one.message) if part)
        if message:
            out.print(printable(message))
        clients = "1 client" if one.contacts == 1 else f"{one.contacts} clients"
        again = f", next {next_try(one, one.system)}" if one.state in ("waiting", "unknown") else ""
        out.print(f"{clients}, since {asking.ago(one.first_seen)}{again}")
        _show_advice(what_to_do(one.reason, one.state))
        _show_commands(_commands_of_group(one))


def show_bulk(bulk: Bulk) -> None:
    """A bulk action with the result of each item."""
    from worker.cli import asking

    out = console()
    wanted = " ".join(f"--{'why' if name == 'reason' else name} {value}" for name, value in bulk.filter.items())
    out.print(printable(f"bulk action {bulk.id}: {bulk.action} {wanted}"), style="bold")
    out.print(printable(f"{bulk.state}, {bulk.done} of {bulk.total}; by {bulk.actor}, {asking.when(bulk.at)}"))
    if bulk.reason:
        out.print(printable(f"reason: {bulk.reason}"))
    if bulk.results:
        out.print()
        show_table(["id", "result", folds("message")], [[one.id, one.outcome, one.message] for one in bulk.results])


def _show_advice(advice: Advice) -> None:
    out = console()
    for name, sentence in (("by itself:", advice.by_itself), ("you:", advice.you)):
        room = max(LEAST_TEXT, out.width - len("by itself: ")) if out.is_terminal else len(sentence)
        for number, line in enumerate(textwrap.wrap(sentence, room)):
            out.print(f"{'' if number else name:<11}{line}", soft_wrap=True)


def _show_commands(commands: Iterator[str]) -> None:
    """Below one another, never folded, so that they can be copied."""
    for one in commands:
        console().print(f"  {printable(one)}", soft_wrap=True)


def _commands_of_line(line: RetryDetail) -> Iterator[str]:
    if line.state in ("synced", "due", "working"):
        return
    if line.state == "excluded":
        yield f"contactsync contacts sync {line.contact.source_id}"
        return
    for question in line.reviews:
        yield f"contactsync reviews show {question}"
    if line.waits_for_system:
        yield from _commands_of_system(line, line.system)
        return
    if not line.reviews:
        yield f"contactsync retries retry {line.id} --wait"
    yield f'contactsync retries discard {line.id} --reason "…"'


def _commands_of_system(held: Waits, system: str) -> Iterator[str]:
    """For what goes out by itself when its system is back: no client needs a retry, and none is to be left out."""
    yield "contactsync systems list"
    if held.reason not in (*UNTIL_A_TIME, "temp_blocked"):
        yield f"contactsync systems resume {system}"


def _commands_of_group(group: RetryGroup) -> Iterator[str]:
    if group.state == "review":
        yield f"contactsync reviews list --system {group.system}"
        return
    cause = f"--fingerprint {group.fingerprint}"
    yield f"contactsync retries list {cause}"
    if group.waits_for_system:
        yield from _commands_of_system(group, group.system)
        return
    yield f'contactsync retries retry {cause} --reason "…"'
    yield f'contactsync retries discard {cause} --reason "…"'
