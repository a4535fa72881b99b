"""Masks: what a viewer must not see."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

MUTATIONS: Final = (
    Mutation(
        "a viewer's answer is not masked",
        "what a viewer gets passes the allow list, whatever the call",
        "webhooks/api/calls.py",
        "            return _for_viewer(result) if asked.masked else result\n",
        "            return result\n",
        "tests/webhooks/test_masks.py::test_of_all_calls_a_viewer_gets_no_personal_value_and_an_operator_gets_all",
    ),
    Mutation(
        "a text is shown unless its type hides it",
        "a member whose type does not say how it is shown is hidden",
        "worker/core/masks.py",
        '    return value if isinstance(value, bool | int | float | datetime) or value == "" else MASK\n',
        "    return value\n",
        "tests/core/test_masks.py::test_a_member_whose_type_does_not_say_how_it_is_shown_is_hidden",
    ),
    Mutation(
        "the names of unknown members are shown",
        "a name that no table knows may be a person's",
        "worker/core/masks.py",
        '            key = str(inner_name) if known else MASK if hidden == 1 else f"{MASK} {hidden}"\n',
        "            key = str(inner_name)\n",
        "tests/core/test_masks.py::test_of_a_random_document_no_personal_value_comes_through",
    ),
    Mutation(
        "a phone number passes for the name of a member",
        "a number is a place in a list only where it follows the list's name",
        "worker/core/masks.py",
        "            if not (is_known or (before_is_known and _is_index(part))):\n",
        "            if not (is_known or _is_index(part)):\n",
        "tests/core/test_masks.py::test_of_a_path_its_ids_and_the_words_of_the_address_are_shown",
    ),
    Mutation(
        "a private person's name is shown",
        "the name of a private person is hidden, and of whoever may be one",
        "worker/core/masks.py",
        '    return value if value is None or view.get("kind") == "organisation" else MASK\n',
        "    return value\n",
        "tests/core/test_masks.py::test_a_name_is_shown_of_an_organisation_only",
    ),
    Mutation(
        "a viewer searches private persons by name",
        "a name that is hidden cannot be tried out",
        "worker/store/listing.py",
        '    return _MATCHES if names_of_persons else f"({_MATCHES} AND {_OF_AN_ORGANISATION})"\n',
        "    return _MATCHES\n",
        "tests/webhooks/test_masks.py::test_a_viewer_finds_nobody_by_what_viewers_do_not_see",
    ),
    Mutation(
        "an id may be any number",
        "an id is shown where it looks like one, and not where it is a phone number",
        "worker/core/masks.py",
        'r"[1-9][0-9]{0,9}|',
        'r"[0-9]+|',
        "tests/core/test_masks.py::test_what_the_allow_list_names_stays_readable",
    ),
    Mutation(
        "the reason of a pause is shown",
        "what a person typed is hidden, even where it is one word",
        "worker/store/summary.py",
        '    ours = view.get("state") != "paused" and (_WORD.fullmatch(reason) or _OUR_SENTENCE.fullmatch(reason))\n',
        "    ours = _WORD.fullmatch(reason) or _OUR_SENTENCE.fullmatch(reason)\n",
        "tests/core/test_masks.py::test_the_reason_of_a_system_is_shown_where_it_is_ours",
    ),
)
