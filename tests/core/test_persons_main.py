"""Contact persons: who is the main one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.person_lists import TABLE, agreed, ours, theirs
from worker.core.mapping import OurPerson
from worker.core.persons import PersonPlan, TheirPerson, plan_persons, settle_persons
from worker.core.planning import Snapshot

AN, BO = ours("7", "An", "Peeters", main=True), ours("8", "Bo", "Claes")
BO_MAIN = ours("8", "Bo", "Claes", main=True)
AN_THERE, BO_THERE = theirs("1", "An", "Peeters", main=True), theirs("2", "Bo", "Claes")
CAS = theirs("3", "Cas", "Devos")
UNMARKED = replace(AN_THERE, main=False)
NEVER_MARKED = Snapshot(persons=settle_persons(TABLE, [AN], None, [UNMARKED]), main="7")


def marked(plan: PersonPlan) -> list[str | None]:
    """The main persons of the list, by external id, else by key."""
    return [external_id or key for external_id, key, main in plan.listing if main]


@pytest.mark.parametrize(
    ("persons", "base", "there", "restore", "main", "writes"),
    [
        pytest.param([AN, BO], None, [], False, ["7"], True, id="nobody is there: ours"),
        pytest.param([replace(AN, main=False), BO], None, [], False, ["7"], True, id="none marked here: the first"),
        pytest.param([AN], None, [AN_THERE], False, ["1"], False, id="first link, the same"),
        pytest.param([BO_MAIN], None, [AN_THERE, BO_THERE], False, ["1"], False, id="first link: theirs stands"),
        pytest.param([AN], None, [replace(AN_THERE, main=False)], False, ["1"], True, id="first link, nobody marked"),
        pytest.param([AN], None, [replace(CAS, main=True)], False, ["3"], True, id="first link: added beside theirs"),
        pytest.param(
            [replace(AN, main=False), BO_MAIN],
            agreed(("1", AN), ("2", BO), main="7"),
            [AN_THERE, BO_THERE],
            False,
            ["2"],
            True,
            id="another one here",
        ),
        pytest.param(
            [AN, BO],
            agreed(("1", AN), ("2", BO), main="7"),
            [replace(AN_THERE, main=False), replace(BO_THERE, main=True)],
            False,
            ["2"],
            False,
            id="another one there: a live event leaves it",
        ),
        pytest.param(
            [AN, BO],
            agreed(("1", AN), ("2", BO), main="7"),
            [replace(AN_THERE, main=False), replace(BO_THERE, main=True)],
            True,
            ["1"],
            True,
            id="another one there: a restore puts ours back",
        ),
        pytest.param(
            [BO_MAIN],
            Snapshot(persons=settle_persons(TABLE, [BO_MAIN], None, [AN_THERE, BO_THERE]), main="8"),
            [AN_THERE, BO_THERE],
            True,
            ["1"],
            False,
            id="a restore leaves one who was the main one from the beginning",
        ),
        pytest.param(
            [AN],
            agreed(("1", AN), main="7"),
            [replace(AN_THERE, main=False)],
            False,
            ["1"],
            False,
            id="nobody is marked there: a live event leaves it",
        ),
        pytest.param(
            [AN],
            agreed(("1", AN), main="7"),
            [replace(AN_THERE, main=False)],
            True,
            ["1"],
            True,
            id="a restore marks one",
        ),
        pytest.param(
            [AN, BO],
            agreed(("1", AN), ("2", BO), main="7"),
            [AN_THERE, replace(BO_THERE, main=True)],
            False,
            ["1"],
            False,
            id="two are marked there: the first, and nothing to write",
        ),
        pytest.param(
            [AN, BO],
            None,
            [replace(AN_THERE, main=False), BO_THERE],
            False,
            ["1"],
            True,
            id="first link, nobody marked there: ours",
        ),
        pytest.param(
            [replace(AN, main=False), BO_MAIN], None, [UNMARKED, BO_THERE], False, ["2"], True, id="the second of ours"
        ),
        pytest.param(
            [replace(AN, main=False), BO_MAIN], None, [], False, ["8"], True, id="nobody is there: our main one"
        ),
        pytest.param(
            [],
            agreed(("1", AN), main="7"),
            [UNMARKED, BO_THERE, replace(CAS, main=True)],
            False,
            ["3"],
            True,
            id="ours goes: theirs that is marked",
        ),
        pytest.param([AN], NEVER_MARKED, [UNMARKED], False, ["1"], False, id="nobody was marked: a live event"),
        pytest.param([AN], NEVER_MARKED, [UNMARKED], True, ["1"], True, id="nobody was marked: a restore"),
        pytest.param(
            [replace(AN, main=False), BO_MAIN],
            agreed(("1", AN), ("2", BO), main="7"),
            [UNMARKED, BO_THERE],
            False,
            ["2"],
            True,
            id="another one here, nobody marked there",
        ),
        pytest.param(
            [BO_MAIN],
            Snapshot({"place": "Gent"}),
            [AN_THERE, BO_THERE],
            False,
            ["1"],
            False,
            id="a base without persons is a first link",
        ),
        pytest.param(
            [replace(AN, main=False), BO_MAIN],
            agreed(("1", AN), ("2", BO_MAIN), main="7"),
            [UNMARKED, replace(CAS, main=True)],
            False,
            ["3"],
            False,
            id="ours was taken out: the one that is marked, not the first",
        ),
        pytest.param([], agreed(("1", AN), main="7"), [AN_THERE, CAS], False, ["3"], True, id="ours goes: theirs"),
        pytest.param([], agreed(("1", AN), main="7"), [AN_THERE], False, [], True, id="ours goes: nobody"),
        pytest.param(
            [AN, ours("9", "Dirk", "Eliassen")],
            agreed(("1", AN), main="7"),
            [],
            False,
            ["9"],
            True,
            id="ours was taken out, and another one is new",
        ),
    ],
)
def test_the_main_person(
    persons: list[OurPerson],
    base: Snapshot | None,
    there: list[TheirPerson],
    restore: bool,
    main: list[str],
    writes: bool,
) -> None:
    plan = plan_persons(TABLE, persons, base, there, restore=restore)

    assert marked(plan) == main
    assert plan.list_changes is writes


def test_a_main_person_whom_somebody_took_out_there_leaves_the_main_one_as_it_is() -> None:
    base = agreed(("1", ours("7", "An", "Peeters")), ("2", ours("8", "Bo", "Claes")), main="8")
    persons = [ours("7", "An", "Peeters", main=True), ours("8", "Bo", "Claes")]

    plan = plan_persons(TABLE, persons, base, [theirs("2", "Bo", "Claes", main=True)])

    assert plan.absent == ("7",)
    assert plan.listing == (("2", "8", True),)
    assert not plan.list_changes


@pytest.mark.parametrize("base", [None, agreed(("1", AN), ("2", BO), main="7")], ids=["first link", "changed here"])
@pytest.mark.parametrize("restore", [True, False])
def test_a_system_that_owns_its_list_keeps_its_main_person(base: Snapshot | None, restore: bool) -> None:
    persons = [replace(AN, main=False), BO_MAIN]

    chosen = plan_persons(TABLE, persons, base, [AN_THERE, BO_THERE], restore=restore, fill=True)
    nobody = plan_persons(TABLE, persons, base, [UNMARKED, BO_THERE], restore=restore, fill=True)

    assert marked(chosen) == ["1"]
    assert not chosen.list_changes
    assert not nobody.list_changes
