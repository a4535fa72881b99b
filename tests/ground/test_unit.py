"""The systemd unit gives the service what it needs and little else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict

import pytest

from tests.ground.compose import ROOT

UNIT = ROOT / "deploy/contactsync.service"
MOST_EXPOSED = 12
"""In tenths, of 100; an ordinary service has 96."""


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found[name].append(value)
    return found


def test_what_runs_cannot_change_what_it_runs() -> None:
    unit = settings()

    assert unit["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in unit
    assert unit["StateDirectory"] == ["contactsync"]
    program = unit["ExecStart"][0].split()[0]
    environment = dict(one.split("=", 1) for one in unit["Environment"])
    assert environment["CONTACTSYNC_HOME"].startswith("/var/lib/contactsync/")
    assert unit["WorkingDirectory"] == ["/var/lib/contactsync"]
    for path in (program, environment["CONTACTSYNC_CONFIG"]):
        assert not path.startswith("/var/lib/contactsync")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User", "contactsync"),
        ("NoNewPrivileges", "true"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("PrivateDevices", "true"),
        ("PrivateTmp", "true"),
        ("PrivateUsers", "true"),
        ("ProtectHome", "true"),
        ("ProtectKernelTunables", "true"),
        ("ProtectKernelModules", "true"),
        ("ProtectKernelLogs", "true"),
        ("LockPersonality", "true"),
        ("MemoryDenyWriteExecute", "true"),
        ("RestrictNamespaces", "true"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
        ("LimitNOFILE", "65536"),
        ("UMask", "0077"),
    ],
)
def test_the_service_has_no_more_rights_than_it_needs(name: str, value: str) -> None:
    assert settings()[name] == [value]


def test_the_service_makes_the_system_calls_of_a_service_only() -> None:
    assert settings()["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert {"MemoryMax", "TasksMax"} <= settings().keys()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_the_exposure_that_systemd_computes_is_low() -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in ran.stderr or "Unknown" in ran.stderr:
        pytest.skip("this systemd-analyze reads no files")

    assert ran.returncode == 0, ran.stdout[-300:]
