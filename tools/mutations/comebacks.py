"""What leaves and comes back: clients that are gone, systems that are away or switched off, clocks, replays."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

GONE: Final = "tests/flows/test_gone_clients.py"
OPERATING_LINKS: Final = "worker/store/operating_links.py"
SWEEP: Final = "worker/flows/sweep.py"

MUTATIONS: Final = (
    Mutation(
        "what waited for a vendor waits on when it is back",
        "what waits for a vendor's trouble is due when the vendor does what is asked again",
        "worker/flows/gate.py",
        "                if was_away:\n                    easing.ease(connection, system, now)\n",
        "",
        "tests/flows/test_after_an_outage.py::test_what_was_tried_during_an_outage_goes_out_when_the_vendor_is_back",
    ),
    Mutation(
        "a client that is gone is made elsewhere",
        "a client that was deleted at Robaws while its delivery was under way is not made by the next try",
        "worker/flows/deliver.py",
        "    if claim.gone and claim.intent is None and (claim.external_id is None or claim.system == SOURCE):\n",
        "    if claim.gone and claim.intent is None and claim.system == SOURCE:\n",
        f"{GONE}::test_a_client_deleted_while_its_search_is_under_way_is_not_made_by_the_next_try",
    ),
    Mutation(
        "questions about a client that is gone stay",
        "what was asked about a client that is deleted at Robaws is withdrawn where it no longer applies",
        "worker/flows/fetch.py",
        "            if not (contents.gone or self.claim.gone):\n",
        "            if not self.claim.gone:\n",
        f"{GONE}::test_the_question_which_record_it_is_is_withdrawn",
    ),
    Mutation(
        "a create of a client that is gone is repeated",
        "a create that never arrived is not repeated for a client that is gone",
        "worker/flows/deliver.py",
        "            return delivery.end_gone() if delivery.claim.gone else creating.repeat(delivery)\n",
        "            return creating.repeat(delivery)\n",
        f"{GONE}::test_a_create_that_never_arrived_is_not_repeated_for_a_client_that_is_gone",
    ),
    Mutation(
        "the record of a client that is gone is asked about",
        "where client and record are both gone, nothing is made anew and nobody is asked",
        "worker/flows/updating.py",
        "    if delivery.claim.gone:\n        return delivery.end_gone()\n",
        "",
        f"{GONE}::test_a_record_that_is_gone_as_well_is_neither_made_anew_nor_asked_about",
    ),
    Mutation(
        "a first 404 is believed",
        "a client that was never seen is looked for again before it counts as gone",
        "worker/flows/fetch.py",
        '        looks = claim.attempts if claim.reason == "not_there_yet" else 0\n',
        "        looks = len(LOOK_AGAIN_SECONDS)\n",
        f"{GONE}::test_a_client_that_cannot_be_read_yet_is_looked_for_again",
    ),
    Mutation(
        "the record of a client that is gone is lost",
        "a client that was made anew takes over the record of the one that is gone or left out",
        OPERATING_LINKS,
        '    if not (holder.gone or holder.state == "excluded"):\n',
        '    if holder.state != "nowhere":\n',
        "tests/flows/test_links_by_hand.py::test_a_client_that_was_made_anew_takes_over_the_record",
    ),
    Mutation(
        "a replay is a sync now",
        "a replay fetches and delivers; it puts nothing back and brings back nobody who was left out",
        "worker/store/operating.py",
        "    contacts.want_fetch(connection, contact_ids, now, priority=priority, correlation_id=_correlation())\n",
        "    contacts.want_fetch(\n"
        "        connection, contact_ids, now, priority=priority, forced=True, correlation_id=_correlation()\n"
        "    )\n",
        "tests/store/test_operating_retries.py::test_a_replay_puts_nothing_back_and_brings_nobody_back",
    ),
    Mutation(
        "rows go by the machine's own clock",
        "rows carry the database's time, and are compared with it",
        "worker/store/clock.py",
        "            at = self._counter() + self._ahead\n",
        "            at = self._wall()\n",
        "tests/flows/test_clocks.py::test_rows_go_by_the_databases_clock",
    ),
    Mutation(
        "a system that was switched on again is owed nothing",
        "what waited or changed while a system was switched off is delivered when it is on again",
        SWEEP,
        "                    self._take_in(connection, now)\n",
        "                    pass\n",
        "tests/flows/test_disabled_systems.py::"
        "test_what_waits_for_a_system_that_is_disabled_is_left_out_until_it_is_enabled",
    ),
    Mutation(
        "a stand-in that was renamed without an answer is somebody there",
        "the name that a stand-in may have been given is ours as well",
        "worker/core/persons.py",
        '    given = (entry.get("ours") or {}, *entry.get("sent", ()))\n',
        '    given = (entry.get("ours") or {},)\n',
        "tests/flows/test_recras.py::test_a_stand_in_whose_renaming_was_not_answered_is_still_ours",
    ),
)
