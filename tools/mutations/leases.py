"""One worker at a time: claims, fences, and what a worker that died left behind."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

MEANWHILE: Final = "tests/flows/test_requested_meanwhile.py"
LINKS: Final = "worker/store/links.py"

MUTATIONS: Final = (
    Mutation(
        "a claim does not take the row out of the others' sight",
        "one worker holds a link",
        LINKS,
        "            next_attempt_at = :until\n        FROM next",
        "            next_attempt_at = l.next_attempt_at\n        FROM next",
        "tests/store/test_claims.py::test_a_link_has_one_holder",
    ),
    Mutation(
        "the fence is not looked at",
        "every write after a claim is guarded by the fencing token",
        LINKS,
        "_HELD = \"id = :id AND fence = :fence AND state = 'working'\"",
        '_HELD = "id = :id AND fence >= CAST(:fence AS bigint) - 1000"',
        "tests/store/test_claims.py::test_whoever_lost_the_lease_writes_nothing",
    ),
    Mutation(
        "the fence of a fetch is not looked at",
        "a fetch that was overtaken stores nothing",
        "worker/store/contacts.py",
        "_HOLD = \"id = :id AND fetch_fence = :fence AND fetch_state = 'working'\"",
        '_HOLD = "id = :id AND fetch_fence >= CAST(:fence AS bigint) - 1000"',
        "tests/store/test_claims.py::test_a_fetch_that_lost_its_lease_stores_nothing",
    ),
    Mutation(
        "a lost lease is ignored",
        "a write of no row is a lost lease, and ends the delivery",
        LINKS,
        "    if result.rowcount != 1:\n        raise _lost(claim)",
        "    if result.rowcount > 1:\n        raise _lost(claim)",
        "tests/flows/test_leases.py::test_a_create_that_was_frozen_before_it_left_makes_no_second_record",
    ),
    Mutation(
        "requests leave without a look at the lease",
        "nothing leaves for a vendor under a lease that does not outlast it",
        "worker/vendors/transport.py",
        "        if self.lease is not None:",
        "        if self.lease is not None and self.clock() < 0:",
        "tests/flows/test_leases.py::test_an_old_change_that_was_frozen_before_it_left_does_not_undo_a_newer_one",
    ),
    Mutation(
        "a lease need not outlast its write",
        "a write is over, or given up and settled, before anybody else may claim the row",
        "worker/flows/lease.py",
        "            if now + timedelta(seconds=lasting) < self.until and elapsed + lasting < self._ends:",
        "            if now < self.until and elapsed < self._ends:",
        "tests/flows/test_leases.py::test_a_slow_delivery_keeps_its_lease_while_nobody_else_wants_it",
    ),
    Mutation(
        "two links may hold one record",
        "a record belongs to one contact: unique (system, external_id)",
        "alembic/versions/0001_the_first_tables.py",
        '        sa.UniqueConstraint("system", "external_id", name=op.f("uq_link_system_external_id")),\n',
        "",
        "tests/store/test_claims.py::test_two_contacts_never_share_a_record",
    ),
    Mutation(
        "a contact that changed during its delivery is done",
        "a delivery ends with the version that it delivered, and the next one is due",
        LINKS,
        "            state = CASE WHEN {_NEWER} THEN 'due' ELSE :state END,\n",
        "            state = :state,\n",
        "tests/store/test_claims.py::test_a_change_during_a_delivery_makes_the_link_due_again",
    ),
    Mutation(
        "a refused delivery forgets what came since",
        "a link rests as dead or in review only for what it was claimed for",
        LINKS,
        "        state = CASE WHEN :state <> 'unknown' AND {_NEWER} THEN 'due' ELSE :state END,\n",
        "        state = :state,\n",
        f"{MEANWHILE}::test_a_correction_that_comes_while_its_refused_request_is_under_way_is_delivered",
    ),
    Mutation(
        "a delivery that ends has carried out every sync now",
        "what a person asks for during a delivery is owed afterwards",
        LINKS,
        "            restore = restore AND restore_seq > claimed_seq, repair",
        "            restore = false, repair",
        f"{MEANWHILE}::test_a_sync_now_that_is_given_during_a_delivery_is_done",
    ),
    Mutation(
        "a sync now is carried out twice",
        "fields are put back once for each time that a person asks",
        LINKS,
        "            restore = restore AND restore_seq > claimed_seq, repair",
        "            restore = restore AND request_seq > claimed_seq, repair",
        f"{MEANWHILE}::test_a_change_that_comes_during_a_sync_now_puts_nothing_back_a_second_time",
    ),
    Mutation(
        "a newer version inherits the crashes of an older one",
        "a request since the last claim is tried with all its tries",
        LINKS,
        "            crashes = CASE WHEN {newer} THEN 0 ELSE l.crashes + {crashed} END,\n",
        "            crashes = l.crashes + {crashed},\n",
        f"{MEANWHILE}::test_a_change_during_the_last_crash_is_tried",
    ),
    Mutation(
        "a crash costs nothing",
        "what ends its worker again and again is dead, and says so",
        LINKS,
        "            crashes = CASE WHEN {newer} THEN 0 ELSE l.crashes + {crashed} END,\n",
        "",
        "tests/flows/test_failures.py::test_what_ends_its_worker_again_and_again_is_dead_and_says_so",
    ),
    Mutation(
        "a dead worker's change is taken for not made",
        "after a crash the snapshot is not believed where earlier contents may have been written",
        "worker/store/requests.py",
        "        overtaken = CASE WHEN l.state = 'working' THEN",
        "        overtaken = CASE WHEN l.state = 'synced' THEN",
        "tests/flows/test_taken_back.py::test_a_change_taken_back_after_a_crash_is_taken_back_there_too",
    ),
    Mutation(
        "an unanswered change is taken for not made",
        "after a lost answer the snapshot is not believed",
        "worker/flows/deliver.py",
        "        state = delivery.commit(partial(_end, delivery, outcome, sent, settles_at, reads))\n",
        "        state = delivery.commit(partial(_end, delivery, outcome, (), settles_at, reads))\n",
        "tests/flows/test_taken_back.py::test_a_change_taken_back_after_a_lost_answer_is_taken_back_there_too",
    ),
    Mutation(
        "a lost answer puts everything right",
        "after a lost answer only what that change may have written is put right",
        "worker/flows/updating.py",
        "        restore=reading.claim.restore,\n",
        "        restore=reading.claim.restore or bool(reading.repair),\n",
        "tests/flows/test_repair.py::test_a_lost_answer_leaves_what_people_changed_elsewhere",
    ),
    Mutation(
        "our first values are not written down",
        "what a first link fills in is known as ours before it leaves",
        "worker/flows/updating.py",
        "    if (change := expected(delivery.ours, delivery.base, plan)) is not None:\n",
        "    if (change := expected(delivery.ours, delivery.base, plan)) is not None and delivery.base is not None:\n",
        "tests/flows/test_repair.py::test_our_own_first_values_are_ours_though_their_answer_was_lost",
    ),
    Mutation(
        "no time to settle for a change",
        "an unanswered change may yet be made, and must not overtake a newer one",
        "worker/flows/deliver.py",
        "    if not delivery.may_come_late(error):",
        "    if True or not delivery.may_come_late(error):",
        "tests/flows/test_leases.py::test_an_unanswered_change_is_not_followed_by_a_newer_one_before_it_could_be_made",
    ),
)
