"""`contactsync retries`: the queue told, retried and discarded, one line or many, never by a slip."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.cli.conftest import CLIENT, catch_up
from tests.cli.test_contacts import line_with

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def line_of(hub: Hub, client: str, system: str) -> str:
    """The id of a line of the queue."""
    return f"link-{hub.link(client, system)['id']}"


def actions(hub: Hub) -> list[tuple[str, str, str | None]]:
    """What stands in the log of actions: what, on what, why."""
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT action, target, reason FROM operator_action ORDER BY id"))
        return [(row.action, row.target, row.reason) for row in rows]


@pytest.fixture
def several(hub: Hub) -> list[str]:
    """Five clients that Rompslomp refused."""
    hub.rompslomp.fail("status", status=422, body='{"error": {"type": "invalid_record"}}', method="POST", times=5)
    names = ("Drukkerij Maas", "Tuinen De Vaart", "Schilders Van Eik", "Garage Zuiderhof", "Bakkerij Molen")
    made = [
        hub.robaws.add_client(
            **{
                **CLIENT,
                "name": name,
                "email": f"info@klant{number}.example",
                "tel": None,
                "gsm": None,
                "vatIdNumber": None,
                "address": {"addressLine1": f"Markt {number}", "postalCode": f"{number}000", "city": name.split()[1]},
            }
        )
        for number, name in enumerate(names, start=1)
    ]
    for client in made:
        hub.sync(client)
    assert {hub.link(client, "rompslomp")["state"] for client in made} == {"dead"}
    return made


def test_the_queue_tells_what_waits_in_the_vendors_words(operator: Command, hub: Hub, client: str, dead: str) -> None:
    ran = operator("retries", "list")

    assert ran.status == 1
    assert line_with(ran.out, line_of(hub, dead, "rompslomp"), "Bakkerij Zonnehof", "dead", "Company name is ongeldig")
    assert "De Linde" not in ran.out


def test_an_empty_queue_needs_nobody(operator: Command, client: str) -> None:
    ran = operator("retries", "list")

    assert (ran.status, ran.out) == (0, "nothing waits\n")


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        pytest.param(["--system", "rompslomp"], 1, id="system"),
        pytest.param(["--system", "recras"], 0, id="another system"),
        pytest.param(["--state", "dead"], 1, id="state"),
        pytest.param(["--state", "waiting"], 0, id="another state"),
        pytest.param(["--why", "rejected"], 0, id="another reason"),
        pytest.param(["--query", "zonnehof"], 1, id="words"),
        pytest.param(["--query", "zonnehof", "--state", "review"], 0, id="both must hold"),
    ],
)
def test_filters_narrow_the_list(operator: Command, dead: str, filter_: list[str], found: int) -> None:
    ran = operator("retries", "list", *filter_, "--json")

    assert len(ran.json["items"]) == found
    assert ran.json["total"] == found
    assert ran.status == found


def test_one_line_shows_every_request(operator: Command, hub: Hub, dead: str) -> None:
    ran = operator("retries", "show", line_of(hub, dead, "rompslomp"))

    assert ran.status == 0
    assert line_with(ran.out, "create", "POST", "422", "Company name is ongeldig")


def test_a_line_is_due_again_with_its_id_and_is_delivered(operator: Command, hub: Hub, dead: str) -> None:
    ran = operator("retries", "retry", line_of(hub, dead, "rompslomp"), "--reason", "they fixed it")
    catch_up(hub)

    assert ran.status == 0
    assert hub.link(dead, "rompslomp")["state"] == "synced"
    assert actions(hub) == [("retry", line_of(hub, dead, "rompslomp"), "they fixed it")]


def test_what_does_not_wait_any_more_cannot_be_retried(operator: Command, hub: Hub, client: str) -> None:
    ran = operator("retries", "retry", line_of(hub, client, "recras"))

    assert ran.status == 1
    assert "it is synced" in ran.err


def test_ids_are_all_or_nothing(operator: Command, hub: Hub, dead: str, client: str) -> None:
    ran = operator("retries", "retry", line_of(hub, dead, "rompslomp"), line_of(hub, client, "recras"))

    assert ran.status == 1
    assert hub.link(dead, "rompslomp")["state"] == "dead"
    assert actions(hub) == []


def test_an_id_that_is_none_is_wrong_use(operator: Command, hub: Hub) -> None:
    ran = operator("retries", "retry", "linkk-4")

    assert ran.status == 2


def test_a_discard_wants_a_reason(operator: Command, hub: Hub, dead: str) -> None:
    ran = operator("retries", "discard", line_of(hub, dead, "rompslomp"))

    assert ran.status == 2
    assert "--reason" in ran.err
    assert hub.link(dead, "rompslomp")["state"] == "dead"


def test_a_discard_leaves_the_client_out_of_that_system(operator: Command, hub: Hub, dead: str) -> None:
    ran = operator("retries", "discard", line_of(hub, dead, "rompslomp"), "--reason", "closed down")

    assert ran.status == 0
    assert hub.link(dead, "rompslomp")["state"] == "excluded"
    assert actions(hub) == [("discard", line_of(hub, dead, "rompslomp"), "closed down")]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing at all"),
        pytest.param(["--reason", "all of it", "--yes"], id="a reason is no filter"),
        pytest.param(["--system", " ", "--reason", "all of it", "--yes"], id="a blank filter"),
        pytest.param(["link-1", "--state", "dead", "--reason", "both", "--yes"], id="ids and a filter"),
        pytest.param(["--state", "dead", "--yes"], id="many without a reason"),
        pytest.param(["--state", "dead", "--reason", "nobody to confirm"], id="many without a word"),
    ],
)
def test_nothing_happens_by_a_slip(operator: Command, hub: Hub, dead: str, arguments: list[str]) -> None:
    ran = operator("retries", "retry", *arguments)

    assert ran.status == 2
    assert hub.link(dead, "rompslomp")["state"] == "dead"


def test_many_are_counted_and_each_has_a_result(operator: Command, hub: Hub, several: list[str]) -> None:
    ran = operator(
        "retries", "retry", "--system", "rompslomp", "--state", "dead", "--reason", "fixed", "--yes", "--json"
    )
    catch_up(hub)

    assert ran.status == 0
    assert "retry: 5 found by --state dead --system rompslomp" in ran.err
    assert (ran.json["state"], ran.json["total"], ran.json["done"]) == ("done", 5, 5)
    assert [one["outcome"] for one in ran.json["results"]] == ["retried"] * 5
    assert {hub.link(client, "rompslomp")["state"] for client in several} == {"synced"}


def test_many_are_discarded(operator: Command, hub: Hub, several: list[str]) -> None:
    ran = operator("retries", "discard", "--query", "maas", "--reason", "closed down", "--yes")

    assert ran.status == 0
    assert ran.out.startswith("1 discarded")
    assert [hub.link(client, "rompslomp")["state"] for client in several] == ["excluded", *["dead"] * 4]


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "status", "state"), [("5", 0, "due"), ("4", 2, "dead"), ("yes", 2, "dead")])
def test_at_a_terminal_the_count_is_typed_in(
    operator: Command, hub: Hub, several: list[str], typed: str, status: int, state: str
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())

    ran = subprocess.run(
        [sys.executable, "-m", "worker.cli", "retries", "retry", "--state", "dead", "--reason", "fixed"],
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)

    assert ran.returncode == status, ran.stderr
    assert "Type 5 to retry them all" in ran.stderr
    assert {hub.link(client, "rompslomp")["state"] for client in several} == {state}


def test_below_a_line_stands_what_to_do_with_commands_to_copy(operator: Command, hub: Hub, dead: str) -> None:
    line = line_of(hub, dead, "rompslomp")

    ran = operator("retries", "show", line)

    assert "by itself: it is sent again when the client changes in Robaws" in ran.out
    assert "you:       " in ran.out
    assert f"\n  contactsync retries retry {line} --wait\n" in ran.out
    assert f'\n  contactsync retries discard {line} --reason "…"\n' in ran.out
    assert "1 try" in ran.out
    assert "1 tries" not in ran.out


def test_a_line_that_left_the_queue_is_shown_with_the_state_that_it_has_now(
    operator: Command, hub: Hub, client: str
) -> None:
    ran = operator("retries", "show", line_of(hub, client, "recras"))

    assert ran.status == 0
    assert "synced" in ran.out
    assert "retries retry" not in ran.out


def test_causes_are_shown_with_what_to_do_about_all_of_them(operator: Command, hub: Hub, several: list[str]) -> None:
    ran = operator("retries", "groups")
    fingerprint = operator("retries", "groups", "--json").json["items"][0]["fingerprint"]

    assert ran.status == 1
    assert ran.out.startswith("rompslomp: invalid_record: 5 dead\n")
    assert "5 clients, since " in ran.out
    assert f'\n  contactsync retries retry --fingerprint {fingerprint} --reason "…"\n' in ran.out
    assert operator("retries", "list", "--fingerprint", fingerprint, "--json").json["total"] == 5


def test_questions_have_a_list_of_their_own(operator: Command, hub: Hub, dead: str) -> None:
    hub.sync(hub.robaws.add_client(name="Zonder Adres"))

    listed, groups = operator("retries", "list"), operator("retries", "groups")
    asked = operator("retries", "list", "--state", "review")

    for ran in (listed, groups):
        assert "Zonder Adres" not in ran.out
        assert "missing_required" not in ran.out
        assert re.search(r"\d questions? waits? for an answer: contactsync reviews list", ran.out)
    assert "missing_required" in asked.out


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        pytest.param(["--why", "validatoin"], "did you mean validation?", id="a slip"),
        pytest.param(["--why", "foo"], "reason is one of", id="no word at all"),
        pytest.param(["--state", "daed"], "did you mean dead?", id="a state"),
        pytest.param(["--system", "recas"], "did you mean recras?", id="a system"),
    ],
)
def test_an_unknown_word_is_no_empty_queue(operator: Command, hub: Hub, filter_: list[str], said: str) -> None:
    for name in ("list", "groups"):
        ran = operator("retries", name, *filter_)

        assert (ran.status, ran.out) == (2, "")
        assert said in ran.err


def test_a_bulk_action_can_be_looked_at_afterwards(operator: Command, hub: Hub, several: list[str]) -> None:
    ran = operator("retries", "retry", "--system", "rompslomp", "--state", "dead", "--reason", "fixed", "--yes")
    number = ran.out.split()[-1]

    shown = operator("retries", "bulk", number)

    assert ran.out.endswith(f"contactsync retries bulk {number}\n")
    assert shown.status == 0
    assert "done, 5 of 5" in shown.out
    assert line_with(shown.out, line_of(hub, several[0], "rompslomp"), "retried")
    assert operator("retries", "bulk", "4711").status == 2


def test_a_retry_waits_for_what_becomes_of_it(
    operator: Command, hub: Hub, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: catch_up(hub))
    hub.rompslomp.fail("status", status=422, body='{"error": {"type": "validation", "message": "Nog niet."}}')

    failed = operator("retries", "retry", line_of(hub, dead, "rompslomp"), "--wait")
    done = operator("retries", "retry", line_of(hub, dead, "rompslomp"), "--wait")

    assert (failed.status, done.status) == (1, 0)
    assert f"{line_of(hub, dead, 'rompslomp')}: dead, validation: " in failed.out
    assert f"{line_of(hub, dead, 'rompslomp')}: synced\n" in done.out
