"""Stories that come to every boundary. Each prepares the world; the plant then runs, dies once and runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.flows.stories import client
from worker.flows import drain
from worker.store import operating_links
from worker.store.operating import Actor
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.crash.plant import Plant

COPIED: Final = (
    "company_name",
    "address",
    "zipcode",
    "city",
    "country_code",
    "phone",
    "contact_person_email_address",
    "contact_person_name",
    "is_individual",
)
Story = Callable[["Plant"], None]
TARGETS: Final = ("rompslomp", "recras", "workspace")
WRITES: Final = {"rompslomp": "PATCH", "recras": "PUT", "workspace": "POST"}


def first(plant: Plant) -> None:
    """A client that nobody knows is announced and goes everywhere."""
    plant.hub.event(plant.hub.robaws.add_client(**client()))


def changed(plant: Plant) -> None:
    """A client that is everywhere changes."""
    source_id = _everywhere(plant)
    plant.hub.robaws.change_client(source_id, address={"city": "Aalst"})
    plant.hub.event(source_id)


def matched(plant: Plant) -> None:
    """Each system holds a record of the client already, typed in by hand."""
    hub = plant.hub
    made = client()
    hub.rompslomp.add_record(company_name=made["name"], contact_person_email_address=made["email"])
    hub.recras.add_record(naam=made["name"], contactpersonen=[{"achternaam": "De Linde", "email1": made["email"]}])
    hub.workspace.add_record(name=made["name"], email=made["email"])
    hub.event(hub.robaws.add_client(**made))


def written_back(plant: Plant) -> None:
    """Robaws is told the ids of the records elsewhere."""
    fields = {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"}
    plant.hub.configure(robaws={"write_back": fields})
    plant.start()
    first(plant)


def linked_by_a_person(plant: Plant) -> None:
    """A person says which record a client is, and Robaws is told its id."""
    plant.hub.configure(robaws={"write_back": {"rompslomp": "Rompslomp-id"}})
    plant.start()
    source_id = _everywhere(plant)
    made = plant.hub.rompslomp.state()["records"][0]
    same = {name: value for name, value in made.items() if name in COPIED}
    plant.hub.rompslomp.delete_record(str(made["id"]))
    record = str(plant.hub.rompslomp.add_record(**same))
    with plant.hub.engine.begin() as connection:
        person, why, shape = Actor("An", "operator"), "it is that one", id_shape("rompslomp")
        operating_links.link(connection, source_id, "rompslomp", record, person, plant.hub.time, why, shape=shape)


def client_vanishes(plant: Plant) -> None:
    """The first thing that a new process hears of is a client that is not there any more."""
    gone = _everywhere(plant)
    plant.start()
    plant.hub.robaws.delete_client(gone)
    plant.hub.event(gone)


def person_added(plant: Plant) -> None:
    """A client that is everywhere gets a contact person."""
    source_id = _everywhere(plant)
    plant.hub.robaws.add_person(source_id, name="An", surname="Peeters", email="an@delinde.example")
    plant.hub.robaws.add_person(source_id, name="Bo", surname="Claes", email="bo@delinde.example")
    plant.hub.event(source_id)


def vendors_fail(plant: Plant) -> None:
    """Each target fails once, and is well again."""
    for system in TARGETS:
        plant.hub.simulators[system].fail("status", status=503)
    first(plant)


def source_fails(plant: Plant) -> None:
    """Robaws fails once, and is well again."""
    plant.hub.robaws.fail("status", status=502)
    first(plant)


def vendors_throttle(plant: Plant) -> None:
    """Each system refuses a call for its rate, and takes it a little later."""
    for system in ("robaws", *TARGETS):
        plant.hub.simulators[system].fail("throttle", retry_after=2)
    first(plant)


def credentials_refused(plant: Plant) -> None:
    """Rompslomp refuses our token once; a probe finds that it takes it again."""
    plant.hub.rompslomp.fail("status", status=401, body="{}")
    first(plant)


def answers_lost(plant: Plant) -> None:
    """Each target makes the record, and its answer is lost."""
    for system in TARGETS:
        plant.hub.simulators[system].fail("drop_after", method="POST")
    first(plant)


def lost_without_searchable_reference(plant: Plant) -> None:
    """A create never arrives, and our reference sits in a member that Rompslomp cannot search."""
    plant.hub.configure(rompslomp={"reference_member": "free_1"})
    plant.start()
    plant.hub.rompslomp.fail("drop_before", method="POST")
    first(plant)


def made_anew(plant: Plant) -> None:
    """The records of a client are deleted in the targets, and made anew when it changes."""
    plant.hub.configure(**{system: {"on_gone": "recreate"} for system in TARGETS})
    plant.start()
    source_id = _everywhere(plant)
    for system in TARGETS:
        record = str(plant.hub.link(source_id, system)["external_id"])
        plant.hub.simulators[system].delete_record(record)  # type: ignore[attr-defined]
    plant.hub.robaws.change_client(source_id, address={"city": "Aalst"})
    plant.hub.event(source_id)


def hint_during_fetch(plant: Plant) -> None:
    """While a client is fetched, it changes once more."""
    source_id = plant.hub.robaws.add_client(**client())
    plant.hub.event(source_id)

    def change() -> None:
        plant.hub.robaws.change_client(source_id, address={"city": "Aalst"})
        plant.hub.event(source_id)
        plant.others_fetch()

    plant.on["robaws.read.before_send"] = change


def change_during_delivery(plant: Plant) -> None:
    """While a client is delivered, it changes once more."""
    source_id = _everywhere(plant)
    plant.hub.robaws.change_client(source_id, address={"city": "Aalst"})
    plant.hub.event(source_id)

    def change() -> None:
        plant.hub.robaws.change_client(source_id, address={"city": "Brugge"})
        plant.hub.event(source_id)
        plant.others_fetch()

    plant.on["rompslomp.update.before_send"] = change


def slow_delivery(plant: Plant) -> None:
    """A worker stands still before it sends, for most of its lease."""
    plant.on["workspace.create.before_send"] = lambda: plant.hub.later(100)
    first(plant)


def slices_used_up(plant: Plant) -> None:
    """A lane has worked for its whole slice of time, and asks for another."""
    first(plant)
    slice_seconds = drain.SLICE_SECONDS
    plant.on["intake.after_commit"] = lambda: setattr(drain, "SLICE_SECONDS", -1.0)
    announced = "worker.flows.drain:Lanes._drain:announce.before"
    plant.on[announced] = lambda: setattr(drain, "SLICE_SECONDS", slice_seconds)


def _everywhere(plant: Plant) -> str:
    """A client that is in every system; nothing of this counts as reached, and nobody dies in it."""
    point, plant.point = plant.point, ""
    source_id = plant.hub.robaws.add_client(**client())
    plant.hub.event(source_id)
    plant.run()
    plant.point = point
    plant.reached.clear()
    return source_id


STORIES: Final[dict[str, Story]] = {
    "intake": first,
    "fetch.claim": first,
    "fetch.store": first,
    "fetch.departure": client_vanishes,
    "fetch.failed": source_fails,
    "deliver.claim": first,
    "deliver.intend": first,
    "deliver.bind": first,
    "deliver.finish": first,
    "deliver.expect": person_added,
    "deliver.failed": vendors_fail,
    "deliver.renew": slow_delivery,
    "directory.add": first,
    "directory.replace": first,
    "gate.enter": vendors_throttle,
    "gate.leave": vendors_throttle,
    "gate.learn": vendors_fail,
    "gate.succeeded": vendors_fail,
    "gate.probe": credentials_refused,
    "sweep": first,
    "sweep.clock": first,
    "sweep.fold": first,
    "sweep.partitions": first,
    "robaws.read": first,
    "robaws.update": written_back,
    "robaws.list": client_vanishes,
    "rompslomp.search": first,
    "rompslomp.create": first,
    "rompslomp.read": matched,
    "rompslomp.update": changed,
    "rompslomp.list": lost_without_searchable_reference,
    "recras.list": first,
    "recras.search": answers_lost,
    "recras.create": first,
    "recras.read": first,
    "recras.update": changed,
    "recras.check": made_anew,
    "workspace.list": answers_lost,
    "workspace.create": first,
    "workspace.read": matched,
    "workspace.update": changed,
    "worker.flows.deliver:_run:deliver": change_during_delivery,
    "worker.flows.delivery:Delivery.bind:announce": written_back,
    "worker.flows.delivery:Delivery.end:announce": linked_by_a_person,
    "worker.flows.drain:Lanes._drain:announce": slices_used_up,
    "worker.flows.fetch:_Fetch._store:announce": first,
    "worker.flows.fetch:_Fetch._store:fetch": hint_during_fetch,
    "worker.flows.sweep:Sweeper.sweep:deliver": vendors_fail,
    "worker.flows.sweep:Sweeper.sweep:fetch": source_fails,
    "worker.flows.sweep:Sweeper.sweep:intake": first,
}
"""The story that comes to each boundary, by the point's name without its side."""
