"""What single vendors need: values as they want them, answers that hold more or less than their pages say."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

INVOICING: Final = "worker/vendors/recras/invoicing.py"
CHANGES: Final = "worker/vendors/recras/changes.py"
ODD: Final = "tests/flows/test_odd_records.py"

MUTATIONS: Final = (
    Mutation(
        "an invoice address without a name",
        "the block that stands on an invoice begins with the customer's name",
        INVOICING,
        '    lines = (addressee, _attention(contact, addressee), invoice["line1"]',
        '    lines = (_attention(contact, addressee), invoice["line1"]',
        "tests/vendors/recras/test_client_writes.py::test_an_invoice_goes_to_the_customer_by_name",
    ),
    Mutation(
        "a block that is right already is asked about",
        "an attention line of theirs, a blank and a country are no difference on a first link",
        "worker/core/normalise/__init__.py",
        '        "address_block": _of_any_value(block_alike_key),\n',
        '        "address_block": _of_any_value(block_key),\n',
        "tests/vendors/recras/test_invoicing.py::test_a_block_that_is_right_already_asks_nothing_on_the_first_link",
    ),
    Mutation(
        "a title that says both says the first",
        "a title that tells neither man nor woman, or both, tells no gender",
        "worker/vendors/recras/titles.py",
        "    if len({sex for sex, _ in known}) != 1:\n",
        "    if not known:\n",
        "tests/vendors/recras/test_invoicing.py::test_a_title_tells_gender_and_salutation",
    ),
    Mutation(
        "a new row overwrites what people wrote",
        "a member that was never agreed on is filled where it is empty, and only there",
        "worker/core/persons.py",
        "    if base_ours is None or row.vendor not in base_ours:\n",
        "    if base_ours is None:\n",
        "tests/core/test_persons.py::test_a_row_that_is_new_in_the_table_fills_what_is_empty",
    ),
    Mutation(
        "what people typed keeps a change away",
        "what a change only sends back and is refused is left out, and the change is made",
        CHANGES,
        "            if not refused or not refused <= body.keys() - set(ours):\n",
        "            if refused or not refused:\n",
        "tests/vendors/recras/test_put_back.py::test_a_kind_that_was_taken_off_the_list_does_not_keep_a_change_away",
    ),
    Mutation(
        "a key of nobody on the staff pauses the system",
        "a 404 of the key's own user decides nothing alone",
        "worker/vendors/recras/client.py",
        "        if response.status == rules.NOT_FOUND:\n            response = ",
        "        if response.status == 0:\n            response = ",
        "tests/vendors/recras/test_client_check.py::"
        "test_a_key_of_nobody_on_the_staff_tells_a_record_that_is_gone_from_a_wrong_address",
    ),
    Mutation(
        "members that nobody knows are judged",
        "only the members of the vendor's page are looked at",
        "worker/vendors/workspace/rules.py",
        "    for member in MEMBERS:\n",
        "    for member in contact:\n",
        "tests/vendors/workspace/test_client_reads.py::test_members_that_no_page_names_are_ignored_whatever_they_hold",
    ),
    Mutation(
        "one odd record hides all others",
        "what of a record in a list cannot be read is left out of it, and the list goes on",
        "worker/vendors/workspace/rules.py",
        "        if odd:\n            remarks.append(",
        "        if odd:\n            raise response.broken(",
        f"{ODD}::test_one_odd_record_of_somebody_else_stops_nobody",
    ),
)
