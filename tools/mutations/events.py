"""From the socket to the contact: signature, inbox, tally, fetch."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

COMMIT: Final = "webhooks/group_commit.py"
SIGNATURE: Final = "worker/core/signature.py"
INBOX: Final = "worker/store/inbox.py"
FETCH: Final = "worker/flows/fetch.py"

MUTATIONS: Final = (
    Mutation(
        "any digest is the right one",
        "nothing is believed that is not signed with one of the secrets",
        SIGNATURE,
        "            matched |= hmac.compare_digest(expected, candidate)",
        "            matched |= len(expected) == len(candidate)",
        "tests/webhooks/test_receive.py::test_a_changed_body_fits_no_signature",
    ),
    Mutation(
        "a signature is good for ever",
        "a signature is good for five minutes either way",
        SIGNATURE,
        "    if tolerance_seconds > 0 and abs(now - int(claim.time_text)) > tolerance_seconds:",
        "    if tolerance_seconds > 0 and now < 0:",
        "tests/webhooks/test_receive.py::test_a_signature_is_good_for_five_minutes_either_way",
    ),
    Mutation(
        "a blank secret counts",
        "what anybody could sign is not believed",
        SIGNATURE,
        "            if not secret.strip():\n                continue\n",
        "",
        "tests/core/test_signature.py::test_without_the_secret_nothing_is_believed",
    ),
    Mutation(
        "an event is answered before it is stored",
        "2xx is said after the commit",
        COMMIT,
        "        try:\n            fresh = await self._guarded(",
        '        for arrival in events:\n            arrival.settle("accepted")\n'
        "        try:\n            fresh = await self._guarded(",
        "tests/crash/test_receiver.py::test_a_receiver_that_dies_around_its_commit_stores_the_event_once",
    ),
    Mutation(
        "one bad event takes its batch with it",
        "what cannot be stored does not hold up the events beside it",
        COMMIT,
        "            return await self._one_by_one(events, error)",
        '            for arrival in events:\n                arrival.settle("unstorable")\n'
        '            log.error("receiver.unstorable", error=_words(error))  # noqa: TRY400\n'
        "            return False",
        "tests/webhooks/test_unstorable.py::test_an_event_that_cannot_be_stored_does_not_hold_up_those_beside_it",
    ),
    Mutation(
        "a repeated event is stored again",
        "an event is stored exactly when its key is new",
        "webhooks/writing.py",
        "    JOIN fresh USING (event_id)\n",
        "",
        "tests/webhooks/test_receive.py::test_an_event_that_was_seen_before_is_not_stored_again",
    ),
    Mutation(
        "repeated events are counted",
        "the tally counts what was stored, in the statement that stores it",
        "webhooks/writing.py",
        "    INSERT INTO event_tally (received) SELECT count(*) FROM fresh HAVING count(*) > 0\n",
        "    INSERT INTO event_tally (received) SELECT count(*) FROM unnest(%(event_ids)s) AS incoming(event_id)\n",
        "tests/crash/test_receiver.py::test_a_receiver_that_dies_around_its_commit_stores_the_event_once",
    ),
    Mutation(
        "the quarantine has no end",
        "what is not an event is kept, the newest thousand of it",
        "webhooks/writing.py",
        '            "keep": max(0, limit - len(problems)),',
        '            "keep": 1_000_000_000,',
        "tests/webhooks/test_receive.py::test_the_quarantine_is_bounded_and_the_oldest_go_first",
    ),
    Mutation(
        "a body may be of any size",
        "a body is not read beyond the limit, whatever length was announced",
        "webhooks/receive.py",
        "                if size > self.most_bytes:",
        "                if size < 0:",
        "tests/webhooks/test_limits.py::test_an_endless_body_is_refused_at_the_limit_and_the_connection_ended",
    ),
    Mutation(
        "bank data of an event are stored",
        "no bank data and no identity number is stored, wherever in an event it stands",
        "worker/vendors/robaws/events.py",
        "body if kept is event else orjson.dumps(kept))",
        "body)",
        "tests/webhooks/test_what_is_kept.py::test_bank_data_and_identity_numbers_are_not_stored",
    ),
    Mutation(
        "bank data of a rejected body are stored",
        "the quarantine holds no bank data either",
        "webhooks/receive.py",
        "        return sensitive.clean_body(body)[:_MOST_REJECT_BYTES]\n",
        "        return body[:_MOST_REJECT_BYTES]\n",
        "tests/webhooks/test_what_is_kept.py::test_the_quarantine_keeps_none_either",
    ),
    Mutation(
        "a signed request is stored whole",
        "nobody who reads the inbox can send an event once more",
        "webhooks/receive.py",
        "            shown = _time_of(value) if name == _SIGNATURE else value\n",
        "            shown = value\n",
        "tests/webhooks/test_what_is_kept.py::test_of_the_signature_the_time_is_kept_and_not_the_digest",
    ),
    Mutation(
        "an account number is believed to be text",
        "an account number is recognised by its check digits, in any text",
        "worker/core/sensitive_numbers.py",
        "        if end := _end_of_iban(text, match.start()):\n            yield match.start(), end\n",
        "        if end := _end_of_iban(text, match.start()):\n            yield end, end\n",
        "tests/core/test_sensitive.py::test_a_number_is_found_in_any_sentence",
    ),
    Mutation(
        "an account number behind a written blank is passed over",
        "an event is looked at more closely whenever something may be removed from it",
        "worker/core/sensitive_screen.py",
        "(?:^|[^0-9a-z]|iban|{_BEHIND_ESCAPE})",
        "(?:^|[^0-9a-z]|iban)",
        "tests/core/test_sensitive_screen.py::test_a_number_behind_whatever_is_written_of_a_blank_is_noticed",
    ),
    Mutation(
        "what is written back was cleaned",
        "a record that is written back loses nothing there",
        "worker/vendors/recras/rules.py",
        "            written_back=True,\n",
        "            written_back=False,\n",
        "tests/flows/test_bank_data.py::test_what_a_record_there_holds_of_it_is_not_stored_and_not_wiped",
    ),
    Mutation(
        "the quarantine is kept for ever",
        "what is no event goes as the events do",
        "worker/store/inbox.py",
        'text("DELETE FROM inbox_reject WHERE received_at < :before")',
        'text("DELETE FROM inbox_reject WHERE received_at < :before AND false")',
        "tests/flows/test_retention.py::test_the_quarantine_goes_as_the_events_do",
    ),
    Mutation(
        "an intake takes events twice",
        "an event is given to its contact once",
        INBOX,
        "    UPDATE inbox_event AS e SET state = 'taken', contact_id = t.contact_id, fetch_seq = t.fetch_seq\n",
        "    UPDATE inbox_event AS e SET contact_id = t.contact_id, fetch_seq = t.fetch_seq\n",
        "tests/flows/test_sweep.py::test_what_is_due_is_announced_again_until_it_is_done",
    ),
    Mutation(
        "a fetch closes events that came after it began",
        "an event is covered by a fetch that began after it came",
        INBOX,
        "WHERE contact_id = :contact AND state = 'taken' AND fetch_seq <= :seq AND",
        "WHERE contact_id = :contact AND state = 'taken' AND CAST(:seq AS bigint) IS NOT NULL AND",
        "tests/flows/test_events_and_fetches.py::"
        "test_an_event_that_comes_while_its_client_is_fetched_waits_for_the_next_fetch",
    ),
    Mutation(
        "a fetch that fails forgets later hints",
        "a fetch rests as dead only for what it was claimed for",
        "worker/store/contacts.py",
        "        fetch_state = CASE WHEN {_NEWER} THEN 'due' ELSE :state END,\n",
        "        fetch_state = :state,\n",
        "tests/flows/test_requested_meanwhile.py::test_an_event_that_comes_while_the_last_fetch_fails_is_fetched",
    ),
    Mutation(
        "a rest begins although a person asked",
        "what a person asks for during a fetch is owed afterwards",
        "worker/store/contacts.py",
        '"(:resting AND fetch_asked <= :seq)"',
        '":resting"',
        "tests/flows/test_requested_meanwhile.py::test_a_sync_now_during_the_fetch_that_begins_a_rest_is_not_put_off",
    ),
    Mutation(
        "a fetch that ends forgets later hints",
        "a hint during a fetch causes one more fetch",
        "worker/store/contacts.py",
        "fetch_state = CASE WHEN {_RESTS} THEN 'waiting' WHEN fetch_wanted > :seq THEN 'due' ELSE 'idle' END,",
        "fetch_state = CASE WHEN {_RESTS} THEN 'waiting' ELSE 'idle' END,",
        "tests/flows/test_events_and_fetches.py::"
        "test_an_event_that_comes_while_its_client_is_fetched_waits_for_the_next_fetch",
    ),
    Mutation(
        "applied events are not counted",
        "each change of an event's state adds to the tally in the same transaction",
        INBOX,
        "        HAVING bool_or(state IN ('applied', 'skipped'))\n",
        "        HAVING bool_or(state = 'skipped')\n",
        "simulate 4",
    ),
    Mutation(
        "dead events stay dead",
        "the next event of a client brings back those that its fetch gave up on",
        INBOX,
        '    connection.execute(_REOPEN, {"contacts": [row.id for row in found]})\n',
        "",
        "tests/flows/test_failures.py::test_a_fetch_that_gives_up_leaves_dead_events_and_the_next_event_revives_it",
    ),
    Mutation(
        "links that are left out are not counted",
        "the counts of the summary are kept by triggers, at every change of a row",
        "alembic/versions/0001_the_first_tables.py",
        "    WHEN ((OLD.state = 'excluded') <> (NEW.state = 'excluded')) EXECUTE FUNCTION tally_excluded()",
        "    WHEN (OLD.state = NEW.state) EXECUTE FUNCTION tally_excluded()",
        "tests/store/test_summary.py::test_it_agrees_with_the_rows_at_every_step_of_a_story",
    ),
    Mutation(
        "an unchanged contact is a new version",
        "the content is compared, so that an event about nothing ends there",
        FETCH,
        "        changed = differs or claim.gone\n",
        "        changed = True\n",
        "tests/flows/test_updates.py::test_a_change_of_nothing_costs_one_read_and_no_other_call",
    ),
    Mutation(
        "our own write is a change",
        "an echo is told by what the contact is, without the members that we write into it",
        FETCH,
        "        digest = content_hash(canonical)\n",
        "        digest = content_hash(raw)\n",
        "tests/flows/test_write_back.py::test_the_echo_of_a_write_back_is_skipped",
    ),
)
