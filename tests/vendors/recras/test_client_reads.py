"""Reading Recras at the wire: one record, whole lists, what was made since, and check (Recras sheets 2 to 4 and 14)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.vendors.recras.wire import BASE_URL, client_of, de_linde, intent_for, make, session_with
from worker.core.matching import decide
from worker.errors import CredentialsRejected, RecordGone, VendorBroken, VendorUnavailable, WrongAddress
from worker.vendors.contract import Intent
from worker.vendors.recras.client import MARK_SECONDS
from worker.vendors.recras.created import is_alike
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Session, Unmetered


def paths(simulator: RecrasSimulator) -> list[str]:
    """What was asked: path and query, without the prefix."""
    asked = (one.request for one in simulator.calls())
    return [f"{one.path.removeprefix('/api2')}{'?' if one.raw_query else ''}{one.raw_query}" for one in asked]


def many(simulator: RecrasSimulator, count: int) -> set[str]:
    return {simulator.add_record(naam=f"Klant {number}", contactpersonen=[{}]) for number in range(count)}


# -------------------------------------------------------------------------------------------------------- one record
def test_a_record_is_read_with_its_persons() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    made = make(client, session, de_linde())

    record = client.read(session, str(made.external_id))

    assert record.persons is not None
    assert [(one.fields["voornaam"], one.main) for one in record.persons] == [("An", True), ("Bo", False)]
    assert record.fields["plaats"] == "Gent"
    assert "contactpersonen" not in record.fields
    assert record.emails == ("info@delinde.example", "an@delinde.example")


def test_a_record_that_is_gone_costs_one_look_at_the_address() -> None:
    simulator = RecrasSimulator()

    with pytest.raises(RecordGone):
        client_of(simulator).read(session_with(simulator), "999")

    assert paths(simulator) == ["/klanten/999", "/personeel/me"]


def test_a_wrong_address_is_never_a_record_that_is_gone() -> None:
    simulator = RecrasSimulator()

    with pytest.raises(WrongAddress):
        client_of(simulator).read(session_with(simulator, f"{BASE_URL}/oops"), "1")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "html", "status": 200}, VendorBroken),
        ({"kind": "html", "status": 503}, VendorUnavailable),
        ({"kind": "status", "status": 401}, CredentialsRejected),
    ],
)
def test_a_404_is_not_believed_while_the_address_cannot_be_confirmed(
    fault: dict[str, Any], error: type[Exception]
) -> None:
    simulator = RecrasSimulator()
    simulator.fail(**fault, path="/personeel/me")

    with pytest.raises(error):
        client_of(simulator).read(session_with(simulator), "999")


def test_a_key_that_may_not_see_its_user_still_confirms_the_address() -> None:
    simulator = RecrasSimulator()
    simulator.fail("status", status=403, path="/personeel/me", body='[{"message": "Forbidden"}]')

    with pytest.raises(RecordGone):
        client_of(simulator).read(session_with(simulator), "999")


def test_an_answer_without_persons_is_trouble_and_not_a_record_without_any() -> None:
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="De Linde", contactpersonen=[{"achternaam": "Peeters"}])
    shown = json.dumps({"id": int(record_id), "type": "klant", "naam": "De Linde"})
    simulator.fail("status", status=200, body=shown)

    with pytest.raises(VendorBroken):
        client_of(simulator).read(session_with(simulator), record_id)


def test_country_and_vat_number_are_read_where_they_are_shown() -> None:
    simulator = RecrasSimulator(accept_landcode_btw=True)
    client, session = client_of(simulator, send_landcode_btw=True), session_with(simulator)
    record_id = simulator.add_record(naam="De Linde", landcode="BE", btw_nummer="BE1", contactpersonen=[{}])

    record = client.read(session, record_id)

    assert (record.fields["landcode"], record.fields["btw_nummer"]) == ("BE", "BE1")
    assert paths(simulator) == [f"/contacten/{record_id}"]


# ------------------------------------------------------------------------------------------------------------- lists
def test_the_list_holds_customers_only_with_all_that_they_are_matched_by() -> None:
    simulator = RecrasSimulator()
    simulator.add_record(type="leverancier", naam="Groothandel Voorbeeld")
    wanted = simulator.add_record(
        naam="Dakwerken De Linde",
        btw_nummer="BE0000000097",
        contactpersonen=[{"email1": "a@x.example"}, {"email2": "b@x.example"}],
    )
    client = client_of(simulator)

    [record] = client.list_records(session_with(simulator))
    verdict = decide(de_linde(), [client.candidate(record)], reference=None, reference_is_unique=False)

    assert (record.external_id, record.emails) == (wanted, ("a@x.example", "b@x.example"))
    assert (verdict.action, verdict.external_id) == ("link", wanted)


@pytest.mark.parametrize("page_size", [None, 7, 100])
@pytest.mark.parametrize("exclusive", [False, True], ids=["inclusive", "exclusive"])
def test_every_record_comes_once_whether_or_not_there_are_pages(page_size: int | None, exclusive: bool) -> None:
    simulator = RecrasSimulator(page_size=page_size, id_gt_exclusive=exclusive)
    made = many(simulator, 150)

    listed = [record.external_id for record in client_of(simulator).list_records(session_with(simulator))]

    assert sorted(listed) == sorted(made)


class WithoutPageHeaders(httpx.BaseTransport):
    """The simulator's lists in pages, with nothing that says so."""

    def __init__(self, simulator: RecrasSimulator) -> None:
        self.inner = transport(("https://recras.test", simulator))

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        for name in ("link", "x-page-size", "x-total-count"):
            response.headers.pop(name, None)
        return response


def test_a_list_that_stops_at_a_hundred_without_saying_so_is_read_on() -> None:
    simulator = RecrasSimulator(page_size=100, order="id")
    made = many(simulator, 230)
    http = httpx.Client(transport=WithoutPageHeaders(simulator), base_url=BASE_URL)

    listed = [record.external_id for record in client_of(simulator).list_records(Session("recras", http, Unmetered()))]

    assert sorted(listed) == sorted(made)


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_list_of_contacts_that_of_customers_serves(status: int) -> None:
    simulator = RecrasSimulator()
    made = many(simulator, 2)
    simulator.fail("status", status=status, path="/contacten", times=-1)

    listed = list(client_of(simulator).list_records(session_with(simulator)))

    assert {record.external_id for record in listed} == made
    assert {record.persons for record in listed} == {None}


def test_a_refused_key_is_not_mistaken_for_a_missing_list() -> None:
    simulator = RecrasSimulator(keys={})

    with pytest.raises(CredentialsRejected):
        list(client_of(simulator).list_records(session_with(simulator)))

    assert paths(simulator) == ["/contacten"]


def test_a_customer_that_was_deactivated_is_told_where_the_answer_shows_it() -> None:
    simulator = RecrasSimulator()
    simulator.records.shows_deactivated = True
    record_id = simulator.add_record(naam="De Linde", contactpersonen=[{"achternaam": "Peeters"}])
    client, session = client_of(simulator), session_with(simulator)

    before = client.read(session, record_id)
    simulator.deactivate(record_id)
    after = client.read(session, record_id)

    assert (before.usable, after.usable, after.why_not) == (True, False, "it is deactivated")


def test_a_deactivated_customer_is_not_linked() -> None:
    client = client_of(RecrasSimulator())
    simulator = RecrasSimulator()
    record_id = simulator.add_record(naam="De Linde", contactpersonen=[{}])
    shown = {"id": int(record_id), "type": "klant", "naam": "De Linde", "deactivated_at": "2026-01-01T00:00:00Z"}
    simulator.fail("status", status=200, body=json.dumps([shown]))

    [record] = client.list_records(session_with(simulator))

    assert (client.candidate(record).usable, record.why_not) == (False, "it is deactivated")


# ------------------------------------------------------------------------------------------------ what was made since
def test_a_lost_create_is_found_among_the_newest_by_name_address_and_email() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    many(simulator, 3)
    mark = client.mark(session)
    intent = intent_for(client, de_linde(), mark)
    made = make(client, session, de_linde())
    name = "Dakwerken De Linde"
    there = [{"email1": "other@x.example"}]
    simulator.add_record(naam=name, adres="Kerkstraat 12", postcode="90 00", plaats="GENT", contactpersonen=there)
    simulator.add_record(naam=name, plaats="Luik", contactpersonen=[{"email1": "info@delinde.example"}])
    simulator.log.clear()

    found = client.find_created(session, intent)

    assert [record.external_id for record in found] == [made.external_id]
    assert paths(simulator)[0] == f"/klanten?id%3E={mark}"
    assert len(paths(simulator)) == 3  # the list, and the two that look alike


@pytest.mark.parametrize("exclusive", [False, True], ids=["inclusive", "exclusive"])
def test_a_record_that_was_there_before_is_never_the_lost_create(exclusive: bool) -> None:
    simulator = RecrasSimulator(id_gt_exclusive=exclusive)
    client, session = client_of(simulator), session_with(simulator)
    make(client, session, de_linde(email=None, persons=[]))

    intent = intent_for(client, de_linde(email=None, persons=[]), client.mark(session))

    assert client.find_created(session, intent) == []


@pytest.mark.parametrize(
    ("klant", "alike"),
    [
        ({}, True),
        ({"naam": " DAKWERKEN de linde", "plaats": "gent"}, True),
        ({"naam": "Dakwerken De Lindé"}, True),
        ({"naam": "Dakwerken De Els"}, False),
        ({"adres": "Kerkstraat 13"}, False),
        ({"adres": None}, False),
        ({"postcode": "9050"}, False),
        ({"plaats": "Luik"}, False),
    ],
)
def test_a_customer_looks_like_the_create_by_name_and_whole_address(klant: dict[str, Any], alike: bool) -> None:
    sent = {"naam": "Dakwerken De Linde", "adres": "Kerkstraat 12", "postcode": "9000", "plaats": "Gent"}

    assert is_alike(Intent("key", None, sent), {**sent, **klant}) is alike


def test_a_create_without_a_name_looks_like_nobody() -> None:
    assert not is_alike(Intent("key", None, {}), {"id": 1})


def test_without_an_email_name_and_address_are_enough() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    contact = de_linde(email=None, persons=[])
    intent = intent_for(client, contact, client.mark(session))
    made = make(client, session, contact)

    assert [record.external_id for record in client.find_created(session, intent)] == [made.external_id]


def test_a_candidate_that_is_gone_by_the_time_it_is_read_is_left_out() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    intent = intent_for(client, de_linde(), client.mark(session))
    made = make(client, session, de_linde())

    def after_the_list() -> None:
        simulator.before_next(lambda: simulator.delete_record(str(made.external_id)))

    simulator.before_next(after_the_list)

    assert client.find_created(session, intent) == []


def test_the_mark_costs_one_list_in_a_new_process_and_nothing_soon_after() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    highest = max(many(simulator, 3), key=int)

    assert [client.mark(session), client.mark(session)] == [highest, highest]

    assert paths(simulator) == ["/klanten"]


def test_a_list_that_was_read_is_a_mark_and_so_is_a_record_that_was_made() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    supplier = simulator.add_record(type="leverancier", naam="Groothandel Voorbeeld")
    list(client.list_records(session))
    assert client.mark(session) == supplier  # contacts of all types share one row of ids

    made = make(client, session, de_linde())

    assert client.mark(session) == made.external_id
    assert paths(simulator) == ["/contacten", "/klanten"]


def test_an_old_mark_is_renewed_by_asking_for_the_newest_only() -> None:
    simulator = RecrasSimulator()
    client, session = client_of(simulator), session_with(simulator)
    many(simulator, 2)
    first = client.mark(session)
    newest = simulator.add_record(naam="Nieuw", contactpersonen=[{}])
    later = session.clock() + MARK_SECONDS + 1

    session.clock = lambda: later

    assert client.mark(session) == newest
    assert paths(simulator) == ["/klanten", f"/klanten?id%3E={first}"]


def test_blind_posts_end_earlier_where_recras_cannot_match_by_email() -> None:
    client = client_of(RecrasSimulator())

    with_email, without = de_linde(), de_linde(email=None, persons=[])

    assert client.most_blind_posts(intent_for(client, with_email)) == 5
    assert client.most_blind_posts(intent_for(client, without)) == 2


def test_a_reference_in_an_extra_field_is_read_where_it_is_shown() -> None:
    simulator = RecrasSimulator(show_extra_fields=True)
    client, session = client_of(simulator, reference_extra_field="Robaws id"), session_with(simulator)
    made = make(client, session, de_linde())

    record = client.read(session, str(made.external_id))

    assert (client.capabilities.reference, record.reference) == (True, "1834")
