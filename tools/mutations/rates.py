"""When a vendor refuses calls for their rate, and when a write is repeated."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

LIMITED: Final = "tests/flows/test_rate_limited.py"
BUDGETS: Final = "tests/store/test_budget.py"

MUTATIONS: Final = (
    Mutation(
        "everybody goes on after a 429",
        "after a 429 one delivery at a time is let in until one succeeds",
        "worker/store/systems.py",
        "AS float8) <= CAST(:at AS float8), true)",
        "AS float8) <= CAST(:at AS float8), true) IS NOT NULL",
        f"{LIMITED}::test_after_a_refusal_one_delivery_at_a_time_is_let_in_until_one_succeeds",
    ),
    Mutation(
        "a killed one keeps the others out for ever",
        "who was let in after a 429 and died keeps the others out for a lease at most",
        "worker/flows/gate.py",
        "        if recovery.entered_until is not None and recovery.entered_until > now:\n",
        "        if recovery.entered_until is not None:\n",
        f"{LIMITED}::test_one_that_entered_and_was_killed_keeps_the_others_out_for_a_lease_only",
    ),
    Mutation(
        "each try begins anew",
        "what a delivery had read when a rate limit put it off is not asked again",
        "worker/flows/deliver.py",
        "    reads = delivery.reads.to_json() if isinstance(error, RateLimited | BudgetExhausted) else None\n",
        "    reads = None\n",
        f"{LIMITED}::test_first_links_get_through_where_their_searches_alone_use_up_what_is_allowed",
    ),
    Mutation(
        "what was read is believed for ever",
        "an answer that is older than two minutes is asked for again",
        "worker/vendors/recent_reads.py",
        "        if kept is None or not 0 <= now - kept.at < VALID_SECONDS:\n",
        "        if kept is None:\n",
        f"{LIMITED}::test_a_record_made_by_hand_is_found_once_the_searches_went_stale",
    ),
    Mutation(
        "what was read before a write is believed after it",
        "after a write nothing that was read before it is used",
        "worker/vendors/transport.py",
        "        elif response.status != TOO_MANY:\n",
        "        elif response.status == TOO_MANY:\n",
        "tests/vendors/test_recent_reads.py::test_a_write_that_was_made_or_may_have_been_ends_what_was_read",
    ),
    Mutation(
        "bank data are kept with what was read",
        "bank data are kept nowhere",
        "worker/vendors/recent_reads.py",
        "            text = orjson.dumps(kept).decode()\n",
        "            text = orjson.dumps(answer).decode()\n",
        "tests/vendors/test_recent_reads.py::test_bank_data_cookies_and_limits_are_not_kept",
    ),
    Mutation(
        "no rate is learned",
        "a vendor that refuses calls is called more slowly",
        "worker/store/budget.py",
        "if learned then interval, burst = 1 / learned, 1 end\n\nif interval > 0 then\n",
        "if interval > 0 then\n",
        f"{BUDGETS}::test_after_a_refusal_calls_go_out_at_half_the_rate_without_a_burst",
    ),
    Mutation(
        "calls that were refused together count each",
        "calls that were on their way together are refused once",
        "worker/store/budget.py",
        "if now - tonumber(ARGV[2]) >= last then\n",
        "if now >= last then\n",
        f"{BUDGETS}::test_calls_that_were_refused_together_count_once",
    ),
    Mutation(
        "the last calls of a second are used up",
        "Robaws is not called for a second when few calls are left of it",
        "worker/vendors/robaws/client.py",
        "        if refusals.nearly_spent(response):\n",
        "        if not response.ok:\n",
        f"{LIMITED}::test_beside_another_integration_robaws_refuses_nothing_and_blocks_nobody",
    ),
    Mutation(
        "a write may leave without a key",
        "every write carries an idempotency key",
        "worker/core/wire.py",
        "        if not 0 < len(own) <= MOST_KEY_CHARACTERS or",
        "        if len(own) > MOST_KEY_CHARACTERS or",
        "tests/vendors/test_transport.py::test_a_write_without_a_key_never_leaves",
    ),
    Mutation(
        "a repeated create says the same in another order",
        "a repeat is the same request byte for byte, under the same key",
        "worker/vendors/contract.py",
        "for name in sorted(value)}",
        "for name in value}",
        "tests/flows/test_keys.py::test_a_create_that_is_repeated_has_the_same_key",
    ),
)
