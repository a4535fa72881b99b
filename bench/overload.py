"""
Accept under overload: far more than it can take, then a database that hangs while events go on coming.

Two thousand senders, each of which sends its next event as soon as the last one was answered (bodies of 1 kB, so that
the generator can keep up). Then every process of PostgreSQL is stopped (SIGSTOP) for 20 seconds under a paced stream.
Every answer has to come within two seconds, a 503 with Retry-After among them; nothing that was accepted may be lost.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psutil

from bench.processes import Load, event_request, wait_until, write_requests
from bench.product import Product, product, server_processes
from bench.report import Figure, Section
from bench.settings import Effort

SENDERS: Final = 2_000
PACED: Final = 300.0
MOST_MB: Final = 300.0


class Watch:
    """The most that a process held while it was looked at."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.most = max(self.most, self.process.memory_info().rss / 1e6)


def run(effort: Effort) -> Section:
    """The flood, then the hanging database."""
    section = Section("overload")
    with product(receiver_only=True, webhook=False) as made, Watch(made.parts["receiver"]) as watch:
        load = Load(made.home)
        flood = _flood(made, load, effort.overload_seconds)
        hang, back, told = _hang(made, load, effort.hang_seconds)
        accepted = sum(int(one["statuses"].get("202", 0)) for one in (flood, hang))
        stored = made.count("SELECT count(*) FROM inbox_event")
        distinct = made.count("SELECT count(DISTINCT event_id) FROM inbox_event")
        if stored < accepted or stored != distinct:
            section.void = f"{accepted} events were accepted, {stored} stored, {distinct} distinct"
    for words, result in (("flood", flood), ("database hangs", hang)):
        answered = result["answered"]
        section.add(Figure(f"{words}: slowest answer", round(result["max_us"] / 1e6, 2), "s", 2.0, "lower"))
        section.add(Figure(f"{words}: answers", answered, "answers", note=f"{result['statuses']}"))
        wrong = answered - sum(int(result["statuses"].get(code, 0)) for code in ("202", "200", "503"))
        section.add(Figure(f"{words}: neither stored nor 503", wrong + result["errors"], "answers", 0, "lower"))
    section.add(Figure("a 503 with Retry-After while it hangs (1: yes)", float(told), "", 1.0))
    section.add(Figure("accepting again after the hang", round(back, 2), "s"))
    section.add(Figure("receiver, most resident", round(watch.most, 1), "MB", MOST_MB, "lower"))
    return section


def _flood(made: Product, load: Load, seconds: float) -> dict[str, Any]:
    requests = made.home / "flood"
    write_requests(requests, int(18_000 * seconds), made.port, body_bytes=1_000, secret=made.secret)
    result = load.run(made.port, requests, connections=SENDERS, seconds=seconds)
    requests.unlink()
    return result


def _hang(made: Product, load: Load, seconds: float) -> tuple[dict[str, Any], float, bool]:
    """A paced stream over a database that stands still midway; what came, when it took events again, the 503."""
    requests = made.home / "paced"
    whole = seconds + 10
    write_requests(requests, int(PACED * whole * 1.1), made.port, body_bytes=1_000, secret=made.secret)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(load.run, made.port, requests, connections=SENDERS, seconds=whole, rate=PACED)
        time.sleep(3)
        stopped = server_processes("postgres")
        for process in stopped:
            process.suspend()
        time.sleep(seconds / 2)
        status, headers = _post(made)
        time.sleep(seconds / 2)
        for process in stopped:
            if process.is_running():
                process.resume()
        back = wait_until(lambda: _post(made)[0] == 202, 30, "events are taken again", every=0.05)
        return running.result(), back, status == 503 and "retry-after" in headers


def _post(made: Product) -> tuple[int, dict[str, str]]:
    head, body = event_request("1001", 500, made.port, secret=made.secret).split(b"\r\n\r\n", 1)
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    request = urllib.request.Request(f"http://127.0.0.1:{made.port}/webhooks/robaws", data=body, headers=dict(lines))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, {}
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}
    except OSError:
        return 0, {}
