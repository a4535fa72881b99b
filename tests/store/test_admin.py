"""What takes an admin: a bulk action that reaches far, and an end to somebody else's pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.store.people import actions
from tests.store.test_operating_bulk import DEAD, dead_links
from worker.store import operating, operating_bulk, systems
from worker.store.operating import Actor
from worker.store.refusals import Forbidden

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.systems import SystemView

AN = Actor("An", "operator")
BO = Actor("Bo", "operator")
ADMIN = Actor("Cas", "admin")


def pause(hub: Hub, actor: Actor, reason: str) -> None:
    with hub.engine.begin() as connection:
        operating.pause(connection, "recras", actor, hub.time, reason)


def resume(hub: Hub, actor: Actor) -> None:
    with hub.engine.begin() as connection:
        operating.resume(connection, "recras", actor, hub.time)


def view(hub: Hub) -> SystemView:
    with hub.engine.connect() as connection:
        return systems.view(connection, "recras")


@pytest.mark.parametrize("who", [AN, ADMIN], ids=["whoever paused it", "an admin"])
def test_a_pause_is_ended_by_whoever_made_it_or_by_an_admin(hub: Hub, who: Actor) -> None:
    pause(hub, AN, "their bookkeeper counts")

    with pytest.raises(Forbidden, match="recras was paused by An: only they or an admin"):
        resume(hub, BO)
    still = view(hub)
    resume(hub, who)

    assert (still.paused_by, still.paused_reason, still.paused_by_name) == (
        "operator",
        "their bookkeeper counts",
        "An",
    )
    assert view(hub).paused_by is None
    assert [action for action, _, _ in actions(hub)] == ["pause", "resume"], "what was refused was not done"


def test_a_pause_of_ones_own_over_somebody_else_s_is_no_way_round(hub: Hub) -> None:
    pause(hub, AN, "their bookkeeper counts")

    with pytest.raises(Forbidden):
        pause(hub, BO, "so that I may resume it")
    with pytest.raises(Forbidden):
        resume(hub, BO)

    assert view(hub).paused_reason == "their bookkeeper counts"


def test_whoever_paused_it_may_give_another_reason(hub: Hub) -> None:
    pause(hub, AN, "until noon")
    pause(hub, AN, "until three")

    assert view(hub).paused_reason == "until three"


def test_a_pause_that_an_older_release_wrote_down_takes_an_admin(hub: Hub) -> None:
    pause(hub, AN, "until noon")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE system_state SET learned = learned - 'paused_by_name'"))

    with pytest.raises(Forbidden, match="paused by somebody else"):
        resume(hub, AN)
    resume(hub, ADMIN)

    assert view(hub).paused_by is None


def test_what_no_person_paused_is_resumed_by_any_operator(hub: Hub) -> None:
    pause(hub, AN, "until noon")
    resume(hub, AN)
    with hub.engine.begin() as connection:
        systems.refuse(connection, "recras", "credentials", "the key is refused", hub.time, 60)

    resume(hub, BO)

    assert view(hub).paused_by is None


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_a_bulk_action_on_more_items_than_set_takes_an_admin(hub: Hub, action: str) -> None:
    dead_links(hub, 6)

    def make(actor: Actor, most: int) -> str:
        with hub.engine.begin() as connection:
            made = operating_bulk.make(
                connection, action, DEAD, actor, hub.time, reason="why", approval_above=most, expect=6
            )
        return made.actor

    with pytest.raises(Forbidden, match=r"the filter finds 6, and more than 5 \(ops.approval_above\) want an admin"):
        make(AN, 5)

    assert actions(hub) == []
    assert make(AN, 6) == "An"
    assert make(ADMIN, 5) == "Cas"
