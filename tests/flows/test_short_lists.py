"""A list that counts more than it shows is not believed: what seems not to be there would be made a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

NUMBER = "BE0403170701"

SHORT: dict[str, dict[str, Any]] = {
    "rompslomp": {"body": '{"contacts": []}', "headers": {"X-Total": "1"}, "path": "/contacts$"},
    "recras": {"body": "[]", "headers": {"X-Total-Count": "1"}, "path": "/(contacten|klanten)$"},
    "workspace": {
        "body": '{"response": {"message": "", "code": 200, "exception": [], "data": {"count": 50, "Contacts": []}}}',
        "path": "/contacts",
    },
}


def alone(hub: Hub, system: str) -> None:
    """This system beside Robaws, with the client in it already."""
    others: dict[str, dict[str, Any]] = {other: {"enabled": False} for other in SHORT if other != system}
    hub.configure(**others)
    there: dict[str, dict[str, Any]] = {
        "rompslomp": {"company_name": "Dakwerken De Linde", "vat_number": NUMBER},
        "recras": {"naam": "Dakwerken De Linde", "contactpersonen": [{"email1": "info@delinde.example"}]},
        "workspace": {"name": "Dakwerken De Linde", "btw": NUMBER},
    }
    hub.simulators[system].add_record(**there[system])  # type: ignore[attr-defined]


@pytest.mark.parametrize("system", SHORT)
def test_a_list_that_counts_more_than_it_shows_makes_no_double(hub: Hub, system: str) -> None:
    alone(hub, system)
    source_id = hub.robaws.add_client(**client(vatIdNumber=NUMBER))
    hub.simulators[system].fail("status", status=200, method="GET", times=-1, **SHORT[system])

    hub.sync(source_id)

    link = hub.link(source_id, system)
    assert (link["state"], link["reason"], link["external_id"]) == ("waiting", "broken_answer", None)
    assert hub.simulators[system].calls("POST") == []

    hub.simulators[system].clear_faults()
    hub.settle_all()

    assert hub.link(source_id, system)["external_id"] is not None
    assert len(hub.simulators[system].state()["records"]) == 1


@pytest.mark.parametrize("system", ["rompslomp", "recras"])
def test_a_list_that_was_short_once_is_read_again_at_once(hub: Hub, system: str) -> None:
    alone(hub, system)
    source_id = hub.robaws.add_client(**client(vatIdNumber=NUMBER))
    hub.simulators[system].fail("status", status=200, method="GET", **SHORT[system])

    hub.sync(source_id)

    assert hub.link(source_id, system)["external_id"] is not None
    assert len(hub.simulators[system].state()["records"]) == 1
