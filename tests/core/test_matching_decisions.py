"""
What a careful bookkeeper would do about the records that a search brought: link one, ask, or make one.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.matching_records import (
    ALIKE,
    BAD_VAT,
    ELSEWHERE,
    KVK,
    OTHER_EMAIL,
    OTHER_KVK,
    OTHER_PHONE,
    OTHER_VAT,
    SAME_EMAIL,
    SAME_NAME,
    SAME_PLACE,
    VAT,
    contact,
    record,
    verdict,
)
from worker.core.contact import Json, build
from worker.core.evidence import is_email_alone
from worker.core.matching import Candidate, Verdict, compare, decide, first_made

# --------------------------------------------------------------------------------------------------------- decisions
CERTAIN = {**SAME_NAME, **SAME_EMAIL}


def test_exactly_one_certain_record_is_linked_whatever_is_doubtful_beside_it() -> None:
    result = verdict(contact(), record("1", **SAME_NAME), record("2", **CERTAIN), record("3"))

    assert (result.action, result.external_id, result.reason) == ("link", "2", "matched")
    assert [match.candidate.external_id for match in result.matches] == ["2", "1"]


def test_several_certain_records_are_a_review() -> None:
    result = verdict(contact(), record("1", **CERTAIN), record("2", **CERTAIN))

    assert (result.action, result.external_id, result.reason) == ("review", None, "several_matches")


def test_several_certain_records_are_a_review_also_where_all_but_one_are_others() -> None:
    result = verdict(contact(), record("1", **CERTAIN), record("2", **CERTAIN), taken=frozenset({"1"}))

    assert (result.action, result.reason) == ("review", "several_matches")


def test_a_certain_record_of_another_client_is_a_review() -> None:
    result = verdict(contact(), record("1", **CERTAIN), taken=frozenset({"1"}))

    assert (result.action, result.external_id, result.reason) == ("review", None, "match_taken")


def test_a_doubtful_record_is_a_review_that_says_what_speaks_for_it() -> None:
    result = verdict(contact(), record("1", **{**SAME_NAME, **SAME_PLACE}))

    assert (result.action, result.external_id, result.reason) == ("review", None, "doubtful_match")
    assert "DAKWERKEN de linde (the same name, the same postcode)" in result.message


def test_a_doubtful_record_of_another_client_stops_nothing() -> None:
    assert verdict(contact(), record("1", **SAME_NAME), taken=frozenset({"1"})).action == "create"


def test_a_record_of_another_client_with_the_same_number_is_a_review() -> None:
    result = verdict(contact(vat_number=VAT), record("1", vat_number=VAT), taken=frozenset({"1"}))

    assert (result.action, result.reason) == ("review", "match_taken")


def test_a_number_that_is_typed_in_for_none_is_no_reason_to_ask_about_records_of_others() -> None:
    client = contact(registration_number=KVK)
    held = [record(str(number), name=f"Klant {number}", registration_number=KVK) for number in (1, 2)]

    one = verdict(client, held[0], taken=frozenset({"1"}))
    several = verdict(client, *held, taken=frozenset({"1", "2"}))

    assert (one.action, one.reason) == ("review", "match_taken")
    assert several.action == "create"


def test_a_certain_record_beside_another_with_the_number_is_a_review() -> None:
    department = record("2", vat_number=VAT, **ELSEWHERE)

    free = verdict(contact(vat_number=VAT), record("1", **CERTAIN), department)
    held = verdict(contact(vat_number=VAT), record("1", **CERTAIN), department, taken=frozenset({"2"}))

    assert (free.action, free.reason) == ("review", "several_matches")
    assert (held.action, held.external_id) == ("link", "1")


def test_a_record_that_a_person_refused_is_neither_linked_nor_offered() -> None:
    certain = verdict(contact(), record("1", **CERTAIN), refused=frozenset({"1"}))
    doubtful = verdict(contact(), record("1", **SAME_NAME), record("2", **SAME_NAME), refused=frozenset({"1"}))
    referred = verdict(contact(), record("1", reference="1834", **CERTAIN), reference="1834", refused=frozenset({"1"}))

    assert (certain.action, referred.action) == ("create", "create")
    assert [match.candidate.external_id for match in doubtful.matches] == ["2"]


def test_a_record_with_the_reference_of_another_client_is_a_review() -> None:
    result = verdict(contact(), record("1", reference="RB-1500", **CERTAIN), others=frozenset({"1"}))

    assert (result.action, result.reason) == ("review", "doubtful_match")
    assert "it carries the reference of another client" in result.message


def test_nothing_is_made_silently_where_the_search_was_cut_off() -> None:
    result = verdict(contact(), cut="300 records have a similar name")

    assert (result.action, result.reason, result.message) == (
        "review",
        "several_matches",
        "300 records have a similar name",
    )
    assert verdict(contact(), record("1", **CERTAIN), cut="300 records have a similar name").action == "link"


def test_a_free_doubtful_record_beside_a_taken_one_is_a_review() -> None:
    result = verdict(contact(), record("1", **SAME_NAME), record("2", **SAME_NAME), taken=frozenset({"1"}))

    assert (result.action, result.reason) == ("review", "doubtful_match")


def test_the_only_record_with_an_email_is_asked_about_and_one_of_several_is_not() -> None:
    alone = verdict(contact(), record("1", **SAME_EMAIL))
    shared = verdict(contact(), record("1", **SAME_EMAIL), record("2", name="Daken Zuid", **SAME_EMAIL))
    also_ours = verdict(
        contact(), record("1", **SAME_EMAIL), record("2", name="Zuid", **SAME_EMAIL), taken=frozenset({"2"})
    )

    assert (alone.action, alone.reason) == ("review", "doubtful_match")
    assert "Bakkerij Het Zuiden (an e-mail address in common; but another name)" in alone.message
    assert (shared.action, also_ours.action) == ("create", "create")


def test_an_accountants_email_on_many_records_does_not_hide_the_one_that_matches() -> None:
    others = [record(str(number), name=f"Klant {number}", **SAME_EMAIL) for number in range(1, 11)]

    result = verdict(contact(), *others, record("11", **CERTAIN))

    assert (result.action, result.external_id) == ("link", "11")


def test_a_supplier_is_no_client_even_with_the_same_number() -> None:
    supplier = record("1", vat_number=VAT, usable=False, why_not="it is a supplier", **SAME_NAME)

    assert verdict(contact(vat_number=VAT), supplier).action == "create"


def test_a_record_that_comes_twice_counts_once() -> None:
    result = verdict(contact(), record("1", **CERTAIN), record("1", **SAME_NAME))

    assert (result.action, result.external_id) == ("link", "1")
    assert len(result.matches) == 1


def test_nothing_found_is_made() -> None:
    assert verdict(contact(), record("1")) == Verdict("create")
    assert verdict(contact()) == Verdict("create")


# -------------------------------------------------------------------------------------------------------- references
LINKED, COLLISION = ("link", "reference"), ("review", "reference_collision")
OURS, THEIRS = {"vat_number": VAT}, {"vat_number": OTHER_VAT}


@pytest.mark.parametrize(
    ("unique", "ours", "theirs", "expected"),
    [
        pytest.param(True, {}, {}, COLLISION, id="unique: another name, and nothing that agrees"),
        pytest.param(True, {}, {"name": None}, COLLISION, id="unique: no name"),
        pytest.param(True, {}, OTHER_EMAIL | OTHER_PHONE | ELSEWHERE, COLLISION, id="unique: all else differs"),
        pytest.param(True, {}, SAME_EMAIL, LINKED, id="unique: the name may have changed"),
        pytest.param(True, OURS, OURS, LINKED, id="unique: another name, the same number"),
        pytest.param(True, OURS, {**THEIRS, **SAME_EMAIL}, COLLISION, id="unique: another name and number"),
        pytest.param(True, OURS, {**THEIRS, **SAME_NAME}, LINKED, id="unique: so may the number"),
        pytest.param(True, OURS, THEIRS, COLLISION, id="unique: not both"),
        pytest.param(True, {}, {"usable": False, "why_not": "a supplier"}, COLLISION, id="unique: a supplier"),
        pytest.param(False, {}, SAME_NAME, LINKED, id="not unique: the name"),
        pytest.param(False, {}, ALIKE, LINKED, id="not unique: a similar name"),
        pytest.param(False, {}, {}, COLLISION, id="not unique: another name"),
        pytest.param(False, {}, {"name": None}, COLLISION, id="not unique: no name"),
        pytest.param(False, OURS, OURS, COLLISION, id="not unique: another name, the same number"),
        pytest.param(False, OURS, {**THEIRS, **SAME_NAME}, COLLISION, id="not unique: another number"),
        pytest.param(False, {}, {"usable": False, **SAME_NAME}, COLLISION, id="not unique: a supplier"),
    ],
)  # fmt: skip
def test_a_record_that_carries_our_reference(
    unique: bool, ours: dict[str, Any], theirs: dict[str, Any], expected: tuple[str, str]
) -> None:
    result = verdict(contact(**ours), record("7", reference="1834", **theirs), reference="1834", unique=unique)

    assert (result.action, result.reason) == expected
    assert result.external_id == ("7" if expected == LINKED else None)


def test_our_reference_goes_before_all_other_evidence() -> None:
    result = verdict(
        contact(), record("1", **CERTAIN), record("2", **CERTAIN), record("7", reference="RB-1", **ALIKE),
        reference="RB-1", unique=True,
    )  # fmt: skip

    assert (result.action, result.external_id) == ("link", "7")


def test_another_reference_says_nothing() -> None:
    found = record("1", reference="RB-2", **CERTAIN)

    assert verdict(contact(), found, reference="RB-1", unique=True).external_id == "1"
    assert verdict(contact(), record("1", reference=None), reference=None).action == "create"


@pytest.mark.parametrize("unique", [True, False])
def test_a_record_with_our_reference_that_another_client_holds_is_a_review(unique: bool) -> None:
    found = record("7", reference="1834", **SAME_NAME)

    result = verdict(contact(), found, reference="1834", unique=unique, taken=frozenset({"7"}))

    assert (result.action, result.reason) == ("review", "match_taken")


def test_of_several_that_carry_our_reference_none_is_linked() -> None:
    found = [record(each, reference="1834", **SAME_NAME) for each in ("9", "10")]

    result = verdict(contact(), *found, reference="1834")

    assert (result.action, result.external_id, result.reason) == ("review", None, "several_matches")


def test_one_record_with_our_reference_that_comes_twice_is_one() -> None:
    found = [record("7", reference="1834", **SAME_NAME), record("7", reference="1834", **CERTAIN)]

    assert verdict(contact(), *found, reference="1834").external_id == "7"


def test_the_reference_of_a_supplier_beside_ours_is_a_collision() -> None:
    found = [record("7", reference="1834", **SAME_NAME), record("8", reference="1834", usable=False, **SAME_NAME)]

    assert verdict(contact(), *found, reference="1834").reason == "reference_collision"


@pytest.mark.parametrize(
    ("ids", "first"), [(["10", "9"], "9"), (["7"], "7"), (["b", "9"], "9"), (["bb", "c"], "c"), (["b", "a"], "a")]
)
def test_the_record_that_was_made_first_has_the_lowest_number(ids: list[str], first: str) -> None:
    assert first_made(ids) == first


# -------------------------------------------------------------------------------------------------------- properties
RECORDS = st.builds(
    lambda external_id, name, values, email, reference, usable: Candidate(
        external_id,
        name,
        {path: value for path, value in values.items() if value is not None},
        (email,) if email else (),
        reference,
        usable,
    ),
    st.sampled_from(["1", "2", "10", "x"]),
    st.sampled_from([None, "Dakwerken De Linde", "De Linde B.V.", "Dakwerken De Linde NV", "Bakkerij Het Zuiden"]),
    st.fixed_dictionaries(
        {
            "vat_number": st.sampled_from([None, VAT, OTHER_VAT, BAD_VAT]),
            "registration_number": st.sampled_from([None, KVK, OTHER_KVK]),
            "address.postal_code": st.sampled_from([None, "9000", "2000"]),
            "phone": st.sampled_from([None, "09 000 00 01"]),
        }
    ),
    st.sampled_from([None, "info@delinde.example", "andere@else.example"]),
    st.sampled_from([None, None, "1834", "18"]),
    st.sampled_from([True, True, False]),
)
CLIENTS = st.builds(
    lambda vat, number, kind: contact(vat_number=vat, registration_number=number, kind=kind),
    st.sampled_from([None, VAT]),
    st.sampled_from([None, KVK]),
    st.sampled_from(["organisation", "person"]),
)
TAKEN = st.frozensets(st.sampled_from(["1", "2", "10"]), max_size=2)


@given(CLIENTS, st.lists(RECORDS, max_size=3), TAKEN, st.sampled_from([None, "1834"]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_order_in_which_records_are_found_decides_nothing(
    client: Json, found: list[Candidate], taken: frozenset[str], reference: str | None, unique: bool
) -> None:
    verdicts = [
        decide(client, order, reference=reference, reference_is_unique=unique, taken=taken)
        for order in itertools.permutations(found)
    ]

    assert all(one == verdicts[0] for one in verdicts)


@given(CLIENTS, st.lists(RECORDS, max_size=4), TAKEN, st.sampled_from([None, "1834"]), st.booleans())
@settings(deadline=None, max_examples=150)
def test_no_stranger_is_linked_and_nobody_is_made_who_might_be_there(
    client: Json, found: list[Candidate], taken: frozenset[str], reference: str | None, unique: bool
) -> None:
    result = decide(client, found, reference=reference, reference_is_unique=unique, taken=taken)

    if result.action == "link":
        linked = [one for one in found if one.external_id == result.external_id]
        assert result.external_id not in taken
        referred = [one for one in linked if reference and one.reference == reference]
        assert any(one.usable for one in linked)
        assert referred or any(compare(client, one).strength == "certain" for one in linked)
    if result.action == "create":
        assert not any(reference and one.reference == reference for one in found)
        free = [one for one in found if one.usable and one.external_id not in taken]
        seen = [match for one in free if (match := compare(client, one)).strength != "apart"]
        assert all(is_email_alone(frozenset(match.evidence)) for match in seen)  # of one only that is a question
    assert (result.external_id is not None) == (result.action == "link")


@given(CLIENTS, RECORDS)
@settings(deadline=None, max_examples=150)
def test_a_number_that_contradicts_is_never_certain(client: Json, found: Candidate) -> None:
    numbers = ("vat_number", "registration_number")
    differs = [path for path in numbers if client[path] and path in found.values and client[path] != found.values[path]]

    match = compare(client, found)

    assert not differs or match.strength != "certain"


AGREEING: dict[str, dict[str, Any]] = {
    "name": {"name": "Dakwerken De Linde"},
    "email": {"email": "info@delinde.example"},
    "address.postal_code": {"address.postal_code": "9000"},
    "phone": {"phone": "09 000 00 01"},
    "vat_number": {"vat_number": VAT},
    "registration_number": {"registration_number": KVK},
}
ORDER = ("apart", "doubtful", "certain")


@given(CLIENTS, RECORDS, st.sampled_from(sorted(AGREEING)))
@settings(deadline=None, max_examples=400)
def test_one_more_fact_that_agrees_never_makes_it_less(client: Json, found: Candidate, field: str) -> None:
    client = {**client, "vat_number": client["vat_number"] or None}
    if field in ("vat_number", "registration_number"):
        client = {**client, field: AGREEING[field][field]}
    before = compare(client, found)
    values = {"name": found.name, "email": next(iter(found.emails), None), **found.values, **AGREEING[field]}

    name = values.pop("name")
    after = compare(client, record(found.external_id, name, **{key: value for key, value in values.items() if value}))

    assert ORDER.index(after.strength) >= ORDER.index(before.strength), (before.because, after.because)


@given(RECORDS, RECORDS)
@settings(deadline=None, max_examples=200)
def test_which_side_a_fact_stands_on_decides_nothing(one: Candidate, other: Candidate) -> None:
    def as_contact(record: Candidate) -> Json:
        return build({**record.values, "name": record.name, "email": next(iter(record.emails), None)})

    assert compare(as_contact(one), other).evidence == compare(as_contact(other), one).evidence
