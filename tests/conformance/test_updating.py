"""A record that is there, changed: what is named, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.declared import BY_HAND, COUNTED, FAULT, check
from tests.conformance.place import Place, error_of
from worker.errors import OutcomeUnknown, RecordGone
from worker.vendors.contract import Record


def holds(place: Place, record: Record, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a patch that a record does not hold, with what it holds."""
    rows = {path: place.mapping.row(path) for path in patch}
    return {
        path: record.fields.get(path)
        for path, value in patch.items()
        if rows[path].key(value) != rows[path].key(record.fields.get(path))
    }


def others(place: Place, record: Record, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a record that a patch does not name."""
    left_out = {*patch, *place.adapter.changes_by_itself}
    return {path: value for path, value in record.fields.items() if path not in left_out}


@check("Updating", "update")
def test_only_what_is_named_changes(place: Place) -> None:
    before, patch = place.make(), place.new_city()

    place.update(before, patch)

    after = place.read(before.external_id)
    assert holds(place, after, patch) == {}
    assert others(place, after, patch) == others(place, before, patch)
    assert after.persons == before.persons


@check("Updating", "update")
def test_every_member_that_we_write_can_be_changed(place: Place) -> None:
    before = place.make()
    patch = place.patch(
        place.contact(),
        place.contact(
            name=f"{place.contact()['name']} changed",
            email=f"new-{place.contact()['email']}",
            phone="+32 9 222 22 22",
            mobile="+32 470 22 22 22",
            website="https://changed.example",
            address__line1="Havenweg 3",
            address__postal_code="3600",
            address__city="Genk",
            invoice_email=f"invoices-{place.contact()['email']}",
        ),
    )
    written = {path: value for path, value in patch.items() if place.mapping.row(path).write == "always"}

    place.update(before, written)

    assert len(written) >= 4
    assert holds(place, place.read(before.external_id), written) == {}


@check("Updating", "update")
def test_a_member_that_may_be_empty_can_be_emptied(place: Place) -> None:
    before = place.make()
    rows = [row for row in place.mapping.rows if row.direction != "in" and row.write == "always" and not row.required]
    names = [row.vendor for row in rows if row.null_rule != "never" and before.fields.get(row.vendor)]
    # A record must keep a name of its kind: a person's where it is one, a firm's where it is one.
    patch = {path: None for path in names if before.fields[path] != before.name}

    place.update(before, patch)

    after = place.read(before.external_id)
    assert len(patch) >= 3
    assert holds(place, after, patch) == {}
    assert others(place, after, patch) == others(place, before, patch)


@check("Updating", "update")
def test_what_was_emptied_can_be_filled_again(place: Place) -> None:
    record, patch = place.make(), place.new_city()
    empty = {path: None for path in patch if not place.mapping.row(path).required}
    place.update(record, empty)

    place.update(place.read(record.external_id), patch)

    assert holds(place, place.read(record.external_id), patch) == {}


@check("Updating", "update")
def test_the_same_change_twice_is_the_same_as_once(place: Place) -> None:
    record, patch = place.make(), place.new_city()
    place.update(record, patch)
    once = place.read(record.external_id)

    place.update(once, patch)

    twice = place.read(record.external_id)
    assert others(place, twice, {}) == others(place, once, {})
    assert twice.persons == once.persons


@check("Updating", "update")
def test_what_an_update_returns_is_what_a_read_shows(place: Place) -> None:
    record = place.make()

    returned = place.update(record, place.new_city())

    read = place.read(record.external_id)
    shown = returned.fields if returned is not None else {}
    assert {path: value for path, value in shown.items() if read.fields.get(path) != value} == {}


@check("Updating", "update", simulator_only=BY_HAND)
def test_an_edit_by_a_person_of_another_member_before_the_read_stays(place: Place) -> None:
    record = place.there()
    path, value = place.adapter.edit_by_hand(place.simulator, record.external_id)

    place.update(place.read(record.external_id), place.new_city())

    assert place.read(record.external_id).fields[path] == value


@check("Updating", "update", "merge patch", simulator_only=BY_HAND)
def test_an_edit_by_a_person_of_another_member_after_the_read_stays(place: Place) -> None:
    record = place.there()
    path, value = place.adapter.edit_by_hand(place.simulator, record.external_id)

    place.update(record, place.new_city())

    assert place.read(record.external_id).fields[path] == value


@check("Updating", "update")
def test_a_record_that_is_not_there_any_more_is_gone_and_not_made_again(place: Place) -> None:
    record = place.there()
    unknown = Record(place.adapter.unknown_id, record.fields, record.persons, raw={**record.raw, "id": 2147483646})

    error = error_of(lambda: place.update(unknown, place.new_city()))

    assert isinstance(error, RecordGone)


@check("Updating", "update", simulator_only=COUNTED)
def test_a_change_makes_no_record(place: Place) -> None:
    record = place.there()
    before = place.adapter.names(place.simulator)

    place.update(record, place.new_city())

    assert place.adapter.names(place.simulator) == before


@check("Updating", "update", simulator_only=FAULT)
def test_a_change_without_an_answer_is_unknown_and_right_after_a_repeat(place: Place) -> None:
    record, patch = place.there(), place.new_city()
    told = []
    for kind in ("drop_before", "drop_after"):
        place.simulator.fail(kind)
        told.append(type(error_of(lambda: place.update(record, patch))))

    place.update(record, patch)

    assert told == [OutcomeUnknown, OutcomeUnknown]
    assert holds(place, place.read(record.external_id), patch) == {}


@check("Updating", "update", "target")
def test_a_change_of_nothing_writes_nothing(place: Place) -> None:
    record = place.there()
    before = len(place.wire.left)

    place.update(record, {})

    assert [request.method for request in place.wire.left[before:] if request.method != "GET"] == []
