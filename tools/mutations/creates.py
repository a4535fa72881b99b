"""A create is decided once: the intent, the id, and what became of an unanswered one."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

CREATING: Final = "worker/flows/creating.py"

MUTATIONS: Final = (
    Mutation(
        "the intent is not committed",
        "the intent stands in the row before the request leaves",
        CREATING,
        "    delivery.intend(sent)\n    try:\n        created",
        "    try:\n        created",
        "tests/crash/test_order.py::test_the_intent_of_a_create_is_committed_before_it_leaves",
    ),
    Mutation(
        "the id is bound after further calls",
        "the external id is committed the moment it comes back",
        CREATING,
        "    delivery.bind(external_id, _written(delivery, intent))\n    if record is None or"
        " (delivery.mapping.persons is not None and record.persons is None):\n"
        "        record = _read_back(delivery, external_id)\n",
        "    if record is None or (delivery.mapping.persons is not None and record.persons is None):\n"
        "        record = _read_back(delivery, external_id)\n"
        "    delivery.bind(external_id, _written(delivery, intent))\n",
        "tests/crash/test_order.py::test_the_id_of_a_record_is_committed_before_anything_else_is_sent_or_stored",
    ),
    Mutation(
        "an open create is repeated without a look",
        "what became of an unanswered create is found out before it is sent again",
        CREATING,
        "    found: list[Record] = delivery.client.find_created(delivery.session, intent)\n",
        "    found: list[Record] = []\n",
        "tests/flows/test_unknown.py::test_a_create_whose_answer_is_lost_makes_no_second_record",
    ),
    Mutation(
        "a look counts from when it was answered",
        "what a look does not show was not made before the look began, and no later",
        "worker/flows/creating.py",
        "    waited = looked_at - (intent.sent_at or 0.0)",
        "    waited = delivery.runtime.now().timestamp() - (intent.sent_at or 0.0)",
        "tests/flows/test_leases.py::test_a_look_that_began_too_early_does_not_say_that_a_create_was_not_made",
    ),
    Mutation(
        "no time to settle for a create",
        "an unanswered create may yet be made, so it has its time",
        CREATING,
        "    if waited < settle:",
        "    if waited < 0:",
        "tests/flows/test_leases.py::test_the_time_to_settle_begins_when_a_create_is_given_up",
    ),
    Mutation(
        "an unanswered create is sent again for ever",
        "after so many unanswered creates a person looks",
        CREATING,
        "    if intent.posts >= most:",
        "    if intent.posts >= most * 2:",
        "tests/flows/test_recras_creates.py::test_without_an_email_a_person_looks_after_two_unanswered_creates",
    ),
    Mutation(
        "an unanswered create is simply retried",
        "a create without an answer is an unknown outcome, and not a vendor that is away",
        "worker/vendors/network.py",
        "    if request.writes or request.creates:\n        return OutcomeUnknown(",
        '    if request.method == "TRACE":\n        return OutcomeUnknown(',
        "tests/vendors/test_transport.py::test_a_write_that_may_have_arrived_is_an_unknown_outcome",
    ),
    Mutation(
        "a create that failed is simply retried",
        "a 5xx to a create is an unknown outcome: it may have been made before it failed",
        "worker/vendors/transport.py",
        "        kind = OutcomeUnknown if self.request.creates else VendorUnavailable\n",
        "        kind = VendorUnavailable\n",
        "tests/conformance/test_unanswered.py::"
        "test_a_create_that_was_made_and_not_answered_is_found_and_not_made_twice",
    ),
    Mutation(
        "the key is another one each time",
        "an idempotency key is the same on every repeat of one change",
        "worker/flows/reading.py",
        'return content_hash({"link": self.claim.id, "operation": operation, "content": content})',
        'return content_hash({"link": self.claim.id, "fence": self.claim.fence, "content": content})',
        "tests/flows/test_write_back.py::test_a_write_back_whose_answer_is_lost_is_repeated_under_the_same_key",
    ),
    Mutation(
        "what is gone is made anew",
        "a record that somebody removed there waits for a person, unless the settings say otherwise",
        "worker/flows/updating.py",
        '    if reading.runtime.settings.system(system).on_gone == "recreate":',
        '    if reading.runtime.settings.system(system).on_gone != "never":',
        "tests/flows/test_failures.py::test_a_record_that_is_gone_waits_for_a_person_by_default",
    ),
    Mutation(
        "a record that was made anew is the one in the bin",
        "the record in whose place another is made is never taken for it",
        CREATING,
        "    others = {*delivery.answers.refused, delivery.claim.external_id}\n",
        "    others = {*delivery.answers.refused}\n",
        "tests/flows/test_gone.py::test_the_record_in_the_bin_is_not_taken_for_the_one_made_in_its_place",
    ),
)
