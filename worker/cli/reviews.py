"""`contactsync reviews`: what waits for a person's choice."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from worker.cli import taking_part
from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, Masked, command, console, say, stop
from worker.core.printable import printable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.config import Settings
    from worker.store.listing_reviews import ReviewFilter, ReviewView
    from worker.store.operating import Acted

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]
Id = Annotated[str, typer.Argument(metavar="ID", help="as reviews list shows it")]
System = Annotated[str | None, typer.Option("--system", help="about this system")]
Field = Annotated[
    str | None, typer.Option("--field", help="about this field: phone, email, address … or the system's own name")
]
Kind = Annotated[str | None, typer.Option("--kind", help="match, field, gone or unusable")]

ASKED_FIRST: Final = ("link", "create")
"""Answers whose effect there stays; a person at a terminal is asked before they are given."""


@app.command("list")
@command
def list_(
    system: System = None,
    field: Field = None,
    kind: Kind = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List the open questions with both values, the oldest first. Ends with 1 when there are any.

    Example: contactsync reviews list --system rompslomp --field phone
    """
    from worker.cli import asking, review_screens
    from worker.store import listing_reviews
    from worker.store.listing import Paging

    wanted = _filter(system, field, kind)
    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_reviews.page(connection, Paging(limit, cursor), wanted)
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
    else:
        review_screens.show_list(page)
    return NEEDS_A_PERSON if page.total else DONE


@app.command()
@command
def show(review_id: Id, masked: Masked = False, as_json: Json = False) -> int:
    """
    Show one question with all that is known about it, and the answers that it takes with what each of them does.

    Example: contactsync reviews show 12
    """
    from worker.cli import asking, review_screens
    from worker.store import listing_reviews

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(listing_reviews.one(connection, review_id), masked=masked)
    if as_json:
        asking.show_document(found)
    else:
        review_screens.show(found)
    return DONE


@dataclass(frozen=True)
class _Answer:
    """What a person typed as the answer."""

    word: str
    external_id: str | None
    values: list[str]
    reason: str | None
    version: str | None
    force: bool
    yes: bool
    rule: bool


@app.command()
@command
def resolve(
    review_id: Annotated[str | None, typer.Argument(metavar="ID", help="as reviews list shows it")] = None,
    choose: Annotated[
        str, typer.Option("--choose", help="ours, theirs, value, link:EXTERNAL_ID, create or exclude")
    ] = "",
    value: Annotated[
        list[str] | None,
        typer.Option("--value", help="with --choose value: the value; of an address city=Gent, once for each part"),
    ] = None,
    system: System = None,
    field: Field = None,
    kind: Kind = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log; wanted for many")] = None,
    rule: Annotated[
        bool, typer.Option("--rule", help="answer every question about this field of this system so, from now on")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="link a record that the question does not show")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    version: Annotated[
        str | None, typer.Option("--version", help="refuse if the question has changed since: version in its --json")
    ] = None,
    expect: Annotated[int | None, typer.Option("--expect", help="refuse unless so many questions are found")] = None,
    as_json: Json = False,
) -> int:
    """
    Answer a question: Robaws's value (ours) or the system's own (theirs); which record it is, or that it is none.
    What the answer does is said before it is given.

    Many questions are answered in one way by --system, --field and --kind in place of the ID: they are counted first,
    and want --reason and --yes, or the count typed in.

    Example: contactsync reviews resolve 12 --choose theirs --reason "asked the bookkeeper"
    """
    from worker.cli import answering_many, asking

    answer = _typed(choose, value or [], reason, version, force=force, yes=yes, rule=rule)
    wanted = _filter(system, field, kind)
    if review_id is not None and not wanted.empty:
        stop(WRONG_USE, "name one question by its ID or many by a filter, not both")
    if review_id is None:
        if answer.external_id is not None:
            stop(WRONG_USE, "a record is linked to one client: answer these questions one by one")
        if rule:
            stop(WRONG_USE, "a rule is made with the answer to one question: name it by its ID")
        if answer.values:
            stop(WRONG_USE, "a value is one client's: answer these questions one by one")
        return answering_many.resolve(wanted, answer.word, reason, yes=yes, expect=expect, as_json=as_json)
    with asking.asking() as (settings, engine):
        acted = _resolve(settings, engine, review_id, answer)
    asking.show_acted([acted], as_json=as_json)
    return DONE


def _typed(
    choose: str, values: list[str], reason: str | None, version: str | None, *, force: bool, yes: bool, rule: bool
) -> _Answer:
    word, colon, external_id = choose.partition(":")
    if not word:
        stop(WRONG_USE, "say which answer, with --choose: reviews show lists the ones that a question takes")
    if (word == "link") != bool(colon and external_id):
        stop(WRONG_USE, "write link:EXTERNAL_ID with the record's id in that system; the other words stand alone")
    if (word == "value") != bool(values):
        stop(WRONG_USE, "a value goes with --choose value, and --choose value with --value TEXT")
    return _Answer(word, external_id or None, values, reason, version, force, yes, rule)


def _resolve(settings: Settings, engine: Engine, review_id: str, answer: _Answer) -> Acted:
    from worker.cli import asking
    from worker.store import listing_reviews, operating_reviews
    from worker.vendors.contract import field_rows, id_shape

    with engine.connect() as connection:
        shown = listing_reviews.one(connection, review_id)
    record = _record(settings, engine, shown, answer.external_id) if answer.word == "link" else None
    _say_effect(shown, answer, record)
    with engine.begin() as connection:
        return operating_reviews.resolve(
            connection,
            review_id,
            answer.word,
            asking.actor(),
            asking.now(),
            shape_of=id_shape,
            row_of=field_rows(settings),
            external_id=answer.external_id,
            value=_values(shown, answer.values),
            reason=answer.reason,
            force=answer.force,
            version=answer.version or shown.version,
            rule=answer.rule,
        )


def _values(shown: ReviewView, given: list[str]) -> str | dict[str, str] | None:
    """One value, or `name=value` for each part of an address."""
    if not given:
        return None
    if not shown.detail.get("members"):
        if len(given) > 1:
            stop(WRONG_USE, "this question is about one field: give --value once")
        return given[0]
    parts = [one.partition("=") for one in given]
    if not all(is_ for _, is_, _ in parts):
        stop(WRONG_USE, "this question is about several fields: write --value city=Gent, once for each part")
    return {name.strip(): value for name, _, value in parts}


def _record(settings: Settings, engine: Engine, shown: ReviewView, external_id: str | None) -> str:
    """The record that is named, by its id and name; one that the question does not show is read there first."""
    from worker.store import operating_reviews
    from worker.vendors.contract import id_shape

    known = {one.external_id: one.name for one in shown.candidates}
    if external_id in known:
        return f"record {external_id} {known[external_id] or ''}".strip()
    with engine.connect() as connection:
        system = operating_reviews.unseen(connection, shown.id, external_id, shape_of=id_shape)
    if system is None:
        return f"record {external_id}"
    found = taking_part.look_up(settings, engine, system, str(external_id))
    return f"record {external_id} {found.name or ''}".strip()


def _say_effect(shown: ReviewView, answer: _Answer, record: str | None) -> None:
    """What the answer does, before it is given; an answer that the question does not take has none."""
    from worker.cli import review_screens
    from worker.store.operating_reviews import SYNONYMS

    word = SYNONYMS.get(answer.word, answer.word)
    effect = shown.effect.get(word)
    if effect is None:
        return
    say(f"review {shown.id}: {review_screens.client(shown)} in {shown.system}, {review_screens.about(shown)}")
    if shown.kind == "field" and (shown.ours or shown.theirs):
        say(f"  Robaws: {_value(shown.ours)} | there: {_value(shown.theirs)}")
    named = record or ", ".join(answer.values)
    say(f"  {word}{f' ({printable(named)})' if named else ''}: {effect}")
    if word in ASKED_FIRST and not answer.yes and sys.stdin.isatty():
        say("  what that writes there stays, even if the answer is taken back. Go on? Type yes: ", end="")
        if sys.stdin.readline().strip().lower() != "yes":
            stop(WRONG_USE, "not confirmed, nothing was done")


def _value(value: Any) -> str:
    from worker.cli.telling import value_text

    return printable(value_text(value, 60))


@app.command()
@command
def rules(masked: Masked = False, as_json: Json = False) -> int:
    """
    List the answers that hold from now on (resolve --rule). One ends with the undo of the answer that made it.

    Example: contactsync reviews rules
    """
    from worker.cli import asking
    from worker.cli.tables import folds, show_table
    from worker.store import answer_rules

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(answer_rules.active(connection), masked=masked)
    if as_json:
        asking.show_document({"items": found, "total": len(found), "next": None})
    elif not found:
        console().print("no rules")
    else:
        rows = [
            [one.review, one.system, one.field, one.choice, one.by, asking.when(one.since), one.reason or ""]
            for one in found
        ]
        show_table(["review", "system", "field", "answer", "by", "since", folds("reason")], rows)
        console().print("\nend one: contactsync reviews undo REVIEW", soft_wrap=True)
    return DONE


@app.command()
@command
def undo(
    review_id: Id,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log")] = None,
    as_json: Json = False,
) -> int:
    """
    Take an answer back, with the rule that it made: the question is open again. What was written in the system stays
    there until it is answered anew.

    Example: contactsync reviews undo 12 --reason "that was another client"
    """
    from worker.cli import asking
    from worker.store import undoing

    with asking.asking() as (_, engine), engine.begin() as connection:
        acted = undoing.undo(connection, review_id, asking.actor(), asking.now(), reason)
    asking.show_acted([acted], as_json=as_json)
    return DONE


def _filter(system: str | None, field: str | None, kind: str | None) -> ReviewFilter:
    from worker.store.listing_reviews import ReviewFilter

    # A blank option is none: it must not stand for everything.
    return ReviewFilter(*((given or "").strip() or None for given in (system, field, kind)))
