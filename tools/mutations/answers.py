"""What a person decided, and what is not known of a request while it is decided."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

REVIEWS: Final = "worker/store/operating_reviews.py"
FIELDS: Final = "worker/store/answered_fields.py"
LINKS: Final = "worker/store/operating_links.py"
OPEN: Final = "tests/flows/test_answers_and_open_requests.py"
BY_HAND: Final = "tests/flows/test_links_by_hand.py"
UNUSABLE: Final = "tests/flows/test_unusable.py"

MUTATIONS: Final = (
    Mutation(
        "the vendor's match goes before a person's word",
        "a record that a person refused is not linked because the vendor says that it matches",
        "worker/flows/creating.py",
        '    if verdict.action == "link" and verdict.external_id == external_id:\n',
        "    if verdict.external_id in (None, external_id):\n",
        "tests/flows/test_answers.py::test_the_vendors_own_match_does_not_go_before_a_persons_word",
    ),
    Mutation(
        "an old question stays while a create is open",
        "what was asked before a create is withdrawn when the create is decided",
        "worker/flows/delivery.py",
        "        withdrawn = value is not None and self.claim.asked\n",
        "        withdrawn = False\n",
        f"{OPEN}::test_a_question_from_before_a_create_is_withdrawn_when_the_create_is_decided",
    ),
    Mutation(
        "any answer drops an open create",
        "an answer about a record is refused while a create is open that it is not about",
        REVIEWS,
        "    if not asked.is_about_the_create():\n        raise _open_create()\n    if not asked.had_its_time(now):\n"
        "        return link.due(now)",
        "    if not asked.had_its_time(now):\n        return link.due(now)",
        f"{OPEN}::test_an_open_create_stands_whatever_else_is_answered",
    ),
    Mutation(
        "an answer overtakes a change under way",
        "our value is not sent before a change that was not answered can no longer arrive",
        FIELDS,
        '    if link.state == "unknown" or link.intent is not None:\n',
        "    if link.intent is not None:\n",
        f"{OPEN}::test_our_value_waits_for_a_change_that_may_yet_arrive",
    ),
    Mutation(
        "a record is taken from a client that lives",
        "a person cannot give one client's record to another while the first takes part",
        LINKS,
        '    if not (holder.gone or holder.state == "excluded"):\n',
        "    if False:\n",
        f"{BY_HAND}::test_a_record_that_a_living_client_holds_is_a_conflict",
    ),
    Mutation(
        "an unlinked record is matched again",
        "a client that was unlinked and is included again does not take the same record",
        LINKS,
        "    link_rows.save(connection, found, replace(after, answers=after.answers.refuse([record_id])), now)\n",
        "    link_rows.save(connection, found, after, now)\n",
        f"{BY_HAND}::test_an_unlinked_client_that_is_included_does_not_take_the_same_record_again",
    ),
    Mutation(
        "a record in the bin is written on",
        "a linked record that no client should be linked to is not synced until a person chose",
        "worker/flows/updating.py",
        "    warning = answered.unusable(delivery, after) if after is not None else None\n",
        "    warning = None\n",
        f"{UNUSABLE}::test_a_write_that_shows_a_record_in_the_bin_asks",
    ),
    Mutation(
        "our value is written over anything",
        "a person's choice of our value holds for the value that was shown, not for a later edit",
        "worker/flows/updating.py",
        "        moved = answered.not_as_shown(reading, record)\n",
        "",
        f"{UNUSABLE}::test_our_value_is_asked_about_anew_where_another_one_stands_than_was_shown",
    ),
    Mutation(
        "a write-back has one key for ever",
        "an id that comes back after another one is written again, under another key",
        "worker/flows/writing_back.py",
        '{"turn": claim.wanted, "patch": patch}',
        '{"patch": patch}',
        "tests/flows/test_write_back.py::test_an_id_that_comes_back_is_written_again_under_another_key",
    ),
)
