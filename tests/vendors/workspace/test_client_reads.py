"""How the client reads Workspace: the one list, one record, and the check of a connection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.workspace.wire import client_of, de_linde, make, session_with
from worker.core.matching import decide
from worker.errors import RecordGone, VendorBroken, VendorUnavailable, WrongAddress
from worker.vendors.contract import Target
from worker.vendors.workspace.simulator import WorkspaceSimulator


def test_the_client_offers_what_a_target_must() -> None:
    client = client_of(WorkspaceSimulator())

    assert isinstance(client, Target)
    assert not client.capabilities.search


def test_the_whole_list_comes_in_one_call() -> None:
    simulator = WorkspaceSimulator()
    made = [simulator.add_record(name=f"Klant {number}") for number in range(300)]

    listed = [record.external_id for record in client_of(simulator).list_records(session_with(simulator))]

    assert listed == made
    assert len(simulator.calls()) == 1


def test_members_that_no_page_names_are_ignored_whatever_they_hold() -> None:
    simulator = WorkspaceSimulator(extra_members={"tags": [], "archived": False, "custom": {"a": 1}})
    record_id = simulator.add_record(name="De Linde")
    client, session = client_of(simulator), session_with(simulator)

    shown, listed = client.read(session, record_id), list(client.list_records(session))

    assert (shown.name, [record.name for record in listed], session.remarks) == ("De Linde", ["De Linde"], [])


def test_the_list_of_an_empty_account_is_empty() -> None:
    simulator = WorkspaceSimulator()

    assert list(client_of(simulator).list_records(session_with(simulator))) == []


def test_a_wrong_path_is_never_taken_for_an_empty_account() -> None:
    simulator = WorkspaceSimulator()

    with pytest.raises(WrongAddress):
        list(client_of(simulator, collection_path="/kontacts.json").list_records(session_with(simulator)))


def test_a_list_that_is_cut_off_is_no_list() -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="De Linde")
    simulator.fail("truncate")

    with pytest.raises(VendorBroken):
        list(client_of(simulator).list_records(session_with(simulator)))


def test_the_list_is_given_a_minute_and_a_single_contact_is_not() -> None:
    simulator = WorkspaceSimulator()
    external_id = simulator.add_record(name="De Linde")
    client, session = client_of(simulator, timeout_seconds=5), session_with(simulator)
    session.timeout_seconds = 5
    simulator.fail("delay", seconds=50, times=2)

    assert len(list(client.list_records(session))) == 1
    with pytest.raises(VendorUnavailable):
        client.read(session, external_id)


def test_suppliers_and_contacts_in_the_bin_may_never_be_linked() -> None:
    simulator = WorkspaceSimulator(list_trashed=True)
    simulator.add_record(name="Dakwerken De Linde", btw="BE0000000097", type="2")
    simulator.delete_record(simulator.add_record(name="Dakwerken De Linde", btw="BE0000000097"))
    client = client_of(simulator)

    listed = list(client.list_records(session_with(simulator)))

    assert [(record.usable, record.why_not) for record in listed] == [
        (False, "it is no customer (type 2)"),
        (False, "it is in the bin"),
    ]
    candidates = [client.candidate(record) for record in listed]
    assert decide(de_linde(), candidates, reference="1834", reference_is_unique=False).action == "create"


def test_a_number_that_a_stranger_had_before_is_a_collision_and_no_link() -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="Houthandel Voorbeeld", client_reference="1834")
    client = client_of(simulator)

    candidates = [client.candidate(record) for record in client.list_records(session_with(simulator))]

    verdict = decide(de_linde(), candidates, reference="1834", reference_is_unique=False)
    assert (verdict.action, verdict.reason) == ("review", "reference_collision")


def test_one_record_is_read_and_a_missing_one_is_gone() -> None:
    simulator = WorkspaceSimulator()
    client, session = client_of(simulator), session_with(simulator)
    external_id = make(client, session, de_linde()).external_id or ""

    record = client.read(session, external_id)
    with pytest.raises(RecordGone):
        client.read(session, "1")

    assert (record.external_id, record.name, record.reference) == (external_id, "Dakwerken De Linde", "1834")


def test_a_record_that_is_shown_from_the_bin_is_not_usable() -> None:
    simulator = WorkspaceSimulator(trashed_get="200")
    client, session = client_of(simulator), session_with(simulator)
    external_id = simulator.add_record(name="De Linde")
    simulator.delete_record(external_id)

    assert client.read(session, external_id).why_not == "it is in the bin"


def test_a_search_is_the_whole_list_so_that_nothing_is_overlooked() -> None:
    simulator = WorkspaceSimulator()
    simulator.add_record(name="De Linde")

    found = list(client_of(simulator).search(session_with(simulator), de_linde(), "1834"))

    assert [record.name for record in found] == ["De Linde"]


# ------------------------------------------------------------------------------------------------------------ check
def checked(simulator: WorkspaceSimulator, **settings: Any) -> list[tuple[str, bool]]:
    findings = client_of(simulator, **settings).check(session_with(simulator))
    assert all(finding.next_step for finding in findings if not finding.ok)
    return [(finding.subject, finding.ok) for finding in findings]


RIGHT = [("token", True), ("contacts", True), ("form", True)]


@pytest.mark.parametrize(
    "records",
    [[], [{"name": "Kantoorboek", "type": "2"}], [{"name": "De Linde"}, {"name": "Kantoorboek", "type": "2"}]],
    ids=["none", "suppliers only", "both"],
)
def test_a_right_connection_is_told_in_three_lines_and_one_call(records: list[dict[str, Any]]) -> None:
    simulator = WorkspaceSimulator(records=records)

    assert checked(simulator) == RIGHT
    assert len(simulator.calls()) == 1


@pytest.mark.parametrize("body", ["envelope", "html"])
def test_a_wrong_token_is_told_as_such(body: Any) -> None:
    assert checked(WorkspaceSimulator(auth_body=body), token="wrong") == [("token", False)]


def test_a_wrong_path_is_told_as_such() -> None:
    assert checked(WorkspaceSimulator(), collection_path="/kontacts.json") == [("address", False)]


def test_a_login_page_is_told_as_such() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("login_page")

    assert checked(simulator) == [("answer", False)]


def test_a_vendor_that_does_not_answer_is_a_finding_and_no_crash() -> None:
    simulator = WorkspaceSimulator()
    simulator.fail("drop_before")

    assert checked(simulator) == [("host", False)]
