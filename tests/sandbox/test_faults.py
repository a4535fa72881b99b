"""The faults file: what it takes, and how it says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from worker.errors import ConfigurationError
from worker.sandbox.faults import load_faults
from worker.sandbox.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "faults.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def problems(tmp_path: Path, world: World, content: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_faults(written(tmp_path, content), world.simulators)
    return [problem.removeprefix(str(tmp_path / "faults.json")) for problem in caught.value.problems]


def test_every_kind_and_setting_is_taken_and_survives_a_reset(tmp_path: Path, world: World) -> None:
    document = {
        "robaws": [
            {"kind": "delay", "seconds": 2, "times": -1, "method": "GET", "path": "/clients", "probability": 0.5},
            {"kind": "webhook_reorder", "seconds": 0.5},
            {"kind": "webhook_repeat", "copies": 3},
        ],
        "workspace": [{"kind": "rate_limit", "calls": 4, "seconds": 3, "retry_after": 3}],
        "rompslomp": [{"kind": "status", "status": 503, "body": "{}", "headers": {"retry-after": "1"}}],
        "recras": {"kind": "swap_empty"},
    }
    plan = load_faults(written(tmp_path, document), world.simulators)
    faulty = World(plan)

    faulty.reset()

    assert [fault.kind for fault in faulty.simulators["robaws"].faults] == ["delay"]
    assert [fault.kind for fault in faulty.robaws.webhooks.faults] == ["reorder", "repeat"]
    assert faulty.simulators["rompslomp"].faults[0].headers == {"retry-after": "1"}
    assert (faulty.simulators["workspace"].faults[0].calls, faulty.simulators["workspace"].faults[0].seconds) == (4, 3)
    assert world.simulators["robaws"].faults == []


def test_a_file_that_is_not_there_is_said_by_name(tmp_path: Path, world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.json cannot be read \(No such file"):
        load_faults(tmp_path / "nowhere.json", world.simulators)


def test_a_file_that_is_not_json_says_where(tmp_path: Path, world: World) -> None:
    (problem,) = problems(tmp_path, world, '{"robaws": [}')

    assert "is not JSON" in problem
    assert "line 1 column 13" in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param([], " is no object: write", id="a list"),
        pytest.param({"robows": []}, ": 'robows' is no system: did you mean 'robaws'?", id="a misspelt system"),
        pytest.param({"exact": []}, ": 'exact' is no system: it is one of robaws, rompslomp", id="another system"),
        pytest.param({"robaws": 3}, ": robaws: is neither a fault nor a list of faults", id="no list"),
        pytest.param({"robaws": [3]}, ": robaws: fault 1: is no object", id="no fault"),
        pytest.param({"robaws": [{}]}, ": robaws: fault 1: kind is missing", id="no kind"),
        pytest.param(
            {"routix": [{"kind": "swap_empty"}]},
            ": routix: fault 1: routix knows no fault 'swap_empty'",
            id="a kind of another system",
        ),
        pytest.param(
            {"robaws": [{"kind": "webhook_mangle"}]},
            ": robaws: fault 1: robaws knows no fault webhook_mangle",
            id="a webhook fault that does not exist",
        ),
        pytest.param(
            {"robaws": [{"kind": "delay", "second": 1}]},
            ": robaws: fault 1: second is not a setting: did you mean 'seconds'?",
            id="a misspelt setting",
        ),
        pytest.param(
            {"robaws": [{"kind": "webhook_lose", "status": 500}]},
            "unexpected keyword argument 'status'",
            id="a setting that the kind does not take",
        ),
        pytest.param({"robaws": [{"kind": "delay", "seconds": -1}]}, "seconds: Input should be", id="below zero"),
        pytest.param({"robaws": [{"kind": "html", "times": 0}]}, "times: Value error, is 0", id="never"),
        pytest.param({"robaws": [{"kind": "html", "path": "("}]}, "path: Value error, is no regular", id="expression"),
        pytest.param({"robaws": [{"kind": "status", "status": "503"}]}, "status: Input should be", id="text"),
    ],
)
def test_a_mistake_is_said_with_its_place(tmp_path: Path, world: World, content: Any, expected: str) -> None:
    (problem,) = problems(tmp_path, world, content)

    assert expected in problem


def test_all_mistakes_are_said_at_once(tmp_path: Path, world: World) -> None:
    content = {"robows": [], "recras": [{"kind": "html"}, {"knd": "html"}], "routix": [{"kind": "x"}]}

    assert len(problems(tmp_path, world, content)) == 4
