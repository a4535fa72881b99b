"""The page on monitoring: its expressions against what `/metrics` shows, and its cron line as cron would run it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from tests.webhooks.conftest import Served

PAGE: Final = (ROOT / "docs" / "monitoring.md").read_text()
ALERTS: Final = [
    (name, expression.replace(r"\|", "|"))
    for name, expression in re.findall(r"^\| `(Contactsync\w+)` \| `((?:[^`])+)` \|", PAGE, re.MULTILINE)
]
SELECTOR: Final = re.compile(r"(contactsync_\w+)(?:\{([^}]*)\})?")
MATCHER: Final = re.compile(r'(\w+)(=~|=)"([^"]*)"')
API: Final = (ROOT / "docs" / "api.md").read_text()


def words_of(metric: str) -> set[str]:
    """The values of a label that appear with their first event only, as the API's page lists them."""
    return set(re.findall(r"`(\w+)`", next(line for line in API.splitlines() if f"`{metric}" in line)))


FUNCTIONS: Final = {"max", "min", "sum", "rate", "increase", "histogram_quantile", "by", "on", "and", "offset", "up"}


def test_there_are_alerts_and_each_has_a_name_of_its_own() -> None:
    assert len(ALERTS) >= 15
    assert len({name for name, _ in ALERTS}) == len(ALERTS)


def test_every_expression_is_about_metrics_labels_and_values_that_there_are(served: Served) -> None:
    served.event("e-1")
    served.http.post("/webhooks/robaws", content=b"{}", headers={"Content-Type": "application/json"})
    families = list(text_string_to_metric_families(served.http.get("/metrics").text))
    kinds = {family.name: family.type for family in families}
    samples = [sample for family in families for sample in family.samples]
    values: dict[tuple[str, str], set[str]] = {}
    for sample in samples:
        for label, value in sample.labels.items():
            values.setdefault((sample.name, label), set()).add(value)
    for name, label in (("contactsync_refusals_total", "kind"), ("contactsync_webhook_requests_total", "result")):
        values[name, label] |= words_of(name)

    problems = []
    for alert, expression in ALERTS:
        for name, matchers in SELECTOR.findall(expression):
            family = re.sub(r"_(total|bucket|sum|count)$", "", name)
            if name not in kinds and family not in kinds:
                problems.append(f"{alert}: there is no {name}")
            for label, operator, wanted in MATCHER.findall(matchers):
                known = values.get((name, label), set())
                if not any(re.fullmatch(wanted, one) if operator == "=~" else one == wanted for one in known):
                    problems.append(f"{alert}: {name} has no {label} {wanted}, but {sorted(known)}")
        labels = set(re.findall(r"(?:by|on) \((\w+)\)", expression)) - {label for _, label in values}
        problems += [f"{alert}: no metric has the label {label}" for label in labels]

    assert problems == []


@pytest.mark.parametrize(("name", "expression"), ALERTS)
def test_an_expression_is_well_formed(name: str, expression: str) -> None:
    bare = re.sub(r'"[^"]*"', "", SELECTOR.sub("", expression))
    words = set(re.findall(r"[a-z_]+", re.sub(r"\[\w+\]|\d+\w?|\(\w+\)|\{[^}]*\}", " ", bare)))

    assert words <= FUNCTIONS, name
    assert [expression.count(one) for one in "([{"] == [expression.count(one) for one in ")]}"]
    counters = [one for one, _ in SELECTOR.findall(expression) if one.endswith(("_total", "_bucket"))]
    assert all(re.search(rf"(rate|increase)\({one}", expression) for one in counters)


@pytest.mark.parametrize(("status", "printed"), [(0, ""), (1, "2 need you\n"), (3, "2 need you\n")])
def test_the_cron_line_prints_only_what_is_not_well(tmp_path: Path, status: int, printed: str) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("*/15"))
    command = line.split(maxsplit=5)[5].replace("/srv/contactsync", str(tmp_path))
    program = tmp_path / ".venv" / "bin" / "contactsync"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = status ] && echo "2 need you"\nexit {status}\n')
    program.chmod(0o755)

    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)

    assert (ran.stdout, ran.stderr) == (printed, "")
    assert "%" not in command  # for cron it is the end of the command
