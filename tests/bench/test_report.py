"""What the bench says of its own figures, and that it says so when a run is void."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import charts, report
from bench.report import Figure, Section
from bench.settings import Effort


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("rate", 2.3, "x", 2.2), True),
        (Figure("rate", 2.1, "x", 2.2), False),
        (Figure("wait", 24.0, "ms", 25.0, "lower"), True),
        (Figure("wait", 26.0, "ms", 25.0, "lower"), False),
        (Figure("told", 26.0, "ms"), None),
    ],
)
def test_a_target_is_met_in_its_own_direction(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


def test_results_carry_the_single_values_the_machine_and_its_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    path = report.keep([Section("accept", [Figure("rate", 2.0, "/s", runs=(1.0, 2.0, 3.0))])], 0.25)

    kept = json.loads(path.read_text())
    assert kept["noise"] == 0.25
    assert kept["machine"]["cores"] >= 1
    assert kept["sections"][0]["figures"][0]["runs"] == [1.0, 2.0, 3.0]


def test_a_void_section_is_shown_and_has_no_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    void = Section("accept", [Figure("a", 1, "/s"), Figure("b", 2, "/s")], void="3 events were lost")

    report.show([void], 0.1)

    assert "VOID" in capsys.readouterr().out
    assert charts.draw([void], tmp_path) == []


def test_a_chart_names_every_figure_and_escapes_it(tmp_path: Path) -> None:
    figures = [Figure("a < b", 1, "/s", 2), Figure("c", 3, "/s")]

    [path] = charts.draw([Section("accept", figures)], tmp_path)

    drawn = path.read_text()
    assert "a &lt; b" in drawn
    assert drawn.count("<rect") == 3  # the ground and two bars


def test_a_bench_that_breaks_off_is_void_and_the_command_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_effort: Effort) -> Section:
        raise RuntimeError("a server did not start")

    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr("bench.calls.run", broken)

    status = command.main(["--only", "calls", "--quick"])

    assert status == 1
    assert "a server did not start" in capsys.readouterr().out


def test_a_bench_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "acept"]) == 2
    assert "no such bench: acept" in capsys.readouterr().err


def test_each_missed_target_and_each_void_section_has_a_line_of_its_own() -> None:
    measured = [Figure("rate", 2.1, "x", 2.2), Figure("wait", 24.0, "ms", 25.0, "lower"), Figure("told", 3.0, "/s")]
    none = Figure("size", None, "MB", 100.0, "lower", note="it did not start")

    lines = report.missed([Section("accept", [*measured, none]), Section("down", void="an event was lost")])

    assert lines == [
        "missed: accept: rate: 2.1 x, target ≥ 2.2",
        "missed: accept: size: none, target ≤ 100",
        "void: down: an event was lost",
    ]


def test_what_could_not_be_measured_is_a_row_with_its_reason_and_no_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section("accept", [Figure("a", 1, "/s"), Figure("b", 2, "/s"), Figure("n8n", None, "/s", note="no npm")])

    report.show([section], 0.1)
    [path] = charts.draw([section], tmp_path)

    assert "no npm" in capsys.readouterr().out
    assert "n8n" not in path.read_text()


def test_a_unit_with_a_stroke_in_it_names_a_file(tmp_path: Path) -> None:
    section = Section("scaleout", [Figure("one", 1, "changes/s"), Figure("two", 2, "changes/s")])

    [path] = charts.draw([section], tmp_path)

    assert path.name == "scaleout-changes-s.svg"


def test_no_further_bench_is_begun_when_the_time_is_over_and_its_row_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setitem(command.MOST_SECONDS, "quick", -1)
    monkeypatch.setattr("bench.calls.run", lambda _effort: begun.append("calls"))

    status = command.main(["--only", "calls", "--quick"])

    assert (status, begun) == (1, [])
    assert "void: calls: not run" in capsys.readouterr().out


def test_the_largest_database_replaces_those_that_are_larger() -> None:
    assert Effort.of("usual").grown_to(50_000).growth == (1_000, 50_000)
    assert Effort.of("usual").grown_to(3_000_000).growth == (1_000, 100_000, 1_000_000, 3_000_000)
