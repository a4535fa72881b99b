"""The suite as an operator runs it against test tenants, with the sandbox in the place of the five vendors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.registry import ADAPTERS
from tests.conformance.samples import PREFIX
from tests.conformance.tenant import PROMISE, VARIABLE
from worker.sandbox.server import SandboxServer
from worker.sandbox.settings import as_toml
from worker.vendors.routix.simulator import RoutixSimulator

ROOT = Path(__file__).parents[2]
# As fast as the vendor's limits let pass; the simulated Routix, which counts by the minute, is told to count none.
QUICK: dict[str, dict[str, Any]] = {
    "robaws": {"rate_per_second": 14, "burst": 10},
    "rompslomp": {"rate_per_second": 500, "burst": 500},
    "recras": {"rate_per_second": 500, "burst": 500},
    "workspace": {"rate_per_second": 500, "burst": 500},
    "routix": {"rate_per_minute": 100, "burst": 500},
}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        server.seed(3)
        routix = server.simulators["routix"]
        assert isinstance(routix, RoutixSimulator)
        routix.switches.requests_per_minute = routix.switches.tokens_per_minute = None
        routix.add_account(company_name="Transport De Vaart")
        yield server


def environment(sandbox: SandboxServer, folder: Path) -> dict[str, str]:
    """One file for each vendor, and the variables that name them."""
    environ = dict(os.environ)
    environ.pop("PYTEST_XDIST_WORKER", None)
    for name, settings in sandbox.settings().items():
        system = {**settings, **QUICK[name], "unknown_settle_seconds": 0}
        path = folder / f"{name}.toml"
        path.write_text(f"[conformance]\n{PROMISE} = true\n\n{as_toml({name: system})}")
        environ[VARIABLE.format(name.upper())] = str(path)
    return environ


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "tests/conformance", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=280
    )


def records_of_the_suite(state: dict[str, Any]) -> list[str]:
    """The names of the records that are there and not in the bin."""
    records = state.get("records") or list((state.get("clients") or state.get("accounts") or {}).values())
    return re.findall(rf"{PREFIX} \d+", json.dumps([record for record in records if not record.get("trashed")]))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_suite_runs_against_tenants_and_cleans_up_behind_itself(sandbox: SandboxServer, tmp_path: Path) -> None:
    of_the_suite = [f"--ignore=tests/conformance/test_{name}.py" for name in ("suite", "readings", "tenant")]

    done = run(environment(sandbox, tmp_path), *of_the_suite)

    assert done.returncode == 0, done.stdout[-5000:]
    skipped = re.findall(r"SKIPPED \[(\d+)\][^\n]*: (.*)", done.stdout)
    assert {reason.partition(", and ")[0] for _, reason in skipped} == {f"{name} is a tenant" for name in ADAPTERS}
    left = {name: records_of_the_suite(simulator.state()) for name, simulator in sandbox.simulators.items()}
    assert {name for name, names in left.items() if names} == {"recras"}
    assert "remove these records of recras by hand" in done.stdout
