"""Idempotency keys, where a vendor honours them: a repeat makes nothing twice."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.declared import BY_HAND, COUNTED, STATE, check
from tests.conformance.place import Place, error_of
from tests.conformance.samples import new_tag
from worker.errors import Busy, VendorRejected


@check("Idempotency keys", "keys")
def test_the_same_create_under_the_same_key_is_the_same_record(place: Place) -> None:
    intent = place.intent(place.contact())

    first, second = place.send(intent), place.way.send(intent)

    assert first.external_id == second.external_id


@check("Idempotency keys", "keys", simulator_only=COUNTED)
def test_a_repeat_under_the_same_key_makes_no_second_record(place: Place) -> None:
    intent = place.intent(place.contact())

    for _ in range(3):
        place.way.send(intent)

    assert place.adapter.names(place.simulator) == [place.contact()["name"]]


@check("Idempotency keys", "keys")
def test_another_key_is_another_record(place: Place) -> None:
    intent = place.intent(place.contact())

    first, second = place.send(intent), place.send(replace(intent, key=f"other-{new_tag()}"))

    assert first.external_id != second.external_id


@check("Idempotency keys", "keys")
def test_a_refused_create_may_be_put_right_under_the_same_key(place: Place) -> None:
    intent = place.intent(place.contact())
    refused = replace(place.adapter.refused(intent), key=intent.key)

    error = error_of(lambda: place.send(refused))
    made = place.send(intent)

    assert isinstance(error, VendorRejected)
    assert place.read(str(made.external_id)).name == place.contact()["name"]


@check("Idempotency keys", "keys", simulator_only=STATE)
def test_a_repeat_while_the_first_one_is_in_work_waits_and_is_no_refusal(place: Place) -> None:
    place.adapter.keep_keys_busy(place.simulator)
    intent = place.intent(place.contact())
    place.send(intent)

    error = error_of(lambda: place.way.send(intent))

    assert isinstance(error, Busy)


@check("Idempotency keys", "keys", simulator_only=BY_HAND)
def test_a_repeated_change_does_not_undo_what_came_after_it(place: Place) -> None:
    record = place.there()
    path, value = place.adapter.edit_by_hand(place.simulator, record.external_id)
    for _ in range(2):
        place.update(record, {path: "+32 9 333 33 33"}, key=f"key-{place.tag}")
        place.adapter.edit_by_hand(place.simulator, record.external_id)

    assert place.read(record.external_id).fields[path] == value


@check("Idempotency keys", "keys")
def test_the_key_of_a_write_stands_in_the_log(place: Place) -> None:
    intent = place.intent(place.contact())

    place.send(intent)

    assert place.way.exchanges[-1].request.idempotency_key == intent.key
    assert intent.key in place.wire.left[-1].headers.values()
