"""Where explorations begin, and how far they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from simulation.exhaustive import actions
from simulation.exhaustive.actions import REFUSED_CITY
from simulation.exhaustive.step import Bound

if TYPE_CHECKING:
    from simulation.exhaustive.world import World

CLIENT: Final[dict[str, Any]] = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": actions.CONTENTS["A"]["tel"],
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
}


@dataclass(frozen=True)
class Scenario:
    """A beginning by name, the system that is delivered to, and the bound of each depth."""

    name: str
    system: str
    begin: Callable[[World], None]
    bound: Bound


def refuse_one_city(world: World) -> None:
    """From now on the system refuses every record in one city, whoever sends it."""
    body = '{"error": {"message": "Contact is invalid: City is onjuist.", "type": "client.parameters.validation"}}'
    world.target.fail("status", times=-1, status=422, body=body, sent=REFUSED_CITY)


def new_client(world: World) -> None:
    """A client is typed in at Robaws, and its event has come."""
    refuse_one_city(world)
    world.event(world.robaws.add_client(**CLIENT))


def linked_client(world: World) -> None:
    """The client is everywhere, and nothing is owed."""
    new_client(world)
    run(world)


def refused_client(world: World) -> None:
    """The system has refused the client, which waits for its correction."""
    new_client(world)
    [client] = world.clients()
    world.robaws.change_client(client, **actions.CONTENTS["refused"])
    run(world)


def doubtful_client(world: World) -> None:
    """A record of the same name is there, and a person is asked."""
    refuse_one_city(world)
    match world.system:
        case "rompslomp":
            world.target.add_record(company_name="Dakwerken De Linde", city="Gent", zipcode="9000")
        case _:
            world.target.add_record(name="Dakwerken De Linde", location_city="Gent", location_postal="9000")
    world.event(world.robaws.add_client(**CLIENT))
    run(world)


def two_clients(world: World) -> None:
    """Two clients that are one company are typed in at the same moment."""
    refuse_one_city(world)
    for _ in range(2):
        world.event(world.robaws.add_client(**CLIENT))


def run(world: World) -> None:
    """Do all that is due now."""
    for _ in range(40):
        rows = world.rows()
        if (at := actions.fetch_due(world, rows, actions.SOON)) is not None:
            world.later(at)
            world.fetch()
        elif actions.delivery_due(world, rows) is not None:
            world.deliver()
        else:
            return
        for flow in list(world.flows.values()):
            while flow.name in world.flows:
                world.go_on(flow)


BEGINNINGS: Final[dict[str, Callable[[World], None]]] = {
    "new": new_client,
    "linked": linked_client,
    "refused": refused_client,
    "doubtful": doubtful_client,
    "two": two_clients,
}


def scenarios(bound: Bound, systems: tuple[str, ...], names: tuple[str, ...]) -> list[Scenario]:
    """Every beginning at every system."""
    return [Scenario(name, system, *_of(name, bound)) for name in names for system in systems]


def _of(name: str, bound: Bound) -> tuple[Callable[[World], None], Bound]:
    """Two clients have so many more orders that nobody types beside them."""
    return BEGINNINGS[name], replace(bound, typing=0) if name == "two" else bound
