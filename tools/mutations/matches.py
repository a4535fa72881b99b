"""Before anything is made: the search, and what counts as the same client."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

LINKING: Final = "worker/flows/linking.py"
SEARCHING: Final = "worker/flows/searching.py"
CREATING: Final = "worker/flows/creating.py"
MATCHING: Final = "worker/core/matching.py"
EVIDENCE: Final = "worker/core/evidence.py"
DIRECTORY: Final = "worker/store/directory.py"
CREATE_LOCKS: Final = "worker/store/create_locks.py"
DELIVERY: Final = "worker/flows/delivery.py"
MATCHES: Final = "tests/flows/test_matching_records.py"
OWN_MATCH: Final = "tests/flows/test_vendors_own_match.py"

MUTATIONS: Final = (
    Mutation(
        "nothing is searched before a create",
        "each system is searched before anything is created there",
        LINKING,
        "    return search(reading, reference, gone), _free(reading, reference)\n",
        '    return Verdict("create"), _free(reading, reference)\n',
        f"{MATCHES}::test_a_match_in_workspace_is_linked_from_the_whole_list",
    ),
    Mutation(
        "a vendor's search result is believed",
        "every result is compared again here, as vendors search loosely",
        MATCHING,
        "    matches = _matches(contact, candidates, others)\n",
        '    matches = tuple(Match(one, "certain", ()) for one in candidates)\n',
        f"{MATCHES}::test_a_supplier_of_the_same_name_is_no_match",
    ),
    Mutation(
        "a doubtful match is linked",
        "a record that is not certainly this client waits for a person",
        MATCHING,
        '    certain = [match for match in matches if match.strength == "certain"]\n',
        "    certain = list(matches)\n",
        f"{MATCHES}::test_a_doubtful_match_waits_for_a_person_and_nothing_is_made",
    ),
    Mutation(
        "the first of several is taken",
        "two certain matches wait for a person",
        MATCHING,
        "    if len(certain) > 1:\n",
        "    if len(certain) > 1_000:\n",
        f"{MATCHES}::test_two_certain_matches_wait_for_a_person_and_nothing_is_made",
    ),
    Mutation(
        "another client's record is linked",
        "a record that another client holds is never linked a second time",
        MATCHING,
        "    if match.candidate.external_id in taken:\n",
        "    if match.candidate.external_id in ():\n",
        "tests/core/test_matching_decisions.py::test_a_certain_record_of_another_client_is_a_review",
    ),
    Mutation(
        "a reference is believed",
        "a record with our reference and another name is somebody else's",
        MATCHING,
        '    strangers = [match for match in matches if match.strength != "certain"]\n',
        "    strangers: list[Match] = []\n",
        f"{MATCHES}::test_a_reference_that_was_there_before_in_workspace_waits_for_a_person",
    ),
    Mutation(
        "numbers that contradict are no matter",
        "a record with another number is never linked without a question",
        EVIDENCE,
        "    if rows & _NEVER_CERTAIN:\n",
        "    if rows & frozenset({KIND_OTHER, REFERENCE_OTHER}):\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a private person is his own company",
        "a legal form on one side only is asked about, however much else agrees",
        EVIDENCE,
        "    if rows & {FORM_OTHER, FORM_ON_ONE_SIDE}:\n",
        "    if rows & {FORM_OTHER}:\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a number is enough",
        "the same VAT number with everything else different is asked about",
        EVIDENCE,
        "        return bool(rows & _ALIKE) or (NAME_MISSING in rows and POSTCODE_SAME in rows)\n",
        "        return True\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a typing error makes a second record",
        "another number whose check digits do not hold contradicts nothing by itself",
        EVIDENCE,
        "        if is_near(one, other) or _fails(one) or _fails(other):\n",
        "        if False:\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a large town hides a client",
        "all records that share a number, a name or our reference are compared",
        DIRECTORY,
        "[*strong, *similar[:MOST_SIMILAR], *shared]",
        "[*similar[:MOST_SIMILAR], *shared]",
        "tests/flows/test_namesakes.py::test_the_client_is_found_among_more_records_of_its_town_than_are_compared",
    ),
    Mutation(
        "what was cut off is forgotten",
        "nothing is made silently where the search was cut off",
        MATCHING,
        "    if cut:\n",
        "    if cut and contact is None:\n",
        "tests/core/test_matching_decisions.py::test_nothing_is_made_silently_where_the_search_was_cut_off",
    ),
    Mutation(
        "two clients of one company create at once",
        "one create at a time for each number, and for each e-mail with a name",
        DELIVERY,
        "                self._take_keys(connection)\n",
        "                pass\n",
        "tests/flows/test_created_at_once.py::test_two_clients_of_one_company_at_once_are_one_record_and_one_question",
    ),
    Mutation(
        "a record that was made since the search is not seen",
        "a client that searched before another was made does not create one beside it",
        CREATE_LOCKS,
        "        if holder.external_id is not None and holder.external_id not in known:\n",
        "        if holder.external_id in known:\n",
        "tests/flows/test_created_at_once.py::test_one_that_searched_before_the_other_was_made_asks_all_the_same",
    ),
    Mutation(
        "a person's no is forgotten",
        "a record that a person said is somebody else is not proposed again",
        MATCHING,
        "    candidates = [candidate for candidate in candidates if candidate.external_id not in refused]\n",
        "",
        "tests/store/test_operating_reviews.py::test_none_of_the_candidates_means_a_new_record",
    ),
    Mutation(
        "an old list serves for ever",
        "a system without a search is listed anew before anything is made there",
        SEARCHING,
        "    if not force and age.fresh_enough(asked, cap):\n",
        "    if not force and cap >= 0:\n",
        f"{MATCHES}::test_a_match_in_workspace_is_linked_from_the_whole_list",
    ),
    Mutation(
        "a fiscal unity is one client",
        "a number in common links nobody under another name, whatever else agrees",
        EVIDENCE,
        "            return NAME_OTHER not in rows\n",
        "            return True\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a client is merged into a stranger",
        "what Recras would take a new customer for a stranger by is left out of the create",
        CREATING,
        "    return replace(apart, key=_key(delivery, apart.body, apart.persons)) if apart != intent else intent\n",
        "    return intent\n",
        f"{OWN_MATCH}::test_a_refused_record_gets_nothing_of_the_client_however_often_it_changes",
    ),
    Mutation(
        "what was merged is evidence",
        "that a record holds what was sent into it says nothing about whose it is",
        SEARCHING,
        "    if sent_into is not None:\n",
        "    if False:\n",
        f"{OWN_MATCH}::test_the_vendors_match_is_asked_about_where_the_evidence_would_be",
    ),
)
