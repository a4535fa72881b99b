"""The processes around it: nudges, scheduler, worker, and what may be seen of secrets."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

APP: Final = "worker/app.py"
SWEEP: Final = "worker/flows/sweep.py"
MESSAGES: Final = "tests/e2e/test_messages.py"

MUTATIONS: Final = (
    Mutation(
        "messages are acknowledged before the work",
        "a nudge is acknowledged when its work is done",
        APP,
        "        task_acks_late=True,\n",
        "        task_acks_late=False,\n",
        f"{MESSAGES}::test_a_message_is_acknowledged_after_the_work",
    ),
    Mutation(
        "a message carries more than an id",
        "what is to be done stands in the row, and never in a message",
        APP,
        '        self.send("sync.fetch", [contact_id], INTAKE_QUEUE)\n',
        '        self.send("sync.fetch", [contact_id, "client.updated"], INTAKE_QUEUE)\n',
        f"{MESSAGES}::test_a_nudge_carries_the_id_of_a_row_and_may_be_taken_at_once",
    ),
    Mutation(
        "waits are left to the broker",
        "no wait is a countdown: every wait stands in its row",
        APP,
        "                expires=NUDGE_EXPIRES_SECONDS,\n",
        "                expires=NUDGE_EXPIRES_SECONDS,\n                countdown=60,\n",
        f"{MESSAGES}::test_a_nudge_carries_the_id_of_a_row_and_may_be_taken_at_once",
    ),
    Mutation(
        "nudges need their bindings",
        "queues are published to by name, so that no binding in Redis can be lost",
        APP,
        "                queue=Queue(queue),  # type: ignore[no-untyped-call]\n                declare=[],\n",
        "                queue=queue,\n",
        "tests/e2e/test_nudges.py::test_each_nudge_goes_to_the_queue_of_its_lane_and_binds_nothing",
    ),
    Mutation(
        "the sweep announces no link",
        "a lost nudge costs one sweep",
        SWEEP,
        "                    publisher.deliver(system, link_id)\n",
        '                    runtime.hook(f"{system}.{link_id}")\n',
        "tests/flows/test_sweep.py::test_what_is_due_is_announced_again_until_it_is_done",
    ),
    Mutation(
        "the sweep announces without end",
        "a backlog of a day costs the broker no more than one of a minute",
        SWEEP,
        "            if ids and not publisher.crowded(system):\n",
        "            if ids:\n",
        "tests/flows/test_sweep.py::test_a_lane_that_is_full_of_nudges_is_told_nothing_more",
    ),
    Mutation(
        "two schedulers sweep",
        "of any number of schedulers one leads",
        "worker/processes/schedule.py",
        'text("SELECT pg_try_advisory_lock(:key)")',
        'text("SELECT CAST(:key AS bigint) > 0")',
        "tests/e2e/test_schedulers.py::test_one_of_two_schedulers_sweeps",
    ),
    Mutation(
        "a lead is believed without a look",
        "the lead ends with the leader's connection",
        "worker/processes/schedule.py",
        '            self._connection.execute(text("SELECT 1"))\n',
        "",
        "tests/e2e/test_schedulers.py::test_the_lead_is_free_when_the_leaders_connection_ends",
    ),
    Mutation(
        "a deaf worker lives on",
        "a worker that hears none of its canaries ends itself, and is started again",
        "worker/processes/work.py",
        "                os._exit(DEAF_STATUS)\n",
        "                self.pulse.clear()\n",
        "tests/e2e/test_canary.py::test_a_worker_that_hears_none_of_its_canaries_ends_itself",
    ),
    Mutation(
        "a part starts on any schema",
        "a worker on another schema than its own says which command to run, and does not start",
        "worker/processes/work.py",
        "    migrations.require_current(engine)\n",
        "",
        "tests/migrations/test_refused_starts.py::test_a_part_does_not_start_on_another_schema",
    ),
    Mutation(
        "a lane takes all the threads",
        "a slow vendor never holds the threads of the others",
        "worker/flows/drain.py",
        "            if self.taken >= self.places:\n",
        "            if self.taken >= self.places * 1_000:\n",
        "tests/flows/test_lanes.py::test_a_slow_delivery_holds_its_own_lane_and_no_other",
    ),
    Mutation(
        "a nudge at a full lane is forgotten",
        "a nudge that finds all places taken is looked for by whoever holds one",
        "worker/flows/drain.py",
        "                self.again = True\n",
        "                self.again = False\n",
        "tests/flows/test_drain.py::test_a_nudge_that_finds_all_places_taken_is_looked_for_by_a_holder",
    ),
    Mutation(
        "credentials stand in the log",
        "no answer that is kept shows a credential",
        "worker/core/redaction.py",
        "            body = body.replace(form, REDACTED.encode())\n",
        "            body = body.replace(form, form)\n",
        "tests/vendors/test_transport.py::test_an_answer_that_quotes_the_request_is_kept_without_its_credentials",
    ),
    Mutation(
        "only what is logged of an answer is without credentials",
        "a credential that an answer quotes is replaced before anybody reads it",
        "worker/vendors/transport.py",
        '        object.__setattr__(self, "body", redaction.redact(self.body, replaced))\n',
        "        assert replaced is not None\n",
        "tests/flows/test_bank_data.py::test_a_sentence_that_quotes_a_key_is_stored_without_it",
    ),
    Mutation(
        "an error of the network quotes a credential",
        "an error says no credential, and neither does what it came from",
        "worker/core/redaction.py",
        "        one.args = tuple(_redacted(arg, credentials) for arg in one.args)\n",
        "        one.args = tuple(one.args)\n",
        "tests/vendors/test_transport.py::test_an_error_that_nobody_foresaw_quotes_no_credential",
    ),
    Mutation(
        "a credential follows a redirect",
        "a redirect is not followed",
        "worker/vendors/transport.py",
        "        follow_redirects=False,\n",
        "        follow_redirects=True,\n",
        "tests/conformance/test_refusals.py::test_a_redirect_is_not_followed",
    ),
    Mutation(
        "whoever looks may act",
        "an action wants its role",
        "webhooks/access.py",
        "        return ROLES.index(self.role) >= ROLES.index(role)\n",
        "        return ROLES.index(self.role) >= 0 <= ROLES.index(role)\n",
        "tests/webhooks/test_access.py::test_every_call_wants_its_role_and_a_greater_one_will_do",
    ),
    Mutation(
        "a drill breaks what is no sandbox",
        "drills refuse every place that is not the sandbox",
        "worker/drills/place.py",
        "    if settings.database.url is not None or settings.redis.url is not None:\n",
        "    if settings.database.url is not None and settings.home is None:\n",
        "tests/cli/test_drill.py::test_servers_that_are_not_bundled_are_not_killed",
    ),
)
