"""Bank data and identity numbers that vendors send never reach the database, wherever they stand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.vendors.simulation import SimRequest, SimResponse, Simulator

ACCOUNT = "BE68 5390 0754 7034"
PLANTED = f"Marleen, rek. {ACCOUNT} of NL91ABNA0417164300, rijksregister 85.07.30-033.28, BSN 111222333"
NAMED = "account twelve at Voorbeeldbank"
MARKS = ("5390", "BE68", "0417164300", "85.07.30", "111222333", "Voorbeeldbank")


def dump(hub: Hub) -> str:
    """Every row of every table, as text; bytes as what they stand for."""
    found = []
    with hub.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
        ).scalars()
        for table in sorted(tables):
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                values = [
                    bytes(one).decode("utf-8", "replace") if isinstance(one, bytes) else one for one in row.values()
                ]
                found.append(f"{table}: {json.dumps(values, default=str, ensure_ascii=False)}")
    return "\n".join(found)


def bring_along(simulator: Simulator, members: dict[str, Any]) -> None:
    """Each record that it answers has these members too."""
    answer = simulator.answer

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {name: filled(one) for name, one in value.items()} | (members if "id" in value else {})

    def answering(request: SimRequest) -> SimResponse:
        response = answer(request)
        try:
            return replace(response, body=json.dumps(filled(json.loads(response.body))).encode())
        except ValueError:
            return response

    simulator.answer = answering  # type: ignore[method-assign]


def told(hub: Hub) -> list[str]:
    """The rows that hold any of what was planted."""
    return [line for line in dump(hub).splitlines() if any(mark in line for mark in MARKS)]


def test_what_robaws_holds_of_it_is_not_stored_and_not_passed_on(hub: Hub) -> None:
    bring_along(hub.robaws, {"accountNr": ACCOUNT, "bank": NAMED, "financial": {"iban": [NAMED, {"at": NAMED}]}})
    source_id = hub.robaws.add_client(**client())
    hub.robaws.set_extra_field(source_id, "Rompslomp-id", PLANTED)
    hub.robaws.add_person(source_id, name="Marleen", surname=f"Peeters {ACCOUNT}", email="m@delinde.example")

    hub.sync(source_id)
    hub.robaws.change_client(source_id, name=f"Dakwerken De Linde {ACCOUNT}")
    hub.sync(source_id)

    assert told(hub) == []
    assert {link[2] for link in hub.links()} == {"synced"}
    for system in ("rompslomp", "recras", "workspace"):
        assert "5390" not in json.dumps(hub.simulators[system].state(), default=str)
    assert hub.contact(source_id)["name"] == "Dakwerken De Linde"
    hub.forget_calls()
    hub.sync(source_id)
    assert [
        call for name in ("rompslomp", "recras", "workspace") for call in hub.calls(name) if "GET" not in call
    ] == []


@pytest.mark.parametrize("phone", ["0031 53 787 03 34", "31103008824", "0031-10-671.22.99"])
def test_a_phone_number_with_the_check_digits_of_a_person_goes_on_whole(hub: Hub, phone: str) -> None:
    source_id = hub.robaws.add_client(**{**client(), "tel": phone})

    hub.sync(source_id)

    digits = "".join(filter(str.isdigit, phone)).removeprefix("00")
    written = "".join(filter(str.isdigit, json.dumps(hub.rompslomp.state(), default=str)))
    assert digits.removeprefix("31") in written


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
@pytest.mark.parametrize("status", [400, 401, 406, 422, 500])
def test_what_a_refusal_quotes_of_it_is_not_stored(hub: Hub, system: str, status: int) -> None:
    faults: list[Any] = [{"field": "naam", "message": PLANTED, "iban": NAMED}]
    inner: dict[str, Any] = {
        "message": PLANTED,
        "error": {"message": PLANTED, "bank": [NAMED]},
        "exception": [PLANTED],
        "data": {},
    }
    body = {**inner, "response": {**inner, "code": status}, "errors": faults, "bank": {"at": [NAMED]}}
    hub.simulators[system].fail("status", times=-1, status=status, body=json.dumps(body))

    hub.sync(hub.robaws.add_client(**client()))

    assert told(hub) == []
    assert "[removed]" in dump(hub)


@pytest.mark.parametrize("body", [f"<p>{PLANTED}</p>", f'{{"bank": ["{NAMED}"], "x": "{PLANTED}', f"{PLANTED}"])
def test_what_a_broken_answer_quotes_of_it_is_not_stored(hub: Hub, body: str) -> None:
    hub.rompslomp.fail("status", times=-1, status=200, body=body)
    hub.recras.fail("status", times=-1, status=406, body=body, content_type="text/plain")
    hub.robaws.fail("status", times=1, status=503, body=body, content_type="text/html")

    hub.sync(hub.robaws.add_client(**client()))
    hub.settle_all(hours=1)

    assert told(hub) == []


def test_what_a_record_there_holds_of_it_is_not_stored_and_not_wiped(hub: Hub) -> None:
    hub.recras.switches.show_extra_fields = True
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    klant_id = hub.link(source_id, "recras")["external_id"]
    theirs = [
        {"name": "Rekeningnummer", "type": "text", "value": NAMED},
        {"name": "x", "type": "text", "value": PLANTED},
    ]
    hub.recras.edit_record(klant_id, {"extra_fields": theirs, "afdeling": f"Zaal {ACCOUNT}"})

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    [write] = [call.request.json() for call in hub.recras.calls("PUT", f"klanten/{klant_id}")]
    assert write["plaats"] == "Gentbrugge"
    assert write["extra_fields"] == theirs
    assert write["afdeling"] == f"Zaal {ACCOUNT}"
    assert told(hub) == []


def test_what_a_delivery_read_before_a_rate_limit_is_kept_without_it(hub: Hub) -> None:
    bring_along(hub.rompslomp, {"payment_note": PLANTED, "bank_account": NAMED})
    for number in range(3):
        hub.rompslomp.add_record(company_name="Dakwerken De Linde", address=f"Kerkstraat {number} {ACCOUNT}")
    hub.rompslomp.fail("rate_limit", calls=2, seconds=3.0, retry_after=3)
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    kept = 0

    for _ in range(12):
        hub.settle()
        kept += bool(hub.link(source_id, "rompslomp")["reads"])
        assert told(hub) == []
        hub.later(3)

    assert kept > 0


def test_a_record_that_is_written_back_is_read_again_where_it_held_any(hub: Hub) -> None:
    hub.recras.switches.show_extra_fields = True
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    klant_id = hub.link(source_id, "recras")["external_id"]
    theirs: list[dict[str, Any]] = [{"name": "Rekeningnummer", "type": "text", "value": NAMED}]
    hub.recras.edit_record(klant_id, {"extra_fields": theirs})
    hub.recras.fail("throttle", times=1, method="PUT", retry_after=5)

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)
    hub.later(10)
    hub.settle()

    assert hub.link(source_id, "recras")["state"] == "synced"
    last = hub.recras.calls("PUT", f"klanten/{klant_id}")[-1].request.json()
    assert last["extra_fields"] == theirs
    assert told(hub) == []


def test_a_sentence_that_quotes_a_key_is_stored_without_it(hub: Hub) -> None:
    key = hub.settings.systems.recras.api_key
    assert key is not None
    body = json.dumps({"message": f"your request had Authorization: Bearer {key.get_secret_value()}"})
    hub.recras.fail("status", times=-1, status=406, body=body)

    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)

    assert hub.link(source_id, "recras")["message"] == "your request had Authorization: Bearer [removed]"
    assert key.get_secret_value() not in dump(hub)
