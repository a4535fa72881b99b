"""What is depended on is explained, pinned with hashes, and the same wherever it is installed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-runtime.lock", "bench/peers.lock"]
OURS = {"worker", "webhooks", "models", "tests", "tools", "bench", "simulation"}
# What is imported under another name than it is installed by.
MODULES = {
    "email_validator": "email-validator",
    "re2": "google-re2",
    "stdnum": "python-stdnum",
    "prometheus_client": "prometheus-client",
    "pydantic_settings": "pydantic-settings",
    "typing_extensions": "typing-extensions",
    "yaml": "pyyaml",
    "openapi_spec_validator": "openapi-spec-validator",
    # Parts of the same project, which promises to bring them along in the fitting version.
    "kombu": "celery",
    "psycopg_pool": "psycopg",
    "httpcore": "httpx",
    "pydantic_core": "pydantic",
}
# Used without being imported by us.
BY_NAME_ONLY = {
    "async-timeout": "redis imports it",
    "hiredis": "redis takes it when it is there",
    "httptools": "uvicorn takes it when it is there",
    "tzdata": "zoneinfo reads it where the system has no zones",
    "uvloop": "uvicorn takes it when it is there",
}
# What a supported machine may be: a marker that holds on one of them must find its package in the lock.
PYTHONS = ["3.11.0", "3.11.2", "3.11.9", "3.12.8", "3.13.2", "3.14.0"]
MACHINES = [("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64")]


def declared(section: str) -> dict[str, Requirement]:
    """The requirements of one section of pyproject.toml by name; `run` is the one without a name."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] if section == "run" else project["optional-dependencies"][section]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one for one in requirements}


def explained(section: str) -> dict[str, list[str]]:
    """The rows of one table of docs/dependencies.md: package → the other cells."""
    headings = {"run": "## To run\n", "embedded": "(`embedded`)\n", "fuzz": "(`fuzz`)\n", "dev": "## To develop"}
    heading = headings[section]
    text = (ROOT / "docs/dependencies.md").read_text().split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {canonicalize_name(name): cells for name, *cells in rows[2:]}


def peers() -> set[str]:
    """What other products' receivers need, in an environment of the bench's own."""
    lines = (ROOT / "bench" / "peers-requirements.txt").read_text().splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}


def pinned(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Package → version and hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    found = re.findall(r"^([\w.-]+)==(\S+)((?:\s+--hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    return {canonicalize_name(name): (version, frozenset(hashes.split())) for name, version, hashes in found}


def environments() -> Iterator[Mapping[str, str]]:
    for version, (platform, system, machine) in product(PYTHONS, MACHINES):
        yield {
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": version,
            "python_version": version.rsplit(".", 1)[0],
            "sys_platform": platform,
        }


def wanted_by(requirement: Requirement, environment: Mapping[str, str]) -> Iterator[Requirement]:
    """What an installed package asks for in that environment, with the extras that it was asked for."""
    for line in distribution(requirement.name).requires or []:
        one = Requirement(line)
        extras = {"", *requirement.extras}
        if one.marker is None or any(one.marker.evaluate({**environment, "extra": extra}) for extra in extras):
            yield one


def imported(*folders: str) -> set[str]:
    """The packages that the code of these folders imports, by the name that they are installed by."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        if any(part.startswith(".") for part in path.relative_to(ROOT).parts):
            continue  # what a bench has installed is nobody's code of ours
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    theirs = found - OURS - sys.stdlib_module_names
    return {canonicalize_name(MODULES.get(name, name)) for name in theirs}


@pytest.mark.parametrize("section", ["run", "embedded", "fuzz", "dev"])
def test_every_dependency_has_a_row_with_its_reason_and_no_row_is_left_over(section: str) -> None:
    rows = explained(section)

    assert sorted(rows) == sorted(declared(section))
    assert all(len(cells) == 2 and all(cells) for cells in rows.values())


def test_what_the_product_imports_is_declared_and_what_is_declared_is_used() -> None:
    product = imported("worker", "webhooks", "models", "alembic")

    assert product <= set(declared("run"))
    assert set(declared("run")) - product == set(BY_NAME_ONLY)


def test_what_tests_and_tools_import_is_declared() -> None:
    # packaging comes with pytest and pip-tools alike
    known = {*declared("run"), *declared("embedded"), *declared("fuzz"), *declared("dev"), "packaging"}

    assert imported("tests", "tools") <= known
    assert imported("bench") <= known | peers()


def test_what_the_bench_installs_beside_us_is_pinned() -> None:
    assert peers() <= set(pinned("bench/peers.lock"))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_place_of_any_kind(lock: str) -> None:
    text = (ROOT / lock).read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert all(re.fullmatch(r"[\w.-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines)
    assert not re.search(r"://|--\w*(index|find-links|trusted-host)|/(home|tmp|usr|opt|root)\b", text)


def test_everything_that_is_depended_on_is_pinned() -> None:
    everything = {**declared("run"), **declared("embedded"), **declared("dev")}

    assert set(everything) <= set(pinned("requirements.lock"))
    assert set(declared("run")) <= set(pinned("requirements-runtime.lock"))
    assert set(declared("fuzz")) == set(pinned("requirements-fuzz.lock"))


def test_the_container_gets_the_same_versions_and_neither_tools_nor_embedded_servers() -> None:
    full, runtime = pinned("requirements.lock"), pinned("requirements-runtime.lock")

    assert {name: full.get(name) for name in runtime} == runtime
    # setuptools builds the project in the image's first stage, too
    assert not (set(declared("embedded")) | set(declared("dev")) - {"setuptools"}) & set(runtime)


def test_the_lock_is_complete_on_every_python_that_is_supported() -> None:
    """With hashes pip refuses what the lock does not name: a marker that is false here may be true elsewhere."""
    locked = pinned("requirements.lock")
    extras = {**declared("run"), **declared("embedded"), **declared("dev")}

    missing = {
        f"{name} wants {one}"
        for name in locked
        for environment in environments()
        for one in wanted_by(extras.get(name, Requirement(name)), environment)
        if canonicalize_name(one.name) not in locked
    }

    assert not missing
