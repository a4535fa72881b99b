"""Where a system holds another value than it should: which of them were sent, and who or what decided otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from worker.core import field_merge as rule
from worker.core.differences import KEPT_BY_A_PERSON, Difference, differences, kept_by_a_person
from worker.core.mapping import PERSONS, FieldRow, Ours, PersonTable, VendorMapping
from worker.core.planning import Decision, Snapshot, agree

NAME = FieldRow("name", "name")
PHONE = FieldRow("phone", "tel", "phone", required=True, missing="placeholder:-")
CITY = FieldRow("address.city", "place", max_length=10)
REFERENCE = FieldRow("references.robaws_id", "number", write="create", adopt=False)
KIND = FieldRow("kind", "person", "boolean", null_rule="never")
PERSON_TABLE = PersonTable((), build=lambda _: (), email=lambda _: None, name=lambda _: None)
ROWS = (NAME, PHONE, CITY, REFERENCE, KIND)
TABLE = VendorMapping("sandbox", "1", ROWS, inward=lambda fields: fields, persons=PERSON_TABLE)


def settled(action: Any, rule_: str, ours: Any, theirs: Any, *, held: Any = None, **more: Any) -> list[Difference]:
    """What differs in `place` after such a decision; `held` is what a write's answer showed."""
    decisions = (Decision("place", action, ours, theirs, rule_),)
    shown = {"place": held} if held is not None else None
    return differences(TABLE, agree(Ours({"place": ours}), None, decisions, shown, None, None, **more))


@pytest.mark.parametrize(
    ("rule_", "state"),
    [
        (rule.FIRST_ALIKE, "spelling"),
        (rule.FILLED_THERE, "theirs"),
        (rule.FIRST_THEIRS, "theirs"),
        (rule.STANDS_FOR_MISSING, "theirs"),
    ],
)
def test_a_value_that_was_not_written_is_not_called_sent(rule_: str, state: str) -> None:
    assert settled("settle", rule_, "Gent", "GENT (BE)") == [
        Difference("place", "address.city", "Gent", "GENT (BE)", state, rule_)  # type: ignore[arg-type]
    ]


def test_a_value_that_was_sent_and_is_not_there_was_not_accepted() -> None:
    [found] = settled("write", rule.ROBAWS_OWNS, "Genk", "Gent", held="GENK")

    assert (found.state, found.ours, found.theirs) == ("not_accepted", "Genk", "GENK")


def test_a_value_that_the_request_left_out_was_not_sent() -> None:
    [found] = settled("write", rule.ROBAWS_OWNS, "Genk", "Gent", held="Gent", sent={"name"})

    assert found.state == "theirs"


def test_an_emptied_value_that_was_sent_and_is_still_there_was_not_accepted() -> None:
    assert [one.state for one in settled("write", rule.ROBAWS_OWNS, None, "Gent", held="Gent")] == ["not_accepted"]


def test_agreement_ends_a_difference() -> None:
    snapshot = Snapshot({"place": "Genk"}, {"place": "GENK"}, because={"place": {"rule": "x", "sent": True}})
    decisions = (Decision("place", "settle", "GENK", "GENK", rule.EQUAL_ALREADY),)

    after = agree(Ours({"place": "GENK"}), snapshot, decisions, None, None, None)

    assert (differences(TABLE, after), dict(after.because)) == ([], {})


def test_what_is_parked_or_kept_keeps_its_reason() -> None:
    because = {"place": {"rule": rule.FIRST_ALIKE}}
    snapshot = Snapshot({"place": "Genk"}, {"place": "GENK"}, because=because)
    decisions = (Decision("place", "keep", "Genk", "GENK", rule.DIFFERS_AS_BEFORE),)

    assert agree(Ours({"place": "Genk"}), snapshot, decisions, None, None, None).because == because


def test_a_persons_answer_is_named_with_who_when_and_which_question() -> None:
    because = {"place": kept_by_a_person("An Peeters", "2026-03-02T09:00:00+00:00", 7)}
    [found] = differences(TABLE, Snapshot({"place": None}, {"place": "Gent"}, because=because))

    assert (found.state, found.rule) == ("decided", KEPT_BY_A_PERSON)
    assert (found.by, found.at, found.review) == ("An Peeters", "2026-03-02T09:00:00+00:00", "7")


def test_contact_persons_that_a_person_kept_are_listed() -> None:
    because = {PERSONS: kept_by_a_person("An Peeters", "2026-03-02T09:00:00+00:00", 7)}
    snapshot = Snapshot({PERSONS: [{"voornaam": "Els"}]}, {PERSONS: []}, because=because)

    assert [(one.path, one.state) for one in differences(TABLE, snapshot)] == [(PERSONS, "decided")]


@pytest.mark.parametrize(
    ("path", "meant", "holds", "listed"),
    [
        pytest.param("place", "Genk", None, True, id="dropped"),
        pytest.param("place", "Genk", "GENK", True, id="rewritten"),
        pytest.param("place", "Genk", " Genk ", False, id="the same to the field"),
        pytest.param("place", None, "Gent", False, id="nothing was meant"),
        pytest.param("person", None, "true", True, id="cannot be emptied"),
        pytest.param("number", "1834", "K00042", False, id="given at the create only"),
        pytest.param("unknown", "x", "y", False, id="not in the table"),
    ],
)
def test_of_a_snapshot_that_does_not_say_why_nothing_is_claimed(
    path: str, meant: Any, holds: Any, listed: bool
) -> None:
    found = differences(TABLE, Snapshot({path: meant}, {path: holds}))

    assert [(one.path, one.ours, one.theirs, one.state) for one in found] == (
        [(path, meant, holds, "differs")] if listed else []
    )


def test_a_stand_in_that_gave_way_is_no_difference() -> None:
    assert differences(TABLE, Snapshot({"tel": "-"}, {"tel": "+32 9 000 00 01"}, placeholders=("tel",))) == []
