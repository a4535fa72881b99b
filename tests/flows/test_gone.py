"""A record that is gone, or is said to be, under the policy that makes it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.stories import client
from worker.store import operating_reviews
from worker.store.operating import Actor
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

PERSON = Actor("an.peeters", "operator")
TARGETS = ["rompslomp", "recras", "workspace"]


@pytest.mark.parametrize("system", TARGETS)
def test_a_record_that_is_gone_is_made_anew_with_few_calls(hub: Hub, system: str) -> None:
    """Found by the simulation: the directory still knew it, so it was linked, missed and linked again without end."""
    hub.configure(**{system: {"on_gone": "recreate"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    lost = str(hub.link(source_id, system)["external_id"])
    hub.simulators[system].delete_record(lost)  # type: ignore[attr-defined]
    hub.forget_calls()

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    link = hub.link(source_id, system)
    assert (link["state"], link["external_id"] != lost) == ("synced", True)
    assert len(hub.calls(system)) <= 7


def test_a_record_in_the_bin_that_the_list_still_shows_is_made_anew(hub: Hub) -> None:
    """Found by the simulation (seed 161): our own record in the bin was taken for a collision of references."""
    hub.configure(workspace={"on_gone": "recreate"})
    hub.workspace.list_trashed = True
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    lost = str(hub.link(source_id, "workspace")["external_id"])
    hub.workspace.delete_record(lost)

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["external_id"] != lost) == ("synced", True)


@pytest.mark.parametrize("lost", [False, True])
def test_the_record_in_the_bin_is_not_taken_for_the_one_made_in_its_place(hub: Hub, lost: bool) -> None:
    """Found by the simulation (seed 1311): both carry our reference, and the answer to the create names none."""
    hub.configure(workspace={"on_gone": "recreate"})
    hub.workspace.list_trashed = True
    hub.workspace.create_answer = "empty"
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    old = str(hub.link(source_id, "workspace")["external_id"])
    hub.workspace.delete_record(old)
    if lost:
        hub.workspace.fail("drop_after", method="POST", path=r"/contacts\.json$")

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    hub.settle_all()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["external_id"] != old) == ("synced", True)
    assert len(hub.workspace.state()["records"]) == 2


@pytest.mark.parametrize("system", TARGETS)
def test_a_404_for_a_record_that_the_vendor_still_lists_changes_no_link(hub: Hub, system: str) -> None:
    """Found by the simulation (seed 375): the link was begun anew, and what had changed meanwhile was parked."""
    hub.configure(**{system: {"on_gone": "recreate"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    before = hub.link(source_id, system)
    method = {"rompslomp": "PATCH", "recras": "PUT", "workspace": "POST"}[system]
    path = rf"/{before['external_id']}(\.json)?$"
    if system == "rompslomp":
        body = '{"error": {"message": "Resource not found.", "type": "client.resource_not_found"}}'
    else:
        body = '{"code": 404, "exception": "not found"}' if system == "workspace" else "<html>404</html>"
    kind = "text/html" if system == "recras" else "application/json"
    hub.simulators[system].fail("status", status=404, body=body, content_type=kind, method=method, path=path)

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    hub.settle_all()

    link = hub.link(source_id, system)
    assert (link["state"], link["external_id"]) == ("synced", before["external_id"])
    assert len(hub.simulators[system].state()["records"]) == 1


NOT_FOUND = {
    "recras": {"body": "", "path": r"/klanten/\d+$"},
    "workspace": {
        "body": '{"response": {"message": "Contact not found.", "code": 404, "exception": [], "data": []}}',
        "path": r"/contacts/\d+",
    },
}


@pytest.mark.parametrize("system", NOT_FOUND)
@pytest.mark.parametrize("lasting", [False, True], ids=["a moment", "for good"])
def test_a_404_for_what_was_made_just_now_is_looked_at_again_and_is_then_a_persons_matter(
    hub: Hub, system: str, lasting: bool
) -> None:
    hub.workspace.create_answer = "id_only"
    source_id = hub.robaws.add_client(**client())
    times = -1 if lasting else 1
    hub.simulators[system].fail("status", status=404, method="GET", times=times, **NOT_FOUND[system])

    hub.sync(source_id)

    link = hub.link(source_id, system)
    assert (link["state"], link["external_id"] is not None, link["attempts"]) == ("unknown", True, 0)

    hub.settle_all()

    link = hub.link(source_id, system)
    assert (link["state"], link["reason"]) == (("review", "gone") if lasting else ("synced", None))
    assert len(hub.simulators[system].calls("POST")) == 1


@pytest.mark.parametrize("system", TARGETS)
def test_a_person_wants_a_record_that_is_gone_made_anew_though_the_list_still_shows_it(hub: Hub, system: str) -> None:
    """Found by the model checker: the directory still knew it, so it was linked, missed and asked about without end."""
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    lost = str(hub.link(source_id, system)["external_id"])
    hub.simulators[system].delete_record(lost)  # type: ignore[attr-defined]
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    [question] = hub.questions(source_id, system)

    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), "create", PERSON, hub.time, shape_of=id_shape)
    hub.settle()

    link = hub.link(source_id, system)
    assert (link["state"], link["external_id"] not in (None, lost)) == ("synced", True)
    assert hub.questions(source_id, system) == []
