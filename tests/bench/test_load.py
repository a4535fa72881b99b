"""The load generator: what it sends is a right event, and it goes nowhere but to this machine."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from bench.processes import SECRET, Load, write_requests
from worker.core import signature
from worker.vendors.robaws.events import parse_event

needs_a_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


def test_requests_are_signed_events_of_the_wanted_size_each_with_its_own_id(tmp_path: Path) -> None:
    write_requests(tmp_path / "requests", 30, 8080, clients=["1001", "1002"])

    data, events = (tmp_path / "requests").read_bytes(), []
    while data:
        (size,) = struct.unpack("I", data[:4])
        head, body = data[4 : 4 + size].split(b"\r\n\r\n", 1)
        signed = next(line for line in head.decode().split("\r\n") if line.startswith(signature.HEADER))
        assert signature.verify(signed.partition(": ")[2], body, [SECRET], now=0, tolerance_seconds=0)
        assert 3_800 < len(body) < 4_200
        events.append(parse_event(body))
        data = data[4 + size :]
    assert len({event.event_id for event in events}) == 30
    assert {event.source_id for event in events} == {"1001", "1002"}


@pytest.mark.slow
@needs_a_compiler
def test_it_goes_to_loopback_only(tmp_path: Path) -> None:
    load = Load(tmp_path)
    write_requests(tmp_path / "requests", 1, 8080)

    ran = subprocess.run(
        [str(load.binary), "192.0.2.1", "80", str(tmp_path / "requests"), "1", "1", "0"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "loopback only" in ran.stderr
    assert json.dumps(ran.stdout) == '""'
