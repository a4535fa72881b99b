"""What `contactsync check` says of Recras, and how a 404 of a record is told from one of the address."""

from __future__ import annotations

import pytest

from tests.vendors.recras.wire import BASE_URL, client_of, session_with
from worker.errors import RecordGone, WrongAddress
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.recras.simulator_access import Key


@pytest.fixture
def outsider() -> RecrasSimulator:
    """A Recras whose key belongs to a user who is no member of the staff."""
    return RecrasSimulator(keys={"outsider": Key(staff=False)})


def test_a_key_of_nobody_on_the_staff_tells_a_record_that_is_gone_from_a_wrong_address(
    outsider: RecrasSimulator,
) -> None:
    with pytest.raises(RecordGone):
        client_of(outsider).read(session_with(outsider), "999")

    with pytest.raises(WrongAddress):
        client_of(outsider).read(session_with(outsider, f"{BASE_URL}/oops"), "1")


def test_check_is_content_with_a_key_of_nobody_on_the_staff(outsider: RecrasSimulator) -> None:
    findings = client_of(outsider).check(session_with(outsider))

    assert all(finding.ok for finding in findings)
    assert [finding.subject for finding in findings][:2] == ["key", "customers"]


def test_check_says_whose_key_it_is_and_what_may_be_read() -> None:
    simulator = RecrasSimulator()

    findings = client_of(simulator).check(session_with(simulator))

    assert [finding.ok for finding in findings] == [True] * 4
    assert "Sandbox" in findings[0].message
    assert findings[-1].message == "are not sent (send_landcode_btw is off)"
    assert all(len(one.response.body) < 200 for one in simulator.calls())


@pytest.mark.parametrize(
    ("simulator", "base_url", "subject", "step"),
    [
        (RecrasSimulator(keys={}), BASE_URL, "key", "make an API key"),
        (RecrasSimulator(keys={"k": Key(frozenset())}), BASE_URL, "rights", "right to see and change customers"),
        (RecrasSimulator(), f"{BASE_URL}/oops", "address", "systems.recras.base_url"),
        (RecrasSimulator(), "https://nobody.test/api2", "host", "systems.recras.base_url"),
    ],
    ids=["key", "right", "path", "host"],
)
def test_check_tells_what_is_wrong_and_what_to_do(
    simulator: RecrasSimulator, base_url: str, subject: str, step: str
) -> None:
    *_, last = client_of(simulator).check(session_with(simulator, base_url))

    assert (last.subject, last.ok) == (subject, False)
    assert step in last.next_step
    assert step not in last.message


@pytest.mark.parametrize("status", [403, 404])
def test_check_says_what_a_missing_list_of_contacts_costs(status: int) -> None:
    simulator = RecrasSimulator()
    simulator.fail("status", status=status, path="/contacten")

    contacts = client_of(simulator).check(session_with(simulator))[2]

    assert contacts.ok
    assert "without e-mails" in contacts.message


def test_a_list_of_contacts_that_does_not_know_the_parameter_can_be_read_all_the_same() -> None:
    simulator = RecrasSimulator()
    simulator.fail("status", status=406, path="/contacten", body='[{"field": "id>", "message": "No"}]')

    assert client_of(simulator).check(session_with(simulator))[2].message == "can be read"
