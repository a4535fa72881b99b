"""What must change in one system: creates, updates, what is read for them, and what stands afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from worker.core import contact as canonical
from worker.core import field_merge as rule
from worker.core.differences import differences
from worker.core.mapping import FieldRow, Ours, Owner, VendorMapping
from worker.core.planning import (
    Create,
    Nothing,
    Review,
    Snapshot,
    Update,
    agree,
    needs_read,
    parked_at_create,
    plan_create,
    plan_update,
)

NAME = FieldRow("name", "name", required=True, missing="review")
PHONE = FieldRow("phone", "tel", "phone", required=True, missing="placeholder:-")
CITY = FieldRow("address.city", "place", max_length=10)
TERM = FieldRow("payment_term_days", "term", "integer_text")
REFERENCE = FieldRow("references.robaws_id", "number", write="create", adopt=False)
KIND = FieldRow("kind", "person", "boolean", outward=lambda c: c["kind"] == "person", null_rule="never")
TABLE = VendorMapping("sandbox", "1", (NAME, PHONE, CITY, TERM, REFERENCE, KIND), inward=lambda fields: fields)

CLIENT = {
    "kind": "organisation",
    "name": "De Linde",
    "phone": "+32 9 000 00 01",
    "address.city": "Gent",
    "payment_term_days": 30,
    "references.robaws_id": "1834",
}
HELD = {"name": "De Linde", "tel": "+32 9 000 00 01", "place": "Gent", "term": "30", "number": "1834", "person": False}


def ours(**values: Any) -> Ours:
    return TABLE.outward(canonical.build(CLIENT | values))


def owners(**configured: Owner) -> dict[str, Owner]:
    return TABLE.owners({path.replace("__", "."): owner for path, owner in configured.items()})


BASE = Snapshot(dict(ours().fields), HELD)


def rules(plan: Update | Nothing, *actions: str) -> dict[str, str]:
    return {one.path: one.rule for one in plan.decisions if one.action in actions}


# ---------------------------------------------------------------------------------------------------------- creates
def test_a_new_record_gets_every_field_whoever_owns_it_afterwards() -> None:
    plan = plan_create(TABLE, ours(), owners(phone="system", address__city="fill", payment_term_days="review"))

    assert isinstance(plan, Create)
    assert plan.fields == dict(ours().fields)


def test_an_ignored_field_is_left_out_of_a_create_unless_the_create_would_be_refused() -> None:
    plan = plan_create(TABLE, ours(), owners(name="ignore", address__city="ignore"))

    assert isinstance(plan, Create)
    assert "place" not in plan.fields
    assert plan.fields["name"] == "De Linde"


def test_what_is_empty_is_left_out_of_a_create_and_a_stand_in_is_not() -> None:
    plan = plan_create(TABLE, ours(**{"phone": None, "address.city": None}), owners())

    assert isinstance(plan, Create)
    assert plan.fields["tel"] == "-"
    assert "place" not in plan.fields
    assert plan.fields["person"] is False


def test_a_required_value_that_is_missing_asks_a_person_before_anything_is_made() -> None:
    plan = plan_create(TABLE, ours(name=None), owners())

    assert plan == Review(
        "missing_required",
        "name is missing and sandbox requires it",
        {"name": "name is missing and sandbox requires it"},
    )


def test_a_required_value_that_does_not_fit_asks_a_person_too() -> None:
    table = replace(TABLE, rows=(replace(NAME, max_length=5),))

    plan = plan_create(table, table.outward(canonical.build(CLIENT)), table.owners({}))

    assert isinstance(plan, Review)
    assert (plan.reason, plan.message) == ("does_not_fit", "name has 8 characters, more than the 5 that fit")


@pytest.mark.parametrize(("kind", "reason"), [("organisation", "missing_required"), ("person", None)])
def test_what_only_some_contacts_require_is_missed_in_those_alone(kind: str, reason: str | None) -> None:
    table = replace(TABLE, rows=(replace(NAME, required_of=lambda one: one["kind"] == "organisation"), KIND))

    plan = plan_create(table, table.outward(canonical.build(CLIENT | {"name": None, "kind": kind})), table.owners({}))

    assert (plan.reason if isinstance(plan, Review) else None) == reason


def test_another_value_that_does_not_fit_is_left_out_and_asked_about() -> None:
    values = ours(**{"address.city": "Sint-Katelijne-Waver"})

    plan = plan_create(TABLE, values, owners())
    [parked] = parked_at_create(TABLE, values, owners())

    assert isinstance(plan, Create)
    assert "place" not in plan.fields
    assert (parked.path, parked.action, parked.ours, parked.rule) == (
        "place",
        "park",
        "Sint-Katelijne-Waver",
        rule.DOES_NOT_FIT,
    )
    assert parked_at_create(TABLE, values, owners(address__city="system")) == ()
    assert parked_at_create(TABLE, values, owners(address__city="ignore")) == ()
    assert parked_at_create(TABLE, ours(), owners()) == ()


# ---------------------------------------------------------------------------------------------------------- reading
@pytest.mark.parametrize(
    ("change", "configured", "wanted"),
    [
        pytest.param({}, {}, False, id="nothing changed"),
        pytest.param({"address.city": "Genk"}, {}, False, id="an owned field"),
        pytest.param({"address.city": None}, {}, False, id="an owned field is emptied"),
        pytest.param({"phone": None}, {}, False, id="a stand-in"),
        pytest.param({"name": None}, {}, True, id="a required one is emptied, and somebody may have emptied it there"),
        pytest.param({"address.city": "Genk"}, {"address__city": "fill"}, True, id="a field to be filled"),
        pytest.param({"address.city": None}, {"address__city": "fill"}, False, id="nothing to fill in"),
        pytest.param({"address.city": "Genk"}, {"address__city": "review"}, True, id="a field that a person decides"),
        pytest.param({"address.city": "Genk"}, {"address__city": "system"}, False, id="a field of theirs"),
        pytest.param({"address.city": "Genk"}, {"address__city": "ignore"}, False, id="a field that is left alone"),
        pytest.param({"references.robaws_id": "9"}, {}, False, id="a member that is given once"),
        pytest.param({"address.city": "Sint-Katelijne-Waver"}, {}, False, id="a value that does not fit"),
    ],
)
def test_a_record_is_read_only_where_the_plan_depends_on_it(
    change: dict[str, Any], configured: dict[str, Owner], wanted: bool
) -> None:
    assert needs_read(TABLE, ours(**change), owners(**configured), BASE, write_replaces=False) is wanted


def test_a_first_link_reads() -> None:
    nothing = TABLE.outward(canonical.build({}))

    assert needs_read(TABLE, ours(), owners(), None, write_replaces=False)
    assert needs_read(replace(TABLE, rows=(CITY,)), nothing, owners(), None, write_replaces=False)


def test_a_write_that_replaces_more_than_it_names_reads_first_and_no_write_does_not() -> None:
    assert needs_read(TABLE, ours(**{"address.city": "Genk"}), owners(), BASE, write_replaces=True)
    assert not needs_read(TABLE, ours(), owners(), BASE, write_replaces=True)


def test_a_field_that_was_parked_on_the_first_link_reads_until_it_is_settled() -> None:
    first = plan_update(TABLE, ours(), owners(), None, HELD | {"place": "Brugge"})
    base = agree(ours(), None, first.decisions, HELD | {"place": "Brugge"}, None, None)

    assert rules(first, "park") == {"place": rule.FIRST_DIFFERS}
    assert "place" not in base.ours
    assert needs_read(TABLE, ours(), owners(), base, write_replaces=False)
    assert not needs_read(TABLE, ours(**{"address.city": None}), owners(), base, write_replaces=False)


def test_without_a_read_a_field_without_a_base_is_left_as_it_is() -> None:
    base = replace(BASE, ours={path: value for path, value in BASE.ours.items() if path != "place"})

    plan = plan_update(TABLE, ours(name="De Els"), owners(), base, None)
    after = agree(ours(name="De Els"), base, plan.decisions, None, None, None)

    assert isinstance(plan, Update)
    assert plan.patch == {"name": "De Els"}
    assert "place" not in after.ours


def test_nothing_at_all_is_written_without_a_base_and_without_a_read() -> None:
    plan = plan_update(TABLE, ours(), owners(), None, None)

    assert isinstance(plan, Nothing)
    assert {one.action for one in plan.decisions} == {"keep"}


# ---------------------------------------------------------------------------------------------------------- updates
def test_a_patch_holds_only_what_changed() -> None:
    plan = plan_update(TABLE, ours(**{"address.city": "Genk", "phone": "09 000 00 01"}), owners(), BASE, None)

    assert isinstance(plan, Update)
    assert plan.patch == {"place": "Genk"}
    assert plan.cleared == ()


def test_what_a_plan_takes_away_is_counted_stand_ins_included() -> None:
    plan = plan_update(
        TABLE, ours(**{"address.city": None, "phone": None, "payment_term_days": 14}), owners(), BASE, None
    )

    assert isinstance(plan, Update)
    assert plan.patch == {"place": None, "tel": "-", "term": 14}
    assert set(plan.cleared) == {"place", "tel"}


def test_a_conflict_parks_its_field_and_not_the_others() -> None:
    held = HELD | {"place": "Brugge"}

    plan = plan_update(
        TABLE, ours(**{"address.city": "Genk", "name": "De Els"}), owners(address__city="review"), BASE, held
    )

    assert isinstance(plan, Update)
    assert plan.patch == {"name": "De Els"}
    assert rules(plan, "park") == {"place": rule.A_PERSON_DECIDES}


@pytest.mark.parametrize(("here", "there"), [(30, "30"), (30, 30.0), (30, "030"), (30, " 30 ")])
def test_a_number_and_its_text_are_equal(here: Any, there: Any) -> None:
    plan = plan_update(TABLE, ours(payment_term_days=here), owners(), None, HELD | {"term": there})

    assert rules(plan, "settle")["term"] == rule.FIRST_EQUAL


@pytest.mark.parametrize("there", [False, 0, "0", "false"])
def test_a_switch_and_its_text_are_equal(there: Any) -> None:
    plan = plan_update(TABLE, ours(), owners(), None, HELD | {"person": there})

    assert rules(plan, "settle")["person"] == rule.FIRST_EQUAL


def test_an_operators_restore_puts_back_owned_fields_only() -> None:
    held = HELD | {"place": "Brugge", "tel": "+32 9 999 99 99", "name": "Iemand"}

    plan = plan_update(TABLE, ours(), owners(phone="fill", name="review"), BASE, held, restore=True)

    assert isinstance(plan, Update)
    assert plan.patch == {"place": "Gent"}


def test_a_value_that_does_not_fit_is_asked_about_until_a_person_lets_theirs_stand() -> None:
    values = ours(**{"address.city": "Sint-Katelijne-Waver"})
    asked = plan_update(TABLE, values, owners(), BASE, HELD)
    let_stand = replace(BASE, ours=dict(BASE.ours) | {"place": "Sint-Katelijne-Waver"})

    again = plan_update(TABLE, values, owners(), let_stand, HELD)

    assert rules(asked, "park") == {"place": rule.DOES_NOT_FIT}
    assert rules(again, "park") == {}


# ------------------------------------------------------------------------------------------- fields that come and go
def test_a_row_that_is_new_in_the_table_starts_like_a_first_link_and_the_others_do_not() -> None:
    newer = replace(TABLE, version="2", rows=(*TABLE.rows, FieldRow("website", "url", "url")))
    values = newer.outward(canonical.build(CLIENT | {"website": "delinde.example", "address.city": "Genk"}))

    wanted = needs_read(newer, values, newer.owners({}), BASE, write_replaces=False)
    empty = plan_update(newer, values, newer.owners({}), BASE, HELD | {"url": None, "place": "Brugge"})
    filled = plan_update(newer, values, newer.owners({}), BASE, HELD | {"url": "https://other.example"})

    assert wanted
    assert isinstance(empty, Update)
    assert empty.patch == {"url": "delinde.example", "place": "Genk"}
    assert rules(filled, "park") == {"url": rule.FIRST_DIFFERS}


@pytest.mark.parametrize("owner", ["system", "ignore"])
def test_a_field_that_is_not_ours_any_more_starts_anew_when_it_comes_back(owner: Owner) -> None:
    changed = ours(**{"address.city": "Genk"})

    gone = plan_update(TABLE, changed, owners(address__city=owner), BASE, HELD)
    without = agree(changed, BASE, gone.decisions, HELD, None, None)
    back = plan_update(TABLE, changed, owners(), without, HELD | {"place": "Brugge"})

    assert isinstance(gone, Nothing)
    assert "place" not in without.ours
    assert "place" not in without.theirs
    assert rules(back, "park") == {"place": rule.FIRST_DIFFERS}


def test_a_row_that_left_the_table_is_forgotten_and_written_by_nobody() -> None:
    older = replace(BASE, ours=dict(BASE.ours) | {"fax": "1"}, theirs=dict(BASE.theirs) | {"fax": "1"})

    plan = plan_update(TABLE, ours(), owners(), older, HELD | {"fax": "2"}, restore=True)
    after = agree(ours(), older, plan.decisions, HELD, None, None)

    assert isinstance(plan, Nothing)
    assert rules(plan, "forget") == {"fax": rule.NO_ROW}
    assert "fax" not in after.ours
    assert differences(TABLE, after) == []


# -------------------------------------------------------------------------------------------------------- agreement
def test_what_the_vendor_made_of_a_value_is_what_it_holds() -> None:
    values = ours(**{"address.city": "Genk"})
    plan = plan_update(TABLE, values, owners(), BASE, None)

    after = agree(values, BASE, plan.decisions, HELD | {"place": "GENK"}, None, None)
    unseen = agree(values, BASE, plan.decisions, None, None, None)
    cut_short = agree(values, BASE, plan.decisions, {}, None, None)

    assert (after.ours["place"], after.theirs["place"]) == ("Genk", "GENK")
    assert (unseen.ours["place"], unseen.theirs["place"]) == ("Genk", "Genk")
    assert cut_short == unseen
    [difference] = differences(TABLE, after)
    assert (difference.path, difference.ours, difference.theirs, difference.state) == (
        "place",
        "Genk",
        "GENK",
        "not_accepted",
    )
    assert isinstance(plan_update(TABLE, values, owners(), after, HELD | {"place": "GENK"}, restore=True), Nothing)


def test_an_edit_there_that_was_not_decided_about_stays_an_edit() -> None:
    plan = plan_update(TABLE, ours(), owners(), BASE, HELD | {"place": "Brugge"})

    after = agree(ours(), BASE, plan.decisions, HELD | {"place": "Brugge"}, None, None)

    assert after.theirs["place"] == "Gent"
    assert isinstance(plan_update(TABLE, ours(), owners(), after, HELD | {"place": "Brugge"}, restore=True), Update)


def test_a_stand_in_is_marked_as_long_as_it_is_the_last_that_we_wrote() -> None:
    gone, back = ours(phone=None), ours(phone="+32 9 000 00 07")
    first = plan_update(TABLE, gone, owners(), BASE, None)
    marked = agree(gone, BASE, first.decisions, None, None, None)
    second = plan_update(TABLE, back, owners(), marked, None)

    assert (marked.ours["tel"], marked.placeholders) == ("-", ("tel",))
    assert agree(back, marked, second.decisions, None, None, None).placeholders == ()


def test_a_stand_in_that_was_not_written_is_not_marked() -> None:
    plan = plan_update(TABLE, ours(phone=None), owners(), None, HELD)

    after = agree(ours(phone=None), None, plan.decisions, HELD, None, None)

    assert (after.ours["tel"], after.theirs["tel"], after.placeholders) == (None, HELD["tel"], ())


def test_persons_stay_as_they_were_agreed_on_where_nothing_was_decided_about_them() -> None:
    base = replace(BASE, persons={"7": {"external_id": "48"}}, main="7")

    kept = agree(ours(), base, (), None, None, None)
    replaced = agree(ours(), base, (), None, {"8": {"external_id": "49"}}, "8")

    assert (kept.persons, kept.main) == (base.persons, "7")
    assert (replaced.persons, replaced.main) == ({"8": {"external_id": "49"}}, "8")


def test_a_snapshot_comes_back_from_its_row_as_it_went() -> None:
    snapshot = Snapshot({"a": 1}, {"a": None}, {"7": {"external_id": "48", "ours": {}}}, "7", ("a",))

    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot
    assert Snapshot.from_json(None) is None
    assert Snapshot.from_json({}) is None
    assert Snapshot.from_json({"main": "7"}) == Snapshot(main="7")
    nulls = {"ours": None, "theirs": None, "persons": None, "main": "7", "placeholders": None}
    assert Snapshot.from_json(nulls) == Snapshot(main="7")


def test_a_restore_leaves_a_persons_real_value_where_ours_is_only_a_stand_in() -> None:
    base = replace(BASE, ours=dict(BASE.ours) | {"tel": "-"}, theirs=HELD | {"tel": "-"}, placeholders=("tel",))

    plan = plan_update(TABLE, ours(phone=None), owners(), base, HELD, restore=True)

    assert isinstance(plan, Nothing)
    assert rules(plan, "settle") == {"tel": rule.STANDS_FOR_STAND_IN}
