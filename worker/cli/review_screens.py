"""How questions look on a terminal and in a pipe: both values, or a client beside the records that it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from worker.cli import asking
from worker.cli.output import console
from worker.cli.tables import folds, shortens
from worker.cli.telling import MOST_NAME, shortened, value_text
from worker.core import contact as canonical
from worker.core.masks import MASK
from worker.core.normalise import NORMALISERS
from worker.core.printable import printable

if TYPE_CHECKING:
    from rich.text import Text

    from worker.store.listing import Page
    from worker.store.listing_reviews import CandidateView, ReviewView

COMMAND: Final = "contactsync reviews"
WIDE: Final = 2_000
_FIELD_COLUMNS: Final = 20
_VALUE_COLUMNS: Final = 20
_MOST_VALUE: Final = 300
_EQUAL, _DIFFERENT, _ONLY_THERE = "= ", "≠ ", "+ "


def client(review: ReviewView, most: int = MOST_NAME) -> str:
    """The client of a question, with its id."""
    number = f" ({review.contact.source_id})"
    return f"{shortened(review.contact.name or 'without a name', max(8, most - len(number)))}{number}"


def about(review: ReviewView) -> str:
    """What the question is about, by its name for people."""
    if review.kind != "field":
        return {"match": "which record", "gone": "record is gone"}.get(review.kind, "the record")
    known = canonical.BY_PATH.get(review.field) or canonical.UNITS.get(review.field)
    return known.label if known else review.field


def show_list(page: Page[ReviewView]) -> None:
    """A page of open questions."""
    rows = [[one.id, client(one), one.system, about(one), _age(one), _in_short(one)] for one in page.items]
    columns = ["review", shortens("client"), "system", "about", "open for", folds("Robaws | there")]
    asking.show_page(page, columns, rows, "nothing waits")


def _age(review: ReviewView) -> str:
    return asking.span(max(0.0, (asking.now() - review.opened_at).total_seconds()))


def _in_short(review: ReviewView) -> str:
    """Both values, or what is asked where there are none."""
    if review.kind != "field" or (review.ours is None and review.theirs is None):
        return review.message
    return f"{_value(review.ours)} | {_value(review.theirs)}"


def _value(value: Any, most: int = 60) -> str:
    if isinstance(value, list):
        return shortened("; ".join(_person(one) for one in value) or "–", most)
    return value_text(value, most)


def _person(one: Any) -> str:
    """A contact person as a question keeps it: its members and whether it is the main one."""
    if not isinstance(one, Mapping):
        return str(one)
    return " ".join(str(value) for name, value in one.items() if name != "main" and value not in (None, ""))


def show(review: ReviewView) -> None:
    """One question with all that is known about it, and the answers that it takes."""
    out = console()
    out.print(printable(f"review {review.id}: {client(review)} in {review.system}"), style="bold", soft_wrap=True)
    out.print(f"about: {printable(about(review))}; open since {asking.when(review.opened_at)}")
    _say(f"{review.message} ({review.why})")
    out.print()
    if review.kind == "field":
        _show_field(review)
    else:
        _show_candidates(review)
    if review.resolved_at is not None:
        why = f": {review.reason}" if review.reason else ""
        out.print()
        _say(f"answered {asking.when(review.resolved_at)}: {review.choice}, by {review.by}{why}")
        if review.rule:
            _say("Every question about this field of that system is answered so from now on.")
        out.print(f"take it back: {COMMAND} undo {review.id}", soft_wrap=True)
        return
    if review.advice:
        out.print()
        _say(f"{review.advice}.")
    _show_answers(review)


def _show_field(review: ReviewView) -> None:
    members = review.detail.get("members")
    agreed = review.agreed if isinstance(review.agreed, Mapping) else {}
    if isinstance(members, Mapping) and members:
        rows: list[list[object]] = [
            [name, *_pair(one.get("ours"), one.get("theirs")), _value(agreed.get(name), _MOST_VALUE)]
            for name, one in members.items()
            if isinstance(one, Mapping)
        ]
    else:
        pair = _pair(review.ours, review.theirs)
        rows = [[about(review), *pair, _value(review.agreed, _MOST_VALUE)]]
    columns = ["field", "Robaws", review.system, "last agreed on"]
    if all(row[-1] == "–" for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    _show_grid(columns, rows)
    if review.detail.get("rule"):
        console().print(f"\nwhy it waits: {printable(str(review.detail['rule']))}")


def _pair(ours: Any, theirs: Any) -> list[object]:
    equal = ours == theirs and MASK not in (ours, theirs)
    return [_cell(_value(ours, _MOST_VALUE), dim=equal), _cell(_value(theirs, _MOST_VALUE), dim=equal)]


def _show_candidates(review: ReviewView) -> None:
    out = console()
    for name in ("cut", "why"):
        if review.detail.get(name):
            _say(str(review.detail[name]))
    if not review.candidates:
        if review.kind == "match":
            out.print("no record to choose from")
        return
    # A file or a pipe has no width: all candidates stand beside one another.
    room = (out.width - _FIELD_COLUMNS) // _VALUE_COLUMNS - 1 if out.is_terminal else len(review.candidates)
    at_once = max(1, room)
    for start in range(0, len(review.candidates), at_once):
        some = review.candidates[start : start + at_once]
        _show_grid(["field", "Robaws", *(f"record {one.external_id}" for one in some)], _compared(review, some))
        out.print()
    out.print(f"{_EQUAL.strip()} the same   {_DIFFERENT.strip()} another value   {_ONLY_THERE.strip()} only there\n")
    for one in review.candidates:
        _show_evidence(one)


def _compared(review: ReviewView, candidates: Sequence[CandidateView]) -> list[list[object]]:
    ours: Mapping[str, Any] = review.ours if isinstance(review.ours, Mapping) else {}
    rows: list[list[object]] = []
    for known in canonical.FIELDS:
        held = [one.fields.get(known.path) for one in candidates]
        mine = ours.get(known.path)
        nowhere = all(value in (None, "") for value in held)
        if nowhere and (mine in (None, "") or known.path.startswith("references.")):
            continue
        cells = [_held(known.path, mine, value) for value in held]
        equal = all(cell.plain.startswith(_EQUAL) for cell in cells)
        label = "kind" if known.path == "kind" else known.label
        rows.append([label, _cell(_value(mine, _MOST_VALUE), dim=equal), *cells])
    return rows


def _held(path: str, mine: Any, value: Any) -> Text:
    """A record's value, marked by how it compares with the client's."""
    if value in (None, ""):
        return _cell("–")
    text = _value(value, _MOST_VALUE)
    if MASK in (mine, value):
        return _cell(text)
    if mine in (None, ""):
        return _cell(f"{_ONLY_THERE}{text}")
    key = NORMALISERS[canonical.BY_PATH[path].normaliser]
    equal = key(mine) == key(value)
    return _cell(f"{_EQUAL if equal else _DIFFERENT}{text}", dim=equal)


def _show_evidence(one: CandidateView) -> None:
    out = console()
    name = f" {one.name}" if one.name else ""
    out.print(printable(f"record {one.external_id}{name}{_holder_text(one.held_by)}"), soft_wrap=True)
    for label, speaks_for in (("for", True), ("against", False)):
        says = [str(row.get("says")) for row in one.evidence if bool(row.get("for")) is speaks_for]
        if says:
            _say(f"{label}: {'; '.join(says)}", indent=2)


def _holder_text(holder: Any) -> str:
    """The client that the record belongs to already, and why it may be taken over all the same."""
    if not isinstance(holder, Mapping):
        return ""
    free = f" ({holder['free']}: link takes the record over)" if holder.get("free") else ""
    return f", belongs to client {holder.get('source_id')}{free}"


def _show_grid(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Values side by side, each folded in its own column, since they are compared along a line."""
    from rich.table import Table
    from rich.text import Text

    made = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(printable(column), overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(printable(str(cell))) for cell in row))
    out = console()
    # A file or a pipe has no width: nothing is folded there, so that a line stays a line.
    if not out.is_terminal:
        out.width = WIDE
    out.print(made)


def _say(text: str, indent: int = 0) -> None:
    """A text for people, folded on a terminal and in one line elsewhere."""
    out, blanks = console(), " " * indent
    line = printable(text)
    folded = wrap(line, out.width - indent) if out.is_terminal else [line]
    for part in folded:
        out.print(blanks + part, soft_wrap=True)


def _cell(text: str, *, dim: bool = False) -> Text:
    from rich.text import Text

    return Text(printable(text), "dim" if dim else "")


def _show_answers(review: ReviewView) -> None:
    """A command for each answer, ready to copy, and what it does."""
    out = console()
    if not review.choices:
        return
    out.print("\nAnswers:", style="bold")
    for word in review.choices:
        for argument in _arguments(review, word):
            out.print(f"  {COMMAND} resolve {review.id} --choose {argument}", soft_wrap=True)
        _say(review.effect.get(word, ""), indent=6)


def _arguments(review: ReviewView, word: str) -> list[str]:
    if word == "value":
        return ["value --value city=…" if review.detail.get("members") else 'value --value "…"']
    if word != "link":
        return [word]
    free = [one.external_id for one in review.candidates if not one.held_by or one.held_by.get("free")]
    return [f"link:{external_id}" for external_id in free] or ["link:ID"]
