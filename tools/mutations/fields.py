"""Who owns what: the three-way merge, merge patches, contact persons."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

MERGE: Final = "worker/core/field_merge.py"
PATCH: Final = "worker/core/merge_patch.py"

MUTATIONS: Final = (
    Mutation(
        "ownership is ignored",
        "a field that the system owns is never written",
        MERGE,
        "    case = _case(row, ours, owner, base, record, restore or repair)\n",
        '    owner = "robaws"\n    case = _case(row, ours, owner, base, record, restore or repair)\n',
        "tests/flows/test_updates.py::test_a_persons_edit_in_a_field_that_robaws_does_not_own_survives",
    ),
    Mutation(
        "`fill` overwrites",
        "a field to be filled is written where it is empty there, and only there",
        MERGE,
        '    if case.their == "" and (case.owner == "fill" or case.had == ""):\n',
        '    if case.owner == "fill" or (case.their == "" and case.had == ""):\n',
        "tests/core/test_planning_table.py::test_a_value_there_is_never_overwritten_in_a_field_that_robaws_does_not_own",
    ),
    Mutation(
        "what a person decides is written",
        "a field that differs and that a person decides about is parked",
        MERGE,
        '    return case.act("park", EMPTIED_THERE if case.their == "" else A_PERSON_DECIDES)\n',
        '    return case.act("write", A_PERSON_DECIDES)\n',
        "tests/flows/test_updates.py::test_a_field_parked_for_review_does_not_stop_the_others",
    ),
    Mutation(
        "a first link overwrites",
        "what differs on a first link is asked about",
        MERGE,
        '    return case.act("park", FIRST_DIFFERS)\n',
        '    return case.act("write", FIRST_DIFFERS)\n',
        "tests/flows/test_matching_records.py::"
        "test_one_certain_match_is_linked_its_gaps_filled_and_its_differences_asked_about",
    ),
    Mutation(
        "half an address is filled up",
        "an address is one value: nothing of it is filled where another part says another place",
        "worker/core/units.py",
        "    if not asked and fills and any(one.conflicts for one in members):\n",
        "    if not asked and not fills and any(one.conflicts for one in members):\n",
        "tests/core/test_units.py::test_a_part_is_filled_only_where_nothing_else_says_another_place",
    ),
    Mutation(
        "what an answer leaves out is empty",
        "a member that Robaws does not show keeps its value",
        "worker/vendors/robaws/client.py",
        "            raw, kept = completed(raw, known)\n",
        "            raw, kept = raw, completed(raw, known)[1]\n",
        "tests/flows/test_emptied.py::test_what_an_answer_of_robaws_leaves_out_is_kept_everywhere",
    ),
    Mutation(
        "a client is emptied without a word",
        "many values that go at once are asked about",
        "worker/core/emptied.py",
        "    if len(kinds) < FEWEST and paths.isdisjoint(held_back):\n",
        "    if len(kinds) >= 0 and paths.isdisjoint(held_back):\n",
        "tests/flows/test_emptied.py::test_many_values_that_go_at_once_stay_until_a_person_says_so",
    ),
    Mutation(
        "one refused value keeps the client away",
        "a value that a system refuses and can do without is left out",
        "worker/flows/delivery.py",
        "        if self._refused or not error.fields or not optional.issuperset(error.fields):\n",
        "        if self._refused or error.fields or not optional.issuperset(error.fields):\n",
        "tests/flows/test_refused_values.py::test_a_client_is_made_without_what_is_refused_and_that_is_asked_about",
    ),
    Mutation(
        "what is parked leaves no question",
        "a parked field waits for a person, and the link says so",
        "worker/flows/updating.py",
        "    if not questions:\n",
        "    if questions is not None:\n",
        "tests/flows/test_updates.py::test_a_field_parked_for_review_does_not_stop_the_others",
    ),
    Mutation(
        "what somebody changed there is put right by any event",
        "a live event writes only what changed here",
        MERGE,
        '    if not case.restore or case.owner != "robaws":\n',
        '    if case.owner != "robaws":\n',
        "tests/core/test_planning_table.py::test_a_live_event_writes_only_what_changed_here",
    ),
    Mutation(
        "a stand-in goes over a value",
        "a stand-in of ours never takes the place of somebody's value",
        MERGE,
        "    if case.stands_in:\n        return case.settle(STANDS_FOR_STAND_IN)\n",
        "",
        "tests/core/test_planning.py::test_a_restore_leaves_a_persons_real_value_where_ours_is_only_a_stand_in",
    ),
    Mutation(
        "what was not read counts as empty",
        "nothing is decided that depends on what nobody knows",
        MERGE,
        "    if case.their is None:\n        return case.unknown()\n    if case.their == case.mine:\n",
        "    if case.their == case.mine:\n",
        "tests/core/test_planning_table.py::test_the_decision_about_a_field",
    ),
    Mutation(
        "a dropped value is written over and over",
        "a change of ours is measured against what we meant, not against what the vendor made of it",
        "worker/core/planning.py",
        "        new_ours[path] = decision.ours\n        new_theirs[path] = decision.theirs\n",
        "        new_ours[path] = held[path] if held is not None and path in held else decision.ours\n"
        "        new_theirs[path] = decision.theirs\n",
        "tests/flows/test_recras.py::test_what_recras_makes_of_a_value_is_not_written_over_and_over",
    ),
    Mutation(
        "a write that replaces is not preceded by a read",
        "a write that replaces more than it names is planned on what is there",
        "worker/core/planning.py",
        '        decision.rule == NOT_READ or (write_replaces and decision.action == "write")\n',
        "        decision.rule == NOT_READ\n",
        "tests/core/test_planning.py::test_a_write_that_replaces_more_than_it_names_reads_first_and_no_write_does_not",
    ),
    Mutation(
        "a patch forgets what is absent",
        "a member that is not there any more is removed by the patch",
        PATCH,
        "    patch.update((name, None) for name in before if name not in after)\n",
        "",
        "tests/core/test_merge_patch.py::test_the_difference_laid_over_gives_the_other",
    ),
    Mutation(
        "null is a value",
        "null in a patch removes the member",
        PATCH,
        "        if value is not None:\n            result[name]",
        "        if name:\n            result[name]",
        "tests/core/test_merge_patch.py::test_a_patch_does_what_the_rfc_says",
    ),
    Mutation(
        "true is one",
        "a change between true and 1 is a change",
        PATCH,
        "    if isinstance(a, bool) or isinstance(b, bool):\n        return a is b\n",
        "",
        "tests/core/test_merge_patch.py::test_equality_is_that_of_json",
    ),
    Mutation(
        "persons who exist only at Recras are wiped",
        "persons that are not ours are carried along where a write replaces the whole list",
        "worker/core/persons.py",
        "    places += [(person.external_id, None) for person in others]\n",
        "",
        "tests/flows/test_recras.py::test_a_person_of_theirs_survives_all_that_happens_to_ours",
    ),
    Mutation(
        "a person whom somebody took out comes back",
        "who was taken out there stays out until a change here",
        "worker/core/persons.py",
        '    return not restore or entry.get("external_id") == LOST\n',
        "    return False\n",
        "tests/flows/test_recras.py::test_a_person_taken_out_there_stays_out_until_it_changes_here",
    ),
    Mutation(
        "a part of an address is written alone",
        "when a part of an address changes, all of it is written that is not known to stand there",
        "worker/core/units.py",
        '    if one.decision.action == "keep" and one.goes_along and one.owner == "robaws":\n',
        "    if False:\n",
        "tests/flows/test_one_value.py::test_an_address_that_was_moved_there_gives_way_as_a_whole",
    ),
    Mutation(
        "an address is written round a part that does not fit",
        "the parts of an address wait for one that cannot be written while another value stands in its place",
        "worker/core/units.py",
        "    if any(_is_stuck(one) for one in members):\n",
        "    if False:\n",
        "tests/flows/test_recras.py::test_a_recras_that_refuses_says_which_field_and_takes_the_address_when_it_changes",
    ),
    Mutation(
        "a number that is given its country means what it meant without",
        "a phone number that turns out to be another one than the record holds is written",
        MERGE,
        "    if was_key == key and not row.unchanged(value, was, last, ours.country):\n",
        "    if False:\n",
        "tests/flows/test_rompslomp.py::test_a_phone_that_is_given_its_country_is_another_one_than_stands_there",
    ),
    Mutation(
        "the name goes where the record no longer shows it",
        "a record that was made one of the other kind is renamed where it shows its name",
        "worker/flows/updating.py",
        "    if record is None and _is_named_elsewhere(delivery, plan, after):\n",
        "    if False:\n",
        "tests/flows/test_rompslomp.py::"
        "test_a_customer_that_was_made_a_person_there_is_renamed_where_it_shows_its_name",
    ),
    Mutation(
        "an upgrade overwrites what people corrected",
        "a value that is made in another way is asked about where somebody edited what we had written",
        MERGE,
        "    if made_anew and not restore:\n",
        "    if False:\n",
        "tests/flows/test_another_table.py::"
        "test_an_address_that_was_corrected_there_is_asked_about_once_and_the_rest_arrives",
    ),
    Mutation(
        "a question about a value made anew is forgotten",
        "while a value that is made in another way waits, the snapshot keeps the version of its table",
        "worker/core/planning.py",
        "        base.table if base is not None and waits else ours.table,\n",
        "        ours.table,\n",
        "tests/flows/test_another_table.py::"
        "test_an_address_that_was_corrected_there_is_asked_about_once_and_the_rest_arrives",
    ),
)
