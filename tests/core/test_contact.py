"""The canonical contact: its paths, and how one is made and read."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.json_values import documents
from worker.core import contact as canonical
from worker.core.mapping import OWNERS
from worker.core.normalise import NORMALISERS

PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(".".join)


# -------------------------------------------------------------------------------------------------------------- paths
def test_every_path_is_named_once_and_its_normaliser_exists() -> None:
    paths = [field.path for field in canonical.FIELDS]

    assert len(set(paths)) == len(paths)
    assert {field.normaliser for field in canonical.FIELDS} - set(NORMALISERS) == {"persons"}
    assert {field.normaliser for field in canonical.PERSON_FIELDS} <= set(NORMALISERS)
    assert all(field.label for field in (*canonical.FIELDS, *canonical.PERSON_FIELDS))


def test_what_names_people_or_reaches_them_is_personal() -> None:
    people = {path for path, field in canonical.BY_PATH.items() if field.personal == "identity"}
    reach = {path for path, field in canonical.BY_PATH.items() if field.personal == "contact"}

    assert people == {"name", "first_name", "last_name", "persons"}
    assert reach >= {"email", "phone", "mobile", "notes", "address.line1", "invoice_address.city"}
    assert {field.personal for field in canonical.PERSON_FIELDS} == {"identity", "contact"}


def test_no_path_is_the_beginning_of_another() -> None:
    paths = [field.path for field in canonical.FIELDS]

    assert [one for one in paths for other in paths if other.startswith(f"{one}.")] == []


def test_a_path_and_an_owner_cannot_be_mistaken_for_each_other() -> None:
    assert set(OWNERS).isdisjoint(canonical.BY_PATH)


@pytest.mark.parametrize(
    ("record", "value"),
    [
        pytest.param({"address": {"city": "Gent"}}, "Gent", id="there"),
        pytest.param({"address": {"city": None}}, None, id="null"),
        pytest.param({"address": {}}, None, id="the member is missing"),
        pytest.param({"address": None}, None, id="the object is null"),
        pytest.param({"address": "Gent"}, None, id="the object is a text"),
        pytest.param({"address": ["city"]}, None, id="the object is a list"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_value_at_a_path(record: dict[str, Any], value: Any) -> None:
    assert canonical.get(record, "address.city") == value


@given(documents(nulls=True), PATHS, documents(nulls=True))
def test_what_is_put_is_got_whatever_stood_there(record: Any, path: str, value: Any) -> None:
    record = record if isinstance(record, dict) else {}

    canonical.put(record, path, value)

    assert canonical.get(record, path) == value


def test_putting_leaves_the_neighbours_alone() -> None:
    record: dict[str, Any] = {"address": {"city": "Gent", "line1": "Kerkstraat 12"}, "name": "De Linde"}

    canonical.put(record, "address.city", "Genk")

    assert record == {"address": {"city": "Genk", "line1": "Kerkstraat 12"}, "name": "De Linde"}


# ------------------------------------------------------------------------------------------------------------ making
def test_a_contact_has_every_path_also_those_that_were_not_given() -> None:
    made = canonical.build({"name": "De Linde", "address.city": "Gent"})

    leaves = dict(canonical.leaves(made))
    assert list(leaves) == [field.path for field in canonical.FIELDS]
    assert {path: value for path, value in leaves.items() if value} == {"name": "De Linde", "address.city": "Gent"}
    assert leaves["persons"] == []
    assert leaves["invoice_address.city"] is None


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [(" Gent ", "Gent"), ("", None), ("  ", None), (None, None), (0, 0), (False, False), ("é", "é")],
)
def test_text_is_trimmed_and_an_empty_one_is_none(given_value: Any, kept: Any) -> None:
    assert canonical.build({"address.city": given_value})["address"]["city"] == kept


def test_a_path_that_is_not_canonical_is_an_error_and_no_field() -> None:
    with pytest.raises(KeyError, match="adress"):
        canonical.build({"adress.city": "Gent"})


@pytest.mark.parametrize("persons", [None, []])
def test_no_persons_are_an_empty_list(persons: Any) -> None:
    assert canonical.build({"persons": persons})["persons"] == []


def test_the_list_of_persons_is_a_list_of_its_own() -> None:
    persons = [{"first_name": "An"}]

    made = canonical.build({"persons": persons})
    made["persons"].append({"first_name": "Bo"})

    assert persons == [{"first_name": "An"}]


def test_making_a_contact_changes_nothing_of_what_it_is_made_of() -> None:
    values = {"name": " De Linde ", "persons": [{"first_name": " An "}]}
    before = copy.deepcopy(values)

    canonical.build(values)

    assert values == before


# ----------------------------------------------------------------------------------------------------------- persons
@pytest.mark.parametrize(
    ("persons", "main"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param(None, None, id="no list"),
        pytest.param([{"first_name": "An"}, {"first_name": "Bo"}], "An", id="nobody is marked: the first"),
        pytest.param([{"first_name": "An"}, {"first_name": "Bo", "main": True}], "Bo", id="the marked one"),
        pytest.param(
            [{"first_name": "An", "main": True}, {"first_name": "Bo", "main": True}], "An", id="two are: the first"
        ),
        pytest.param([{"first_name": "An", "main": False}, {"first_name": "Bo", "main": None}], "An", id="not marked"),
    ],
)
def test_the_main_person(persons: Any, main: str | None) -> None:
    found = canonical.main_person({"persons": persons})

    assert (found or {}).get("first_name") == main
    assert (found is None) == (main is None)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("An", "Peeters", "An Peeters"),
        (" An ", "  ", "An"),
        (None, "Peeters", "Peeters"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_full_name(first: Any, last: Any, name: str | None) -> None:
    assert canonical.full_name({"first_name": first, "last_name": last}) == name
