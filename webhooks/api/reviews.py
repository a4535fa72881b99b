"""Questions to a person over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from webhooks.api.calls import ABOUT_REASONS, PAGING, Asked, Body, Call, Outcome, Parameter, Parts
from webhooks.api.contacts import MaybeReason
from worker.config import SYSTEM_NAMES
from worker.store import listing_reviews, operating_reviews, undoing
from worker.store.listing import Page
from worker.store.listing_reviews import ReviewFilter, ReviewView
from worker.store.operating import Acted
from worker.store.states import REVIEW_KINDS
from worker.vendors.contract import field_rows, id_shape

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Answer(Body):
    """
    The answer: one of the question's `choices`; `link` wants the `external_id` of the record, and `value` the `value`.

    `version` is the question's as it was shown: 409 if something else is asked by now.
    """

    choose: Literal["ours", "robaws", "theirs", "system", "value", "link", "record", "create", "exclude"]
    external_id: str | None = Field(default=None, max_length=100)
    value: str | dict[str, str] | None = Field(
        default=None, description="for `value`: the value; of an address a value for each part that is another"
    )
    force: bool = Field(default=False, description="link a record that the question does not show")
    version: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(default=None, max_length=1_000, description=ABOUT_REASONS)
    rule: bool = Field(
        default=False, description="answer every question about this field of this system so from now on (ours, theirs)"
    )


def list_reviews(connection: Connection, asked: Asked) -> Page[ReviewView]:
    """Open questions."""
    wanted = ReviewFilter(*(asked.query.get(name) for name in ("system", "field", "kind")))
    return listing_reviews.page(connection, asked.paging, wanted)


def show_review(connection: Connection, asked: Asked) -> ReviewView:
    """One question."""
    return listing_reviews.one(connection, asked.path["review_id"])


def resolve(connection: Connection, asked: Asked) -> Acted:
    """A person's answer."""
    answer = asked.body(Answer)
    return operating_reviews.resolve(
        connection,
        asked.path["review_id"],
        answer.choose,
        asked.actor,
        asked.now,
        shape_of=id_shape,
        row_of=field_rows(asked.parts.settings),
        external_id=answer.external_id,
        value=answer.value,
        reason=answer.reason,
        force=answer.force,
        version=answer.version,
        rule=answer.rule,
        approval_above=asked.parts.settings.ops.approval_above,
    )


def undo(connection: Connection, asked: Asked) -> Acted:
    """The answer taken back."""
    return undoing.undo(connection, asked.path["review_id"], asked.actor, asked.now, asked.body(MaybeReason).reason)


async def find_record(parts: Parts, path: Mapping[str, str], answer: Answer) -> None:
    """A record that is named must be there; one that the question shows was there when it was asked."""
    if operating_reviews.SYNONYMS.get(answer.choose, answer.choose) != "link":
        return
    review_id, named = path["review_id"], answer.external_id
    system = await parts.database.run(
        lambda connection: operating_reviews.unseen(connection, review_id, named, shape_of=id_shape)
    )
    if system is not None:
        await parts.lookup.record(system, str(named))


CALLS = (
    Call(
        "GET",
        "/reviews",
        "viewer",
        "What waits for a person's choice, the oldest first.",
        list_reviews,
        Page[ReviewView],
        parameters=(
            Parameter("system", "about this system", SYSTEM_NAMES),
            Parameter("field", "about this field, by its canonical name (`phone`, `address`) or the vendor's"),
            Parameter("kind", "of this kind", REVIEW_KINDS),
            *PAGING,
        ),
    ),
    Call("GET", "/reviews/{review_id}", "viewer", "One question.", show_review, ReviewView, refusals=(404,)),
    Call(
        "POST",
        "/reviews/{review_id}/resolve",
        "operator",
        "Answer it; what follows is done at the next delivery.",
        resolve,
        Outcome,
        body=Answer,
        refusals=(404, 409),
        before=find_record,
    ),
    Call(
        "POST",
        "/reviews/{review_id}/undo",
        "operator",
        "Take an answer back, with the rule that it made: it is asked again, and what was written stays until then.",
        undo,
        Outcome,
        body=MaybeReason,
        refusals=(404, 409),
    ),
)
