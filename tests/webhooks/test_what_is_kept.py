"""What a receiver stores of a webhook: the event, without bank data, identity numbers and its signature's digest."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.webhooks.conftest import SECRET, Served
from tests.webhooks.test_receive import fresh_id
from worker.core.signature import sign

ACCOUNT = "BE68539007547034"
NUMBERS = (ACCOUNT, "BE68 5390 0754 7034", "NL91 ABNA 0417 1643 00", "85.07.30-033.28", "85073003328")
TOLD = ("5390", "0754", "0417", "85.07", "850730", "Voorbeeldbank")


def event(event_id: str, **data: Any) -> bytes:
    return json.dumps({"id": event_id, "event": "client.updated", "data": {"id": "1834", **data}}).encode()


def stored(served: Served, event_id: str) -> bytes:
    [row] = served.rows(
        "SELECT body FROM inbox_event WHERE event_id = :id",
        id=event_id,
    )
    return bytes(row.body)


@pytest.mark.parametrize(
    "data",
    [
        {"accountNr": ACCOUNT, "bank": "Voorbeeldbank", "creditInfo": "Voorbeeldbank says no"},
        {"bank": {"name": "Voorbeeldbank", "numbers": ["12-34", {"at": "Voorbeeldbank"}]}},
        {"financial": {"iban": ["NL00 X", "Voorbeeldbank"]}},
        {"extraFields": {"6B0B2B52-0C6E-4D35": {"type": "TEXT", "stringValue": f"Marleen, rek. {ACCOUNT}"}}},
        {"extraFields": {"Rekeningnummer": {"type": "TEXT", "stringValue": "Voorbeeldbank"}}},
        {"extraFields": [{"name": "Rijksregisternummer", "type": "TEXT", "value": "Voorbeeldbank"}]},
        {"remarks": [" / ".join(NUMBERS)], "contacts": [{"tel": ACCOUNT, "nationalNumber": "Voorbeeldbank"}]},
    ],
    ids=["members", "objects", "arrays", "text", "a field of one's own", "name and value", "everywhere"],
)
def test_bank_data_and_identity_numbers_are_not_stored(shared: Served, data: dict[str, Any]) -> None:
    event_id = fresh_id()
    sent = event(event_id, name="De Linde", updatedAt="2026-10-01T12:00:00.000Z", **data)

    first, second = shared.post(sent), shared.post(sent)

    assert (first.status_code, second.status_code) == (202, 200)
    kept = stored(shared, event_id)
    assert [word for word in TOLD if word.encode() in kept] == []
    assert json.loads(kept)["data"] | {"name": "De Linde", "id": "1834"} == json.loads(kept)["data"]
    assert "[removed]" in kept.decode()


def test_an_event_without_any_is_stored_as_it_came(shared: Served) -> None:
    event_id = fresh_id()
    sent = b'{ "id" : "%b", "event":"client.updated", "data" : {"id":"1834", "vatIdNumber": "BE0403170701"} } '
    sent = sent % event_id.encode()

    shared.post(sent)

    assert stored(shared, event_id) == sent


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"client.updated","data":{"bank":{"nr":["Voorbeeldbank"]},"note":"BE68 5390 0754 7034"}}',
        b'{"iban":"Voorbeeldbank","iban":null,"note":"BE68\\u00205390 0754 7034"}',
        b'{"bank": ["Voorbeeldbank", "BE68 5390 0754 7034',
        b'["BE68 5390 0754 7034", {"name": "IBAN", "value": "Voorbeeldbank"}]',
        b'\xff\xfe {"iban": "Voorbeeldbank"} BE68 5390 0754 7034',
    ],
    ids=["no id", "names that repeat", "cut", "a list", "not UTF-8"],
)
def test_the_quarantine_keeps_none_either(shared: Served, body: bytes) -> None:
    answer = shared.post(body)

    assert answer.status_code == 400
    [kept] = shared.rows("SELECT body FROM inbox_reject ORDER BY id DESC LIMIT 1")
    assert [word for word in ("Voorbeeldbank", "5390") if word.encode() in bytes(kept.body)] == []


def test_a_number_at_the_place_where_the_quarantine_cuts_is_not_kept_in_part(shared: Served) -> None:
    for before in (65_520, 65_530, 65_534):
        shared.post(b'["' + b"x" * before + b' BE68 5390 0754 7034", "' + b"y" * 9_000 + b'"]')

        [kept] = shared.rows("SELECT body FROM inbox_reject ORDER BY id DESC LIMIT 1")
        assert len(kept.body) == 65_536
        assert b"53" not in bytes(kept.body)


def test_of_the_signature_the_time_is_kept_and_not_the_digest(shared: Served) -> None:
    event_id, now = fresh_id(), int(time.time())
    sent = event(event_id)
    signed = sign(SECRET, now, sent)
    digest = signed.partition("v1=")[2]

    answer = shared.post(sent, **{"Robaws-Signature": f"{signed} , v1={'0' * 64}"})
    rejected = shared.post(b"[]", **{"Robaws-Signature": sign(SECRET, now, b"[]")})

    assert (answer.status_code, rejected.status_code) == (202, 400)
    [row] = shared.rows("SELECT headers FROM inbox_event WHERE event_id = :id", id=event_id)
    assert row.headers["robaws-signature"].strip() == f"t={now}"
    [kept] = shared.rows("SELECT headers FROM inbox_reject ORDER BY id DESC LIMIT 1")
    assert kept.headers["robaws-signature"] == f"t={now}"
    told = shared.api(f"/events/{event_id}").text
    assert digest not in told
    assert "v1=" not in told


def test_a_reason_that_a_person_types_is_stored_without_any(served: Served) -> None:
    reason = f"Marleen paid from {ACCOUNT}, 85.07.30-033.28"

    answer = served.act("/systems/recras/pause", {"reason": reason})

    assert answer.status_code in (200, 202)
    [action] = served.rows("SELECT reason FROM operator_action")
    [system] = served.rows("SELECT paused_reason FROM system_state WHERE system = 'recras'")
    assert action.reason == system.paused_reason == "Marleen paid from [removed], [removed]"
