"""`contactsync reviews resolve` for many questions at once: counted, confirmed, and one result for each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.cli.output import DONE, NEEDS_A_PERSON, WRONG_USE, console, say, stop
from worker.core.printable import printable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.store.listing_reviews import ReviewFilter, ReviewView


def resolve(
    wanted: ReviewFilter, word: str, reason: str | None, *, yes: bool, expect: int | None, as_json: bool
) -> int:
    """
    Give one answer to all open questions that the filter finds, each in a transaction of its own.

    A question that changed since it was counted, does not take the answer, or is being delivered is `skipped`.
    """
    from worker.cli import asking
    from worker.store import listing_reviews

    if wanted.empty:
        stop(WRONG_USE, "say which: an ID, or --system, --field, --kind; there is no `all`")
    if reason is None or not reason.strip():
        stop(WRONG_USE, "many at once want --reason: it is kept in the log of actions")
    said = " ".join(f"--{name} {value}" for name, value in wanted.to_json().items())
    with asking.asking() as (_, engine):
        with engine.connect() as connection:
            counted = listing_reviews.found(connection, wanted)
        if expect is not None and len(counted) != expect:
            stop(NEEDS_A_PERSON, f"questions found by {said}: {len(counted)}, not {expect}. Nothing was answered")
        say(f"questions found by {said}: {len(counted)}")
        if counted:
            _say_effects(counted, word)
            _confirm(word, len(counted), yes=yes)
        with engine.connect() as connection:
            now = listing_reviews.found(connection, wanted)
        if [one.id for one in now] != [one.id for one in counted]:
            stop(NEEDS_A_PERSON, f"by now {len(now)} are found, not {len(counted)}: look again. Nothing was answered")
        items = [_answer(engine, one, word, reason) for one in counted]
    results = Counter(item["result"] for item in items)
    if as_json:
        done = results["resolved"]
        asking.show_document(
            {"choose": word, "filter": wanted.to_json(), "total": len(items), "done": done, "items": items}
        )
    else:
        for item in items:
            console().print(printable(f"{item['id']}: {item['result']}: {item['message']}"), soft_wrap=True)
        told = ", ".join(f"{results[result]} {result}" for result in sorted(results))
        console().print(told or "nothing to answer")
    return NEEDS_A_PERSON if results["skipped"] else DONE


def _say_effects(counted: Sequence[ReviewView], word: str) -> None:
    """What the answer does to how many of them, and how many do not take it."""
    from worker.store.operating_reviews import SYNONYMS

    effects = Counter(one.effect.get(SYNONYMS.get(word, word), "") for one in counted)
    for sentence, many in effects.most_common():
        say(f"  {many}: {sentence or f'do not take {word!r}, and are skipped'}")


def _confirm(word: str, count: int, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        stop(WRONG_USE, "nobody is there to confirm: add --yes, once the count is what you expect")
    say(f"Type {count} to answer them all with {word}: ", end="")
    if sys.stdin.readline().strip() != str(count):
        stop(WRONG_USE, "not confirmed, nothing was done")


def _answer(engine: Engine, review: ReviewView, word: str, reason: str) -> dict[str, str]:
    from worker.cli import asking
    from worker.store import operating_reviews
    from worker.store.refusals import Conflict, NotFound, Unfit
    from worker.vendors.contract import id_shape

    try:
        with engine.begin() as connection:
            acted = operating_reviews.resolve(
                connection,
                review.id,
                word,
                asking.actor(),
                asking.now(),
                shape_of=id_shape,
                reason=reason,
                version=review.version,
            )
    except (Conflict, NotFound, Unfit) as refusal:
        return {"id": review.id, "result": "skipped", "message": refusal.message}
    return {"id": review.id, "result": "resolved", "message": acted.message}
