"""What people read of a field that differs, and of what a person did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.cli.telling import value_text

if TYPE_CHECKING:
    from worker.store.listing_history import ActionEntry, DifferenceView


def difference(one: DifferenceView) -> tuple[str, str]:
    """What it is, and both values. Only a value that stood in a request is called sent."""
    ours, theirs, because = value_text(one.ours), value_text(one.theirs), one.because
    match one.kind:
        case "not_accepted":
            return "not accepted", f"sent {ours}, they hold {theirs}"
        case "decided":
            return "kept by decision", f"theirs {theirs}, ours {ours}{_decided(one)}"
        case "spelling":
            return "spelled differently", f"left as it is: theirs {theirs}, ours {ours}"
        case "not_emptied":
            return "cannot be emptied there", f"empty in Robaws, they hold {theirs}"
        case "theirs":
            return "theirs kept", f"theirs {theirs}, ours {ours} was not sent ({because.rule})"
    return "differs", f"theirs {theirs}, ours {ours}"


def _decided(one: DifferenceView) -> str:
    from worker.cli.asking import when

    because = one.because
    question = f", question {because.review}" if because.review else ""
    return f" ({because.by}, {when(because.at)}{question})"


def action(entry: ActionEntry) -> str:
    """What a person did: where, to what, what was chosen, and why."""
    parts = [entry.action]
    if entry.review:
        parts.append(f"question {entry.review}")
    if entry.choice:
        record = f" {entry.external_id}" if entry.external_id else ""
        value = f" {value_text(entry.value)}" if entry.value is not None else ""
        about = f"{entry.field or entry.path}: " if entry.field or entry.path else ""
        parts.append(f"{about}{entry.choice}{record}{value}")
    elif entry.external_id:
        parts.append(f"record {entry.external_id}")
    if entry.system:
        parts.append(f"in {entry.system}")
    why = f": {entry.reason}" if entry.reason else ""
    return f"{', '.join(parts)}{why}"
