"""When a vendor is down, slow, full, or refuses: retries, breaker, pauses, budgets."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

OUTCOME: Final = "worker/flows/outcome.py"
GATE: Final = "worker/flows/gate.py"
BUDGET: Final = "worker/store/budget.py"
SYSTEMS: Final = "worker/store/systems.py"
FAILURES: Final = "tests/flows/test_failures.py"
BUDGETS: Final = "tests/store/test_budget.py"

MUTATIONS: Final = (
    Mutation(
        "the ladder has no end",
        "what fails again and again is dead after the last rung, and a person sees it",
        "worker/core/retry.py",
        '    if attempts > len(policy.ladder_seconds) and kind != "outage":\n        return None\n',
        "",
        "tests/core/test_retry.py::test_the_default_ladder_ends_after_seven_waits",
    ),
    Mutation(
        "a trial in which nothing was sent counts as made",
        "a vendor that is held back is called at every trial, also where nothing has to be sent to it",
        "worker/flows/deliver.py",
        '    if way == "probe" and not delivered.called:\n',
        '    if way == "probe" and delivered.result == "none":\n',
        "tests/flows/test_probes.py::test_a_trial_in_which_nothing_has_to_be_sent_is_made_all_the_same",
    ),
    Mutation(
        "a replay of thousands goes before live traffic",
        "what is fetched again in the background waits for what changes now",
        "worker/store/contacts.py",
        "        fetch_priority = CASE WHEN fetch_next_attempt_at IS NULL THEN :priority\n"
        "            ELSE LEAST(fetch_priority, :priority) END,\n",
        "        fetch_priority = LEAST(fetch_priority, :priority),\n",
        "tests/flows/test_replays.py::test_a_background_replay_goes_behind_live_traffic",
    ),
    Mutation(
        "a refusal is tried again and again",
        "data that a vendor refuses is not sent again before it changes",
        OUTCOME,
        '        return "permanent"\n',
        '        return "transient"\n',
        f"{FAILURES}::test_a_refusal_of_the_data_is_dead_with_the_vendors_words_and_revives_when_the_client_changes",
    ),
    Mutation(
        "a doubtful refusal is tried again and again",
        "a 400 of Workspace is tried once more, and then dead",
        "worker/core/retry.py",
        "        return policy.doubtful_wait_seconds if attempts <= policy.doubtful_retries else None\n",
        "        return policy.doubtful_wait_seconds\n",
        "tests/core/test_retry.py::test_what_follows_a_failed_attempt",
    ),
    Mutation(
        "an outage ends in dead letters",
        "a vendor's own trouble makes nothing dead",
        "worker/core/retry.py",
        '    if attempts > len(policy.ladder_seconds) and kind != "outage":\n',
        "    if attempts > len(policy.ladder_seconds):\n",
        "tests/flows/test_poison.py::test_a_500_that_is_the_payloads_fault_costs_a_call_a_day_and_no_other_client",
    ),
    Mutation(
        "what is dead stays dead",
        "a link that gave up is due again when the contact changes",
        "worker/store/requests.py",
        "l.state IN ('working', 'unknown') {apart} THEN l.state ELSE 'due' END,\n",
        "l.state IN ('working', 'unknown', 'dead') {apart} THEN l.state ELSE 'due' END,\n",
        f"{FAILURES}::test_a_refusal_of_the_data_is_dead_with_the_vendors_words_and_revives_when_the_client_changes",
    ),
    Mutation(
        "what a person left out comes back",
        "a link that a person left out stays out until a person asks for it",
        "worker/store/requests.py",
        "    WHERE CASE WHEN l.state = 'excluded'\n",
        "    WHERE CASE WHEN l.state = 'made up'\n",
        f"{FAILURES}::test_a_link_that_a_person_left_out_stays_out_until_a_person_asks_for_it",
    ),
    Mutation(
        "Retry-After is not listened to",
        "a vendor that asks to wait is left alone for as long as it says",
        OUTCOME,
        "THROTTLE_SECONDS if told is None else max(told, 0.05))",
        "THROTTLE_SECONDS)",
        f"{FAILURES}::test_a_429_makes_the_whole_system_wait_as_told_and_costs_no_attempt",
    ),
    Mutation(
        "a 429 is one delivery's matter",
        "when a vendor asks to wait, the whole system waits",
        OUTCOME,
        '        return "throttle", at\n',
        '        return "none", None\n',
        "tests/flows/test_held_back.py::test_a_429_to_one_delivery_makes_the_others_wait_too",
    ),
    Mutation(
        "refused credentials are tried on and on",
        "a 401 pauses the system, until a probe or a person",
        OUTCOME,
        '        return "refuse", None\n',
        '        return "answered", None\n',
        f"{FAILURES}::test_refused_credentials_pause_the_system_with_a_reason",
    ),
    Mutation(
        "the breaker never opens",
        "a vendor that fails again and again is not called on and on",
        SYSTEMS,
        "        breaker = CASE WHEN failures + 1 >= :limit OR breaker <> 'closed' THEN 'open' ELSE 'closed' END,\n",
        "        breaker = CASE WHEN failures + 1 < 0 THEN 'open' ELSE 'closed' END,\n",
        f"{FAILURES}::test_failures_in_a_row_open_the_breaker_and_a_probe_closes_it",
    ),
    Mutation(
        "everybody probes",
        "a vendor that is held back is tried by one caller each time",
        SYSTEMS,
        "        \"AND probe_at <= :now AND (breaker <> 'closed' OR paused_by = 'credentials')\",\n",
        '        "",\n',
        "tests/flows/test_held_back.py::test_one_worker_wins_each_probe",
    ),
    Mutation(
        "one breaker for all vendors",
        "a vendor that is down costs the others nothing",
        GATE,
        "                systems.failed(\n                    connection,",
        "                for name in self.runtime.settings.enabled_systems():\n"
        "                    systems.failed(connection, name, outcome.reason, now, limit=1, probe_seconds=1e6)\n"
        "                systems.failed(\n                    connection,",
        f"{FAILURES}::test_a_vendor_that_is_down_holds_up_nobody_else_and_catches_up",
    ),
    Mutation(
        "a full subscription stops changes too",
        "where no more records can be made, changes go on",
        "worker/store/links.py",
        'which="AND system = :system AND (:creates OR external_id IS NOT NULL)"',
        'which="AND system = :system AND :creates"',
        f"{FAILURES}::test_a_full_subscription_pauses_creates_and_lets_updates_go_on",
    ),
    Mutation(
        "a client that goes to and fro never rests",
        "two automations that correct each other for ever are noticed, and held up",
        "worker/flows/fetch.py",
        "        memory, rest = self._fuse(version, patch, now)\n",
        "        memory, rest = self._fuse(version, patch, now)[0], None\n",
        "tests/flows/test_ping_pong.py::test_a_loop_of_two_hours_costs_a_dozen_writes_a_system",
    ),
    Mutation(
        "a retry goes past the gate",
        "what is paused is not called, however much is retried by hand",
        "worker/flows/deliver.py",
        '    if way == "held":\n',
        '    if link_id is None and way == "held":\n',
        "tests/store/test_operating_gate.py::test_what_many_retries_made_due_waits_for_a_system_that_is_paused",
    ),
    Mutation(
        "calls go round the budget",
        "every request takes a turn in the vendor's budget",
        "worker/vendors/transport.py",
        "        if request.metered:\n",
        '        if request.method == "TRACE":\n',
        "tests/conformance/test_metering.py::test_every_request_takes_a_turn_in_the_budget",
    ),
    Mutation(
        "a turn moves nothing on",
        "no second holds more calls than the burst and the rate",
        BUDGET,
        "  redis.call('SET', KEYS[1], string.format('%.6f', tat + interval), 'PX', keep)\n",
        "  redis.call('SET', KEYS[1], string.format('%.6f', tat), 'PX', keep)\n",
        f"{BUDGETS}::test_turns_come_at_the_rate_however_many_are_asked_for",
    ),
    Mutation(
        "the day's calls are not counted",
        "the day's quota is never exceeded",
        BUDGET,
        "  redis.call('HINCRBY', KEYS[3], 'used', 1)\n",
        "",
        f"{BUDGETS}::test_the_days_quota_counts_what_the_log_of_requests_says_after_redis_was_emptied",
    ),
    Mutation(
        "an emptied Redis has spent nothing",
        "an emptied Redis gives no second burst",
        BUDGET,
        "                lately = min(limits.burst, self.used_within(system, limits.burst / most))\n",
        "                lately = 0\n",
        f"{BUDGETS}::test_an_emptied_redis_gives_no_second_burst",
    ),
    Mutation(
        "without Redis everything may be called",
        "if Redis is away nothing is called, rather than called unmetered",
        BUDGET,
        "            raise BudgetExhausted(\n"
        '                "Redis is away, so no calls are made", wait_seconds=1.0, reason="redis_away"\n'
        "            ) from error\n",
        "            del error\n            return\n",
        f"{BUDGETS}::test_without_redis_nothing_is_called",
    ),
    Mutation(
        "a bulk reading takes everybody's turns",
        "live traffic goes ahead of background calls",
        BUDGET,
        "  if background and (wait > 0 or held(KEYS[4]) > 0) then\n",
        "  if background and wait > patience then\n",
        f"{BUDGETS}::test_background_calls_take_no_turn_that_must_be_waited_for",
    ),
    Mutation(
        "what was stored under a wrong clock is believed",
        "a clock of Redis that was wrong once leaves no trace",
        BUDGET,
        "  if not ends or tonumber(set) > now + 5 then return 0 end\n",
        "  if not ends then return 0 end\n",
        f"{BUDGETS}::test_a_clock_that_ran_ahead_holds_nobody_once_it_is_right",
    ),
)
