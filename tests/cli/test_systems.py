"""`contactsync systems`: listed, held and let go."""

from __future__ import annotations

import pwd
from os import getuid
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.cli.conftest import CLIENT, catch_up
from tests.cli.test_contacts import line_with
from tests.store.people import OPERATOR
from worker.store import operating

if TYPE_CHECKING:
    import pytest

    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def test_systems_are_listed(operator: Command, client: str) -> None:
    ran = operator("systems", "list")

    assert ran.status == 0
    assert line_with(ran.out, "recras", "running")
    assert line_with(ran.out, "routix", "disabled")


def test_a_paused_system_is_sent_nothing_until_it_is_resumed(operator: Command, hub: Hub) -> None:
    paused = operator("systems", "pause", "recras", "--reason", "upgrade until noon")
    catch_up(hub)
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    listed = operator("systems", "list", "--json")
    while_paused = hub.calls("recras")

    resumed = operator("systems", "resume", "recras")
    catch_up(hub)

    assert (paused.status, listed.status, resumed.status) == (0, 1, 0)
    (recras,) = [one for one in listed.json["items"] if one["name"] == "recras"]
    assert (recras["state"], recras["reason"], recras["links"]["waiting"]) == ("paused", "upgrade until noon", 1)
    assert while_paused == []
    assert hub.link(client, "recras")["state"] == "synced"


def test_a_pause_wants_a_reason(operator: Command) -> None:
    assert operator("systems", "pause", "recras").status == 2
    assert operator("systems", "pause", "recras", "--reason", "  ").status == 2


def test_a_system_that_does_not_exist_is_wrong_use(operator: Command) -> None:
    ran = operator("systems", "pause", "exact", "--reason", "typed wrong")

    assert ran.status == 2
    assert "there are robaws, rompslomp, recras, workspace, routix" in ran.err


def test_the_log_names_the_account_that_the_command_runs_as(
    operator: Command, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")

    operator("systems", "pause", "recras", "--reason", "upgrade until noon")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)  # as in a container whose account has no name
    operator("systems", "pause", "recras", "--reason", "upgrade until three")
    monkeypatch.undo()

    with hub.engine.connect() as connection:
        actors = connection.execute(text("SELECT actor FROM operator_action ORDER BY id")).scalars().all()
    assert actors == [f"command line ({pwd.getpwuid(getuid()).pw_name})", f"command line (uid {getuid()})"]


def test_the_command_line_acts_as_an_admin(operator: Command, hub: Hub) -> None:
    with hub.engine.begin() as connection:
        operating.pause(connection, "recras", OPERATOR, hub.time, "their bookkeeper counts")

    assert operator("systems", "resume", "recras").status == 0


def test_a_system_that_was_not_held_back_is_told_so(operator: Command, hub: Hub, client: str) -> None:
    ran = operator("systems", "resume", "recras")

    told = "recras: recras was not held back, and nothing waited for it; the workers read its credentials again\n"
    assert (ran.status, " ".join(ran.out.split())) == (0, told.strip())
