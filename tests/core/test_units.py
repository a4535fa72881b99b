"""Several fields that hold one value: what is decided about each, and about all of them."""

from __future__ import annotations

from typing import Any

import pytest

from worker.core import contact as canonical
from worker.core import field_merge as rule
from worker.core.mapping import FieldRow, VendorMapping
from worker.core.planning import Snapshot, Update, needs_read, plan_update
from worker.core.units import CHANGED_TOGETHER, WAITS

MAPPING = VendorMapping(
    "sandbox",
    "1",
    (
        FieldRow("name", "name"),
        FieldRow("address.line1", "street", unit="address"),
        FieldRow("address.postal_code", "zip", "postcode", unit="address"),
        FieldRow("address.city", "city", unit="address"),
        FieldRow("address.country", "country", "country", unit="address", max_length=2),
    ),
    inward=lambda fields: fields,
)
HERE = {"name": "Ada", "address.line1": "Kade 1", "address.postal_code": "9000", "address.city": "Gent"}
THERE = {"name": "Ada", "street": None, "zip": None, "city": None, "country": None}


def decide(
    there: dict[str, Any], *, base: Snapshot | None = None, owner: Any = "robaws", **here: Any
) -> dict[str, Any]:
    """The actions by path, with `there` laid over an empty record."""
    ours = MAPPING.outward(canonical.build({**HERE, **{f"address.{name}": value for name, value in here.items()}}))
    owners = dict.fromkeys(("street", "zip", "city", "country"), owner)
    plan = plan_update(MAPPING, ours, owners, base, {**THERE, **there})
    return {one.path: one.action for one in plan.decisions if one.path != "name"}


def agreed(ours: dict[str, Any], theirs: dict[str, Any]) -> Snapshot:
    return Snapshot(ours={"name": "Ada", **ours}, theirs={"name": "Ada", **theirs})


OURS = {"street": "Kade 1", "zip": "9000", "city": "Gent", "country": None}
THEIRS = {"street": "Markt 5", "zip": "8000", "city": "Brugge", "country": "BE"}


@pytest.mark.parametrize(
    "there",
    [{"city": "Brugge"}, {"zip": "8000"}, {"street": "Markt 5"}, {"city": "Brugge", "zip": "9000"}, THEIRS],
    ids=str,
)
def test_a_part_is_filled_only_where_nothing_else_says_another_place(there: dict[str, Any]) -> None:
    actions = decide(there)

    assert actions["address.*"] == "park"
    assert "write" not in actions.values()


def test_a_part_that_we_do_not_have_and_they_do_says_another_place_too() -> None:
    assert decide({"zip": "8000"}, postal_code=None)["address.*"] == "park"


@pytest.mark.parametrize("there", [{}, {"city": "Gent"}, {"city": "GENT.", "zip": "9000"}, {"country": "BE"}], ids=str)
def test_a_part_is_filled_where_the_others_are_empty_or_equal(there: dict[str, Any]) -> None:
    actions = decide(there)

    assert "park" not in actions.values()
    assert actions["street"] == "write"


def test_a_unit_that_is_only_to_be_filled_is_left_to_them_as_a_whole() -> None:
    actions = decide({"city": "Brugge"}, owner="fill")

    assert set(actions.values()) == {"settle"}


def test_a_question_about_one_part_holds_back_what_changed_here_in_another() -> None:
    base = agreed({"street": "Kade 1"}, {"street": "Kade 1"})

    actions = decide({"street": "Kade 1", "city": "Brugge", "zip": "8000"}, base=base, line1="Kade 2")

    assert actions["address.*"] == "park"
    assert "write" not in actions.values()


def test_a_value_that_was_let_stand_gives_way_as_a_whole_when_ours_changes_without_a_read() -> None:
    ours = MAPPING.outward(canonical.build({**HERE, "address.line1": "Kade 2"}))
    base = agreed(OURS, THEIRS)

    plan = plan_update(MAPPING, ours, {}, base, None)

    assert not needs_read(MAPPING, ours, {}, base, write_replaces=False)
    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 2", "zip": "9000", "city": "Gent"}
    assert {one.rule for one in plan.decisions if one.action == "write"} == {rule.ROBAWS_OWNS, CHANGED_TOGETHER}


def test_a_change_of_one_part_writes_all_of_it_as_nobody_looked_what_stands_there_now() -> None:
    ours = MAPPING.outward(canonical.build({**HERE, "address.line1": "Kade 2"}))

    plan = plan_update(MAPPING, ours, {}, agreed(OURS, OURS), None)

    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 2", "zip": "9000", "city": "Gent"}


def test_a_change_of_one_part_writes_that_part_alone_where_the_others_were_seen_to_be_ours() -> None:
    ours = MAPPING.outward(canonical.build({**HERE, "address.line1": "Kade 2"}))

    plan = plan_update(MAPPING, ours, {}, agreed(OURS, OURS), OURS)

    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 2"}


def test_a_part_that_is_put_back_brings_the_others_that_were_let_stand() -> None:
    ours = MAPPING.outward(canonical.build(HERE))

    plan = plan_update(MAPPING, ours, {}, agreed(OURS, THEIRS), {**THEIRS, "city": "Sint-Andries"}, restore=True)

    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 1", "zip": "9000", "city": "Gent"}


def test_a_part_that_does_not_fit_is_not_written_along() -> None:
    here = {**HERE, "address.line1": "Kade 2", "address.country": "Atlantis"}
    base = agreed({**OURS, "country": "Atlantis"}, {**OURS, "country": "BE"})

    plan = plan_update(MAPPING, MAPPING.outward(canonical.build(here)), {}, base, None)

    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 2", "zip": "9000", "city": "Gent"}


def test_a_part_that_the_settings_leave_to_the_system_is_no_part_of_the_question() -> None:
    ours = MAPPING.outward(canonical.build(HERE))

    plan = plan_update(MAPPING, ours, {"city": "system"}, None, {**THERE, "city": "Brugge"})

    assert isinstance(plan, Update)
    assert plan.patch == {"street": "Kade 1", "zip": "9000"}


def test_a_part_that_does_not_fit_is_asked_about_by_itself() -> None:
    actions = decide({}, country="Atlantis")

    assert (actions["country"], actions["street"]) == ("park", "write")
    actions = decide({"city": "Brugge"}, country="Atlantis")
    assert (actions["country"], actions["address.*"]) == ("park", "park")


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
def test_a_part_that_does_not_fit_holds_the_others_back_where_another_one_stands(read: bool) -> None:
    here = {**HERE, "address.line1": "Kade 2", "address.country": "Atlantis"}
    base = agreed({**OURS, "country": "BE"}, {**OURS, "country": "BE"})

    plan = plan_update(
        MAPPING, MAPPING.outward(canonical.build(here)), {}, base, {**THERE, **OURS, "country": "BE"} if read else None
    )

    assert not isinstance(plan, Update)
    assert [(one.path, one.rule) for one in plan.decisions if one.action == "park"] == [("country", rule.DOES_NOT_FIT)]
    assert [(one.path, one.rule) for one in plan.decisions if one.rule == WAITS] == [("street", WAITS)]
