"""A worker that has gone deaf ends itself; one that hears its canaries, or whose broker is away, does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.processes.work import DEAF_STATUS

WORKER = """
import sys, threading
from worker.app import create_celery
from worker.config import load_settings
from worker.processes.pulse import Pulse
from worker.processes.work import Canary

settings = load_settings({}).with_urls("postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1/0")
settings = settings.model_copy(update={"home": sys.argv[2]})
taken, comes_back = {"deaf": (True, False), "hears": (True, True), "broker away": (False, False)}[sys.argv[1]]
enough = threading.Event()
sung = []

class Publisher:
    def forget_canaries(self):
        pass

    def canary(self, queue):
        sung.append(queue)
        if comes_back:
            canary.came_through()
        if len(sung) == 6:
            enough.set()
        return taken

canary = Canary(create_celery(settings), Publisher(), Pulse(settings, "worker"), deaf_seconds=2.0)
canary.start()
enough.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("case", "status"), [("deaf", DEAF_STATUS), ("hears", 0), ("broker away", 0)])
def test_a_worker_that_hears_none_of_its_canaries_ends_itself(tmp_path: object, case: str, status: int) -> None:
    command = [sys.executable, "-c", WORKER, case, str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)

    assert done.returncode == status, done.stderr
