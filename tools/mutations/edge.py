"""The vendors' edge: what a value means there, and what of an answer cannot be read."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

MUTATIONS: Final = (
    Mutation(
        "a name is written whatever kind the record is of",
        "our name goes where a record shows its own, and no company name into a private person's",
        "worker/core/planning.py",
        "    ours, owners = named_there(mapping, ours, owners, base, theirs, restore=restore, repair=repair)\n",
        "",
        "tests/flows/test_rompslomp.py::test_a_private_customer_gets_no_company_name_and_one_question",
    ),
    Mutation(
        "a phone number without its country is one number",
        "a number that may be the one there is neither a question nor a change",
        "worker/core/field_merge.py",
        "        return key if found != key and row.same(value, other, ours.country) else found\n",
        "        return found\n",
        "tests/flows/test_matching_records.py::test_a_number_that_is_a_dutch_landline_and_a_belgian_mobile_is_no_question",
    ),
    Mutation(
        "every event is asked for a client's id",
        "events of other kinds are stored, whatever their id looks like",
        "worker/vendors/robaws/events.py",
        "    source_id = _source_id(data) if kind.startswith(_CLIENT) else _other_id(data)\n",
        "    source_id = _source_id(data)\n",
        "tests/webhooks/test_receive.py::test_events_of_other_kinds_are_stored_whatever_their_id_looks_like",
    ),
    Mutation(
        "what cannot be read is not there",
        "where it cannot be told whether a record is ours, none is made",
        "worker/vendors/rompslomp/client.py",
        "        if not set(needs).isdisjoint(members):\n",
        "        if not needs and members is None:\n",
        "tests/vendors/rompslomp/test_client_reads.py::test_a_search_for_what_is_odd_is_a_broken_answer",
    ),
)
