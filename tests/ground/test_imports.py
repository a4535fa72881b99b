"""The import contracts hold, and each of them would notice."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "models",
    "webhooks",
    "worker",
    *(
        f"worker.{name}"
        for name in ("cli", "config", "core", "embedded", "errors", "flows", "runtime", "sandbox", "store")
    ),
    "worker.vendors",
    "worker.vendors.contract",
    "worker.vendors.simulation",
    *(f"worker.vendors.{name}" for name in ("robaws", "rompslomp", "recras", "workspace", "routix")),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).parent / "lint-imports")
    command = [program, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def tree(folder: Path, **modules: str) -> Path:
    """The packages that the contracts name, all empty but for `modules` (double underscores stand for dots)."""
    for package in PACKAGES:
        path = folder.joinpath(*package.split("."))
        path.mkdir(parents=True, exist_ok=True)
        (path / "__init__.py").touch()
    for vendor in (folder / "worker/vendors").glob("r*"):
        (vendor / "simulator.py").touch()
    for name, source in modules.items():
        folder.joinpath(*name.split("__")).with_suffix(".py").write_text(source + "\n")
    return folder


def test_every_part_of_the_worker_has_its_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    placed = {name for layer in layers for name in re.findall(r"worker\.(\w+)", layer)}

    parts = {
        path.stem for path in (ROOT / "worker").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert parts - {"__init__"} <= placed


@pytest.mark.slow
def test_imports_go_one_way() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_a_tree_without_imports_breaks_no_contract(tmp_path: Path) -> None:
    result = lint_imports(tree(tmp_path))

    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "source", "contract"),
    [
        ("worker__core__plan", "import worker.store", "Imports go one way"),
        ("worker__flows__fetch", "import webhooks", "Imports go one way"),
        ("worker__store__links", "import worker.vendors", "Imports go one way"),
        ("worker__core__retry", "import celery", "The core does no I/O"),
        ("worker__core__rate", "import redis", "The core does no I/O"),
        ("worker__vendors__transport", "from sqlalchemy import select", "A vendor does not know the database"),
        ("worker__vendors__robaws__client", "import models", "A vendor does not know the database"),
        ("worker__flows__deliver", "import httpx", "Only vendors speak HTTP"),
        ("worker__vendors__recras__client", "import worker.vendors.robaws", "Vendors do not know each other"),
        ("worker__runtime__clients", "import worker.vendors.recras.simulator", "Nothing that runs for real"),
        ("worker__vendors__contract__registry", "import worker.vendors.simulation", "Nothing that runs for real"),
    ],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, module: str, source: str, contract: str) -> None:
    result = lint_imports(tree(tmp_path, **{module: source}))

    assert result.returncode == 1
    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in result.stdout.splitlines())
