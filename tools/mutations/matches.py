"""Before anything is made: the search, and what counts as the same client."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

LINKING: Final = "worker/flows/linking.py"
MATCHING: Final = "worker/core/matching.py"
MATCHES: Final = "tests/flows/test_matching_records.py"

MUTATIONS: Final = (
    Mutation(
        "nothing is searched before a create",
        "each system is searched before anything is created there",
        LINKING,
        "    verdict = search(delivery, reference, gone)\n",
        '    verdict = Verdict("create")\n',
        f"{MATCHES}::test_a_match_in_workspace_is_linked_from_the_whole_list",
    ),
    Mutation(
        "a vendor's search result is believed",
        "every result is compared again here, as vendors search loosely",
        MATCHING,
        "    matches = _matches(contact, candidates)\n",
        '    matches = tuple(Match(one, "certain", ("found",)) for one in candidates)\n',
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
        "    if certain and certain[0].candidate.external_id in taken:\n",
        "    if certain and certain[0].candidate.external_id in ():\n",
        "tests/core/test_matching_decisions.py::test_a_certain_record_of_another_client_is_a_review",
    ),
    Mutation(
        "a reference is believed",
        "a record with our reference and another name is somebody else's",
        MATCHING,
        "    strangers = [why for one in referred if (why := _stranger(contact, one, unique))]\n",
        "    strangers: list[str] = []\n",
        f"{MATCHES}::test_a_reference_that_was_there_before_in_workspace_waits_for_a_person",
    ),
    Mutation(
        "numbers that contradict are no matter",
        "a VAT or registration number that both have and that differs tells two clients apart",
        MATCHING,
        "    return None if differ else _by_name(contact, candidate)\n",
        "    return _by_name(contact, candidate)\n",
        "tests/core/test_matching.py::test_how_far_a_record_is_the_client",
    ),
    Mutation(
        "a person's no is forgotten",
        "a record that a person said is somebody else is not proposed again",
        LINKING,
        "    candidates = [candidate for candidate in candidates if candidate.external_id not in refused]\n",
        "",
        "tests/store/test_operating_reviews.py::test_none_of_the_candidates_means_a_new_record",
    ),
    Mutation(
        "an old list serves for ever",
        "a system without a search is listed anew before anything is made there",
        LINKING,
        "    if not force and age.fresh_enough(asked, cap):\n",
        "    if not force and cap >= 0:\n",
        f"{MATCHES}::test_a_match_in_workspace_is_linked_from_the_whole_list",
    ),
)
