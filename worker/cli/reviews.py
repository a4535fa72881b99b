"""`contactsync reviews`: what waits for a person's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import taking_part
from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, Masked, command, console, stop
from worker.cli.tables import folds, shortens
from worker.cli.telling import name_in_list
from worker.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.listing_reviews import ReviewView

app = typer.Typer(rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


@app.command("list")
@command
def list_(
    system: Annotated[str | None, typer.Option("--system", help="about this system")] = None,
    limit: Annotated[int, typer.Option("--limit", help="how many at most, 1 to 200")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="where the page before ended")] = None,
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    List the open questions, the oldest first. Ends with 1 when there are any.

    Example: contactsync reviews list --system rompslomp
    """
    from worker.cli import asking
    from worker.store import listing_reviews
    from worker.store.listing import Paging

    with asking.asking() as (_, engine), engine.connect() as connection:
        page = listing_reviews.page(connection, Paging(limit, cursor), system=system)
    page = asking.seen(page, masked=masked)
    if as_json:
        asking.show_document(page)
    else:
        rows = [
            [one.id, _client(one), one.system, _about(one), one.message, asking.ago(one.created_at)]
            for one in page.items
        ]
        columns = ["review", shortens("client"), "system", "about", folds("question"), "asked"]
        asking.show_page(page, columns, rows, "nothing waits")
    return NEEDS_A_PERSON if page.total else DONE


@app.command()
@command
def show(
    review_id: Annotated[str, typer.Argument(metavar="ID", help="as reviews list shows it")],
    masked: Masked = False,
    as_json: Json = False,
) -> int:
    """
    Show one question with all that is known about it, and the answers that it takes.

    Example: contactsync reviews show 12
    """
    from worker.cli import asking
    from worker.store import listing_reviews

    with asking.asking() as (_, engine), engine.connect() as connection:
        found = asking.seen(listing_reviews.one(connection, review_id), masked=masked)
    if as_json:
        asking.show_document(found)
        return DONE
    out = console()
    out.print(f"review {found.id}: {_client(found)} in {found.system}, asked {asking.when(found.created_at)}")
    out.print(f"{printable(found.message)} ({found.reason})\n")
    if found.kind == "field":
        _show_field(found)
    else:
        _show_candidates(found)
    if found.resolved_at is not None:
        out.print(
            f"\nanswered with {printable(f'{found.choice} by {found.resolved_by}')}, {asking.when(found.resolved_at)}"
        )
    elif not found.choices:
        out.print("\nno answer is taken here: put another value in Robaws, or leave the client out")
    else:
        words = " | ".join("link:ID" if word == "link" else word for word in found.choices)
        out.print(f"\nanswer: contactsync reviews resolve {found.id} --choose {words}")
    return DONE


def _show_field(found: ReviewView) -> None:
    from worker.cli.tables import show_table
    from worker.cli.telling import value_text

    detail = found.detail
    rows = [
        ["Robaws", value_text(detail.get("ours"), 200)],
        [found.system, value_text(detail.get("theirs"), 200)],
        ["why it waits", str(detail.get("rule") or found.reason)],
    ]
    show_table([str(detail.get("label") or found.path), folds("")], rows)


def _about(review: ReviewView) -> str:
    """What the question is about, by its name for people."""
    if review.kind == "match":
        return "which record"
    return str(review.detail.get("label") or review.path or "the record")


def _show_candidates(found: ReviewView) -> None:
    from worker.cli.tables import show_table
    from worker.cli.telling import value_text

    candidates = found.detail.get("candidates") or []
    if found.detail.get("cut"):
        console().print(printable(str(found.detail["cut"])))
    if not candidates:
        console().print("no record to choose from" if found.kind == "match" else "")
        return
    rows = [
        [
            str(one.get("external_id")),
            str(one.get("name") or ""),
            _holder_text(one.get("held_by")),
            _evidence_text(one.get("evidence") or ()),
            value_text({name: value for name, value in (one.get("values") or {}).items() if value}, 160),
        ]
        for one in candidates
    ]
    columns = ["record", shortens("name"), "held by", folds("what speaks for it, and against"), folds("what it holds")]
    show_table(columns, rows)


def _holder_text(holder: Any) -> str:
    """The client that the record belongs to already, and why it may be taken over all the same."""
    if not isinstance(holder, dict):
        return "–"
    free = f"; {holder['free']}: link takes the record over" if holder.get("free") else ""
    return f"client {holder.get('source_id')}{free}"


def _evidence_text(evidence: Sequence[Any]) -> str:
    """Questions that an earlier release asked hold plain texts."""
    for_it = [str(one["says"]) if isinstance(one, dict) else str(one) for one in evidence if _speaks_for(one)]
    against = [str(one["says"]) for one in evidence if not _speaks_for(one)]
    text = ", ".join(for_it)
    return f"{text}; but {', '.join(against)}" if against else text


def _speaks_for(one: Any) -> bool:
    return bool(one.get("for")) if isinstance(one, dict) else True


@app.command()
@command
def resolve(
    review_id: Annotated[str, typer.Argument(metavar="ID", help="as reviews list shows it")],
    choose: Annotated[
        str, typer.Option("--choose", help="ours, theirs, link:EXTERNAL_ID, create or exclude, as reviews show lists")
    ],
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the log")] = None,
    as_json: Json = False,
) -> int:
    """
    Answer a question. Robaws's value (ours) or the system's own (theirs); which record it is, or that it is none.

    Example: contactsync reviews resolve 12 --choose theirs --reason "asked the bookkeeper"
    """
    from worker.cli import asking
    from worker.store import operating_reviews
    from worker.vendors.contract import id_shape

    word, colon, external_id = choose.partition(":")
    if (word == "link") != bool(colon and external_id):
        stop(WRONG_USE, "write link:EXTERNAL_ID with the record's id in that system; the other words stand alone")
    with asking.asking() as (settings, engine):
        if word == "link":
            with engine.connect() as connection:
                system = operating_reviews.unseen(connection, review_id, external_id, shape_of=id_shape)
            if system is not None:
                taking_part.look_up(settings, engine, system, external_id)
        with engine.begin() as connection:
            acted = operating_reviews.resolve(
                connection,
                review_id,
                word,
                asking.actor(),
                asking.now(),
                shape_of=id_shape,
                external_id=external_id or None,
                reason=reason,
            )
    asking.show_acted([acted], as_json=as_json)
    return DONE


def _client(review: ReviewView) -> str:
    return f"{name_in_list(review.contact.name)} ({review.contact.source_id})"
